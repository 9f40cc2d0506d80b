/** How single numbers of a layer come about: what the page shows step by step. Arrays are (height, width, channels). */

import type { Conv, Fc, Layer, Pair, Window } from "./contract";

export interface Block {
  height: number;
  width: number;
  channels: number;
  values: Float32Array;
}

/** A layer's output as a block; units are channels of one cell. */
export function block(layer: Layer, values: Float32Array): Block {
  const [height, width, channels] = layer.shape.length === 3 ? layer.shape : [1, 1, layer.shape[0]];
  return { height, width, channels, values };
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

/** All channels of a cell. */
export function across(whole: Block, [row, column]: Pair): number[] {
  return Array.from({ length: whole.channels }, (_, channel) => at(whole, row, column, channel));
}

/** The cells that a window sees: rows of [row, column]; those beyond the border are padding. */
export function windowCells(window: Window, [row, column]: Pair): Pair[][] {
  const { size, strides, dilation, before } = window;
  return Array.from({ length: size[0] }, (_, r) =>
    Array.from({ length: size[1] }, (_, c): Pair => [
      row * strides[0] - before[0] + r * dilation[0],
      column * strides[1] - before[1] + c * dilation[1],
    ]),
  );
}

export interface Part {
  channel: number;
  inputs: number[][];
  weights: number[][];
  sum: number;
}

/** What each input channel adds to a cell of a CONV layer's channel, most first. */
export function convParts(input: Block, layer: Layer, how: Conv, weights: Float32Array, channel: number, cell: Pair) {
  const cells = windowCells(how, cell);
  const seen = weights.length / (how.size[0] * how.size[1]);
  const perGroup = layer.shape.at(-1)! / how.groups;
  const first = how.depthwise
    ? Math.floor(channel / (layer.shape.at(-1)! / input.channels))
    : Math.floor(channel / perGroup) * seen;
  const parts: Part[] = [];
  for (let i = 0; i < seen; i++) {
    const inputs = cells.map((line) => line.map(([r, c]) => at(input, r, c, first + i)));
    const own = cells.map((line, r) => line.map((_, c) => weights[(r * how.size[1] + c) * seen + i]));
    let sum = 0;
    inputs.forEach((line, r) => line.forEach((x, c) => (sum += Number.isNaN(x) ? 0 : x * own[r][c])));
    parts.push({ channel: first + i, inputs, weights: own, sum });
  }
  return parts.sort((a, b) => Math.abs(b.sum) - Math.abs(a.sum));
}

/** What each input adds to a unit of an FC layer, most first. */
export function fcParts(input: Block, weights: Float32Array): Part[] {
  return Array.from(weights, (weight, i) => {
    const x = input.values[i];
    return { channel: i, inputs: [[x]], weights: [[weight]], sum: x * weight };
  }).sort((a, b) => Math.abs(b.sum) - Math.abs(a.sum));
}

export function biasOf(how: Conv | Fc, channel: number): number {
  return how.bias ? how.bias[channel] : 0;
}

export function total(parts: { sum: number }[]): number {
  return parts.reduce((sum, part) => sum + part.sum, 0);
}

export function mean(values: Float32Array, channels: number, channel: number): number {
  let sum = 0;
  for (let i = channel; i < values.length; i += channels) sum += values[i];
  return (sum * channels) / values.length;
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

/** Layers that pass channels on one by one belong together: the first layer of each such chain. */
export function chainStarts(layers: Layer[]): number[] {
  const starts: number[] = [];
  layers.forEach((layer, place) => {
    const [source] = layer.sources;
    const how = layer.arithmetic?.how;
    const pointwise = how === "pool" || how === "affine" || how === "function" || how === "sum";
    const same = source !== undefined && layers[source].shape.at(-1) === layer.shape.at(-1);
    starts.push(pointwise && same ? starts[source] : place);
  });
  return starts;
}

/** The channels to show of each layer: those that pass on most at the end of their chain, in their own order. */
export function shownChannels(layers: Layer[], outputs: Float32Array[], most: number): number[][] {
  const starts = chainStarts(layers);
  const ends = new Map<number, number>();
  starts.forEach((start, place) => ends.set(start, place));
  return layers.map((_, place) => {
    const end = ends.get(starts[place])!;
    const channels = layers[end].shape.at(-1)!;
    const means = Array.from({ length: channels }, (_, channel) => mean(outputs[end], channels, channel));
    const order = means.map((_, channel) => channel).sort((a, b) => means[b] - means[a] || a - b);
    return order.slice(0, most).sort((a, b) => a - b);
  });
}
