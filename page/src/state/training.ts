/** The training in the browser, while its view is open. */

import { useEffect, useState } from "preact/hooks";

import type { Trainer } from "../network/trainer";

const PACE = 150; // milliseconds between two looks at what has changed
const CALM = 1000; // for readers who asked for little motion

/** Draws the view again when the trainer has news; pauses it while the view or the browser's tab is not shown. */
export function useTraining(trainer: Trainer): void {
  const [, setNews] = useState(0);
  useEffect(() => {
    let paused = false; // by this hook
    const visible = () => {
      if (document.hidden && trainer.snapshot?.running) {
        paused = true;
        trainer.order({ what: "pause" });
      } else if (!document.hidden && paused) {
        paused = false;
        trainer.order({ what: "run" });
      }
    };
    trainer.onChange = () => setNews((number) => number + 1);
    document.addEventListener("visibilitychange", visible);
    void trainer.open(matchMedia("(prefers-reduced-motion: reduce)").matches ? CALM : PACE);
    return () => {
      document.removeEventListener("visibilitychange", visible);
      trainer.onChange = () => {};
      if (trainer.snapshot?.running) trainer.order({ what: "pause" });
    };
  }, [trainer]);
}

/** A text that changes at most every `seconds`, so that it can be read out. */
export function useCalm(text: string, seconds: number): string {
  const [calm, setCalm] = useState(text);
  const [due, setDue] = useState(0);
  useEffect(() => {
    const timer = setTimeout(
      () => {
        setCalm(text);
        setDue(Date.now() + 1000 * seconds);
      },
      Math.max(0, due - Date.now()),
    );
    return () => clearTimeout(timer);
  }, [text]);
  return calm;
}
