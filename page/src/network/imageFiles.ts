/** Image files to arrays of pixels, (height, width, 3), 0-255. */

import { fromRgba, meanColour } from "../arithmetic/pixels";
import type { Pair } from "../contract";

/** How an image of another aspect ratio becomes one of the network's: cut off, with borders, or distorted. */
export type Fit = "crop" | "whole" | "stretch";

/** What `createImageBitmap` can read; it refuses SVG. */
export const READABLE = "image/png,image/jpeg,image/webp,image/gif,image/bmp,image/avif";

const SAME = 0.02; // relative difference of aspect ratios that nobody sees

/** A PNG of the page. */
export async function pixelsOf(png: string, size: Pair): Promise<Float32Array> {
  const image = await createImageBitmap(asBlob(png), { colorSpaceConversion: "none" });
  return resized(image, size, "stretch");
}

export function sameShape({ width, height }: ImageBitmap, size: Pair): boolean {
  return Math.abs((width * size[0]) / (height * size[1]) - 1) <= SAME;
}

/** An image in the network's size, (height, width); white is behind transparent pixels, as in explore.py. */
export function resized(bitmap: ImageBitmap, size: Pair, fit: Fit): Float32Array {
  const [height, width] = size;
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d", { willReadFrequently: true })!;
  context.imageSmoothingQuality = "high";
  const image = shrunk(bitmap, width, height);
  const [across, down] = [width / image.width, height / image.height];
  const factor = fit === "crop" ? Math.max(across, down) : Math.min(across, down);
  const [x, y] = fit === "stretch" ? [width, height] : [factor * image.width, factor * image.height];
  if (fit === "whole") {
    context.fillStyle = `rgb(${meanColour(resized(bitmap, size, "stretch")).join(" ")})`;
    context.fillRect(0, 0, width, height);
  }
  context.fillStyle = "white";
  context.fillRect((width - x) / 2, (height - y) / 2, x, y);
  context.drawImage(image, (width - x) / 2, (height - y) / 2, x, y);
  return fromRgba(context.getImageData(0, 0, width, height).data);
}

/** An image of at most twice the size, halved step by step: one large step would skip pixels. */
function shrunk(bitmap: ImageBitmap, width: number, height: number): ImageBitmap | OffscreenCanvas {
  let image: ImageBitmap | OffscreenCanvas = bitmap;
  while (image.width >= 2 * width && image.height >= 2 * height) {
    const half: OffscreenCanvas = new OffscreenCanvas(Math.ceil(image.width / 2), Math.ceil(image.height / 2));
    half.getContext("2d")!.drawImage(image, 0, 0, half.width, half.height);
    image = half;
  }
  return image;
}

function asBlob(url: string): Blob {
  const bytes = Uint8Array.from(atob(url.slice(url.indexOf(",") + 1)), (letter) => letter.charCodeAt(0));
  return new Blob([bytes], { type: "image/png" });
}
