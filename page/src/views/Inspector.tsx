/** One channel of one layer: how the value under the pointer is computed. */

import type { TargetedKeyboardEvent } from "preact";
import { useEffect, useRef } from "preact/hooks";

import { short, times } from "../arithmetic/formatting";
import { at, block as asBlock, channelOf, range, type Term } from "../arithmetic/layers";
import type { Field } from "../arithmetic/receptiveField";
import type { Page, Pair } from "../contract";
import { channelName, positionOf, type Selection } from "../state/selection";
import { Announcement } from "./announcement";
import { ArticleLink } from "./Article";
import { Computation } from "./Computation";
import { explanation } from "./explanations";
import { Legend } from "./Legend";
import { LooksFor } from "./LooksFor";
import { Player } from "./Player";
import { paletteOf } from "./Tile";
import { ValueMap } from "./values";

interface Props {
  page: Page;
  outputs: Float32Array[];
  selection: Selection;
  /** The layers of the block, one after the other. */
  block: number[];
  field: Field | null;
  terms: Term[] | null;
  /** Those that are shown one by one. */
  inputs: number[];
  onPosition(position: Pair): void;
  onOpen(layer: number, channel: number): void;
  onClose(): void;
}

export function Inspector(props: Props) {
  const { page, outputs, selection, block, field, terms, inputs, onPosition, onOpen, onClose } = props;
  const { layers } = page.network;
  const { layer: place, channel } = selection;
  const layer = layers[place];
  const whole = asBlock(layer, outputs[place]);
  const position = positionOf(layer, selection, outputs[place]);
  const value = at(whole, position[0], position[1], channel);
  const sources = layer.sources.map((from) => ({ place: from, whole: asBlock(layers[from], outputs[from]) }));
  const isMap = layer.shape.length === 3;
  const scale = range(isMap ? channelOf(whole, channel) : whole.values);
  const palette = paletteOf(page, place, channel);
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    // The link that was followed may have gone with the working that it was in.
    if (document.activeElement === document.body && navigator.userActivation?.hasBeenActive) heading.current!.focus({ preventScroll: true });
  }, [place, channel]);
  const working = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (document.querySelector(".tour")) return; // which chooses what is in sight
    for (const part of [working, heading]) part.current!.scrollIntoView({ block: "nearest", behavior: "instant" });
  }, [place, channel, terms === null]);
  const keys = (event: TargetedKeyboardEvent<HTMLElement>) => event.key === "Escape" && onClose();
  return (
    <section class="inspector" aria-label={`How ${layer.name} is computed`} onKeyDown={keys}>
      <div class="title">
        <h2 ref={heading} tabIndex={-1}>
          {layer.name} <span class="channel">{channelName(page, layers, place, channel)}</span>
        </h2>
        {block.length > 1 && (
          <div class="choice" role="group" aria-label="Layers of this block">
            {block.map((other) => (
              <button
                type="button"
                aria-pressed={other === place}
                onClick={() => onOpen(other, channel)}
                key={other}
              >
                {layers[other].name}
              </button>
            ))}
          </div>
        )}
        {isMap && whole.height * whole.width > 1 && (
          <Player size={[whole.height, whole.width]} position={position} onPosition={onPosition} key={`${place},${channel}`} />
        )}
        <button type="button" class="plain" onClick={onClose}>
          Close
        </button>
      </div>
      <p class="hint">
        {explanation(layer)} {layer.sizeNote && <>Output size: {layer.sizeNote}.</>}{" "}
        <ArticleLink chapter={page.article.network}>More in the article</ArticleLink>
      </p>
      <div class="computation" ref={working}>
        <figure class="whole">
          <ValueMap
            whole={whole}
            channel={channel}
            scale={isMap ? undefined : scale}
            palette={palette}
            position={position}
            onPosition={onPosition}
            label={layer.name}
          />
          {isMap && scale[1] > scale[0] && <Legend palette={palette} low={short(scale[0])} high={short(scale[1])} />}
          <figcaption>
            {isMap && `Row ${position[0]}, column ${position[1]}: `}
            <strong data-value={value}>{short(value)}</strong>
            {field && place > 0 && <Sees field={field} />}
          </figcaption>
        </figure>
        {isMap && <Announcement text={`Row ${position[0]}, column ${position[1]}: ${short(value)}`} />}
        <Computation {...{ page, layer, sources, channel, position, value, terms, inputs, onOpen }} />
      </div>
      <LooksFor page={page} block={block} channel={channel} />
    </section>
  );
}

function Sees({ field: { rows, columns } }: { field: Field }) {
  const size = [rows[1] - rows[0] + 1, columns[1] - columns[0] + 1];
  return <span class="sees">It sees {times(size)} pixels of the image, framed there.</span>;
}
