/** The tour: what a step says, and buttons to go on, back, or to the end. */

import { useEffect, useRef } from "preact/hooks";

import type { Step } from "../arithmetic/seen";
import type { TourState } from "../state/tour";
import "./tour.css";

const PARTS: Record<Step["shows"][number], string> = {
  image: ".stage",
  working: ".inspector",
  totals: ".totals",
  verdict: "[aria-label=Probabilities]",
};
const VISITED = "cnnvis toured";

/** Whether the reader has never taken the tour on this computer; true if that can't be known. */
function isFirstVisit(): boolean {
  try {
    return !localStorage.getItem(VISITED);
  } catch {
    return true;
  }
}

function remember(): void {
  try {
    localStorage.setItem(VISITED, "yes");
  } catch {
    // a page from disk may have no storage
  }
}

export function TourButton({ tour }: { tour: TourState }) {
  const first = useRef(isFirstVisit());
  return (
    <button
      type="button"
      id="take-tour"
      class={first.current ? "plain inviting" : "plain"}
      aria-expanded={tour.number !== null}
      onClick={() => (tour.number === null ? tour.start() : tour.end())}
    >
      {tour.number === null ? "Take the tour (2 minutes)" : "End the tour"}
    </button>
  );
}

export function Tour({ tour }: { tour: TourState }) {
  const heading = useRef<HTMLHeadingElement>(null);
  const active = tour.number !== null;
  const newest = useRef(tour);
  newest.current = tour;
  const end = () => {
    newest.current.end();
    document.getElementById("take-tour")?.focus();
  };
  useEffect(() => {
    if (!active) return;
    remember();
    const keys = (event: KeyboardEvent) => {
      if (event.key !== "Escape" || document.querySelector("dialog[open]")) return;
      event.stopPropagation();
      event.preventDefault();
      end();
    };
    document.addEventListener("keydown", keys, true);
    return () => document.removeEventListener("keydown", keys, true);
  }, [active]);
  useEffect(() => {
    if (tour.step && document.activeElement?.closest(".tour") === null) heading.current?.focus({ preventScroll: true });
  }, [tour.step === null]);
  usePointedOut(tour.step, tour.number);
  if (tour.number === null) return null;
  if (!tour.step)
    return (
      <section class="tour" aria-label="Tour">
        <p class="hint">Computing this image …</p>
      </section>
    );
  const { step, number, count } = tour;
  const isLast = number === count - 1;
  return (
    <section class="tour" aria-label="Tour">
      <div aria-live="polite">
        <h2 ref={heading} tabIndex={-1}>
          <span class="hint progress">
            {number + 1} of {count}
          </span>{" "}
          {step.title}
        </h2>
        {step.text.map((sentence, i) => (
          <p key={i}>{sentence}</p>
        ))}
      </div>
      <div class="row">
        <button type="button" class="plain" aria-disabled={number === 0} onClick={tour.back}>
          Back
        </button>
        <button type="button" class="plain inviting" onClick={() => (isLast ? end() : tour.next())}>
          {isLast ? "Finish" : "Next"}
        </button>
        {!isLast && (
          <button type="button" class="link" onClick={end}>
            End the tour
          </button>
        )}
      </div>
    </section>
  );
}

/** Outlines the parts that a step speaks of, and keeps them in sight until the reader scrolls. */
function usePointedOut(step: Step | null, number: number | null) {
  useEffect(() => {
    if (!step) return;
    document.body.dataset.toured = step.shows.join(" ");
    let observer: ResizeObserver | null = null;
    const frame = requestAnimationFrame(() => {
      const part = document.querySelector(partInSight(step));
      if (!part) return;
      observer = new ResizeObserver(() => part.scrollIntoView({ block: "start", behavior: "instant" }));
      observer.observe(part);
      observer.observe(document.body);
    });
    const stop = () => observer?.disconnect();
    const moves = ["wheel", "touchmove", "pointerdown"] as const;
    for (const move of moves) addEventListener(move, stop, { passive: true });
    return () => {
      cancelAnimationFrame(frame);
      stop();
      for (const move of moves) removeEventListener(move, stop);
      delete document.body.dataset.toured;
    };
  }, [number, step === null]);
}

/** What comes first in the window; the image and the verdict stay beside it where there are two columns. */
function partInSight({ shows }: Step): string {
  if (matchMedia("(max-width: 599px)").matches) return PARTS[shows[0]];
  return matchMedia("(max-width: 900px), (max-height: 760px)").matches ? ".inspector" : ".network";
}
