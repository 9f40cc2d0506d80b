/** How one value of a layer is computed, in numbers. */

import type { ComponentChildren } from "preact";

import { percent, short, signed } from "../arithmetic/formatting";
import { across, at, biasOf, range, total, windowPositions, type Block, type Term } from "../arithmetic/layers";
import type { Layer, Page, Pair } from "../contract";
import { channelName } from "../state/selection";
import { Numbers, WindowMap } from "./values";

const MOST_TERMS = 3; // inputs shown one by one; the others are summed
const LARGEST_GRID = 49; // values of a window that are written out

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

export function Computation({ page, layer, sources, channel, position, value, terms, onOpen }: ComputationProps) {
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
