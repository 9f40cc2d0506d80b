/** What screen readers say. */

import { useEffect, useState } from "preact/hooks";

const PAUSE = 700; // milliseconds after which a text that stays is read out

/** What has stayed for a moment, not each of thirty texts a second. */
export function Spoken({ text }: { text: string }) {
  const [said, setSaid] = useState("");
  useEffect(() => {
    const timer = setTimeout(() => setSaid(text), PAUSE);
    return () => clearTimeout(timer);
  }, [text]);
  return (
    <p class="unseen" aria-live="polite">
      {said}
    </p>
  );
}
