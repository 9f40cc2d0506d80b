/** The part of the image that a value depends on. */

import type { Layer, Pair } from "../contract";
import { channelBefore, isIdentity, unjoined } from "./layers";

/** First and last row, and first and last column. */
export interface Field {
  rows: Pair;
  columns: Pair;
}

/**
 * The receptive field of one position of a layer, within the image: its outline, traced back through the windows of
 * all layers. A layer that the page can't compute, and a unit, depend on everything before them. With a channel, only
 * those layers count that it comes from where channels are put side by side.
 */
export function receptiveField(layers: Layer[], place: number, [row, column]: Pair, channel: number | null = null): Field {
  const [height, width] = layers[0].shape;
  const fields = new Map<number, Traced>([[place, { rows: [row, row], columns: [column, column], channel }]]);
  for (let at = place; at > 0; at--) {
    const field = fields.get(at);
    if (!field) continue;
    const joined = field.channel === null ? null : unjoined(layers, layers[at], field.channel);
    for (const source of joined ? [joined.layer] : layers[at].sources) {
      const inputs = layers[source].shape.at(-1)!;
      const channel = joined?.channel ?? (field.channel === null ? null : channelBefore(layers[at], field.channel, inputs));
      const before = { ...traced(layers, at, source, field), channel };
      const other = fields.get(source);
      fields.set(source, other ? union(other, before) : before);
    }
  }
  const { rows, columns } = fields.get(0) ?? { rows: [0, height - 1], columns: [0, width - 1] };
  return { rows: within(rows, height), columns: within(columns, width) };
}

/** With the channel that counts; null for all of them. */
type Traced = Field & { channel: number | null };

function traced(layers: Layer[], at: number, source: number, field: Field): Field {
  const layer = layers[at];
  const { arithmetic, shape } = layer;
  const before = layers[source].shape;
  const [height, width] = before.length === 3 ? before : [1, 1];
  if (arithmetic && "size" in arithmetic) {
    const along = ([first, last]: Pair, axis: 0 | 1): Pair => {
      const { size, strides, dilation, padding } = arithmetic;
      const start = first * strides[axis] - padding[axis];
      return [start, last * strides[axis] - padding[axis] + (size[axis] - 1) * dilation[axis]];
    };
    return { rows: within(along(field.rows, 0), height), columns: within(along(field.columns, 1), width) };
  }
  const same = shape.length === 3 && shape[0] === height && shape[1] === width;
  const byPosition = same && (arithmetic !== null || isIdentity(layer) || unjoined(layers, layer, 0) !== null);
  return byPosition ? field : { rows: [0, height - 1], columns: [0, width - 1] };
}

const union = (a: Traced, b: Traced): Traced => ({
  rows: outline(a.rows, b.rows),
  columns: outline(a.columns, b.columns),
  channel: a.channel === b.channel ? a.channel : null,
});
const outline = (a: Pair, b: Pair): Pair => [Math.min(a[0], b[0]), Math.max(a[1], b[1])];
const within = ([first, last]: Pair, length: number): Pair => [
  Math.min(length - 1, Math.max(0, first)),
  Math.max(0, Math.min(length - 1, last)),
];
