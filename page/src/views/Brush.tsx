/** The colour to paint with; only its brightness, where the images are grey. */

import type { Colour } from "../arithmetic/pixels";

interface Props {
  colour: Colour;
  grey: boolean;
  onColour(colour: Colour): void;
}

export function Brush({ colour, grey, onColour }: Props) {
  if (grey)
    return (
      <label class="grow">
        Brightness
        <input
          type="range"
          min={0}
          max={255}
          value={colour[0]}
          onInput={({ currentTarget: { value } }) => onColour([Number(value), Number(value), Number(value)])}
        />
      </label>
    );
  return (
    <input
      type="color"
      aria-label="Colour"
      value={`#${colour.map((x) => x.toString(16).padStart(2, "0")).join("")}`}
      onInput={({ currentTarget: { value } }) =>
        onColour([1, 3, 5].map((at) => Number.parseInt(value.slice(at, at + 2), 16)) as Colour)
      }
    />
  );
}
