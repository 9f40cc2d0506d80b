/** How one value of a layer is computed, in numbers that a calculator confirms. */

import type { ComponentChildren } from "preact";

import { activationOf } from "../arithmetic/activations";
import { atDecimals, decimalsFor, decimalsOf, digitsFor } from "../arithmetic/digits";
import { digits, fixed, short, signed } from "../arithmetic/formatting";
import { across, at, biasOf, total, windowPositions, type Block, type Term } from "../arithmetic/layers";
import type { Conv, Fc, Layer, Page, Pair, Parameters, Pool } from "../contract";
import { channelName } from "../state/selection";
import { Legend } from "./Legend";
import { Softmax } from "./Softmax";
import { Numbers, WindowMap } from "./values";

const MOST_TERMS = 3; // inputs shown one by one; the others are summed
const LARGEST_GRID = 49; // values of a window that are written out
const NEAR = 1e-3; // relative difference between the page's and the network's arithmetic

interface Source {
  place: number;
  whole: Block;
}

interface ComputationProps {
  page: Page;
  layer: Layer;
  sources: Source[];
  channel: number;
  position: Pair;
  value: number;
  terms: Term[] | null;
  onOpen(layer: number, channel: number): void;
}

type Open = (of: number, index?: number) => ComponentChildren;

export function Computation({ page, layer, sources, channel, position, value, terms, onOpen }: ComputationProps) {
  const { arithmetic } = layer;
  const { layers } = page.network;
  if (sources.length === 0) return <p>These are the pixels of the image, as the network takes them.</p>;
  const [input] = sources;
  const open: Open = (of, index = input.place) => (
    <button type="button" class="link" onClick={() => onOpen(index, of)}>
      {layers[index].name}, {channelName(page, layers, index, of)}
    </button>
  );
  const x = at(input.whole, position[0], position[1], channel);
  const about = { input, channel, position, value, open, name: layers[input.place].name };
  switch (arithmetic?.operation) {
    case "conv":
    case "fc":
      return terms ? <Weighted {...about} {...{ arithmetic, terms }} /> : <p class="waiting">Fetching the filter …</p>;
    case "pool":
      return <Pooled {...about} arithmetic={arithmetic} />;
    case "affine":
      return <Scaled from={open(channel)} x={x} scale={arithmetic.scale[channel]} shift={arithmetic.shift[channel]} />;
    case "sum":
      return <Added {...{ sources, channel, position, open }} />;
    case "function":
      if (arithmetic.activation === "softmax")
        return <Softmax page={page} layer={layer} scores={across(input.whole, position)} channel={channel} />;
      return (
        <Sum from={open(channel)}>
          <Activated x={x} value={value} {...arithmetic} />
        </Sum>
      );
    default:
      return <p>The page can't show how this kind of layer ({layer.type}) works; the values are the network's own.</p>;
  }
}

interface PartProps {
  input: Source;
  name: string;
  channel: number;
  position: Pair;
  value: number;
  open: Open;
}

/** Inputs times weights, the most important inputs first, and the bias. */
function Weighted({ input, name, channel, position, value, open, arithmetic, terms }: PartProps & { arithmetic: Conv | Fc; terms: Term[] }) {
  const shown = terms.slice(0, MOST_TERMS);
  const rest = total(terms.slice(MOST_TERMS));
  const bias = biasOf(arithmetic, channel);
  const linear = total(terms) + bias;
  const step = stepOf(arithmetic, linear, value);
  const decimals = step?.decimals ?? decimalsOf(linear);
  const places = decimalsFor([...shown.map(({ sum }) => sum), rest, bias], linear, decimals);
  const small = arithmetic.operation === "fc" || arithmetic.size[0] * arithmetic.size[1] <= LARGEST_GRID;
  return (
    <div class="sums weighted">
      <div class="inputs">
        {shown.map((term) => (
          <div class="sum" key={term.channel}>
            <span class="from">
              {arithmetic.operation === "conv" && (
                <WindowMap whole={input.whole} channel={term.channel} window={arithmetic} position={position} name={name} />
              )}
              {open(term.channel)}
            </span>
            {small && <Products term={term} places={places} />}
            <span class="sign">=</span>
            <span class="result">{signed(term.sum, places)}</span>
          </div>
        ))}
      </div>
      <div class="totals">
        {terms.length > MOST_TERMS && (
          <div class="sum">
            <span class="from">
              the {terms.length - MOST_TERMS} other {arithmetic.operation === "fc" ? "inputs" : "channels"}
            </span>
            <span class="sign">=</span>
            <span class="result">{signed(rest, places)}</span>
          </div>
        )}
        <div class="sum">
          <span class="from">{arithmetic.bias ? "bias" : "no bias"}</span>
          <span class="sign">=</span>
          <span class="result">{arithmetic.bias ? signed(bias, places) : "0"}</span>
        </div>
        <div class="sum final">
          <span class="from">sum</span>
          <span class="sign">=</span>
          <strong class="result" data-value={linear}>
            {fixed(linear, decimals)}
          </strong>
        </div>
        {arithmetic.activation !== "linear" && (
          <Sum from={`through ${arithmetic.activation}`}>
            <Activated x={linear} value={value} {...arithmetic} />
          </Sum>
        )}
        {small && (
          <p class="legends">
            <Legend palette="outputs" low="input: low" high="high" />
            <Legend palette="diverging" low="weight: −" high="+" />
          </p>
        )}
      </div>
    </div>
  );
}

/** Inputs × weights, cell by cell; padding counts as 0. */
function Products({ term, places }: { term: Term; places: number }) {
  const inputs = term.inputs.flat();
  const weights = term.weights.flat();
  const products = (shown: number[]) =>
    inputs.reduce((sum, x, i) => sum + (Number.isNaN(x) ? 0 : shown[i] * shown[inputs.length + i]), 0);
  const count = digitsFor([...inputs.map((x) => x || 0), ...weights], products, term.sum, places);
  return (
    <>
      <Numbers lines={term.inputs} label="input" count={count} padding="0" />
      <span class="sign">×</span>
      <Numbers lines={term.weights} label="filter" count={count} padding="" diverging />
    </>
  );
}

function Pooled({ input, name, channel, position, value, open, arithmetic }: PartProps & { arithmetic: Pool }) {
  const lines = windowPositions(arithmetic, position).map((line) => line.map(([r, c]) => at(input.whole, r, c, channel)));
  const inside = lines.flat().filter((x) => !Number.isNaN(x));
  const isMax = arithmetic.pooling === "max";
  const mean = (shown: number[]) => shown.reduce((a, b) => a + b, 0) / shown.length;
  const result = isMax ? Math.max(...inside) : mean(inside);
  const decimals = decimalsOf(result);
  const count = digitsFor(inside, isMax ? (shown) => Math.max(...shown) : mean, result, decimals);
  return (
    <div class="sums">
      <div class="sum">
        <span class="from">
          <WindowMap whole={input.whole} channel={channel} window={arithmetic} position={position} name={name} />
          {open(channel)}
        </span>
        {inside.length <= LARGEST_GRID && (
          <Numbers lines={lines} label="window" count={count} padding="·" marked={isMax ? value : undefined} />
        )}
        <span class="sign">{isMax ? "maximum" : `mean of ${inside.length}`}</span>
        <strong class="result">{fixed(result, decimals)}</strong>
      </div>
    </div>
  );
}

function Scaled({ from, x, scale, shift }: { from: ComponentChildren; x: number; scale: number; shift: number }) {
  const result = x * scale + shift;
  const decimals = decimalsOf(result);
  const count = digitsFor([x, scale, shift], ([x, scale, shift]) => x * scale + shift, result, decimals);
  return (
    <Sum from={from}>
      {digits(x, count)} <span class="sign">×</span> {digits(scale, count)} <span class="sign">{shift < 0 ? "−" : "+"}</span>{" "}
      {digits(Math.abs(shift), count)} <span class="sign">=</span> <strong class="result">{fixed(result, decimals)}</strong>
    </Sum>
  );
}

function Added({ sources, channel, position, open }: { sources: Source[]; channel: number; position: Pair; open: Open }) {
  const addends = sources.map(({ whole }) => at(whole, position[0], position[1], channel));
  const sum = addends.reduce((a, b) => a + b, 0);
  const decimals = decimalsOf(sum);
  const places = decimalsFor(addends, sum, decimals);
  return (
    <div class="sums">
      {sources.map(({ place }, i) => (
        <Sum from={open(channel, place)} key={i}>
          <span class="result">{signed(addends[i], places)}</span>
        </Sum>
      ))}
      <Sum from="sum">
        <strong class="result">{fixed(sum, decimals)}</strong>
      </Sum>
    </div>
  );
}

interface Function {
  activation: string;
  parameters: Parameters;
}

/** The activation function that the page knows, with the decimals of its operand; null if it isn't the network's. */
function stepOf({ activation, parameters }: Function, x: number, value: number) {
  const known = activationOf(activation, parameters);
  if (!known || !(Math.abs(known.compute(x) - value) <= NEAR * Math.max(1, Math.abs(value)))) return null;
  const result = known.compute(x);
  const resultDecimals = decimalsOf(result);
  let decimals = decimalsOf(x);
  while (decimals < 12 && atDecimals(known.compute(atDecimals(x, decimals)), resultDecimals) !== atDecimals(result, resultDecimals))
    decimals++;
  return { ...known, decimals, result, resultDecimals };
}

function Activated({ x, value, ...how }: Function & { x: number; value: number }) {
  const step = stepOf(how, x, value);
  if (!step)
    return (
      <>
        {short(x)} <span class="sign">→</span> <strong class="result">{short(value)}</strong>
      </>
    );
  return (
    <>
      {step.rule}, x = {fixed(x, step.decimals)} <span class="sign">:</span>{" "}
      <strong class="result activated">{fixed(step.result, step.resultDecimals)}</strong>
    </>
  );
}

function Sum({ from, children }: { from: ComponentChildren; children: ComponentChildren }) {
  return (
    <div class="sum">
      <span class="from">{from}</span>
      <span class="terms">{children}</span>
    </div>
  );
}
