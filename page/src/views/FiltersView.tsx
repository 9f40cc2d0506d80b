/** What filters look for: the image made for each filter, and the real patches that activate it most strongly. */

import { useState } from "preact/hooks";

import { compared, percent } from "../arithmetic/formatting";
import type { Filter, FilterLayer, Page } from "../contract";
import { ArticleLink } from "./Article";
import { TopPatches } from "./TopPatches";
import { SheetImage } from "./canvas";

export function FiltersView({ page }: { page: Page }) {
  const { layers, data } = page.filters;
  const [chosen, setChosen] = useState<[number, number]>([0, 0]);
  if (!layers.length) return <p class="waiting">No filters were drawn: run explore.py with --filters 6, say.</p>;
  const layer = layers[chosen[0]];
  return (
    <>
      <p class="lead">
        Gradient ascent changes noise, step by step, into the image that activates a filter most strongly. Choose a
        filter to see the patches of real images ({data}) that activate it most.{" "}
        <ArticleLink chapter={page.article.filters}>How these images are made</ArticleLink>
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
                      <SheetImage sheet={other.images} index={index} label="" />
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
  return (
    <section class="detail" aria-label="The chosen filter">
      <h2 aria-live="polite">
        {layer.name}, filter {filter.filter}
      </h2>
      {filter.dead ? (
        <p>Dead: its ReLU is 0 for every real image.</p>
      ) : (
        <>
          <SheetImage sheet={layer.images} index={index} label="The image made for this filter" class="made" />
          <p>
            Activation {compared(filter.activation, filter.datasetMax)}.{" "}
            {filter.topClass >= 0 && (
              <>
                It responds most to the class <strong>{page.classes[filter.topClass]}</strong> (selectivity{" "}
                {percent(filter.selectivity)}).
              </>
            )}
          </p>
        </>
      )}
      <h3>Top patches</h3>
      <div class="patches">
        <TopPatches layer={layer} index={index} />
      </div>
    </section>
  );
}
