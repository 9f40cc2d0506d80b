/** Arrays drawn on canvases. */

import { useEffect, useRef } from "preact/hooks";

import { paint, type Palette } from "../arithmetic/colours";
import { range } from "../arithmetic/layers";
import type { Pair, Sheet } from "../contract";

/** Properties for screen readers: a label, or hidden if there is none. */
function labelled(label?: string) {
  return label ? ({ role: "img", "aria-label": label } as const) : ({ "aria-hidden": true } as const);
}

interface MapProps {
  values: Float32Array | number[];
  height: number;
  width: number;
  palette?: Palette;
  scale?: Pair;
  label?: string;
  class?: string;
}

/** One channel, in colours from low to high. */
export function ChannelMap({ values, height, width, palette = "outputs", scale, label, class: name }: MapProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const context = canvas.current!.getContext("2d")!;
    const image = context.createImageData(width, height);
    paint(image.data, values, scale ?? range(values), palette);
    context.putImageData(image, 0, 0);
  }, [values, height, width, palette, scale?.[0], scale?.[1]]);
  return <canvas ref={canvas} class={`pixels ${name ?? ""}`} width={width} height={height} {...labelled(label)} />;
}

interface PixelProps {
  pixels: Float32Array;
  size: Pair;
  label?: string;
  class?: string;
}

/** An image with pixels 0-255. */
export function PixelCanvas({ pixels, size: [height, width], label, class: name }: PixelProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const context = canvas.current!.getContext("2d")!;
    const image = context.createImageData(width, height);
    for (let i = 0, j = 0; i < pixels.length; j += 4) {
      image.data[j] = pixels[i++];
      image.data[j + 1] = pixels[i++];
      image.data[j + 2] = pixels[i++];
      image.data[j + 3] = 255;
    }
    context.putImageData(image, 0, 0);
  }, [pixels, height, width]);
  return <canvas ref={canvas} class={`pixels ${name ?? ""}`} width={width} height={height} {...labelled(label)} />;
}

interface SheetProps {
  sheet: Sheet;
  index: number;
  label: string;
  class?: string;
}

/** One image of a sheet. */
export function SheetImage({ sheet, index, label, class: name }: SheetProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    let wanted = true;
    void loaded(sheet.png).then((image) => {
      if (!wanted) return;
      const { columns, width, height } = sheet;
      const x = (index % columns) * width;
      const y = Math.floor(index / columns) * height;
      canvas.current?.getContext("2d")!.drawImage(image, x, y, width, height, 0, 0, width, height);
    });
    return () => {
      wanted = false;
    };
  }, [sheet, index]);
  return <canvas ref={canvas} class={`pixels ${name ?? ""}`} width={sheet.width} height={sheet.height} {...labelled(label)} />;
}

const images = new Map<string, Promise<HTMLImageElement>>();

function loaded(png: string): Promise<HTMLImageElement> {
  if (!images.has(png)) {
    const image = new Image();
    image.src = png;
    images.set(
      png,
      image.decode().then(() => image),
    );
  }
  return images.get(png)!;
}

/** The pixels of one image of a sheet. */
export async function sheetPixels(sheet: Sheet, index: number): Promise<Blob> {
  const image = await loaded(sheet.png);
  const canvas = new OffscreenCanvas(sheet.width, sheet.height);
  const x = (index % sheet.columns) * sheet.width;
  const y = Math.floor(index / sheet.columns) * sheet.height;
  canvas.getContext("2d")!.drawImage(image, x, y, sheet.width, sheet.height, 0, 0, sheet.width, sheet.height);
  return canvas.convertToBlob();
}
