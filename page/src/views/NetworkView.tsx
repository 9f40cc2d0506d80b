/** The network from input to output: a column of channels for every layer, and how one channel is computed. */

import type { RefObject, TargetedKeyboardEvent } from "preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";

import { shownChannels } from "../arithmetic/channels";
import { percent, short, times } from "../arithmetic/formatting";
import { block, channelOf, range } from "../arithmetic/layers";
import type { Layer, Page, Pair } from "../contract";
import type { Engine } from "../network/engine";
import { contributions, useFilter } from "../state/computation";
import { channelName, type Selection } from "../state/selection";
import { ChannelMap, PixelCanvas } from "./canvas";
import { COLUMN, Connections, HEAD, STEP } from "./Connections";
import { Inspector } from "./Inspector";

const MOST = 10; // channels shown of a layer
const WIDER = 24; // pixels by which the last column is wider, for the names of classes

interface Props {
  page: Page;
  engine: Engine;
  outputs: Float32Array[];
  image: Float32Array;
  /** Whether the outputs are up to date with the image. */
  live: boolean;
  selection: Selection | null;
  onSelect(selection: Selection | null): void;
}

export function NetworkView({ page, engine, outputs, image, live, selection, onSelect }: Props) {
  const { layers } = page.network;
  // The choice of channels depends on the original image, so that it stays the same while patches are hidden.
  const base = useRef<{ image: Float32Array; channels: number[][] } | null>(null);
  if (!base.current || (live && base.current.image !== image))
    base.current = { image, channels: shownChannels(layers, outputs, MOST) };
  const channels = useMemo(
    () =>
      base.current!.channels.map((shown, place) =>
        selection?.layer === place && !shown.includes(selection.channel)
          ? [...shown.slice(0, MOST - 1), selection.channel]
          : shown,
      ),
    [base.current, selection],
  );
  const filter = useFilter(engine, layers, selection);
  const terms = useMemo(() => contributions(layers, outputs, selection, filter), [outputs, selection, filter]);
  const ranges = useMemo(() => outputs.map((values) => range(values)), [outputs]);
  const [focus, setFocus] = useState<Pair>([0, 0]);
  const grid = useRef<HTMLDivElement>(null);

  const visible = useVisibleColumns(grid, layers.length);
  const drawn = useRef(outputs); // columns out of sight keep what they last showed
  drawn.current = outputs.map((values, place) => (visible(place) ? values : (drawn.current[place] ?? values)));

  const keys = (event: TargetedKeyboardEvent<HTMLElement>) => {
    const moves: Record<string, Pair> = {
      ArrowRight: [1, 0],
      ArrowLeft: [-1, 0],
      ArrowDown: [0, 1],
      ArrowUp: [0, -1],
    };
    const move = moves[event.key];
    if (!move) return;
    event.preventDefault();
    const place = Math.min(layers.length - 1, Math.max(0, focus[0] + move[0]));
    const row = Math.min(channels[place].length - 1, Math.max(0, focus[1] + move[1]));
    setFocus([place, row]);
    grid.current?.querySelector<HTMLElement>(`[data-at="${place},${row}"]`)?.focus();
  };

  useEffect(() => {
    if (!selection) return;
    const scroller = grid.current!;
    const left = selection.layer * COLUMN;
    if (left < scroller.scrollLeft || left + COLUMN > scroller.scrollLeft + scroller.clientWidth)
      scroller.scrollTo({ left: left - scroller.clientWidth / 2, behavior: "instant" });
  }, [selection?.layer]);

  const height = HEAD + MOST * STEP + 18;
  return (
    <>
      <p class="lead">
        From left to right: the image, then the output of every layer. At most {MOST} channels of a layer are shown: those
        with the highest mean for this image. Yellow is high. Choose a channel to see how its values are computed.
      </p>
      <div
        class="network"
        ref={grid}
        onKeyDown={keys}
        role="group"
        aria-busy={!live}
        aria-label="The network's layers. Arrow keys move between channels and layers, Enter chooses."
      >
        <div class="plane" style={{ width: `${layers.length * COLUMN + WIDER}px`, height: `${height}px` }}>
          <Connections layers={layers} channels={channels} selection={selection} terms={terms} height={height} />
          {layers.map((layer, place) => (
            <div class="column" style={{ left: `${place * COLUMN}px`, width: `${COLUMN}px` }} key={layer.name}>
              <div class="head">
                <span class={`kind ${layer.kind}`}>{nickname(layer)}</span>
                <span class="name" title={layer.name}>
                  {layer.name}
                </span>
                <span class="shape">{times(layer.shape)}</span>
              </div>
              {channels[place].map((channel, row) => {
                const pressed = selection?.layer === place && selection.channel === channel;
                const name = channelName(page, layers, place, channel);
                const written = labels(page, place, channel, outputs[place]);
                return (
                  <button
                    type="button"
                    class={`tile ${areClasses(page, place) ? "wide" : ""}`}
                    data-at={`${place},${row}`}
                    tabIndex={focus[0] === place && focus[1] === row ? 0 : -1}
                    aria-pressed={pressed}
                    aria-label={[layer.name, name, ...written.filter((text) => text !== name)].join(", ")}
                    title={`${layer.name}, ${name}`}
                    onFocus={() => setFocus([place, row])}
                    onClick={() => onSelect(pressed ? null : { layer: place, channel, position: null })}
                    key={channel}
                  >
                    <Tile layer={layer} channel={channel} values={drawn.current[place]} scale={ranges[place]} written={written} />
                  </button>
                );
              })}
              {layer.shape.at(-1)! > MOST && <span class="more">of {layer.shape.at(-1)}</span>}
            </div>
          ))}
        </div>
      </div>
      {selection ? (
        <Inspector
          page={page}
          outputs={outputs}
          selection={selection}
          terms={terms}
          onPosition={(position) => onSelect({ ...selection, position })}
          onOpen={(layer, channel) => onSelect({ layer, channel, position: null })}
        />
      ) : (
        <div class="inspector empty">
          <PixelCanvas pixels={image} size={page.size} class="tiny" />
          <p>Choose a channel above, with the pointer or with Tab, the arrow keys and Enter.</p>
        </div>
      )}
    </>
  );
}

/** A function that says whether a column is in sight, or next to one that is. */
function useVisibleColumns(grid: RefObject<HTMLDivElement | null>, count: number): (place: number) => boolean {
  const [[first, last], setEnds] = useState<Pair>([0, count]);
  useEffect(() => {
    const scroller = grid.current!;
    const look = () => {
      const left = Math.floor(scroller.scrollLeft / COLUMN) - 1;
      setEnds([left, left + Math.ceil(scroller.clientWidth / COLUMN) + 2]);
    };
    look();
    const observer = new ResizeObserver(look);
    observer.observe(scroller);
    scroller.addEventListener("scroll", look, { passive: true });
    return () => {
      observer.disconnect();
      scroller.removeEventListener("scroll", look);
    };
  }, []);
  return (place) => place >= first && place <= last;
}

interface TileProps {
  layer: Layer;
  channel: number;
  values: Float32Array;
  scale: Pair;
  written: string[];
}

function Tile({ layer, channel, values, scale, written }: TileProps) {
  const whole = block(layer, values);
  const own = useMemo(() => channelOf(whole, channel), [values, channel]);
  const isUnit = layer.shape.length === 1;
  return (
    <>
      <ChannelMap
        values={own}
        height={whole.height}
        width={whole.width}
        scale={isUnit ? scale : undefined}
        class={isUnit ? "unit" : ""}
      />
      {written.length > 0 && <span class="value">{written.join(" ")}</span>}
    </>
  );
}

/** Whether a layer's units are the probabilities or scores of the classes. */
function areClasses(page: Page, place: number): boolean {
  const { layers } = page.network;
  const { shape } = layers[place];
  return place === layers.length - 1 && shape.length === 1 && shape[0] === page.classes.length;
}

/** The text on a channel's tile: a unit's value, a class and its probability, or a colour of the image. */
function labels(page: Page, place: number, channel: number, values: Float32Array): string[] {
  const { layers } = page.network;
  const { shape, arithmetic } = layers[place];
  if (shape.length === 3) return place === 0 && shape[2] === 3 ? [channelName(page, layers, place, channel)] : [];
  if (!areClasses(page, place)) return [short(values[channel])];
  const isProbability = arithmetic && "activation" in arithmetic && arithmetic.activation !== "linear";
  return [page.classes[channel], isProbability ? percent(values[channel]) : short(values[channel])];
}

function nickname(layer: Layer): string {
  if (layer.kind === "image") return "INPUT";
  if (layer.kind !== "other") return layer.kind;
  if (layer.type.endsWith("Normalization")) return "NORM";
  return layer.type.length > 9 ? `${layer.type.slice(0, 8)}…` : layer.type;
}
