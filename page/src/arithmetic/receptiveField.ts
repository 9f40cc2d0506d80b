/** The part of the image that a value depends on. */

import type { Layer, Pair } from "../contract";
import { isIdentity } from "./layers";

/** First and last row, and first and last column. */
export interface Field {
  rows: Pair;
  columns: Pair;
}

/**
 * The receptive field of one position of a layer, within the image: its outline, traced back through the windows of
 * all layers. A layer that the page can't compute, and a unit, depend on everything before them.
 */
export function receptiveField(layers: Layer[], place: number, [row, column]: Pair): Field {
  const [height, width] = layers[0].shape;
  const fields = new Map<number, Field>([[place, { rows: [row, row], columns: [column, column] }]]);
  for (let at = place; at > 0; at--) {
    const field = fields.get(at);
    if (!field) continue;
    for (const source of layers[at].sources) {
      const before = traced(layers[at], layers[source], field);
      const other = fields.get(source);
      fields.set(source, other ? { rows: union(other.rows, before.rows), columns: union(other.columns, before.columns) } : before);
    }
  }
  const { rows, columns } = fields.get(0) ?? { rows: [0, height - 1], columns: [0, width - 1] };
  return { rows: within(rows, height), columns: within(columns, width) };
}

function traced(layer: Layer, source: Layer, field: Field): Field {
  const { arithmetic, shape } = layer;
  const [height, width] = source.shape.length === 3 ? source.shape : [1, 1];
  if (arithmetic && "size" in arithmetic) {
    const along = ([first, last]: Pair, axis: 0 | 1): Pair => {
      const { size, strides, dilation, padding } = arithmetic;
      const start = first * strides[axis] - padding[axis];
      return [start, last * strides[axis] - padding[axis] + (size[axis] - 1) * dilation[axis]];
    };
    return { rows: within(along(field.rows, 0), height), columns: within(along(field.columns, 1), width) };
  }
  const same = shape.length === 3 && shape[0] === height && shape[1] === width;
  const byPosition = same && (arithmetic !== null || isIdentity(layer));
  return byPosition ? field : { rows: [0, height - 1], columns: [0, width - 1] };
}

const union = (a: Pair, b: Pair): Pair => [Math.min(a[0], b[0]), Math.max(a[1], b[1])];
const within = ([first, last]: Pair, length: number): Pair => [
  Math.min(length - 1, Math.max(0, first)),
  Math.max(0, Math.min(length - 1, last)),
];
