/** A square grid of numbers, as large as its place allows. */

import type { Pair } from "../contract";

const SIDE = 20; // of a cell, in the drawing's own unit
const LARGEST = 26; // of a cell, in pixels

interface Props {
  title: string;
  /** The first row and column. */
  from: number;
  count: number;
  written(row: number, column: number): string;
  /** Classes of a cell. */
  kind(row: number, column: number): string;
  onChoose?(position: Pair): void;
}

export function Cells({ title, from, count, written, kind, onChoose }: Props) {
  const places = Array.from({ length: count }, (_, k) => k);
  return (
    <figure class="cells">
      <figcaption>{title}</figcaption>
      <svg style={{ width: `${count * LARGEST}px` }} viewBox={`0 0 ${count * SIDE} ${count * SIDE}`} role="img" aria-label={title}>
        {places.flatMap((r) =>
          places.map((c) => (
            <g
              class={kind(from + r, from + c)}
              onClick={onChoose && (() => onChoose([from + r, from + c]))}
              key={`${r},${c}`}
            >
              <rect x={c * SIDE + 1} y={r * SIDE + 1} width={SIDE - 2} height={SIDE - 2} rx={2} />
              <text x={(c + 0.5) * SIDE} y={(r + 0.5) * SIDE}>
                {written(from + r, from + c)}
              </text>
            </g>
          )),
        )}
      </svg>
    </figure>
  );
}
