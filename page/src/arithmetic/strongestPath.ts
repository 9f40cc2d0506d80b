/** From a value back to the input that contributes most to it, and so on to the image. */

import type { Layer, Pair } from "../contract";
import { at, biasOf, block, convTerms, fcTerms, indexOfMax, isIdentity, total, unjoined, windowPositions, type Term } from "./layers";

/** One value of a layer. */
export interface Node {
  layer: number;
  channel: number;
  position: Pair;
}

export interface Step {
  /** The value that the step begins with, and the one that contributes most to it. */
  from: Node;
  to: Node;
  /** What `to` adds; its value if nothing is multiplied. */
  added: number;
  /** The sum with the bias, before the activation function. */
  sum: number;
  /** How many inputs it is chosen from; 1 if there is no choice. */
  of: number;
  /** How `to` was chosen. */
  by: "contribution" | "highest" | "passed on";
}

/** The step back from a value; null at the image, and where the page can't look into a layer. */
export function stepBack(layers: Layer[], outputs: Float32Array[], from: Node, filter: Float32Array | null): Step | null {
  const layer = layers[from.layer];
  const { arithmetic, sources } = layer;
  if (!sources.length) return null;
  const [source] = sources;
  const input = block(layers[source], outputs[source]);
  const { channel, position } = from;
  if (arithmetic?.operation === "fc" || arithmetic?.operation === "conv") {
    if (!filter) return null;
    const terms =
      arithmetic.operation === "fc"
        ? fcTerms(input, filter)
        : convTerms(input, layer, arithmetic, filter, channel, position);
    const strongest = terms.reduce((a, b) => (b.sum > a.sum ? b : a));
    const place: Pair = arithmetic.operation === "fc" ? [0, 0] : strongestPlace(strongest, windowPositions(arithmetic, position));
    const to = { layer: source, channel: strongest.channel, position: place };
    const sum = total(terms) + biasOf(arithmetic, channel);
    return { from, to, added: strongest.sum, sum, of: terms.length, by: "contribution" };
  }
  const passed = (to: Node, of = 1): Step => {
    const value = valueOf(layers, outputs, to);
    return { from, to, added: value, sum: value, of, by: of > 1 ? "highest" : "passed on" };
  };
  if (arithmetic?.operation === "pool") {
    const inside = windowPositions(arithmetic, position)
      .flat()
      .filter(([r, c]) => !Number.isNaN(at(input, r, c, channel)));
    const highest = inside[indexOfMax(inside.map(([r, c]) => at(input, r, c, channel)))];
    return passed({ layer: source, channel, position: highest }, inside.length);
  }
  if (arithmetic?.operation === "sum") {
    const nodes = sources.map((place): Node => ({ layer: place, channel, position }));
    return passed(nodes[indexOfMax(nodes.map((node) => valueOf(layers, outputs, node)))], nodes.length);
  }
  if (arithmetic) return passed({ layer: source, channel, position });
  const to = copiedFrom(layers, from);
  const same = to && valueOf(layers, outputs, to) === valueOf(layers, outputs, from);
  return same ? passed(to) : null;
}

/** All values of a path, from the verdict to the image. */
export function nodesOf(steps: Step[] | null): Node[] {
  return steps?.length ? [steps[0].from, ...steps.map(({ to }) => to)] : [];
}

export function valueOf(layers: Layer[], outputs: Float32Array[], { layer, channel, position }: Node): number {
  return at(block(layers[layer], outputs[layer]), position[0], position[1], channel);
}

/** Where in the window one channel contributes most. */
function strongestPlace({ inputs, weights }: Term, positions: Pair[][]): Pair {
  const products = inputs.flatMap((line, r) => line.map((x, c) => (Number.isNaN(x) ? -Infinity : x * weights[r][c])));
  return positions.flat()[indexOfMax(products)];
}

/** The value that a layer without arithmetic passes on, as far as its shape tells. */
export function copiedFrom(layers: Layer[], node: Node): Node | null {
  const layer = layers[node.layer];
  if (isIdentity(layer)) return { ...node, layer: layer.sources[0] };
  const joined = unjoined(layers, layer, node.channel);
  return joined ? { ...joined, position: node.position } : unflattened(layers, node);
}

/** The place in feature maps of a unit of a flattened layer. */
function unflattened(layers: Layer[], { layer, channel }: Node): Node | null {
  const [source] = layers[layer].sources;
  const { shape } = layers[source];
  const count = shape.reduce((a, b) => a * b, 1);
  if (layers[layer].shape.length !== 1 || layers[layer].shape[0] !== count) return null;
  if (shape.length === 1) return { layer: source, channel, position: [0, 0] };
  const [, width, channels] = shape;
  const place = Math.floor(channel / channels);
  return { layer: source, channel: channel % channels, position: [Math.floor(place / width), place % width] };
}
