/** Lets the window slide over the input, position by position. */

import { useEffect, useState } from "preact/hooks";

import type { Pair } from "../contract";

const PAUSE = 400; // milliseconds between two positions

interface Props {
  /** Of the layer's output: (height, width). */
  size: Pair;
  position: Pair;
  onPosition(position: Pair): void;
}

export function Player({ size: [height, width], position: [row, column], onPosition }: Props) {
  const [playing, setPlaying] = useState(false);
  const count = height * width;
  const place = row * width + column;
  const go = (to: number) => onPosition([Math.floor(to / width), to % width]);
  useEffect(() => {
    if (!playing) return;
    const timer = setTimeout(() => (place + 1 < count ? go(place + 1) : setPlaying(false)), PAUSE);
    return () => clearTimeout(timer);
  }, [playing, place]);
  const step = (by: number) => {
    setPlaying(false);
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
      <button type="button" class="plain" onClick={toggle}>
        {playing ? "Pause" : "Play"}
      </button>
      <button type="button" class="plain" aria-label="Step forward" onClick={() => step(1)}>
        ›
      </button>
    </div>
  );
}
