/** How single values of a layer are computed, step by step. Arrays are (height, width, channels). */

import type { Conv, Fc, Layer, Pair, Window } from "../contract";

export interface Block {
  height: number;
  width: number;
  channels: number;
  values: Float32Array;
}

/** A layer's output as a block; units are channels of a 1×1 map. */
export function block(layer: Layer, values: Float32Array): Block {
  const [height, width, channels] = layer.shape.length === 3 ? layer.shape : [1, 1, layer.shape[0]];
  return { height, width, channels, values };
}

/** Whether a layer passes its input on unchanged (except in training). */
export function isIdentity({ type }: Pick<Layer, "type">): boolean {
  return /Dropout|GaussianNoise|Identity/.test(type);
}

/** The channel that a channel of a Concatenate layer is copied from; null unless it puts channels side by side. */
export function unjoined(layers: Layer[], { type, shape, sources }: Layer, channel: number): { layer: number; channel: number } | null {
  if (type !== "Concatenate") return null;
  const size = (of: number[]) => String(of.slice(0, -1));
  const joined = sources.flatMap((source) =>
    Array.from({ length: layers[source].shape.at(-1)! }, (_, own) => ({ layer: source, channel: own })),
  );
  const bySide = joined.length === shape.at(-1) && sources.every((source) => size(layers[source].shape) === size(shape));
  return bySide ? joined[channel] : null;
}

/** The channel of its input that a channel of a layer depends on; null if there are several. */
export function channelBefore({ arithmetic, shape, ...layer }: Layer, channel: number, inputs: number): number | null {
  if (arithmetic?.operation === "conv" && arithmetic.depthwise) return Math.floor((channel * inputs) / shape.at(-1)!);
  const apart =
    arithmetic?.operation === "function"
      ? arithmetic.activation !== "softmax"
      : ["pool", "affine", "sum"].includes(arithmetic?.operation ?? "") || isIdentity(layer);
  return apart && inputs === shape.at(-1) ? channel : null;
}

export function channelOf(whole: Block, channel: number): Float32Array {
  const chosen = new Float32Array(whole.height * whole.width);
  for (let i = 0; i < chosen.length; i++) chosen[i] = whole.values[i * whole.channels + channel];
  return chosen;
}

export function at(whole: Block, row: number, column: number, channel: number): number {
  const inside = row >= 0 && column >= 0 && row < whole.height && column < whole.width;
  return inside ? whole.values[(row * whole.width + column) * whole.channels + channel] : NaN;
}

/** The values of all channels at a position. */
export function across(whole: Block, [row, column]: Pair): number[] {
  return Array.from({ length: whole.channels }, (_, channel) => at(whole, row, column, channel));
}

/** The positions in a window: rows of [row, column]; those beyond the border are padding. */
export function windowPositions(window: Window, [row, column]: Pair): Pair[][] {
  const { size, strides, dilation, padding } = window;
  return Array.from({ length: size[0] }, (_, r) =>
    Array.from({ length: size[1] }, (_, c): Pair => [
      row * strides[0] - padding[0] + r * dilation[0],
      column * strides[1] - padding[1] + c * dilation[1],
    ]),
  );
}

export interface Term {
  channel: number;
  inputs: number[][];
  weights: number[][];
  sum: number;
}

/** What each input channel adds to one value of a CONV layer. */
export function convTerms(
  input: Block,
  layer: Layer,
  arithmetic: Conv,
  weights: Float32Array,
  channel: number,
  position: Pair,
): Term[] {
  const positions = windowPositions(arithmetic, position);
  const inputChannels = weights.length / (arithmetic.size[0] * arithmetic.size[1]);
  const perGroup = layer.shape.at(-1)! / arithmetic.groups;
  const first = arithmetic.depthwise
    ? channelBefore(layer, channel, input.channels)!
    : Math.floor(channel / perGroup) * inputChannels;
  const terms: Term[] = [];
  for (let i = 0; i < inputChannels; i++) {
    const inputs = positions.map((line) => line.map(([r, c]) => at(input, r, c, first + i)));
    const own = positions.map((line, r) => line.map((_, c) => weights[(r * arithmetic.size[1] + c) * inputChannels + i]));
    let sum = 0;
    inputs.forEach((line, r) => line.forEach((x, c) => (sum += Number.isNaN(x) ? 0 : x * own[r][c])));
    terms.push({ channel: first + i, inputs, weights: own, sum });
  }
  return terms;
}

/** What each input adds to a unit of an FC layer. */
export function fcTerms(input: Block, weights: Float32Array): Term[] {
  return Array.from(weights, (weight, i) => {
    const x = input.values[i];
    return { channel: i, inputs: [[x]], weights: [[weight]], sum: x * weight };
  });
}

/** The largest first. */
export function bySize(terms: Term[]): Term[] {
  return [...terms].sort((a, b) => Math.abs(b.sum) - Math.abs(a.sum));
}

/** The channels that add most, in their own order. */
export function largestChannels(terms: Term[], most: number): number[] {
  return bySize(terms)
    .slice(0, most)
    .map(({ channel }) => channel)
    .sort((a, b) => a - b);
}

export function biasOf(arithmetic: Conv | Fc, channel: number): number {
  return arithmetic.bias ? arithmetic.bias[channel] : 0;
}

export function total(terms: { sum: number }[]): number {
  return terms.reduce((sum, term) => sum + term.sum, 0);
}

export function indexOfMax(values: ArrayLike<number>): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) if (values[i] > values[best]) best = i;
  return best;
}

export function range(values: Float32Array | number[]): Pair {
  let low = Infinity;
  let high = -Infinity;
  for (const value of values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return [low, high];
}
