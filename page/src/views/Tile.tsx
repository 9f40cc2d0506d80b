/** One channel in the network's view, and what is written about it. */

import { useMemo } from "preact/hooks";

import { inkOn, type Palette } from "../arithmetic/colours";
import { percent, short } from "../arithmetic/formatting";
import { block, channelOf, range } from "../arithmetic/layers";
import type { Layer, Page, Pair } from "../contract";
import { channelName, hasColours } from "../state/selection";
import { ChannelMap } from "./canvas";

interface TileProps {
  layer: Layer;
  channel: number;
  values: Float32Array;
  /** By default, the channel's own. */
  scale?: Pair;
  written: string[];
  /** A colour of the image, in which it is drawn. */
  palette: Palette;
}

export function Tile({ layer, channel, values, scale, written, palette }: TileProps) {
  const whole = block(layer, values);
  const own = useMemo(() => channelOf(whole, channel), [values, channel]);
  const isUnit = layer.shape.length === 1;
  const share = scale && scale[1] > scale[0] ? (values[channel] - scale[0]) / (scale[1] - scale[0]) : 0;
  return (
    <>
      <ChannelMap
        values={own}
        height={whole.height}
        width={whole.width}
        scale={scale}
        palette={palette}
        class={isUnit ? "unit" : ""}
      />
      {written.length > 0 && (
        <span class="value" style={isUnit ? { color: inkOn(palette, share) } : undefined}>
          {written.flatMap((text) => [" ", <span key={text}>{text}</span>])}
        </span>
      )}
    </>
  );
}

/** Whether a layer's units are the probabilities or scores of the classes. */
export function areClasses(page: Page, place: number): boolean {
  const { layers } = page.network;
  const { shape } = layers[place];
  return place === layers.length - 1 && shape.length === 1 && shape[0] === page.classes.length;
}

/** The text on a channel's tile: a unit's value, a class and its probability, or a colour of the image. */
export function labels(page: Page, place: number, channel: number, values: Float32Array): string[] {
  const { layers } = page.network;
  const { shape, arithmetic } = layers[place];
  if (shape.length === 3) return hasColours(layers, place) ? [channelName(page, layers, place, channel)] : [];
  if (!areClasses(page, place)) return [short(values[channel])];
  const isProbability = arithmetic && "activation" in arithmetic && arithmetic.activation !== "linear";
  return [page.classes[channel], isProbability ? percent(values[channel]) : short(values[channel])];
}

/** The palette of a channel: red, green and blue for those of an image. */
export function paletteOf(page: Page, place: number, channel: number): Palette {
  return hasColours(page.network.layers, place) ? (page.network.colours[channel] as Palette) : "outputs";
}

/** The scale that a layer's units share, or the colours of an image; feature maps have one each. */
export function sharedScale(page: Page, place: number, values: Float32Array): Pair | undefined {
  const isUnit = page.network.layers[place].shape.length === 1;
  return isUnit || paletteOf(page, place, 0) !== "outputs" ? range(values) : undefined;
}

export function nickname(layer: Layer): string {
  if (layer.kind === "image") return "INPUT";
  if (layer.kind !== "other") return layer.kind;
  if (layer.type.endsWith("Normalization")) return "NORM";
  return layer.type.length > 9 ? `${layer.type.slice(0, 8)}…` : layer.type;
}
