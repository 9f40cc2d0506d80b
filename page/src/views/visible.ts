/** Which columns are in sight: only they need to be drawn. */

import type { RefObject } from "preact";
import { useEffect, useState } from "preact/hooks";

/** A function that says whether a column is in sight, or next to one that is. */
export function useVisibleColumns(
  grid: RefObject<HTMLDivElement | null>,
  count: number,
  width: number,
): (column: number) => boolean {
  const [[first, last], setEnds] = useState([0, count]);
  useEffect(() => {
    const scroller = grid.current!;
    const look = () => {
      const left = Math.floor(scroller.scrollLeft / width) - 1;
      setEnds([left, left + Math.ceil(scroller.clientWidth / width) + 2]);
    };
    look();
    const observer = new ResizeObserver(look);
    observer.observe(scroller);
    scroller.addEventListener("scroll", look, { passive: true });
    return () => {
      observer.disconnect();
      scroller.removeEventListener("scroll", look);
    };
  }, []);
  return (column) => column >= first && column <= last;
}
