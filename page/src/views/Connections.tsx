/** The lines between the columns of the network. */

import { useMemo } from "preact/hooks";

import type { Term } from "../arithmetic/layers";
import type { Layer } from "../contract";
import type { Selection } from "../state/selection";

/** Layout in pixels: width of a column, height of its head, and distance between tiles. */
export const COLUMN = 92;
export const HEAD = 60;
const TILE = 46;
export const STEP = TILE + 6;
const LINES = 40; // at most, to a chosen channel

interface ConnectionProps {
  layers: Layer[];
  channels: number[][];
  selection: Selection | null;
  terms: Term[] | null;
  height: number;
}

/** Faint curves between connected layers, and strong ones to the chosen channel. */
export function Connections({ layers, channels, selection, terms, height }: ConnectionProps) {
  const middle = (row: number) => HEAD + row * STEP + TILE / 2;
  const curve = (from: number, fromRow: number, to: number, toRow: number) => {
    const x0 = from * COLUMN + TILE + 6;
    const x1 = to * COLUMN + 4;
    const bend = (x1 - x0) / 2;
    return `M${x0} ${middle(fromRow)}C${x0 + bend} ${middle(fromRow)} ${x1 - bend} ${middle(toRow)} ${x1} ${middle(toRow)}`;
  };
  const faint = useMemo(
    () =>
      layers.map((layer, place) =>
        layer.sources
          .flatMap((source) => {
            const mixes = layer.arithmetic?.operation === "conv" ? !layer.arithmetic.depthwise : layer.kind === "FC";
            return channels[place].flatMap((channel, row) =>
              channels[source].flatMap((from, fromRow) =>
                mixes || from === channel ? [curve(source, fromRow, place, row)] : [],
              ),
            );
          })
          .join(""),
      ),
    [layers, channels],
  );
  const strong: { path: string; sum: number }[] = [];
  if (selection) {
    const layer = layers[selection.layer];
    const row = channels[selection.layer].indexOf(selection.channel);
    const source = layer.sources[0];
    for (const term of terms ?? [])
      if (source !== undefined && strong.length < LINES && channels[source].includes(term.channel))
        strong.push({ path: curve(source, channels[source].indexOf(term.channel), selection.layer, row), sum: term.sum });
    if (!terms)
      for (const from of layer.sources) {
        const fromRow = channels[from].indexOf(selection.channel);
        if (fromRow >= 0) strong.push({ path: curve(from, fromRow, selection.layer, row), sum: 1 });
      }
  }
  const most = Math.max(...strong.map(({ sum }) => Math.abs(sum)), 1e-9);
  return (
    <svg class="lines" width={layers.length * COLUMN} height={height} aria-hidden="true">
      {faint.map((path, place) => path && <path d={path} key={place} class="faint" />)}
      {strong.map(({ path, sum }) => (
        <path d={path} class={sum < 0 ? "against" : "for"} style={{ strokeWidth: 0.75 + (3 * Math.abs(sum)) / most }} />
      ))}
    </svg>
  );
}
