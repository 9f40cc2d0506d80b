/** The channel that was chosen, the position in it, and the names of channels. */

import { block, channelOf } from "../arithmetic/layers";
import type { Layer, Page, Pair } from "../contract";

export interface Selection {
  layer: number;
  channel: number;
  position: Pair | null;
}

/** The chosen position in a channel, or that of its highest value if none was chosen. */
export function positionOf(layer: Layer, selection: Selection, values: Float32Array): Pair {
  if (selection.position) return selection.position;
  const own = channelOf(block(layer, values), selection.channel);
  const width = layer.shape.length === 3 ? layer.shape[1] : 1;
  const best = own.reduce((a, value, i) => (value > own[a] ? i : a), 0);
  return [Math.floor(best / width), best % width];
}

/** Whether a layer's channels are red, green and blue: those of the image, as they are or rescaled. */
export function hasColours(layers: Layer[], place: number): boolean {
  const { shape, arithmetic, sources } = layers[place];
  const rescaled = arithmetic?.operation === "affine" && sources[0] === 0;
  return (place === 0 || rescaled) && shape.length === 3 && shape[2] === 3;
}

export function channelName(page: Page, layers: Layer[], place: number, channel: number): string {
  const layer = layers[place];
  if (hasColours(layers, place)) return page.network.colours[channel];
  if (layer.shape.length === 1 && place >= layers.length - 2 && layer.shape[0] === page.classes.length)
    return page.classes[channel];
  return `${layer.shape.length === 1 ? "unit" : "channel"} ${channel}`;
}
