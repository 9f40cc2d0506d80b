/** How a CONV or FC layer computes one value. */

import { useState } from "preact/hooks";

import { nameOf as nameOfActivation } from "../arithmetic/activations";
import type { Palette } from "../arithmetic/colours";
import { decimalsFor, decimalsOf, digitsFor } from "../arithmetic/digits";
import { fixed, signed } from "../arithmetic/formatting";
import { biasOf, total, type Term } from "../arithmetic/layers";
import type { Conv, Fc } from "../contract";
import { Activated, formulaOf, stepOf, Sum, Symbolic } from "./Activated";
import { Contributions } from "./Contributions";
import { Legend } from "./Legend";
import { Linked, type Part } from "./Linked";
import { Numbers, WindowMap } from "./values";
import type { PartProps } from "./working";

const LARGEST_GRID = 49; // values of a window that are written out
const NARROW = 3; // columns of a filter beside which the sums have room

interface Extra {
  arithmetic: Conv | Fc;
  terms: Term[];
  /** The channels that are shown one by one; the others are summed. */
  inputs: number[];
  nameOf(channel: number): string;
  onOpen(channel: number): void;
}

/** Inputs times weights, and the bias. */
export function Weighted({ input, name, channel, position, value, open, paletteOf, arithmetic, terms, inputs, nameOf, onOpen }: PartProps & Extra) {
  const shown = terms.filter((term) => inputs.includes(term.channel));
  const others = terms.filter((term) => !inputs.includes(term.channel));
  const rest = total(others);
  const bias = biasOf(arithmetic, channel);
  const linear = total(terms) + bias;
  const step = stepOf(arithmetic, linear, value);
  const decimals = step?.decimals ?? decimalsOf(linear);
  const places = decimalsFor([...shown.map(({ sum }) => sum), rest, bias], linear, decimals);
  const small = arithmetic.operation === "fc" || arithmetic.size[0] * arithmetic.size[1] <= LARGEST_GRID;
  const columns = arithmetic.operation === "fc" ? 1 : arithmetic.size[1];
  const [all, setAll] = useState(false);
  const kind = arithmetic.operation === "fc" ? "input" : "channel";
  const formula: Part[] = [
    { symbol: "y", written: "y", means: "the sum" },
    " = ",
    { symbol: "sum", written: "Σ", means: "what each input channel adds: its products, summed" },
    " ",
    { symbol: "x", written: "x", means: arithmetic.operation === "fc" ? "the inputs" : "the inputs under the filter; 0 in the padding" },
    "·",
    { symbol: "w", written: "w", means: "the weights" },
    " + ",
    { symbol: "b", written: "b", means: arithmetic.bias ? "the bias" : "the bias, which this layer doesn't have" },
    ...(arithmetic.activation === "linear" ? [] : [", ", ...formulaOf(arithmetic, "y", "a")]),
  ];
  return (
    <Linked formula={formula}>
    <div class={`sums weighted ${columns <= NARROW ? "narrow" : ""}`} style={{ "--cells": 2 * columns }}>
      <div class="inputs">
        {shown.map((term) => (
          <div class="sum" key={term.channel}>
            <span class="from">
              {arithmetic.operation === "conv" && (
                <WindowMap
                  whole={input.whole}
                  channel={term.channel}
                  window={arithmetic}
                  position={position}
                  name={name}
                  palette={paletteOf(term.channel)}
                />
              )}
              {open(term.channel)}
            </span>
            {small && <Products term={term} places={places} palette={paletteOf(term.channel)} />}
            <span class="operand">
              <span class="sign">=</span>
              <Symbolic of="sum">
                <span class="result">{signed(term.sum, places)}</span>
              </Symbolic>
            </span>
          </div>
        ))}
      </div>
      <div class="totals">
        {others.length > 0 && (
          <div class="sum">
            <span class="from">
              {others.length > 1 ? `the ${others.length} other ${kind}s` : `the other ${kind}`}
            </span>
            <span class="sign">=</span>
            <Symbolic of="sum">
              <span class="result">{signed(rest, places)}</span>
            </Symbolic>
          </div>
        )}
        <div class="sum">
          <span class="from">{arithmetic.bias ? "bias" : "no bias"}</span>
          <span class="sign">=</span>
          <Symbolic of="b">
            <span class="result">{arithmetic.bias ? signed(bias, places) : "0"}</span>
          </Symbolic>
        </div>
        <div class="sum final">
          <span class="from">sum</span>
          <span class="sign">=</span>
          <Symbolic of="y">
            <strong class="result" data-value={linear}>
              {fixed(linear, decimals)}
            </strong>
          </Symbolic>
        </div>
        {arithmetic.activation !== "linear" && (
          <Sum from={`through ${nameOfActivation(arithmetic.activation, arithmetic.parameters)}`}>
            <Activated x={linear} value={value} given="y" made="a" {...arithmetic} />
          </Sum>
        )}
        {small && (
          <p class="legends">
            <Legend palette={[...new Set(shown.map((term) => paletteOf(term.channel)))]} low="input: low" high="high" />
            <Legend palette="diverging" low="weight: −" high="+" />
          </p>
        )}
        {others.length > 0 && (
          <button type="button" class="link" aria-expanded={all} onClick={() => setAll(!all)}>
            {all ? `Hide the ${terms.length} ${kind}s` : `All ${terms.length} ${kind}s`}
          </button>
        )}
      </div>
      {all && <Contributions terms={terms} nameOf={nameOf} onOpen={onOpen} />}
    </div>
    </Linked>
  );
}

/** Inputs × weights, cell by cell; padding counts as 0. */
function Products({ term, places, palette }: { term: Term; places: number; palette: Palette }) {
  const inputs = term.inputs.flat();
  const weights = term.weights.flat();
  const products = (shown: number[]) =>
    inputs.reduce((sum, x, i) => sum + (Number.isNaN(x) ? 0 : shown[i] * shown[inputs.length + i]), 0);
  const count = digitsFor([...inputs.map((x) => x || 0), ...weights], products, term.sum, places);
  return (
    <>
      <span class="operand">
        <Numbers lines={term.inputs} label="input" count={count} padding="0" palette={palette} symbol="x" />
      </span>
      <span class="operand">
        <span class="sign">×</span>
        <Numbers lines={term.weights} label="filter" count={count} padding="" palette="diverging" symbol="w" />
      </span>
    </>
  );
}
