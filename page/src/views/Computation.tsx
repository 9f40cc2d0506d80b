/** How one value of a layer is computed, in numbers that a calculator confirms. */

import type { ComponentChildren } from "preact";

import { decimalsFor, decimalsOf, digitsFor } from "../arithmetic/digits";
import { digits, fixed, short, signed } from "../arithmetic/formatting";
import { across, at, windowPositions, type Term } from "../arithmetic/layers";
import { copiedFrom, type Node } from "../arithmetic/strongestPath";
import type { Layer, Page, Pair, Pool } from "../contract";
import { channelName } from "../state/selection";
import { Activated, formulaOf, Sum, Symbolic } from "./Activated";
import { Linked } from "./Linked";
import { Softmax } from "./Softmax";
import { paletteOf } from "./Tile";
import { Numbers, WindowMap } from "./values";
import { Weighted } from "./Weighted";
import type { Open, PartProps, Source } from "./working";

const LARGEST_GRID = 49; // values of a window that are written out

interface ComputationProps {
  page: Page;
  layer: Layer;
  sources: Source[];
  channel: number;
  position: Pair;
  value: number;
  terms: Term[] | null;
  inputs: number[];
  onOpen(layer: number, channel: number): void;
}

export function Computation({ page, layer, sources, channel, position, value, terms, inputs, onOpen }: ComputationProps) {
  const { arithmetic } = layer;
  const { layers } = page.network;
  if (sources.length === 0) return <p>These are the pixels of the image, as the network takes them.</p>;
  const [input] = sources;
  const open: Open = (of, index = input.place) => (
    <button type="button" class="link" onClick={() => onOpen(index, of)}>
      {layers[index].name}, {channelName(page, layers, index, of)}
    </button>
  );
  const nameOf = (of: number) => channelName(page, layers, input.place, of);
  const x = at(input.whole, position[0], position[1], channel);
  const about = { input, channel, position, value, open, name: layers[input.place].name, paletteOf: (of: number) => paletteOf(page, input.place, of) };
  switch (arithmetic?.operation) {
    case "conv":
    case "fc":
      if (!terms) return <p class="waiting">Fetching the filter …</p>;
      return <Weighted {...about} {...{ arithmetic, terms, inputs, nameOf, onOpen: (of) => onOpen(input.place, of) }} />;
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
        <Linked formula={formulaOf(arithmetic)}>
          <Sum from={open(channel)}>
            <Activated x={x} value={value} {...arithmetic} />
          </Sum>
        </Linked>
      );
    default:
      return <Copied {...{ layers, node: { layer: layers.indexOf(layer), channel, position }, value, sources, open }} />;
  }
}

interface CopiedProps {
  layers: Layer[];
  node: Node;
  value: number;
  sources: Source[];
  open: Open;
}

/** A value that is passed on as it is. */
function Copied({ layers, node, value, sources, open }: CopiedProps) {
  const to = copiedFrom(layers, node);
  const whole = sources.find(({ place }) => place === to?.layer)?.whole;
  if (!to || !whole || at(whole, ...to.position, to.channel) !== value)
    return <p>The page can't show how this kind of layer ({layers[node.layer].type}) works; the values are the network's own.</p>;
  const flattened = whole.height * whole.width > 1 && layers[node.layer].shape.length === 1;
  return (
    <p>
      {short(value)} is copied from {open(to.channel, to.layer)}
      {flattened && `, row ${to.position[0]}, column ${to.position[1]}`}.
    </p>
  );
}

function Pooled({ input, name, channel, position, value, open, paletteOf, arithmetic }: PartProps & { arithmetic: Pool }) {
  const lines = windowPositions(arithmetic, position).map((line) => line.map(([r, c]) => at(input.whole, r, c, channel)));
  const inside = lines.flat().filter((x) => !Number.isNaN(x));
  const isMax = arithmetic.pooling === "max";
  const mean = (shown: number[]) => shown.reduce((a, b) => a + b, 0) / shown.length;
  const result = isMax ? Math.max(...inside) : mean(inside);
  const decimals = decimalsOf(result);
  const count = digitsFor(inside, isMax ? (shown) => Math.max(...shown) : mean, result, decimals);
  const y = { symbol: "y", written: "y", means: "what comes out" };
  const xs = { symbol: "x", written: "x", means: "the inputs in the window; padding doesn't count" };
  const n = { symbol: "n", written: "n", means: "how many they are" };
  return (
    <Linked formula={isMax ? [y, " = max ", xs] : [y, " = Σ", xs, " ÷ ", n]}>
    <div class="sums">
      <div class="sum">
        <span class="from">
          <WindowMap whole={input.whole} channel={channel} window={arithmetic} position={position} name={name} palette={paletteOf(channel)} />
          {open(channel)}
        </span>
        {inside.length <= LARGEST_GRID && (
          <Numbers lines={lines} label="window" count={count} padding="·" palette={paletteOf(channel)} marked={isMax ? value : undefined} symbol="x" />
        )}
        <span class="operand">
          <span class="sign">{isMax ? "maximum" : <>mean of <Symbolic of="n">{inside.length}</Symbolic></>}</span>
          <Symbolic of="y">
            <strong class="result">{fixed(result, decimals)}</strong>
          </Symbolic>
        </span>
      </div>
    </div>
    </Linked>
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
