/** What the filter of a channel looks for: the image made for it, and the real patches that activate it most strongly. */

import { short } from "../arithmetic/formatting";
import type { Page } from "../contract";
import { TopPatches } from "./TopPatches";
import { SheetImage } from "./canvas";

interface Props {
  page: Page;
  /** The layers of a block, which have the same channels. */
  block: number[];
  channel: number;
}

export function LooksFor({ page, block, channel }: Props) {
  const names = block.map((place) => page.network.layers[place].name);
  const layer = page.filters.layers.find(({ name }) => names.includes(name));
  const index = layer ? layer.filters.findIndex(({ filter }) => filter === channel) : -1;
  if (!layer || index < 0) return null;
  const filter = layer.filters[index];
  return (
    <section class="looks-for" aria-label={`What channel ${channel} looks for`}>
      <h3>What it looks for</h3>
      <div class="row">
        {!filter.dead && <SheetImage sheet={layer.images} index={index} label="The image made for this filter" class="made" />}
        <TopPatches layer={layer} index={index} />
      </div>
      <p class="hint">
        {filter.dead
          ? "Its ReLU is 0 for every real image; these patches come closest."
          : `First the image made for it (activation ${short(filter.activation)}), then the ${filter.patchActivation.length} ` +
            `real patches that activate it most (${short(filter.patchActivation[0])} at most).`}
      </p>
    </section>
  );
}
