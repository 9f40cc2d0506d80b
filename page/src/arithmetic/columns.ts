/** The columns of the network's view: one for each block, or for each layer of a block that is open. */

import type { Layer, Pair } from "../contract";
import { blocksOf } from "./blocks";
import { unjoined } from "./layers";

export interface Column {
  /** Index of the layer whose output is shown. */
  layer: number;
  /** The layers that it stands for. */
  layers: number[];
  /** Index of the block. */
  block: number;
}

export function columnsOf(layers: Layer[], open: ReadonlySet<number>): Column[] {
  return blocksOf(layers).flatMap((block, index) =>
    open.has(index)
      ? block.map((layer) => ({ layer, layers: [layer], block: index }))
      : [{ layer: block[0] === 0 ? 0 : block.at(-1)!, layers: block, block: index }], // the image as it is
  );
}

/** The index of the column that stands for a layer. */
export function columnOf(columns: Column[], layer: number): number {
  return columns.findIndex(({ layers }) => layers.includes(layer));
}

/** Whether a channel of a layer depends on a channel of one of its sources. */
export function reads(layers: Layer[], layer: Layer, channel: number, source: number, other: number): boolean {
  const { arithmetic, kind } = layer;
  const mixes = arithmetic?.operation === "conv" ? !arithmetic.depthwise : kind === "FC";
  const joined = unjoined(layers, layer, channel);
  return joined ? joined.layer === source && joined.channel === other : mixes || other === channel;
}

/** The tiles of some channels, as [column, row], each once. */
export function tilesOf(nodes: { layer: number; channel: number }[], columns: Column[], channels: number[][]): Pair[] {
  const tiles: Pair[] = [];
  for (const { layer, channel } of nodes) {
    const column = columnOf(columns, layer);
    const row = channels[column].indexOf(channel);
    const last = tiles.at(-1);
    if (row >= 0 && !(last && last[0] === column && last[1] === row)) tiles.push([column, row]);
  }
  return tiles;
}
