/** One channel of one layer: how the value under the pointer is computed. */

import { useEffect, useRef } from "preact/hooks";

import { short } from "../arithmetic/formatting";
import { at, block, range, type Term } from "../arithmetic/layers";
import type { Page, Pair } from "../contract";
import { channelName, positionOf, type Selection } from "../state/selection";
import { ArticleLink } from "./Article";
import { Announcement } from "./announcement";
import { Computation } from "./Computation";
import { explanation } from "./explanations";
import { ValueMap } from "./values";

interface Props {
  page: Page;
  outputs: Float32Array[];
  selection: Selection;
  terms: Term[] | null;
  onPosition(position: Pair): void;
  onOpen(layer: number, channel: number): void;
}

export function Inspector({ page, outputs, selection, terms, onPosition, onOpen }: Props) {
  const { layers } = page.network;
  const { layer: place, channel } = selection;
  const layer = layers[place];
  const whole = block(layer, outputs[place]);
  const position = positionOf(layer, selection, outputs[place]);
  const value = at(whole, position[0], position[1], channel);
  const sources = layer.sources.map((from) => ({ place: from, whole: block(layers[from], outputs[from]) }));
  const section = useRef<HTMLElement>(null);
  useEffect(() => {
    const behavior = matchMedia("(prefers-reduced-motion: reduce)").matches ? "instant" : "smooth";
    section.current!.scrollIntoView({ block: "nearest", behavior });
  }, [place, channel, terms === null]);
  return (
    <section class="inspector" aria-label={`How ${layer.name} is computed`} ref={section}>
      <div class="title">
        <h2>
          {layer.name} <span class="channel">{channelName(page, layers, place, channel)}</span>
        </h2>
        <p>
          {explanation(layer)} {layer.sizeNote && <>Output size: {layer.sizeNote}.</>}{" "}
          <ArticleLink chapter={page.article.network}>More in the article</ArticleLink>
        </p>
      </div>
      <div class="computation">
        <figure class="whole">
          <ValueMap
            whole={whole}
            channel={channel}
            scale={layer.shape.length === 3 ? undefined : range(whole.values)}
            position={position}
            onPosition={onPosition}
            label={layer.name}
          />
          <figcaption>
            {layer.shape.length === 3 ? (
              <>
                Row {position[0]}, column {position[1]}: <strong data-value={value}>{short(value)}</strong>
                <br />
                Point at another value to see how it is computed.
              </>
            ) : (
              <>
                <strong data-value={value}>{short(value)}</strong>
              </>
            )}
          </figcaption>
        </figure>
        {layer.shape.length === 3 && <Announcement text={`Row ${position[0]}, column ${position[1]}: ${short(value)}`} />}
        <Computation {...{ page, layer, sources, channel, position, value, terms, onOpen }} />
      </div>
    </section>
  );
}
