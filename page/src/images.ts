/** Images as arrays of pixels, (height, width, 3), 0-255. */

import type { Pair } from "./contract";

/**
 * A PNG, or any image that the browser can read, resized to (height, width).
 * If `crop`, it keeps its aspect ratio, and loses what is too much in equal parts on both sides.
 */
export async function pixelsOf(source: string | Blob, size: Pair, crop = false): Promise<Float32Array> {
  const blob = typeof source === "string" ? asBlob(source) : source;
  const bitmap = await createImageBitmap(blob, { colorSpaceConversion: typeof source === "string" ? "none" : "default" });
  const [height, width] = size;
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d", { willReadFrequently: true })!;
  context.fillStyle = "white"; // behind transparent pixels, as explore.py does
  context.fillRect(0, 0, width, height);
  context.imageSmoothingQuality = "high";
  const image = shrunk(bitmap, width, height);
  const [across, down] = [width / image.width, height / image.height];
  const [x, y] = crop ? [Math.max(across, down) * image.width, Math.max(across, down) * image.height] : [width, height];
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

export function fromRgba(rgba: Uint8ClampedArray): Float32Array {
  const pixels = new Float32Array((rgba.length / 4) * 3);
  for (let i = 0, j = 0; i < rgba.length; i += 4) {
    pixels[j++] = rgba[i];
    pixels[j++] = rgba[i + 1];
    pixels[j++] = rgba[i + 2];
  }
  return pixels;
}

/** The mean colour of an image: the baseline that replaces a hidden patch. */
export function meanColour(pixels: Float32Array): [number, number, number] {
  const sum: [number, number, number] = [0, 0, 0];
  for (let i = 0; i < pixels.length; i++) sum[i % 3] += pixels[i];
  return sum.map((s) => (3 * s) / pixels.length) as [number, number, number];
}

/** A copy of the image with a patch of one colour, centred on a pixel and cut off at the border. */
export function withPatch(
  pixels: Float32Array,
  [height, width]: Pair,
  [row, column]: Pair,
  side: number,
  colour: readonly number[],
): Float32Array {
  const changed = pixels.slice();
  const top = row - Math.floor(side / 2);
  const left = column - Math.floor(side / 2);
  for (let r = Math.max(0, top); r < Math.min(height, top + side); r++)
    for (let c = Math.max(0, left); c < Math.min(width, left + side); c++)
      for (let k = 0; k < 3; k++) changed[3 * (r * width + c) + k] = colour[k];
  return changed;
}
