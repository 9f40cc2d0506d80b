/** Curves over the steps of a training, and the axes they are drawn on. */

import type { Measured } from "./metrics";

export interface Point {
  step: number;
  training: Measured;
  heldOut: Measured;
}

const MOST = 400; // points of a curve: more than a chart has pixels would be drawn for nothing

/** The curve with one more point; every second one is left out when there are too many. */
export function extended(points: readonly Point[], point: Point): Point[] {
  const kept = points.at(-1)?.step === point.step ? points.slice(0, -1) : points;
  const thinned = kept.length < MOST ? kept : kept.filter((_, i) => i % 2 === 0);
  return [...thinned, point];
}

/** Round numbers from 0 to at least `highest`, `most` + 1 of them at most. */
export function ticks(highest: number, most: number): number[] {
  const rough = Math.max(highest, 1e-9) / most;
  const power = 10 ** Math.floor(Math.log10(rough));
  const apart = power * [1, 2, 5, 10].find((factor) => factor * power >= rough * (1 - 1e-9))!;
  const count = Math.ceil(highest / apart - 1e-9);
  return Array.from({ length: Math.max(1, count) + 1 }, (_, i) => Number((i * apart).toPrecision(12)));
}

/** An SVG path through the points; values that are not finite are left out. */
export function path(points: readonly (readonly [number, number])[]): string {
  const drawn = points.filter(([x, y]) => Number.isFinite(x) && Number.isFinite(y));
  return drawn.map(([x, y], i) => `${i ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`).join("");
}
