/** What the colours of a map mean. */

import { css, type Palette } from "../arithmetic/colours";

const STEPS = 16;

interface Props {
  palette: Palette;
  low: string;
  high: string;
}

export function Legend({ palette, low, high }: Props) {
  const stops = Array.from({ length: STEPS + 1 }, (_, k) => css(palette, k / STEPS));
  return (
    <span class="legend">
      {low} <i style={{ background: `linear-gradient(to right, ${stops.join(", ")})` }} aria-hidden="true" /> {high}
    </span>
  );
}
