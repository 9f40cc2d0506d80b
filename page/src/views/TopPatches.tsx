/** The patches of real images that activate a filter most strongly. */

import { short } from "../arithmetic/formatting";
import type { FilterLayer } from "../contract";
import { SheetImage } from "./canvas";

export function TopPatches({ layer, index }: { layer: FilterLayer; index: number }) {
  return (
    <>
      {layer.filters[index].patchActivation.map((activation, patch) => (
        <SheetImage
          sheet={layer.patches}
          index={index * layer.patchesEach + patch}
          label={`Patch ${patch + 1}, activation ${short(activation)}`}
          key={`${layer.name},${index},${patch}`}
        />
      ))}
    </>
  );
}
