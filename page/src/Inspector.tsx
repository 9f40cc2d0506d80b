/** One channel of one layer: how the value under the pointer is computed. */

import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";

import { across, at, biasOf, block, range, total, windowPositions, type Block, type Term } from "./arithmetic";
import { Numbers, ValueMap, WindowMap } from "./values";
import type { Layer, Page, Pair } from "./contract";
import { channelName, positionOf, type Selection } from "./selection";
import { Announcement } from "./announcement";
import { percent, short, signed } from "./formatting";

const MOST_TERMS = 3; // inputs shown one by one; the others are summed
const LARGEST_GRID = 49; // values of a window that are written out

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
          <a href={page.article.network}>More in the article</a>
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

interface ComputationProps {
  page: Page;
  layer: Layer;
  sources: { place: number; whole: Block }[];
  channel: number;
  position: Pair;
  value: number;
  terms: Term[] | null;
  onOpen(layer: number, channel: number): void;
}

function Computation({ page, layer, sources, channel, position, value, terms, onOpen }: ComputationProps) {
  const arithmetic = layer.arithmetic;
  const { layers } = page.network;
  if (sources.length === 0) return <p>These are the pixels of the image, as the network takes them.</p>;
  const [{ place: from, whole: input }] = sources;
  const open = (of: number, index = from) => (
    <button type="button" class="link" onClick={() => onOpen(index, of)}>
      {layers[index].name}, {channelName(page, layers, index, of)}
    </button>
  );
  if (arithmetic?.operation === "conv" || arithmetic?.operation === "fc") {
    if (!terms) return <p class="waiting">Fetching the filter …</p>;
    const shown = terms.slice(0, MOST_TERMS);
    const rest = terms.slice(MOST_TERMS);
    const bias = biasOf(arithmetic, channel);
    const linear = total(terms) + bias;
    const small = arithmetic.operation === "fc" || arithmetic.size[0] * arithmetic.size[1] <= LARGEST_GRID;
    return (
      <div class="sums">
        {shown.map((term) => (
          <div class="sum" key={term.channel}>
            <span class="from">
              {arithmetic.operation === "conv" && (
                <WindowMap whole={input} channel={term.channel} window={arithmetic} position={position} name={layers[from].name} />
              )}
              {open(term.channel)}
            </span>
            {small && <Numbers lines={term.inputs} label="input" />}
            {small && <span class="sign">×</span>}
            {small && <Numbers lines={term.weights} label="filter" diverging />}
            <span class="sign">=</span>
            <span class="result">{signed(term.sum)}</span>
          </div>
        ))}
        {rest.length > 0 && (
          <div class="sum">
            <span class="from">
              the {rest.length} other {arithmetic.operation === "fc" ? "inputs" : "channels"}
            </span>
            <span class="sign">=</span>
            <span class="result">{signed(total(rest))}</span>
          </div>
        )}
        <div class="sum">
          <span class="from">{arithmetic.bias ? "bias" : "no bias"}</span>
          <span class="sign">=</span>
          <span class="result">{arithmetic.bias ? signed(bias) : "0"}</span>
        </div>
        <div class="sum final">
          <span class="from">
            sum {arithmetic.activation !== "linear" && <>, through {arithmetic.activation}: {short(linear)} becomes</>}
          </span>
          <span class="sign">=</span>
          <strong class="result" data-value={linear}>
            {short(value)}
          </strong>
        </div>
      </div>
    );
  }
  if (arithmetic?.operation === "pool") {
    const positions = windowPositions(arithmetic, position);
    const lines = positions.map((line) => line.map(([r, c]) => at(input, r, c, channel)));
    return (
      <div class="sums">
        <div class="sum">
          <span class="from">
            <WindowMap whole={input} channel={channel} window={arithmetic} position={position} name={layers[from].name} />
            {open(channel)}
          </span>
          {lines.length * lines[0].length <= LARGEST_GRID && (
            <Numbers lines={lines} label="window" marked={arithmetic.pooling === "max" ? value : undefined} />
          )}
          <span class="sign">{arithmetic.pooling === "max" ? "maximum" : "mean"}</span>
          <strong class="result">{short(value)}</strong>
        </div>
      </div>
    );
  }
  const x = at(input, position[0], position[1], channel);
  if (arithmetic?.operation === "affine")
    return (
      <Sum from={open(channel)}>
        {short(x)} <span class="sign">×</span> {short(arithmetic.scale[channel])} <span class="sign">+</span>{" "}
        {short(arithmetic.shift[channel])} <span class="sign">=</span> <strong class="result">{short(value)}</strong>
      </Sum>
    );
  if (arithmetic?.operation === "sum")
    return (
      <div class="sums">
        {sources.map(({ place: of, whole }) => (
          <Sum from={open(channel, of)} key={of}>
            <span class="result">{signed(at(whole, position[0], position[1], channel))}</span>
          </Sum>
        ))}
        <Sum from="sum">
          <strong class="result">{short(value)}</strong>
        </Sum>
      </div>
    );
  if (arithmetic?.operation === "function" && arithmetic.activation === "softmax")
    return <Softmax page={page} layer={layer} scores={across(input, position)} channel={channel} />;
  if (arithmetic?.operation === "function")
    return (
      <Sum from={open(channel)}>
        {arithmetic.activation === "relu" ? (
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
  return <p>The page can't show how this kind of layer ({layer.type}) works; the values are the network's own.</p>;
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
          <th scope="col">eˣ ÷ sum of all</th>
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
  switch (layer.arithmetic?.operation) {
    case "conv":
      return (
        "CONV: a small filter slides over the input. At each position it multiplies the input by its weights and sums the " +
        "products: high where the input looks like the filter, low where it looks like its opposite."
      );
    case "fc":
      return "FC: every unit multiplies all inputs by its weights and sums the products.";
    case "pool":
      return layer.arithmetic.pooling === "max"
        ? "POOL: the maximum of each window. It says that a feature is there, but not exactly where."
        : "POOL: the mean of each window. The output is smaller and smoother.";
    case "affine":
      return "Normalisation: each channel is multiplied by one number and shifted by another, so that all have a similar range.";
    case "sum":
      return "The outputs of several layers are added element by element.";
    case "function":
      if (layer.arithmetic.activation === "softmax")
        return "Softmax: scores become probabilities. e is raised to the power of each score; the results are divided by their sum.";
      return layer.arithmetic.activation === "relu"
        ? "ReLU: negative values become 0, others stay. Without it, many layers could do no more than one."
        : `Activation: the function ${layer.arithmetic.activation} is applied to each value.`;
    default:
      return layer.kind === "image" ? "The image, as the network takes it." : `A ${layer.type} layer.`;
  }
}
