/** Pictures as arrays of pixels, (height, width, 3), 0-255. */

import type { Pair } from "./contract";

/** A PNG or any picture the browser reads, brought to a size (height, width). */
export async function pixelsOf(source: string | Blob, size: Pair): Promise<Float32Array> {
  const blob = typeof source === "string" ? asBlob(source) : source;
  const bitmap = await createImageBitmap(blob, { colorSpaceConversion: typeof source === "string" ? "none" : "default" });
  const [height, width] = size;
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d", { willReadFrequently: true })!;
  context.fillStyle = "white"; // as explore.py does behind what is transparent
  context.fillRect(0, 0, width, height);
  context.imageSmoothingQuality = "high";
  context.drawImage(shrunk(bitmap, width, height), 0, 0, width, height);
  return fromRgba(context.getImageData(0, 0, width, height).data);
}

/** A picture of at most twice the size, halved step by step: one large step would leave pixels out. */
function shrunk(bitmap: ImageBitmap, width: number, height: number): CanvasImageSource {
  let picture: ImageBitmap | OffscreenCanvas = bitmap;
  while (picture.width >= 2 * width && picture.height >= 2 * height) {
    const half: OffscreenCanvas = new OffscreenCanvas(Math.ceil(picture.width / 2), Math.ceil(picture.height / 2));
    half.getContext("2d")!.drawImage(picture, 0, 0, half.width, half.height);
    picture = half;
  }
  return picture;
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

/** The mean colour of a picture: what a hidden section shows. */
export function meanColour(pixels: Float32Array): [number, number, number] {
  const sum: [number, number, number] = [0, 0, 0];
  for (let i = 0; i < pixels.length; i++) sum[i % 3] += pixels[i];
  return sum.map((s) => (3 * s) / pixels.length) as [number, number, number];
}

/** The same picture with a square of some colour, centred on a pixel; parts beyond the border are left away. */
export function withSquare(
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
