/** The lines between the columns of the network. */

import { useMemo } from "preact/hooks";

import { columnOf, reads, type Column } from "../arithmetic/columns";
import { bySize, type Term } from "../arithmetic/layers";
import type { Layer, Pair } from "../contract";
import type { Selection } from "../state/selection";

/** Layout in pixels: width of a column, height of its head, side of a tile, its width with a number, and distance between tiles. */
export const COLUMN = 90;
export const HEAD = 54;
export const TILE = 30;
export const UNIT = 48;
export const STEP = TILE + 5;
const LINES = 40; // at most, to a chosen channel

/** The width of a column's tiles, and the distance between them. */
export interface Tiles {
  width: number;
  step: number;
}

interface ConnectionProps {
  layers: Layer[];
  columns: Column[];
  /** The channels that each column shows. */
  channels: number[][];
  tiles: Tiles[];
  selection: Selection | null;
  /** The channel under the pointer. */
  hovered: Selection | null;
  terms: Term[] | null;
  height: number;
}

interface Line {
  path: string;
  sum: number;
}

/** The tiles of the strongest path, as [column, row], from the verdict to the image. */
export function PathLines({ path, tiles, width, height }: { path: Pair[]; tiles: Tiles[]; width: number; height: number }) {
  const lines = path.slice(1).map(([column, row], i) => curveBetween(tiles, [column, row], path[i]));
  return (
    <svg class="lines strongest" width={width} height={height} aria-hidden="true">
      {lines.map((path, i) => (
        <path d={path} key={i} />
      ))}
    </svg>
  );
}

function curveBetween(tiles: Tiles[], [from, fromRow]: Pair, [to, toRow]: Pair): string {
  const middle = (column: number, row: number) => HEAD + row * tiles[column].step + (tiles[column].step - 5) / 2;
  const x0 = from * COLUMN + tiles[from].width + 6;
  const x1 = to * COLUMN + 4;
  const bend = (x1 - x0) / 2;
  const [y0, y1] = [middle(from, fromRow), middle(to, toRow)];
  return `M${x0} ${y0}C${x0 + bend} ${y0} ${x1 - bend} ${y1} ${x1} ${y1}`;
}

/** Faint curves between connected columns, and strong ones to the chosen channel and the one under the pointer. */
export function Connections({ layers, columns, channels, tiles, selection, hovered, terms, height }: ConnectionProps) {
  const curve = (from: number, fromRow: number, to: number, toRow: number) =>
    curveBetween(tiles, [from, fromRow], [to, toRow]);
  const incoming = (column: number, row: number) => {
    const layer = layers[columns[column].layers[0]];
    return layer.sources.flatMap((source) => {
      const from = columnOf(columns, source);
      return channels[from].flatMap((other, otherRow) =>
        reads(layers, layer, channels[column][row], source, other) ? [curve(from, otherRow, column, row)] : [],
      );
    });
  };
  const faint = useMemo(
    () => columns.map((_, column) => channels[column].flatMap((_, row) => incoming(column, row)).join("")),
    [columns, channels],
  );
  const plain = (chosen: Selection): Line[] => {
    const column = columnOf(columns, chosen.layer);
    return incoming(column, channels[column].indexOf(chosen.channel)).map((path) => ({ path, sum: 1 }));
  };
  const weighted = (chosen: Selection, terms: Term[]): Line[] => {
    const column = columnOf(columns, chosen.layer);
    const row = channels[column].indexOf(chosen.channel);
    const source = columnOf(columns, layers[chosen.layer].sources[0]);
    return bySize(terms.filter((term) => source !== column && channels[source].includes(term.channel)))
      .slice(0, LINES)
      .map((term) => ({ path: curve(source, channels[source].indexOf(term.channel), column, row), sum: term.sum }));
  };
  const strong = selection ? (terms ? weighted(selection, terms) : plain(selection)) : [];
  const most = Math.max(...strong.map(({ sum }) => Math.abs(sum)), 1e-9);
  return (
    <svg class="lines" width={columns.length * COLUMN} height={height} aria-hidden="true">
      {faint.map((path, place) => path && <path d={path} key={place} class="faint" />)}
      {hovered && plain(hovered).map(({ path }) => <path d={path} class="hovered" />)}
      {strong.map(({ path, sum }) => (
        <path d={path} class={sum < 0 ? "against" : "for"} style={{ strokeWidth: 0.75 + (3 * Math.abs(sum)) / most }} />
      ))}
    </svg>
  );
}
