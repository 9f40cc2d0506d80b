/** Activation functions as Keras defines them. */

import type { Parameters } from "../contract";
import { atDecimals, decimalsOf } from "./digits";

const MOST_DECIMALS = 12;

export interface Activation {
  compute(x: number): number;
  /** What it does to a number, in words. */
  rule: string;
  /** The number by which it multiplies x, where no calculator has a key for it. */
  factor?: { written: string; compute(x: number): number };
}

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
const softplus = (x: number) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
const hardSigmoid = (x: number) => Math.min(1, Math.max(0, x / 6 + 0.5));
const CERTAIN = 9; // standard deviations beyond which Φ is 0 or 1

/** Φ: the share of the standard normal distribution below x. */
function normalShare(x: number): number {
  if (Math.abs(x) > CERTAIN) return x > 0 ? 1 : 0;
  let [sum, term] = [0, x];
  for (let k = 1; sum + term !== sum; k++) {
    sum += term;
    term *= (x * x) / (2 * k + 1);
  }
  return 0.5 + (sum * Math.exp((-x * x) / 2)) / Math.sqrt(2 * Math.PI);
}

const PLAIN: Record<string, Activation> = {
  linear: { compute: (x) => x, rule: "x as it is" },
  selu: {
    compute: (x) => 1.0507009873554805 * (x > 0 ? x : 1.6732632423543772 * Math.expm1(x)),
    rule: "1.0507009873554805 · x if x is positive, else 1.7580993408473766 · (eˣ − 1)",
  },
  sigmoid: { compute: sigmoid, rule: "1 ÷ (1 + e⁻ˣ)" },
  tanh: { compute: Math.tanh, rule: "the hyperbolic tangent of x" },
  silu: { compute: (x) => x * sigmoid(x), rule: "x ÷ (1 + e⁻ˣ)" },
  softplus: { compute: softplus, rule: "the logarithm of 1 + eˣ" },
  softsign: { compute: (x) => x / (1 + Math.abs(x)), rule: "x ÷ (1 + |x|)" },
  exponential: { compute: Math.exp, rule: "eˣ" },
  gelu: {
    compute: (x) => x * normalShare(x),
    rule: "x · Φ(x), where Φ(x) is the share of a normal distribution below x",
    factor: { written: "Φ(x)", compute: normalShare },
  },
  mish: { compute: (x) => x * Math.tanh(softplus(x)), rule: "x · the hyperbolic tangent of the logarithm of 1 + eˣ" },
  hard_sigmoid: { compute: hardSigmoid, rule: "x ÷ 6 + 0.5, at least 0 and at most 1" },
  hard_silu: { compute: (x) => x * hardSigmoid(x), rule: "x · (x ÷ 6 + 0.5), the latter at least 0 and at most 1" },
};
const DEFAULTS: Record<string, Parameters> = {
  relu6: { max_value: 6 },
  leaky_relu: { negative_slope: 0.2 },
  leakyrelu: { negative_slope: 0.2 },
};
const NAMES: Record<string, string> = { elu: "ELU", selu: "SELU", gelu: "GELU", silu: "SiLU", mish: "Mish" };

/** How a rectifier bends; null for other functions. */
export function rectifierOf(name: string, parameters: Parameters = {}) {
  if (!["relu", "relu6", "leaky_relu", "leakyrelu"].includes(name)) return null;
  const { negative_slope: slope = 0, max_value: most = Infinity, threshold = 0 } = { ...DEFAULTS[name], ...parameters };
  return { slope, most, threshold };
}

/** What an activation function is called in prose. */
export function nameOf(name: string, parameters: Parameters = {}): string {
  const bend = rectifierOf(name, parameters);
  if (!bend) return NAMES[name] ?? name;
  if (bend.slope) return "LeakyReLU";
  return bend.most === 6 && !bend.threshold ? "ReLU6" : "ReLU";
}

/** An activation function of one number; null if the page doesn't know it, or it needs other numbers (softmax). */
export function activationOf(name: string, parameters: Parameters = {}): Activation | null {
  const bend = rectifierOf(name, parameters);
  if (bend) return relu(bend);
  if (name === "elu") return elu(parameters.alpha ?? 1);
  return PLAIN[name] ?? null;
}

function relu({ slope, most: max, threshold }: { slope: number; most: number; threshold: number }): Activation {
  const most = max < Infinity ? `, at most ${max}` : "";
  const below = slope ? `${slope} · ${threshold ? `(x − ${threshold})` : "x"}` : "0";
  return {
    compute: (x) => (x >= max ? max : x >= threshold ? x : slope * (x - threshold)),
    rule: !slope && !threshold ? `the larger of 0 and x${most}` : `x${most}; ${below} if x is less than ${threshold}`,
  };
}

function elu(alpha: number): Activation {
  return {
    compute: (x) => (x > 0 ? x : alpha * Math.expm1(x)),
    rule: `x if it is positive, else ${alpha === 1 ? "eˣ − 1" : `${alpha} · (eˣ − 1)`}`,
  };
}

/** The decimals of x, of its factor and of the result with which a calculator gives the result. */
export function activatedDigits({ compute, factor }: Activation, x: number) {
  const result = compute(x);
  const resultDecimals = decimalsOf(result);
  const times = factor?.compute(x);
  const given = (more: number) => Math.min(MOST_DECIMALS, decimalsOf(x) + more);
  const ofFactor = (more: number) => Math.min(MOST_DECIMALS, decimalsOf(times ?? 0) + more);
  const calculated = (more: number) => {
    const shown = atDecimals(x, given(more));
    return times === undefined ? compute(shown) : shown * atDecimals(times, ofFactor(more));
  };
  let more = 0;
  while (more < MOST_DECIMALS && atDecimals(calculated(more), resultDecimals) !== atDecimals(result, resultDecimals)) more++;
  return { decimals: given(more), factorDecimals: ofFactor(more), result, resultDecimals };
}

export function softmax(scores: number[]): number[] {
  const top = Math.max(...scores);
  const powers = scores.map((x) => Math.exp(x - top));
  const all = powers.reduce((a, b) => a + b, 0);
  return powers.map((power) => power / all);
}
