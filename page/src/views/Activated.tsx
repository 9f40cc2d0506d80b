/** A value through an activation function. */

import type { ComponentChildren } from "preact";

import { activatedDigits, activationOf, nameOf, rectifierOf } from "../arithmetic/activations";
import { fixed, short } from "../arithmetic/formatting";
import type { Parameters } from "../contract";
import type { Part } from "./Linked";

const NEAR = 1e-3; // relative difference between the page's and the network's arithmetic

export interface Activation {
  activation: string;
  parameters: Parameters;
}

/** The activation function that the page knows, with the digits of its numbers; null if it isn't the network's. */
export function stepOf({ activation, parameters }: Activation, x: number, value: number) {
  const known = activationOf(activation, parameters);
  if (!known || !(Math.abs(known.compute(x) - value) <= NEAR * Math.max(1, Math.abs(value)))) return null;
  return { ...known, ...activatedDigits(known, x) };
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
  const written = (text: string) => (given === "x" ? text : text.replace(/(?<![a-z])x(?![a-z])/g, given).replaceAll("ˣ", "ʸ"));
  return (
    <>
      {written(step.rule)},{" "}
      <span class="applied">
        <Symbolic of={given}>{given} = {fixed(x, step.decimals)}</Symbolic>
        {step.factor && (
          <>
            , {written(step.factor.written)} = {fixed(step.factor.compute(x), step.factorDecimals)}
          </>
        )}{" "}
        <span class="sign">:</span>{" "}
        <Symbolic of={made}>
          <strong class="result activated">{fixed(step.result, step.resultDecimals)}</strong>
        </Symbolic>
      </span>
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
  const y = { symbol: made, written: made, means: "what comes out" };
  const x = { symbol: given, written: given, means: "what goes in" };
  if (activation === "gelu") return [y, " = ", x, " · Φ(", x, ")"];
  const bend = rectifierOf(activation, parameters);
  if (!bend || bend.threshold) return [y, ` = ${nameOf(activation, parameters)}(`, x, ")"];
  const { slope, most } = bend;
  if (most < Infinity) return slope ? [y, " = LeakyReLU(", x, ")"] : [y, ` = min(${most}, max(0, `, x, "))"];
  if (slope >= 1) return [y, " = LeakyReLU(", x, ")"];
  return slope ? [y, " = max(", x, `, ${slope} · `, x, ")"] : [y, " = max(0, ", x, ")"];
}

export function Sum({ from, children }: { from: ComponentChildren; children: ComponentChildren }) {
  return (
    <div class="sum">
      <span class="from">{from}</span>
      <span class="terms">{children}</span>
    </div>
  );
}
