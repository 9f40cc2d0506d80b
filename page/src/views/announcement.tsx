/** Text for screen readers. */

import { useEffect, useState } from "preact/hooks";

const PAUSE = 700; // milliseconds after which a text that no longer changes is read out

/** Reads out a text once it has stopped changing, instead of thirty texts a second. */
export function Announcement({ text }: { text: string }) {
  const [announced, setAnnounced] = useState("");
  useEffect(() => {
    const timer = setTimeout(() => setAnnounced(text), PAUSE);
    return () => clearTimeout(timer);
  }, [text]);
  return (
    <p class="visually-hidden" aria-live="polite">
      {announced}
    </p>
  );
}
