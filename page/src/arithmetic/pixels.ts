/** Images as arrays of pixels, (height, width, 3), 0-255. */

import type { Pair } from "../contract";

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
