/** A network with one image in it, and what a step of the tour says of them. */

import type { Layer, Pair } from "../contract";
import { percent } from "./formatting";
import { block } from "./layers";

export interface Seen {
  layers: Layer[];
  /** Of every layer. */
  outputs: Float32Array[];
  /** Names of the three channels of the image, as the network takes it. */
  colours: string[];
  classes: string[];
  probabilities: ArrayLike<number>;
  /** The true class; -1 if unknown. */
  label: number;
}

export interface Place {
  layer: number;
  channel: number;
  position: Pair | null;
}

/** A step of the tour. */
export interface Step {
  title: string;
  text: string[];
  /** What is chosen in the network. */
  place: Place;
  /** Parts of the page that are pointed out; on a small screen the first stands first. */
  shows: ("image" | "working" | "totals" | "verdict")[];
  /** Whether the window slides to the chosen position. */
  slides?: boolean;
}

export const isMap = (layer: Layer): boolean => layer.shape.length === 3;
export const sizeOf = (layer: Layer): number => layer.shape.reduce((a, b) => a * b, 1);
export const counted = (count: number): string => count.toLocaleString("en");

export function indexOfMost(values: ArrayLike<number>, by: (value: number) => number = (x) => x): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) if (by(values[i]) > by(values[best])) best = i;
  return best;
}

/** The channel and position of an index into a layer's output. */
export function placeAt({ layers, outputs }: Seen, layer: number, index: number): Place & { position: Pair } {
  const { width, channels } = block(layers[layer], outputs[layer]);
  const at = Math.floor(index / channels);
  return { layer, channel: index % channels, position: [Math.floor(at / width), at % width] };
}

/** Where it is, in words: "channel 3, row 5, column 7", or "unit 3". */
export function where({ layers }: Seen, { layer, channel, position }: Place): string {
  if (!isMap(layers[layer])) return `unit ${channel}`;
  return `channel ${channel}${position ? `, row ${position[0]}, column ${position[1]}` : ""}`;
}

export function best(probabilities: ArrayLike<number>): number[] {
  return Array.from(probabilities, (_, k) => k).sort((a, b) => probabilities[b] - probabilities[a] || a - b);
}

/** A percentage in a sentence. */
export const share = (x: number): string => percent(x).replace("<", "less than ");

export function listed(words: string[]): string {
  return words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`;
}
