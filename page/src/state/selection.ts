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

export function channelName(page: Page, layers: Layer[], place: number, channel: number): string {
  const layer = layers[place];
  if (place === 0 || layer.type === "Normalization")
    if (layer.shape.length === 3 && layer.shape[2] === 3) return page.network.colours[channel];
  if (layer.shape.length === 1 && place >= layers.length - 2 && layer.shape[0] === page.classes.length)
    return page.classes[channel];
  return `${layer.shape.length === 1 ? "unit" : "channel"} ${channel}`;
}
