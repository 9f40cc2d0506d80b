/** Heat maps of an image: occlusion and Grad-CAM, as cnnvis/attribution computes them. */

import type { Layer, Pair } from "../contract";
import { range } from "./layers";

/** Top, left, bottom and right (exclusive), in pixels. */
export type Box = [number, number, number, number];

/** First pixels of the patches along one axis; the last patch may be cut off, so that every pixel is in a patch. */
function positions(length: number, side: number, stride: number): number[] {
  return Array.from({ length: Math.ceil((length - side) / stride) + 1 }, (_, k) => k * stride);
}

/** All patches of one size over an image, row by row. */
export function patches([height, width]: Pair, side: number, stride: number): Box[] {
  return positions(height, side, stride).flatMap((top) =>
    positions(width, side, stride).map((left): Box => [top, left, Math.min(top + side, height), Math.min(left + side, width)]),
  );
}

/** The mean of each colour: what replaces a hidden patch. */
export function meanOf(pixels: Float32Array): number[] {
  const sums = [0, 0, 0];
  for (let i = 0; i < pixels.length; i++) sums[i % 3] += pixels[i];
  return sums.map((sum) => Math.fround((3 * sum) / pixels.length));
}

/** Copies of an image, one after the other, each with one patch in one colour. */
export function occluded(pixels: Float32Array, width: number, boxes: Box[], colour: number[]): Float32Array {
  const copies = new Float32Array(boxes.length * pixels.length);
  boxes.forEach(([top, left, bottom, right], n) => {
    copies.set(pixels, n * pixels.length);
    for (let r = top; r < bottom; r++)
      for (let i = 3 * (r * width + left); i < 3 * (r * width + right); i++) copies[n * pixels.length + i] = colour[i % 3];
  });
  return copies;
}

/** For each pixel the mean drop of the score, over the patches that contain it. */
export function averageDrops(drops: number[], boxes: Box[], [height, width]: Pair): Float32Array {
  const total = new Float64Array(height * width);
  const count = new Float64Array(height * width);
  boxes.forEach(([top, left, bottom, right], n) => {
    for (let r = top; r < bottom; r++)
      for (let c = left; c < right; c++) {
        total[r * width + c] += drops[n];
        count[r * width + c]++;
      }
  });
  return Float32Array.from(total, (sum, i) => sum / count[i]);
}

/** The mean of several maps. */
export function meanMap(maps: Float32Array[]): Float32Array {
  return maps[0].map((_, i) => maps.reduce((sum, map) => sum + map[i], 0) / maps.length);
}

/** Grad-CAM: each feature map weighted with the mean gradient of the score over it, added up: (h × w). */
export function gradCam({ shape: [height, width, channels] }: Layer, features: Float32Array, gradients: Float32Array): Float32Array {
  const weights = new Float64Array(channels);
  gradients.forEach((slope, i) => {
    if (Number.isFinite(slope)) weights[i % channels] += slope / (height * width);
  });
  const map = new Float32Array(height * width);
  for (let i = 0; i < map.length; i++)
    for (let k = 0; k < channels; k++) map[i] += weights[k] * features[i * channels + k];
  return map;
}

/** A map resized bilinearly, as Pillow does: where it shrinks, over all pixels. */
export function resizedMap(values: Float32Array, from: Pair, to: Pair): Float32Array {
  const [rows, columns] = [0, 1].map((axis) => triangles(from[axis], to[axis]));
  const result = new Float32Array(to[0] * to[1]);
  rows.forEach((row, r) =>
    columns.forEach((column, c) => {
      let sum = 0;
      for (const [i, a] of row) for (const [j, b] of column) sum += a * b * values[i * from[1] + j];
      result[r * to[1] + c] = sum;
    }),
  );
  return result;
}

/** For each place of an axis, the places that it is made from and their weights. */
function triangles(from: number, to: number): Pair[][] {
  const scale = from / to;
  const support = Math.max(1, scale);
  return Array.from({ length: to }, (_, k) => {
    const centre = (k + 0.5) * scale;
    const found: Pair[] = [];
    for (let i = 0; i < from; i++) {
      const weight = 1 - Math.abs(i + 0.5 - centre) / support;
      if (weight > 0) found.push([i, weight]);
    }
    const all = found.reduce((sum, [, weight]) => sum + weight, 0);
    return found.map(([i, weight]): Pair => [i, weight / all]);
  });
}

/** The patch with the highest mean. */
export function mostImportant(map: Float32Array, [height, width]: Pair, side: number): Box {
  const size = Math.min(side, height, width);
  let best: Box = [0, 0, size, size];
  let most = -Infinity;
  for (let top = 0; top + size <= height; top++)
    for (let left = 0; left + size <= width; left++) {
      let sum = 0;
      for (let r = top; r < top + size; r++) for (let c = left; c < left + size; c++) sum += map[r * width + c];
      if (sum > most) [most, best] = [sum, [top, left, top + size, left + size]];
    }
  return best;
}

/** The colour scale of a signed map: 0 in its middle. */
export function signedScale(map: ArrayLike<number>): Pair {
  const [low, high] = range(Array.from(map));
  const largest = Math.max(Math.abs(low), Math.abs(high)) || 1;
  return [-largest, largest];
}
