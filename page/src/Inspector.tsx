/** One channel of one layer: where its numbers come from, worked out for a cell under the pointer. */

import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";

import { across, at, biasOf, block, range, total, windowCells, type Block, type Part } from "./arithmetic";
import { CellMap, Numbers, WindowMap } from "./cells";
import type { Layer, Page, Pair } from "./contract";
import { cellOf, channelName, type Selection } from "./NetworkView";
import { Spoken } from "./spoken";
import { percent, short, signed } from "./words";

const MOST_PARTS = 3; // inputs that are worked out; the others are summed up
const LARGEST_GRID = 49; // numbers of a window that are written out

interface Props {
  page: Page;
  outputs: Float32Array[];
  selection: Selection;
  parts: Part[] | null;
  onCell(cell: Pair): void;
  onOpen(layer: number, channel: number): void;
}

export function Inspector({ page, outputs, selection, parts, onCell, onOpen }: Props) {
  const { layers } = page.network;
  const { layer: place, channel } = selection;
  const layer = layers[place];
  const whole = block(layer, outputs[place]);
  const cell = cellOf(layer, selection, outputs[place]);
  const value = at(whole, cell[0], cell[1], channel);
  const sources = layer.sources.map((from) => ({ place: from, whole: block(layers[from], outputs[from]) }));
  const section = useRef<HTMLElement>(null);
  useEffect(() => {
    const behavior = matchMedia("(prefers-reduced-motion: reduce)").matches ? "instant" : "smooth";
    section.current!.scrollIntoView({ block: "nearest", behavior });
  }, [place, channel, parts === null]);
  return (
    <section class="inspector" aria-label={`How ${layer.name} comes about`} ref={section}>
      <div class="title">
        <h2>
          {layer.name} <span class="channel">{channelName(page, layers, place, channel)}</span>
        </h2>
        <p>
          {explanation(layer)} {layer.words && <>Its size: {layer.words}.</>}{" "}
          <a href={page.article.network}>
            More in the article
          </a>
        </p>
      </div>
      <div class="working">
        <figure class="whole">
          <CellMap
            whole={whole}
            channel={channel}
            scale={layer.shape.length === 3 ? undefined : range(whole.values)}
            cell={cell}
            onCell={onCell}
            label={layer.name}
          />
          <figcaption>
            {layer.shape.length === 3 ? (
              <>
                Row {cell[0]}, column {cell[1]}: <strong data-value={value}>{short(value)}</strong>
                <br />
                Move over it to work out another cell.
              </>
            ) : (
              <>
                <strong data-value={value}>{short(value)}</strong>
              </>
            )}
          </figcaption>
        </figure>
        {layer.shape.length === 3 && <Spoken text={`Row ${cell[0]}, column ${cell[1]}: ${short(value)}`} />}
        <Working {...{ page, layer, sources, channel, cell, value, parts, onOpen }} />
      </div>
    </section>
  );
}

interface WorkingProps {
  page: Page;
  layer: Layer;
  sources: { place: number; whole: Block }[];
  channel: number;
  cell: Pair;
  value: number;
  parts: Part[] | null;
  onOpen(layer: number, channel: number): void;
}

function Working({ page, layer, sources, channel, cell, value, parts, onOpen }: WorkingProps) {
  const how = layer.arithmetic;
  const { layers } = page.network;
  if (sources.length === 0) return <p>These are the numbers of the picture, as the network takes them.</p>;
  const [{ place: from, whole: input }] = sources;
  const open = (of: number, index = from) => (
    <button type="button" class="link" onClick={() => onOpen(index, of)}>
      {layers[index].name}, {channelName(page, layers, index, of)}
    </button>
  );
  if (how?.how === "conv" || how?.how === "fc") {
    if (!parts) return <p class="waiting">Fetching the filter …</p>;
    const shown = parts.slice(0, MOST_PARTS);
    const rest = parts.slice(MOST_PARTS);
    const bias = biasOf(how, channel);
    const linear = total(parts) + bias;
    const small = how.how === "fc" || how.size[0] * how.size[1] <= LARGEST_GRID;
    return (
      <div class="sums">
        {shown.map((part) => (
          <div class="sum" key={part.channel}>
            <span class="from">
              {how.how === "conv" && (
                <WindowMap whole={input} channel={part.channel} window={how} cell={cell} name={layers[from].name} />
              )}
              {open(part.channel)}
            </span>
            {small && <Numbers lines={part.inputs} label="input" />}
            {small && <span class="sign">×</span>}
            {small && <Numbers lines={part.weights} label="filter" diverging />}
            <span class="sign">=</span>
            <span class="result">{signed(part.sum)}</span>
          </div>
        ))}
        {rest.length > 0 && (
          <div class="sum">
            <span class="from">
              the {rest.length} other {how.how === "fc" ? "units" : "channels"} together
            </span>
            <span class="sign">=</span>
            <span class="result">{signed(total(rest))}</span>
          </div>
        )}
        <div class="sum">
          <span class="from">{how.bias ? `the ${how.how === "fc" ? "unit" : "filter"}'s constant (bias)` : "no constant (bias) here"}</span>
          <span class="sign">=</span>
          <span class="result">{how.bias ? signed(bias) : "0"}</span>
        </div>
        <div class="sum final">
          <span class="from">
            all together {how.activation !== "linear" && <>, through {how.activation}: {short(linear)} becomes</>}
          </span>
          <span class="sign">=</span>
          <strong class="result" data-value={linear}>
            {short(value)}
          </strong>
        </div>
      </div>
    );
  }
  if (how?.how === "pool") {
    const cells = windowCells(how, cell);
    const lines = cells.map((line) => line.map(([r, c]) => at(input, r, c, channel)));
    return (
      <div class="sums">
        <div class="sum">
          <span class="from">
            <WindowMap whole={input} channel={channel} window={how} cell={cell} name={layers[from].name} />
            {open(channel)}
          </span>
          {lines.length * lines[0].length <= LARGEST_GRID && (
            <Numbers lines={lines} label="window" marked={how.takes === "max" ? value : undefined} />
          )}
          <span class="sign">{how.takes === "max" ? "the largest is" : "their mean is"}</span>
          <strong class="result">{short(value)}</strong>
        </div>
      </div>
    );
  }
  const x = at(input, cell[0], cell[1], channel);
  if (how?.how === "affine")
    return (
      <Sum from={open(channel)}>
        {short(x)} <span class="sign">×</span> {short(how.scale[channel])} <span class="sign">+</span>{" "}
        {short(how.shift[channel])} <span class="sign">=</span> <strong class="result">{short(value)}</strong>
      </Sum>
    );
  if (how?.how === "sum")
    return (
      <div class="sums">
        {sources.map(({ place: of, whole }) => (
          <Sum from={open(channel, of)} key={of}>
            <span class="result">{signed(at(whole, cell[0], cell[1], channel))}</span>
          </Sum>
        ))}
        <Sum from="together">
          <strong class="result">{short(value)}</strong>
        </Sum>
      </div>
    );
  if (how?.how === "function" && how.activation === "softmax")
    return <Softmax page={page} layer={layer} scores={across(input, cell)} channel={channel} />;
  if (how?.how === "function")
    return (
      <Sum from={open(channel)}>
        {how.activation === "relu" ? (
          <>
            the larger of 0 and {short(x)} <span class="sign">=</span>
          </>
        ) : (
          <>
            {short(x)} <span class="sign">→</span>
          </>
        )}{" "}
        <strong class="result">{short(value)}</strong>
      </Sum>
    );
  return <p>How this kind of layer ({layer.type}) works is not shown; the numbers are the network's own.</p>;
}

function Sum({ from, children }: { from: ComponentChildren; children: ComponentChildren }) {
  return (
    <div class="sum">
      <span class="from">{from}</span>
      <span class="terms">{children}</span>
    </div>
  );
}

function Softmax({ page, layer, scores, channel }: { page: Page; layer: Layer; scores: number[]; channel: number }) {
  const [, top] = range(scores);
  const powers = scores.map((x) => Math.exp(x - top));
  const all = powers.reduce((a, b) => a + b, 0);
  const named = layer.shape[0] === page.classes.length;
  const order = powers
    .map((_, k) => k)
    .sort((a, b) => powers[b] - powers[a])
    .slice(0, 10);
  if (!order.includes(channel)) order.push(channel);
  return (
    <table class="softmax" aria-label="Scores and probabilities">
      <thead>
        <tr>
          <th scope="col">class</th>
          <th scope="col">score x</th>
          <th scope="col">eˣ, shared out</th>
        </tr>
      </thead>
      <tbody>
        {order.map((k) => (
          <tr class={k === channel ? "chosen" : ""} key={k}>
            <th scope="row">{named ? page.classes[k] : k}</th>
            <td>{short(scores[k])}</td>
            <td>{percent(powers[k] / all)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function explanation(layer: Layer): string {
  switch (layer.arithmetic?.how) {
    case "conv":
      return (
        "CONV: a small filter slides over the input. At each place it multiplies what it sees by its weights and adds " +
        "everything up: high where the input looks like the filter, low where it looks like its opposite."
      );
    case "fc":
      return "FC: every unit looks at all inputs, weighs each, and adds them up.";
    case "pool":
      return layer.arithmetic.takes === "max"
        ? "POOL: of the cells in a window only the largest is passed on: the feature is there, wherever exactly."
        : "POOL: the mean of the cells in a window is passed on, so that a picture gets smaller and smoother.";
    case "affine":
      return "Normalisation: each channel is multiplied by one number, and another is added, so that all vary alike.";
    case "sum":
      return "The outputs of several layers are added, cell by cell.";
    case "function":
      if (layer.arithmetic.activation === "softmax")
        return "Softmax: scores become probabilities. Each is raised to a power of e, and all are shared out to make 1.";
      return layer.arithmetic.activation === "relu"
        ? "RELU: what is negative becomes 0, the rest stays. Without it, layers on layers could do no more than one."
        : `Each number goes through one function, ${layer.arithmetic.activation}.`;
    default:
      return layer.kind === "picture" ? "The picture as the network takes it." : `A ${layer.type} layer.`;
  }
}
