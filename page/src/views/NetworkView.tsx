/** The network from input to output: a column of channels for every block, and how one channel is computed. */

import type { TargetedKeyboardEvent } from "preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";

import { blocksOf } from "../arithmetic/blocks";
import { shownChannels, withChannels } from "../arithmetic/channels";
import { columnOf, columnsOf, tilesOf } from "../arithmetic/columns";
import { unjoined } from "../arithmetic/layers";
import { receptiveField, type Field } from "../arithmetic/receptiveField";
import { nodesOf } from "../arithmetic/strongestPath";
import type { Page, Pair } from "../contract";
import type { Engine } from "../network/engine";
import { contributions, shownInputs, useFilter } from "../state/computation";
import { usePath } from "../state/path";
import { channelName, positionOf, type Selection } from "../state/selection";
import { COLUMN, Connections, HEAD, PathLines, STEP, TILE, UNIT } from "./Connections";
import { Head } from "./Head";
import { Inspector } from "./Inspector";
import { Legend } from "./Legend";
import { Minimap } from "./Minimap";
import { PathPanel } from "./PathPanel";
import { areClasses, labels, paletteOf, sharedScale, Tile } from "./Tile";
import { useVisibleColumns } from "./visible";

const MOST = 8; // channels shown of a layer
const MOST_CLASSES = 10;
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
  /** What the chosen value, or the strongest of the channel under the pointer, sees of the image. */
  onField(field: Field | null): void;
}

export function NetworkView({ page, engine, outputs, image, live, selection, onSelect, onField }: Props) {
  const { layers } = page.network;
  const blocks = useMemo(() => blocksOf(layers), [layers]);
  const [open, setOpen] = useState<ReadonlySet<number>>(new Set());
  const columns = useMemo(() => columnsOf(layers, open), [layers, open]);
  // The choice of channels depends on the original image, so that it stays the same while patches are hidden.
  const base = useRef<{ image: Float32Array; channels: number[][] } | null>(null);
  if (!base.current || (live && base.current.image !== image)) {
    const most = (place: number) => (areClasses(page, place) ? MOST_CLASSES : MOST);
    base.current = { image, channels: shownChannels(layers, outputs, most) };
  }
  const [why, setWhy] = useState(false);
  const path = usePath(engine, layers, outputs, why);
  const onPath = useMemo(() => nodesOf(path), [path]);
  const channels = useMemo(
    () =>
      columns.map((column) => {
        const needed = [selection, selection && unjoined(layers, layers[selection.layer], selection.channel), ...onPath]
          .filter((node) => node !== null)
          .filter(({ layer }) => column.layers.includes(layer))
          .map(({ channel }) => channel);
        return withChannels(base.current!.channels[column.layer], needed);
      }),
    [base.current, columns, selection?.layer, selection?.channel, path],
  );
  const tiles = columns.map(({ layer }) => ({
    width: areClasses(page, layer) ? COLUMN + WIDER - 10 : layers[layer].shape.length === 1 ? UNIT : TILE,
    step: areClasses(page, layer) ? (MOST * STEP) / MOST_CLASSES : STEP,
  }));
  const pathTiles = tilesOf(onPath, columns, channels);
  const filter = useFilter(engine, layers, selection);
  const terms = useMemo(() => contributions(layers, outputs, selection, filter), [outputs, selection, filter]);
  const inputs = useMemo(
    () => shownInputs(layers, outputs, selection, filter),
    [base.current, selection?.layer, selection?.channel, filter],
  );
  const scales = useMemo(() => outputs.map((values, place) => sharedScale(page, place, values)), [outputs]);
  const [focus, setFocus] = useState<Pair>([0, 0]);
  const lastColumn = Math.min(focus[0], columns.length - 1); // there are fewer once blocks are folded
  const stop: Pair = [lastColumn, Math.min(focus[1], channels[lastColumn].length - 1)];
  const [hovered, setHovered] = useState<Selection | null>(null);
  const grid = useRef<HTMLDivElement>(null);

  const { visible, overflows } = useVisibleColumns(grid, columns.length, COLUMN);
  const drawn = useRef(outputs); // columns out of sight keep what they last showed
  drawn.current = outputs.map((values, place) => {
    const column = columnOf(columns, place);
    return visible(column) || column === columns.length - 1 ? values : (drawn.current[place] ?? values);
  });

  const fieldOf = (at: Selection | null) =>
    at && receptiveField(layers, at.layer, positionOf(layers[at.layer], at, outputs[at.layer]), at.channel);
  const chosenField = useMemo(() => fieldOf(selection), [selection, outputs]);
  const shownField = useMemo(() => (hovered ? fieldOf(hovered) : chosenField), [hovered, chosenField]);
  useEffect(() => onField(shownField), [shownField]);
  useEffect(() => () => onField(null), []);

  const keys = (event: TargetedKeyboardEvent<HTMLElement>) => {
    const at = (column: number, row: number) => {
      event.preventDefault();
      const x = Math.min(columns.length - 1, Math.max(0, column));
      const y = Math.min(channels[x].length - 1, Math.max(0, row));
      grid.current?.querySelector<HTMLElement>(`[data-at="${x},${y}"]`)?.focus();
    };
    const [column, row] = stop;
    if (!(event.target as HTMLElement).dataset.at) return;
    if (event.key === "ArrowRight") at(column + 1, row);
    else if (event.key === "ArrowLeft") at(column - 1, row);
    else if (event.key === "ArrowDown") at(column, row + 1);
    else if (event.key === "ArrowUp") at(column, row - 1);
    else if (event.key === "Home") at(0, row);
    else if (event.key === "End") at(columns.length - 1, row);
    else if (event.key === "Escape" && selection) onSelect(null);
  };

  useEffect(() => {
    if (!selection) return;
    const scroller = grid.current!;
    const left = columnOf(columns, selection.layer) * COLUMN;
    const sight = scroller.clientWidth - COLUMN - WIDER; // the last column is always in sight
    if (left < scroller.scrollLeft || left + COLUMN > scroller.scrollLeft + sight)
      scroller.scrollTo({ left: left - sight / 2, behavior: "instant" });
  }, [selection?.layer]);

  const close = () => {
    grid.current?.querySelector<HTMLElement>("[aria-pressed=true]")?.focus();
    onSelect(null);
  };
  const toggle = (block: number) => {
    const now = new Set(open);
    if (!now.delete(block)) now.add(block);
    setOpen(now);
  };
  const foldable = blocks.flatMap((block, index) => (block.length > 1 ? [index] : []));
  const all = foldable.every((index) => open.has(index));
  const height = HEAD + MOST * STEP + 20;
  return (
    <>
      <div class="row about">
        <p class="hint">
          Of each block the {MOST} channels with the highest mean. Choose one to see how it is computed.
        </p>
        <Legend palette="outputs" low="low" high="high, in each map; units share one scale" />
        {engine.predicts && (
          <button type="button" class="plain" aria-pressed={why} onClick={() => setWhy(!why)} id="why">
            Why this verdict?
          </button>
        )}
        {foldable.length > 0 && (
          <button type="button" class="link" onClick={() => setOpen(new Set(all ? [] : foldable))}>
            {all ? "Fold the blocks" : "Show every layer"}
          </button>
        )}
      </div>
      <Minimap
        grid={grid}
        layers={layers}
        columns={columns}
        chosen={selection ? columnOf(columns, selection.layer) : -1}
      />
      <div
        class={overflows ? "network overflowing" : "network"}
        ref={grid}
        onKeyDown={keys}
        role="group"
        aria-busy={!live}
        aria-label="The network's layers. Arrow keys move between channels and layers, Enter chooses."
      >
        <div class="plane" style={{ width: `${columns.length * COLUMN + WIDER}px`, height: `${height}px`, "--width": columns.length * COLUMN + WIDER }}>
          <Connections {...{ layers, columns, channels, tiles, selection, hovered, terms, height }} />
          <PathLines path={pathTiles} tiles={tiles} width={columns.length * COLUMN} height={height} />
          {columns.map((column, index) => (
            <div
              class={`column ${index === columns.length - 1 ? "last" : ""}`}
              style={{ width: `${index === columns.length - 1 ? COLUMN + WIDER : COLUMN}px` }}
              key={layers[column.layer].name}
            >
              <Head
                layers={layers}
                column={column}
                block={blocks[column.block]}
                onToggle={() => toggle(column.block)}
              />
              {channels[index].map((channel, row) => {
                const place = column.layer;
                const chosen = { layer: column.layers[0], channel, position: null };
                const pressed = selection?.channel === channel && column.layers.includes(selection.layer);
                const name = channelName(page, layers, place, channel);
                const written = labels(page, place, channel, outputs[place]);
                const about = [layers[place].name, name, ...written.filter((text) => text !== name)].join(", ");
                const strongest = { layer: place, channel, position: null };
                const isHovered = hovered?.layer === place && hovered.channel === channel;
                return (
                  <button
                    type="button"
                    class={`tile ${areClasses(page, place) ? "wide" : ""} ${
                      pathTiles.some(([x, y]) => x === index && y === row) ? "on-path" : ""
                    }`}
                    style={{ width: `${tiles[index].width}px`, height: `${Math.max(24, tiles[index].step - 5)}px` }}
                    data-at={`${index},${row}`}
                    tabIndex={stop[0] === index && stop[1] === row ? 0 : -1}
                    aria-pressed={pressed}
                    aria-label={about}
                    title={about}
                    onFocus={() => (setFocus([index, row]), setHovered(strongest))}
                    onBlur={() => setHovered(null)}
                    onPointerMove={() => isHovered || setHovered(strongest)} // not as the page scrolls beneath the pointer
                    onPointerLeave={() => setHovered(null)}
                    onClick={() => (setHovered(null), onSelect(pressed ? null : chosen))}
                    key={channel}
                  >
                    <Tile
                      layer={layers[place]}
                      channel={channel}
                      values={drawn.current[place]}
                      scale={scales[place]}
                      written={written}
                      palette={paletteOf(page, place, channel)}
                    />
                  </button>
                );
              })}
              {layers[column.layer].shape.at(-1)! > channels[index].length && (
                <span class="more">of {layers[column.layer].shape.at(-1)}</span>
              )}
            </div>
          ))}
        </div>
      </div>
      {selection && (
        <Inspector
          page={page}
          outputs={outputs}
          selection={selection}
          block={blocks.find((block) => block.includes(selection.layer))!}
          field={chosenField}
          terms={terms}
          inputs={inputs}
          onPosition={(position) => onSelect({ ...selection, position })}
          onOpen={(layer, channel) => onSelect({ layer, channel, position: null })}
          onClose={close}
        />
      )}
      {why && (
        <PathPanel
          page={page}
          steps={path}
          onOpen={onSelect}
          onClose={() => (setWhy(false), document.getElementById("why")?.focus())}
        />
      )}
    </>
  );
}
