/** A long network in small: which of its columns are in sight, and a way to the others. */

import type { RefObject } from "preact";
import type { TargetedKeyboardEvent, TargetedPointerEvent } from "preact";
import { useEffect, useState } from "preact/hooks";

import type { Column } from "../arithmetic/columns";
import { nearColumn, visibleShare } from "../arithmetic/minimap";
import type { Layer } from "../contract";
import "./minimap.css";

interface Props {
  grid: RefObject<HTMLDivElement | null>;
  layers: Layer[];
  columns: Column[];
  /** The column of the chosen channel; -1 if there is none. */
  chosen: number;
}

export function Minimap({ grid, layers, columns, chosen }: Props) {
  const [seen, setSeen] = useState<{ left: number; width: number } | null>(null);
  useEffect(() => {
    const scroller = grid.current!;
    const look = () => setSeen(visibleShare(scroller.scrollLeft, scroller.clientWidth, scroller.scrollWidth));
    look();
    const observer = new ResizeObserver(look);
    observer.observe(scroller);
    observer.observe(scroller.firstElementChild!);
    scroller.addEventListener("scroll", look, { passive: true });
    return () => {
      observer.disconnect();
      scroller.removeEventListener("scroll", look);
    };
  }, []);
  if (!seen) return null;
  const middle = nearColumn(seen.left + seen.width / 2, columns.length);
  const scroll = (share: number) => {
    const scroller = grid.current!;
    scroller.scrollTo({ left: share * scroller.scrollWidth - scroller.clientWidth / 2, behavior: "instant" });
  };
  const point = (event: TargetedPointerEvent<HTMLElement>) => {
    if (event.type === "pointermove" && !event.buttons) return;
    const box = event.currentTarget.getBoundingClientRect();
    scroll((event.clientX - box.left) / box.width);
  };
  const keys = (event: TargetedKeyboardEvent<HTMLElement>) => {
    const step = 1 / columns.length;
    const to: Record<string, number> = { ArrowLeft: seen.left + seen.width / 2 - step, ArrowRight: seen.left + seen.width / 2 + step, Home: 0, End: 1 };
    if (!(event.key in to)) return;
    event.preventDefault();
    scroll(to[event.key]);
  };
  const [first, last] = [nearColumn(seen.left + 1e-6, columns.length), nearColumn(seen.left + seen.width - 1e-6, columns.length)];
  return (
    <div
      class="minimap"
      role="slider"
      tabIndex={0}
      aria-label="Part of the network that is in sight"
      aria-orientation="horizontal"
      aria-valuemin={1}
      aria-valuemax={columns.length}
      aria-valuenow={middle + 1}
      aria-valuetext={`${layers[columns[first].layers[0]].name} to ${layers[columns[last].layer].name}, columns ${first + 1} to ${last + 1} of ${columns.length}`}
      onPointerDown={(event) => (event.currentTarget.setPointerCapture(event.pointerId), point(event))}
      onPointerMove={point}
      onKeyDown={keys}
    >
      {columns.map(({ layers: own }, k) => (
        <i class={`kind ${layers[own[0]].kind} ${k === chosen ? "chosen" : ""}`} title={layers[own[0]].name} key={k} />
      ))}
      <span class="sight" style={{ left: `${100 * seen.left}%`, width: `${100 * seen.width}%` }} />
    </div>
  );
}
