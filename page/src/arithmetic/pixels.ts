/** Images as arrays of pixels, (height, width, 3), 0-255. */

import type { Pair } from "../contract";

export type Colour = [number, number, number];

export function fromRgba(rgba: Uint8ClampedArray): Float32Array {
  const pixels = new Float32Array((rgba.length / 4) * 3);
  for (let i = 0, j = 0; i < rgba.length; i += 4) {
    pixels[j++] = rgba[i];
    pixels[j++] = rgba[i + 1];
    pixels[j++] = rgba[i + 2];
  }
  return pixels;
}

/** The mean colour of an image, in whole numbers as a screen shows it: the baseline that replaces a hidden patch. */
export function meanColour(pixels: Float32Array): Colour {
  const sum: Colour = [0, 0, 0];
  for (let i = 0; i < pixels.length; i++) sum[i % 3] += pixels[i];
  return sum.map((s) => Math.round((3 * s) / pixels.length)) as Colour;
}

/** The median colour along the border of all images: what to draw on, so that a drawing looks like them. */
export function borderColour(images: Float32Array[], [height, width]: Pair): Colour {
  const found: number[][] = [[], [], []];
  for (const pixels of images)
    for (let r = 0; r < height; r++)
      for (let c = 0; c < width; c++)
        if (r === 0 || c === 0 || r === height - 1 || c === width - 1)
          for (let k = 0; k < 3; k++) found[k].push(pixels[3 * (r * width + c) + k]);
  return found.map((values) => values.sort((a, b) => a - b)[values.length >> 1] ?? 255) as Colour;
}

/** Whether no image has a colour. */
export function areGrey(images: Float32Array[]): boolean {
  return images.every((pixels) => {
    for (let i = 0; i < pixels.length; i += 3)
      if (pixels[i] !== pixels[i + 1] || pixels[i] !== pixels[i + 2]) return false;
    return true;
  });
}

/** Black or white, whichever is further from a colour. */
export function contrasting([red, green, blue]: Colour): Colour {
  return 0.299 * red + 0.587 * green + 0.114 * blue > 127.5 ? [0, 0, 0] : [255, 255, 255];
}

export function filled([height, width]: Pair, colour: Colour): Float32Array {
  return Float32Array.from({ length: height * width * 3 }, (_, i) => colour[i % 3]);
}

/** The positions from one to another, each next to the one before. */
export function line([r0, c0]: Pair, [r1, c1]: Pair): Pair[] {
  const steps = Math.max(Math.abs(r1 - r0), Math.abs(c1 - c0), 1);
  return Array.from({ length: steps + 1 }, (_, i): Pair => [
    Math.round(r0 + ((r1 - r0) * i) / steps),
    Math.round(c0 + ((c1 - c0) * i) / steps),
  ]);
}

/** A copy of the image with patches of one colour, each centred on a pixel and cut off at the border. */
export function withPatches(
  pixels: Float32Array,
  [height, width]: Pair,
  centres: Pair[],
  side: number,
  colour: readonly number[],
): Float32Array {
  const changed = pixels.slice();
  for (const [row, column] of centres) {
    const top = row - Math.floor(side / 2);
    const left = column - Math.floor(side / 2);
    for (let r = Math.max(0, top); r < Math.min(height, top + side); r++)
      for (let c = Math.max(0, left); c < Math.min(width, left + side); c++)
        for (let k = 0; k < 3; k++) changed[3 * (r * width + c) + k] = colour[k];
  }
  return changed;
}
