/** What the colours of a map mean, or those of several maps. */

import { css, type Palette } from "../arithmetic/colours";

const STEPS = 16;

interface Props {
  palette: Palette | Palette[];
  low: string;
  high: string;
}

export function Legend({ palette, low, high }: Props) {
  return (
    <span class="legend">
      {low}{" "}
      {[palette].flat().map((one) => (
        <i style={{ background: gradient(one) }} aria-hidden="true" key={one} />
      ))}{" "}
      {high}
    </span>
  );
}

function gradient(palette: Palette): string {
  const stops = Array.from({ length: STEPS + 1 }, (_, k) => css(palette, k / STEPS));
  return `linear-gradient(to right, ${stops.join(", ")})`;
}
