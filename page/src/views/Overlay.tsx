/** A heat map over an image, with a frame around its most important patch. */

import type { ComponentChildren, TargetedPointerEvent } from "preact";
import { useState } from "preact/hooks";

import type { Box } from "../arithmetic/attribution";
import { digits } from "../arithmetic/formatting";
import type { Pair } from "../contract";
import { ChannelMap } from "./canvas";

interface Props {
  size: Pair;
  patch: Box;
  values: Float32Array | number[];
  scale: Pair;
  /** Of the map, in per cent. */
  opacity: number;
  label: string;
  /** The image. */
  children: ComponentChildren;
}

export function Overlay({ size, patch: [top, left, bottom, right], values, scale, opacity, label, children }: Props) {
  const [height, width] = size;
  const [pointed, setPointed] = useState<Pair | null>(null);
  const point = (event: TargetedPointerEvent<HTMLElement>) => {
    const box = event.currentTarget.getBoundingClientRect();
    const place = (share: number, length: number) => Math.min(length - 1, Math.max(0, Math.floor(share * length)));
    setPointed([place((event.clientY - box.top) / box.height, height), place((event.clientX - box.left) / box.width, width)]);
  };
  const value = pointed && values[pointed[0] * width + pointed[1]];
  return (
    <figure class="overlaid">
      <div
        class="framed overlay"
        style={{ aspectRatio: `${width} / ${height}` }}
        onPointerMove={point}
        onPointerLeave={() => setPointed(null)}
      >
        {children}
        <div class="veil" style={{ opacity: opacity / 100 }}>
          <ChannelMap values={values} height={height} width={width} palette="diverging" scale={scale} label={label} />
        </div>
        <span
          class="frame"
          style={{
            top: `${(100 * top) / height}%`,
            left: `${(100 * left) / width}%`,
            height: `${(100 * (bottom - top)) / height}%`,
            width: `${(100 * (right - left)) / width}%`,
          }}
        />
      </div>
      <figcaption>
        {pointed && value !== null ? (
          <>
            Row {pointed[0]}, column {pointed[1]}: <strong data-value={value}>{digits(value, 3)}</strong>
          </>
        ) : (
          "Point at the map to read its values."
        )}
      </figcaption>
    </figure>
  );
}

export function Opacity({ value, onInput }: { value: number; onInput(value: number): void }) {
  return (
    <label class="grow">
      Heat map opacity
      <input type="range" min={0} max={100} value={value} onInput={(event) => onInput(Number(event.currentTarget.value))} />
    </label>
  );
}
