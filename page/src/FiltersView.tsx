/** What filters look for: the picture made for each, and the real ones that it answers to most. */

import { useState } from "preact/hooks";

import { SheetCell } from "./canvas";
import type { Filter, FilterLayer, Page } from "./contract";
import { percent, short } from "./words";

const LARGEST_RATIO = 100; // that says something

export function FiltersView({ page }: { page: Page }) {
  const { layers, data } = page.filters;
  const [chosen, setChosen] = useState<[number, number]>([0, 0]);
  if (!layers.length) return <p class="waiting">No filters were drawn: run explore.py with --filters 6, say.</p>;
  const layer = layers[chosen[0]];
  return (
    <>
      <p class="lead">
        Noise is changed, step by step, into the picture that a filter answers to most. Choose one to see the parts of
        real pictures ({data}) that excite it most. <a href={page.article.filters}>How they are drawn</a>
      </p>
      <div class="filters">
        <div class="atlas">
          {layers.map((other, place) => (
            <section key={other.name} aria-label={other.name}>
              <h2>{other.name}</h2>
              <div class="examples">
                {other.filters.map((filter, index) => (
                  <figure key={filter.filter}>
                    <button
                      type="button"
                      class="tile"
                      aria-pressed={place === chosen[0] && index === chosen[1]}
                      aria-label={`${other.name}, filter ${filter.filter}`}
                      onClick={() => setChosen([place, index])}
                    >
                      <SheetCell sheet={other.images} index={index} label="" />
                    </button>
                    <figcaption>{filter.dead ? "dead" : `${filter.filter}`}</figcaption>
                  </figure>
                ))}
              </div>
            </section>
          ))}
        </div>
        <Detail page={page} layer={layer} index={chosen[1]} filter={layer.filters[chosen[1]]} />
      </div>
    </>
  );
}

interface DetailProps {
  page: Page;
  layer: FilterLayer;
  index: number;
  filter: Filter;
}

function Detail({ page, layer, index, filter }: DetailProps) {
  const ratio = filter.datasetMax > 0 ? filter.activation / filter.datasetMax : NaN;
  return (
    <section class="detail" aria-label="The chosen filter">
      <h2 aria-live="polite">
        {layer.name}, filter {filter.filter}
      </h2>
      {filter.dead ? (
        <p>Dead: no real picture ever gets anything of it past its RELU.</p>
      ) : (
        <>
          <SheetCell sheet={layer.images} index={index} label="The picture made for it" class="made" />
          <p>
            Activation {short(filter.activation)}
            {ratio <= LARGEST_RATIO
              ? `: ${ratio.toFixed(1)} times the ${short(filter.datasetMax)} of the most exciting real picture. `
              : `; the most exciting real picture has ${short(filter.datasetMax)}. `}
            {filter.favourite >= 0 && (
              <>
                It lets most pass for <strong>{page.classes[filter.favourite]}</strong> (for that class alone:{" "}
                {percent(filter.selectivity)}).
              </>
            )}
          </p>
        </>
      )}
      <h3>Real patches</h3>
      <div class="patches">
        {filter.patchActivation.map((activation, patch) => (
          <SheetCell
            sheet={layer.patches}
            index={index * layer.patchesEach + patch}
            label={`Patch ${patch + 1}, activation ${short(activation)}`}
            key={`${layer.name},${index},${patch}`}
          />
        ))}
      </div>
    </section>
  );
}
