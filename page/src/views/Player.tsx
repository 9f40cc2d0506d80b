/** Lets the window slide over the input, position by position. */

import { createContext } from "preact";
import { useContext, useEffect, useState } from "preact/hooks";

import type { Pair } from "../contract";

/** A position to which the window slides by itself; null if it waits for the reader. */
export const Sliding = createContext<Pair | null>(null);

const PAUSE = 400; // milliseconds between two positions

interface Props {
  /** Of the layer's output: (height, width). */
  size: Pair;
  position: Pair;
  onPosition(position: Pair): void;
}

export function Player({ size: [height, width], position: [row, column], onPosition }: Props) {
  const end = useContext(Sliding);
  const [playing, setPlaying] = useState(false);
  const [still, setStill] = useState<Pair | null>(null); // where it stops; a second press of Play goes on from there
  const moves = !matchMedia("(prefers-reduced-motion: reduce)").matches;
  const count = height * width;
  const place = row * width + column;
  const go = (to: number) => onPosition([Math.floor(to / width), to % width]);
  useEffect(() => {
    setStill(end);
    setPlaying(end !== null);
  }, [end]);
  useEffect(() => {
    if (!playing) return;
    if (still && row === still[0] && column === still[1]) {
      setStill(null);
      setPlaying(false);
      return;
    }
    const timer = setTimeout(() => (place + 1 < count ? go(place + 1) : setPlaying(false)), PAUSE);
    return () => clearTimeout(timer);
  }, [playing, place]);
  const step = (by: number) => {
    setPlaying(false);
    setStill(null);
    go((place + by + count) % count);
  };
  const toggle = () => {
    if (!playing && place + 1 === count) go(0);
    setPlaying(!playing);
  };
  return (
    <div class="player" role="group" aria-label="Slide the window">
      <button type="button" class="plain" aria-label="Step back" onClick={() => step(-1)}>
        ‹
      </button>
      {moves && (
        <button type="button" class="plain" onClick={toggle}>
          {playing ? "Pause" : "Play"}
        </button>
      )}
      <button type="button" class="plain" aria-label="Step forward" onClick={() => step(1)}>
        ›
      </button>
    </div>
  );
}
