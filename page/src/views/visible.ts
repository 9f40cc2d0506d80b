/** Which columns are in sight: only they need to be drawn. */

import type { RefObject } from "preact";
import { useEffect, useState } from "preact/hooks";

/** Whether a column is in sight, or next to one that is; and whether there are more columns than fit. */
export function useVisibleColumns(
  grid: RefObject<HTMLDivElement | null>,
  count: number,
  width: number,
): { visible(column: number): boolean; overflows: boolean } {
  const [[first, last], setEnds] = useState([0, count]);
  const [overflows, setOverflows] = useState(false);
  useEffect(() => {
    const scroller = grid.current!;
    const look = () => {
      const left = Math.floor(scroller.scrollLeft / width) - 1;
      setEnds([left, left + Math.ceil(scroller.clientWidth / width) + 2]);
      setOverflows(scroller.scrollWidth > scroller.clientWidth);
    };
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
  return { visible: (column) => column >= first && column <= last, overflows };
}
