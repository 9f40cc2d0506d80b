/** A value through an activation function. */

import type { ComponentChildren } from "preact";

import { activationOf } from "../arithmetic/activations";
import { atDecimals, decimalsOf } from "../arithmetic/digits";
import { fixed, short } from "../arithmetic/formatting";
import type { Parameters } from "../contract";
import type { Part } from "./Linked";

const NEAR = 1e-3; // relative difference between the page's and the network's arithmetic

export interface Activation {
  activation: string;
  parameters: Parameters;
}

/** The activation function that the page knows, with the decimals of its operand; null if it isn't the network's. */
export function stepOf({ activation, parameters }: Activation, x: number, value: number) {
  const known = activationOf(activation, parameters);
  if (!known || !(Math.abs(known.compute(x) - value) <= NEAR * Math.max(1, Math.abs(value)))) return null;
  const result = known.compute(x);
  const resultDecimals = decimalsOf(result);
  let decimals = decimalsOf(x);
  while (decimals < 12 && atDecimals(known.compute(atDecimals(x, decimals)), resultDecimals) !== atDecimals(result, resultDecimals))
    decimals++;
  return { ...known, decimals, result, resultDecimals };
}

interface Props extends Activation {
  x: number;
  value: number;
  /** Symbols of the formula around it. */
  given?: string;
  made?: string;
}

export function Activated({ x, value, given = "x", made = "y", ...how }: Props) {
  const step = stepOf(how, x, value);
  if (!step)
    return (
      <>
        <Symbolic of={given}>{short(x)}</Symbolic> <span class="sign">→</span>{" "}
        <Symbolic of={made}>
          <strong class="result">{short(value)}</strong>
        </Symbolic>
      </>
    );
  const rule = given === "x" ? step.rule : step.rule.replace(/(?<![a-z])x(?![a-z])/g, given).replaceAll("ˣ", "ʸ");
  return (
    <>
      {rule}, <Symbolic of={given}>{given} = {fixed(x, step.decimals)}</Symbolic> <span class="sign">:</span>{" "}
      <Symbolic of={made}>
        <strong class="result activated">{fixed(step.result, step.resultDecimals)}</strong>
      </Symbolic>
    </>
  );
}

/** A number that a symbol of the formula stands for. */
export function Symbolic({ of, children }: { of: string; children: ComponentChildren }) {
  return (
    <span data-symbol={of} tabIndex={-1}>
      {children}
    </span>
  );
}

/** The formula of an activation function: `made` = f(`given`). */
export function formulaOf({ activation, parameters }: Activation, given = "x", made = "y"): Part[] {
  const { negative_slope: slope, threshold, max_value: most } = parameters;
  const isRelu = activation === "relu" && !slope && !threshold && most === undefined;
  return [
    { symbol: made, written: made, means: "what comes out" },
    isRelu ? " = max(0, " : ` = ${activation}(`,
    { symbol: given, written: given, means: "what goes in" },
    ")",
  ];
}

export function Sum({ from, children }: { from: ComponentChildren; children: ComponentChildren }) {
  return (
    <div class="sum">
      <span class="from">{from}</span>
      <span class="terms">{children}</span>
    </div>
  );
}
