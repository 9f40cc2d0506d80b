/** Which channels of a layer to show. */

import type { Layer } from "../contract";

/** For each layer, the first of the chain of layers that keep channels apart (ReLU, pooling, …). */
export function chainStarts(layers: Layer[]): number[] {
  const starts: number[] = [];
  layers.forEach((layer, place) => {
    const [source] = layer.sources;
    const operation = layer.arithmetic?.operation;
    const byChannel = operation === "pool" || operation === "affine" || operation === "function" || operation === "sum";
    const same = source !== undefined && layers[source].shape.at(-1) === layer.shape.at(-1);
    starts.push(byChannel && same ? starts[source] : place);
  });
  return starts;
}

/** The channels to show of each layer, `most(place)` at most: those with the highest mean at the end of their chain, in ascending order. */
export function shownChannels(layers: Layer[], outputs: Float32Array[], most: (place: number) => number): number[][] {
  const starts = chainStarts(layers);
  const ends = new Map<number, number>();
  starts.forEach((start, place) => ends.set(start, place));
  return layers.map((_, place) => {
    const end = ends.get(starts[place])!;
    const channels = layers[end].shape.at(-1)!;
    const means = Array.from({ length: channels }, (_, channel) => mean(outputs[end], channels, channel));
    const order = means.map((_, channel) => channel).sort((a, b) => means[b] - means[a] || a - b);
    return order.slice(0, most(place)).sort((a, b) => a - b);
  });
}

/** The channels to show, with these among them in place of the last ones. */
export function withChannels(shown: number[], needed: number[]): number[] {
  const missing = [...new Set(needed)].filter((channel) => !shown.includes(channel));
  if (!missing.length) return shown;
  const others = shown.filter((channel) => !needed.includes(channel));
  const dropped = new Set(others.slice(Math.max(0, others.length - missing.length)));
  return [...shown.filter((channel) => !dropped.has(channel)), ...missing];
}

function mean(values: Float32Array, channels: number, channel: number): number {
  let sum = 0;
  for (let i = channel; i < values.length; i += channels) sum += values[i];
  return (sum * channels) / values.length;
}
