/** The colour maps of the figures (cnnvis/plots/canvas.py). */

import type { Pair } from "../contract";

export type Palette = "outputs" | "diverging" | "grey" | "red" | "green" | "blue";

type Rgb = [number, number, number];

// Viridis as polynomials (Matt Zucker, CC0).
const VIRIDIS: Rgb[] = [
  [0.2777273, 0.0054073, 0.3340998],
  [0.1050930, 1.4046135, 1.3845902],
  [-0.3308618, 0.2148476, 0.0950952],
  [-4.6342305, -5.7991010, -19.3324410],
  [6.2282699, 14.1799334, 56.6905526],
  [4.7763850, -13.7451454, -65.3530326],
  [-5.4354559, 4.6458526, 26.3124352],
];
const STOPS: Rgb[] = [
  [0x04, 0x11, 0x3f],
  [0x1f, 0x4e, 0x9e],
  [0x8a, 0x8f, 0x96],
  [0xf2, 0x8e, 0x1c],
  [0xff, 0xe0, 0x8a],
];

const SHADES = 256;
const tables = new Map<Palette, Uint8ClampedArray>();

/** All colours of a palette, from low to high: red, green, blue and 255 for each of 256 shades. */
function table(palette: Palette): Uint8ClampedArray {
  if (!tables.has(palette)) {
    const shades = Array.from({ length: SHADES }, (_, k) => [...colour(palette, k / (SHADES - 1)), 255]);
    tables.set(palette, Uint8ClampedArray.from(shades.flat()));
  }
  return tables.get(palette)!;
}

/** Colour values from `low` to `high`: red, green, blue and opacity of each go into `rgba`. */
export function paint(rgba: Uint8ClampedArray, values: ArrayLike<number>, [low, high]: Pair, palette: Palette): void {
  const shades = table(palette);
  const factor = high > low ? (SHADES - 1) / (high - low) : 0;
  const flat = palette === "diverging" && !factor ? SHADES / 2 : 0;
  for (let i = 0; 4 * i < rgba.length; i++) {
    const shade = flat + Math.min(SHADES - 1, Math.max(0, Math.round((values[i] - low) * factor)));
    for (let k = 0; k < 4; k++) rgba[4 * i + k] = shades[4 * shade + k];
  }
}

/** The colour of a value scaled to 0-1: red, green and blue, 0-255 each. */
export function colour(palette: Palette, share: number): Rgb {
  const t = Math.min(1, Math.max(0, share));
  if (palette === "grey") return [255 * t, 255 * t, 255 * t];
  const light = ["red", "green", "blue"].indexOf(palette);
  if (light >= 0) return [0, 1, 2].map((k) => (k === light ? 255 * t : 0)) as Rgb;
  if (palette === "outputs")
    return [0, 1, 2].map((k) => 255 * VIRIDIS.reduceRight((sum, line) => sum * t + line[k], 0)) as Rgb;
  const place = Math.min(STOPS.length - 2, Math.floor(t * (STOPS.length - 1)));
  const rest = t * (STOPS.length - 1) - place;
  return [0, 1, 2].map((k) => STOPS[place][k] * (1 - rest) + STOPS[place + 1][k] * rest) as Rgb;
}

export function css(palette: Palette, share: number): string {
  return `rgb(${colour(palette, share).map(Math.round).join(" ")})`;
}

/** Black or white, whichever has the higher contrast with a colour (WCAG 2): at least 4.6. */
export function inkOn(palette: Palette, share: number): string {
  const [r, g, b] = colour(palette, share).map((x) => (x <= 10 ? x / 3294.6 : ((x / 255 + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.179 ? "#000" : "#fff";
}

/** A signed value scaled to 0-1, with 0 at 0.5. */
export function signedShare(value: number, largest: number): number {
  return largest > 0 ? 0.5 + value / (2 * largest) : 0.5;
}
