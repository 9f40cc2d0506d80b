/** The layers of a network in blocks, each of which may be shown as one column. */

import type { Layer } from "../contract";
import { isIdentity } from "./layers";

const BY_CHANNEL = ["pool", "affine", "function"];

/** Whether a layer keeps the channels of the layer before it apart, and nothing else needs that one. */
function continues(layers: Layer[], place: number): boolean {
  const layer = layers[place];
  if (layer.sources.length !== 1 || layer.sources[0] !== place - 1) return false;
  const byChannel = isIdentity(layer) || (layer.arithmetic && BY_CHANNEL.includes(layer.arithmetic.operation));
  const alone = layers.filter(({ sources }) => sources.includes(place - 1)).length === 1;
  return Boolean(byChannel) && alone && layers[place - 1].shape.at(-1) === layer.shape.at(-1);
}

/** Indices of layers, block by block: a CONV or FC layer, and the RELU, NORM and POOL layers behind it. */
export function blocksOf(layers: Layer[]): number[][] {
  const blocks: number[][] = [];
  layers.forEach((_, place) => {
    if (place > 0 && continues(layers, place)) blocks.at(-1)!.push(place);
    else blocks.push([place]);
  });
  return blocks;
}
