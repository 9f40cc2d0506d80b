/** Activation functions as Keras defines them. */

import type { Parameters } from "../contract";

export interface Activation {
  compute(x: number): number;
  /** What it does to a number, in words. */
  rule: string;
}

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
const softplus = (x: number) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
const hardSigmoid = (x: number) => Math.min(1, Math.max(0, x / 6 + 0.5));

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
  mish: { compute: (x) => x * Math.tanh(softplus(x)), rule: "x · the hyperbolic tangent of the logarithm of 1 + eˣ" },
  hard_sigmoid: { compute: hardSigmoid, rule: "x ÷ 6 + 0.5, at least 0 and at most 1" },
  hard_silu: { compute: (x) => x * hardSigmoid(x), rule: "x · (x ÷ 6 + 0.5), the latter at least 0 and at most 1" },
};
const DEFAULTS: Record<string, Parameters> = {
  relu6: { max_value: 6 },
  leaky_relu: { negative_slope: 0.2 },
  leakyrelu: { negative_slope: 0.2 },
};

/** An activation function of one number; null if the page doesn't know it, or it needs other numbers (softmax). */
export function activationOf(name: string, parameters: Parameters = {}): Activation | null {
  if (["relu", "relu6", "leaky_relu", "leakyrelu"].includes(name)) return relu({ ...DEFAULTS[name], ...parameters });
  if (name === "elu") return elu(parameters.alpha ?? 1);
  return PLAIN[name] ?? null;
}

function relu({ negative_slope: slope = 0, max_value: max = Infinity, threshold = 0 }: Parameters): Activation {
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

export function softmax(scores: number[]): number[] {
  const top = Math.max(...scores);
  const powers = scores.map((x) => Math.exp(x - top));
  const all = powers.reduce((a, b) => a + b, 0);
  return powers.map((power) => power / all);
}
