/** The head of a column: what kind of layers it stands for, and a button that opens their block. */

import type { Column } from "../arithmetic/columns";
import { times } from "../arithmetic/formatting";
import type { Layer } from "../contract";
import { nickname } from "./Tile";

interface Props {
  layers: Layer[];
  column: Column;
  block: number[];
  onToggle(): void;
}

export function Head({ layers, column, block, onToggle }: Props) {
  const first = layers[column.layers[0]];
  const folded = column.layers.length > 1;
  const shown = layers[column.layer];
  const inside = column.layers.map((place) => layers[place].name).join(", ");
  const names = folded ? `${inside}: the output of ${shown.name}, ${times(shown.shape)}` : inside;
  const kinds = column.layers.map((place) => nickname(layers[place])).join(", ");
  return (
    <div class="head">
      <span class="kinds">
        <span class={`kind ${first.kind}`}>{nickname(first)}</span>
        {(folded || (block.length > 1 && column.layer === block[0])) && (
          <button
            type="button"
            class="fold"
            aria-expanded={!folded}
            aria-label={folded ? `+${block.length - 1}: show the ${block.length} layers of the block ${first.name}` : `− Fold the block ${first.name}`}
            title={folded ? kinds : ""}
            onClick={onToggle}
          >
            {folded ? `+${block.length - 1}` : "−"}
          </button>
        )}
      </span>
      <span class="name" title={names}>
        {first.name}
      </span>
      <span class="shape" title={names}>
        {shown === first ? "" : "→ "}
        {times(shown.shape)}
      </span>
    </div>
  );
}
