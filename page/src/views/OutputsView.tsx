/** All channels of one layer, for the image. */

import { useState } from "preact/hooks";

import { short, times } from "../arithmetic/formatting";
import { block, channelOf, range } from "../arithmetic/layers";
import type { Page, Pair } from "../contract";
import { channelName } from "../state/selection";
import { ArticleLink } from "./Article";
import { ChannelMap } from "./canvas";
import { Legend } from "./Legend";
import { useRoving } from "./roving";

const MOST = 512; // channels drawn

interface Props {
  page: Page;
  outputs: Float32Array[];
  /** The layer that is shown; the first CONV layer if none is chosen. */
  place: number | null;
  onPlace(place: number): void;
  onOpen(layer: number, channel: number): void;
}

export function OutputsView({ page, outputs, place: chosen, onPlace, onOpen }: Props) {
  const { layers } = page.network;
  const place = chosen ?? Math.max(0, layers.findIndex((layer) => layer.kind === "CONV"));
  const [scale, setScale] = useState<"channel" | "layer">("channel");
  const roving = useRoving();
  const layer = layers[place];
  const whole = block(layer, outputs[place]);
  const all: Pair = range(outputs[place]);
  const count = Math.min(MOST, whole.channels);
  const flat = layer.shape.length === 1;
  return (
    <>
      <p class="lead">
        Every channel of one layer, for the image as it is now.{" "}
        <ArticleLink chapter={page.article.outputs}>How to read the maps</ArticleLink>
      </p>
      <div class="row controls">
        <label>
          Layer{" "}
          <select
            value={place}
            onChange={(event) => {
              onPlace(Number(event.currentTarget.value));
              roving.reset();
            }}
          >
            {layers.map((other, index) => (
              <option value={index} key={other.name}>
                {other.name} ({times(other.shape)})
              </option>
            ))}
          </select>
        </label>
        <label>
          Colour range{" "}
          <select value={scale} onChange={(event) => setScale(event.currentTarget.value as "channel" | "layer")}>
            <option value="channel">of each channel</option>
            <option value="layer">of the layer</option>
          </select>
        </label>
      </div>
      <p class="aside">
        {layer.type} {layer.sizeNote && <>· {layer.sizeNote}</>} · {short(all[0])} to {short(all[1])}
        {count < whole.channels && <> · the first {count}</>}
      </p>
      <Legend
        palette="outputs"
        low={scale === "layer" || flat ? short(all[0]) : "lowest"}
        high={scale === "layer" || flat ? short(all[1]) : "highest of each channel"}
      />
      <div
        class={`mosaic ${flat ? "flat" : ""}`}
        role="group"
        aria-label={`Channels of ${layer.name}. Arrow keys move, Enter shows how a channel is computed.`}
        {...roving.group}
      >
        {Array.from({ length: count }, (_, channel) => (
          <button
            type="button"
            class="tile"
            aria-label={channelName(page, layers, place, channel)}
            title={channelName(page, layers, place, channel)}
            onClick={() => onOpen(place, channel)}
            {...roving.button(channel)}
            key={`${place},${channel}`}
          >
            <ChannelMap
              values={channelOf(whole, channel)}
              height={whole.height}
              width={whole.width}
              scale={scale === "layer" || flat ? all : undefined}
            />
          </button>
        ))}
      </div>
    </>
  );
}
