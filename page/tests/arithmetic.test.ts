/** The page's arithmetic: what it shows must hold on a calculator, and be what Keras computes. */

import { describe, expect, test } from "vitest";

import { activatedDigits, activationOf, nameOf, softmax } from "../src/arithmetic/activations";
import { blocksOf } from "../src/arithmetic/blocks";
import { colour, paint } from "../src/arithmetic/colours";
import { columnOf, columnsOf, reads } from "../src/arithmetic/columns";
import { atDecimals, atDigits, decimalsFor, decimalsOf, digitsFor } from "../src/arithmetic/digits";
import { compared, digits, fixed, signed } from "../src/arithmetic/formatting";
import { bySize, convTerms, fcTerms, largestChannels, windowPositions } from "../src/arithmetic/layers";
import { workedSoftmax, type WorkedSoftmax } from "../src/arithmetic/softmax";
import { areGrey, borderColour, contrasting, filled, line, meanColour, withPatches } from "../src/arithmetic/pixels";
import { receptiveField } from "../src/arithmetic/receptiveField";
import type { Conv, Layer } from "../src/contract";

/** Numbers that look random and are the same in each run (Park and Miller, 1988). */
function random(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 48271) % 2147483647) / 2147483647;
}

test("an activation is a multiple only of a positive one, and with a proper minus", () => {
  expect(compared(3, 1.5)).toBe("3.00: 2.0 times that of the strongest real image (1.50)");
  expect(compared(-0.01, 0.5)).toBe("−0.01; that of the strongest real image is 0.50");
  expect(compared(2, -1)).toBe("2.00; that of the strongest real image is −1.00");
  expect(compared(2, 0.01)).toBe("2.00; that of the strongest real image is 0.01");
});

describe("digits", () => {
  const next = random(7);
  const number = () => (next() - 0.5) * 10 ** Math.round(6 * next() - 3);

  test("shown × shown + … = shown, whatever is multiplied", () => {
    for (let round = 0; round < 500; round++) {
      const operands = Array.from({ length: 18 }, number);
      const sum = (of: number[]) => of.slice(0, 9).reduce((all, x, i) => all + x * of[9 + i], 0);
      const decimals = decimalsOf(sum(operands));
      const count = digitsFor(operands, sum, sum(operands), decimals);
      const shown = operands.map((x) => Number(digits(x, count).replaceAll("−", "-")));
      expect(atDecimals(sum(shown), decimals)).toBe(atDecimals(sum(operands), decimals));
    }
  });

  test("shown + shown = shown, whatever is added", () => {
    for (let round = 0; round < 500; round++) {
      const addends = Array.from({ length: 1 + (round % 6) }, number);
      const total = addends.reduce((a, b) => a + b, 0);
      const decimals = decimalsOf(total);
      const places = decimalsFor(addends, total, decimals);
      const sum = addends.map((x) => Number(signed(x, places).replace("−", "-"))).reduce((a, b) => a + b, 0);
      expect(fixed(sum, decimals)).toBe(fixed(total, decimals));
    }
  });

  test("a result has three significant digits", () => {
    expect([0.2196, 12.34, 1234, -0.00012].map((x) => fixed(x, decimalsOf(x)))).toEqual(["0.220", "12.3", "1234", "−0.000120"]);
    expect(atDigits(10.149, 4)).toBe(10.15);
  });
});

describe("activations", () => {
  const values = [-7.5, -1, -0.1, 0, 0.2, 1, 3.3, 6, 8];

  test.each([
    ["relu", {}, (x: number) => Math.max(0, x)],
    ["relu", { max_value: 6 }, (x: number) => Math.min(6, Math.max(0, x))],
    ["relu6", {}, (x: number) => Math.min(6, Math.max(0, x))],
    ["leaky_relu", { negative_slope: 0.3 }, (x: number) => (x < 0 ? 0.3 * x : x)],
    ["leaky_relu", { negative_slope: 0.5, threshold: 1, max_value: 4 }, (x: number) => (x >= 4 ? 4 : x >= 1 ? x : 0.5 * (x - 1))],
    ["elu", { alpha: 2 }, (x: number) => (x > 0 ? x : 2 * (Math.exp(x) - 1))],
    ["silu", {}, (x: number) => x / (1 + Math.exp(-x))],
    ["softplus", {}, (x: number) => Math.log(1 + Math.exp(x))],
  ])("%s with %o", (name, parameters, expected) => {
    for (const x of values) expect(activationOf(name, parameters)!.compute(x)).toBeCloseTo(expected(x), 12);
  });

  test("softmax is none of one number, nor is a function that nobody knows", () => {
    expect(activationOf("softmax")).toBeNull();
    expect(activationOf("my_own")).toBeNull();
  });

  test("a rule says what its numbers are", () => {
    expect(activationOf("relu", { max_value: 6 })!.rule).toBe("the larger of 0 and x, at most 6");
    expect(activationOf("leaky_relu", { negative_slope: 0.3 })!.rule).toBe("x; 0.3 · x if x is less than 0");
  });

  test("a function is called what the field calls it", () => {
    const names = [nameOf("relu"), nameOf("relu", { max_value: 6 }), nameOf("relu6"), nameOf("leakyrelu"), nameOf("gelu"), nameOf("tanh")];
    expect(names).toEqual(["ReLU", "ReLU6", "ReLU6", "LeakyReLU", "GELU", "tanh"]);
  });

  test("GELU is x · Φ(x), with digits enough for a calculator", () => {
    const gelu = activationOf("gelu")!;
    expect([-3, -1, 0, 1.96, 3].map((x) => Number(gelu.factor!.compute(x).toFixed(7)))).toEqual([0.0013499, 0.1586553, 0.5, 0.9750021, 0.9986501]);
    const next = random(3);
    for (let round = 0; round < 500; round++) {
      const x = (next() - 0.5) * 10 ** Math.round(3 * next() - 2);
      const { decimals, factorDecimals, result, resultDecimals } = activatedDigits(gelu, x);
      const shown = atDecimals(x, decimals) * atDecimals(gelu.factor!.compute(x), factorDecimals);
      expect(atDecimals(shown, resultDecimals)).toBe(atDecimals(result, resultDecimals));
    }
  });

  test("softmax of large scores", () => {
    expect(softmax([1000, 1000])).toEqual([0.5, 0.5]);
    expect(softmax([1, 2, 3]).reduce((a, b) => a + b)).toBeCloseTo(1, 12);
  });
});

const conv: Conv = {
  operation: "conv",
  depthwise: false,
  groups: 1,
  kernel: "",
  bias: null,
  activation: "linear",
  parameters: {},
  size: [2, 2],
  strides: [1, 1],
  dilation: [1, 1],
  padding: [0, 0],
};

describe("softmax on a calculator", () => {
  const shownSum = ({ powers, others, digits: count }: WorkedSoftmax, shown: number[]) =>
    [...shown.map((k) => powers[k]), others].reduce((all, power) => all + atDigits(power, count), 0);

  test("the powers of the scores of `deep` for the first image add up to their sum", () => {
    const scores = [-0.31561, -0.38844, -0.4428, 3.31262, -0.25454, -0.63461, -0.43651, -0.27239, -0.28931, -0.29331];
    const shown = scores.map((_, k) => k);
    const worked = workedSoftmax(scores, shown);
    const four = { ...worked, digits: 4 }; // enough for the quotients
    expect([shownSum(four, shown).toPrecision(4), worked.total.toPrecision(4)]).toEqual(["33.72", "33.71"]);
    expect(worked.digits).toBe(6);
    expect(atDigits(shownSum(worked, shown), worked.digits)).toBe(atDigits(worked.total, worked.digits));
  });

  test("whatever the scores, powers add up, quotients are the probabilities, and e to the power of a score is what is shown", () => {
    const next = random(11);
    for (let round = 0; round < 500; round++) {
      const scores = Array.from({ length: 2 + (round % 30) }, () => (next() - 0.4) * 10 ** Math.round(3 * next() - 1));
      const shown = scores.map((_, k) => k).slice(0, 10);
      const worked = workedSoftmax(scores, shown);
      const { powers, total, probabilities, subtracted, digits: count, decimals } = worked;
      expect(atDigits(shownSum(worked, shown), count)).toBe(atDigits(total, count));
      for (const k of shown) {
        const share = 100 * probabilities[k];
        const places = share < 9.95 ? 1 : 0;
        expect(atDecimals((100 * atDigits(powers[k], count)) / atDigits(total, count), places)).toBe(atDecimals(share, places));
        expect(atDigits(Math.exp(atDecimals(scores[k] - subtracted, decimals)), count)).toBe(atDigits(powers[k], count));
      }
    }
  });
});

describe("layers", () => {
  const layer = { shape: [1, 1, 1], arithmetic: conv } as unknown as Layer;

  test("CONV multiplies a window by the filter, worked by hand", () => {
    const whole = { height: 2, width: 2, channels: 1, values: Float32Array.of(1, 2, 3, 4) };
    const [term] = convTerms(whole, layer, conv, Float32Array.of(1, 0, -1, 2), 0, [0, 0]);
    expect(term.sum).toBe(1 - 3 + 8);
  });

  test("padding counts as 0", () => {
    const padded = { ...conv, padding: [1, 1] as [number, number] };
    const whole = { height: 1, width: 1, channels: 1, values: Float32Array.of(5) };
    expect(convTerms(whole, layer, padded, Float32Array.of(1, 2, 3, 4), 0, [0, 0])[0].sum).toBe(20);
  });

  test("a window with strides and dilation", () => {
    const window = { ...conv, strides: [2, 3] as [number, number], dilation: [1, 2] as [number, number] };
    expect(windowPositions(window, [1, 1])).toEqual([
      [[2, 3], [2, 5]],
      [[3, 3], [3, 5]],
    ]);
  });

  test("inputs keep their order, whatever each adds; the largest can be picked out", () => {
    const whole = { height: 1, width: 1, channels: 4, values: Float32Array.of(1, 2, 0, 3) };
    const terms = fcTerms(whole, Float32Array.of(1, 2, 9, -5));
    expect(terms.map(({ channel, sum }) => [channel, sum])).toEqual([[0, 1], [1, 4], [2, 0], [3, -15]]);
    expect(bySize(terms).map(({ channel }) => channel)).toEqual([3, 1, 0, 2]);
    expect(largestChannels(terms, 2)).toEqual([1, 3]);
    expect(largestChannels(terms, 9)).toEqual([0, 1, 2, 3]);
  });

  test("CONV keeps the order of its input channels", () => {
    const whole = { height: 1, width: 1, channels: 3, values: Float32Array.of(1, 1, 1) };
    const one = { ...conv, size: [1, 1] as [number, number] };
    const sums = convTerms(whole, layer, one, Float32Array.of(-1, 3, 2), 0, [0, 0]).map(({ sum }) => sum);
    expect(sums).toEqual([-1, 3, 2]);
  });
});

describe("a network", () => {
  const window = { size: [3, 3], strides: [1, 1], dilation: [1, 1], padding: [1, 1] };
  const layer = (name: string, shape: number[], sources: number[], arithmetic: object | null, type = "") =>
    ({ name, shape, sources, arithmetic, type, kind: "other", node: "", sizeNote: "" }) as unknown as Layer;
  const relu = { operation: "function", activation: "relu", parameters: {} };
  const chain = [
    layer("image", [8, 8, 3], [], null),
    layer("scaled", [8, 8, 3], [0], { operation: "affine" }),
    layer("conv", [8, 8, 4], [1], { ...conv, ...window }),
    layer("relu", [8, 8, 4], [2], relu),
    layer("dropout", [8, 8, 4], [3], null, "Dropout"),
    layer("pool", [4, 4, 4], [4], { operation: "pool", ...window, size: [2, 2], strides: [2, 2], padding: [0, 0] }),
    layer("flat", [64], [5], null, "Flatten"),
    layer("fc", [10], [6], { operation: "fc" }),
    layer("softmax", [10], [7], { ...relu, activation: "softmax" }),
  ];

  test("a block is a CONV or FC layer and what keeps its channels", () => {
    expect(blocksOf(chain)).toEqual([[0, 1], [2, 3, 4, 5], [6], [7, 8]]);
  });

  test("a layer that two others need ends its block", () => {
    const forked = [...chain.slice(0, 4), layer("left", [8, 8, 4], [3], relu), layer("sum", [8, 8, 4], [3, 4], { operation: "sum" })];
    expect(blocksOf(forked)).toEqual([[0, 1], [2, 3], [4], [5]]);
  });

  test("columns of folded and of open blocks", () => {
    const columns = columnsOf(chain, new Set([1]));
    expect(columns.map(({ layer }) => chain[layer].name)).toEqual(["image", "conv", "relu", "dropout", "pool", "flat", "softmax"]);
    expect(columnOf(columns, 1)).toBe(0);
    expect(columnOf(columns, 7)).toBe(6);
  });

  test("receptive fields, counted by hand", () => {
    expect(receptiveField(chain, 2, [0, 4])).toEqual({ rows: [0, 1], columns: [3, 5] }); // cut off by the border
    expect(receptiveField(chain, 5, [1, 2])).toEqual({ rows: [1, 4], columns: [3, 6] });
    expect(receptiveField(chain, 0, [2, 3])).toEqual({ rows: [2, 2], columns: [3, 3] });
    expect(receptiveField(chain, 8, [0, 0])).toEqual({ rows: [0, 7], columns: [0, 7] });
  });

  const wide = { ...window, size: [5, 5], padding: [2, 2] };
  const joined = [
    layer("image", [8, 8, 3], [], null),
    layer("small", [8, 8, 2], [0], { ...conv, ...window }),
    layer("large", [8, 8, 3], [0], { ...conv, ...wide }),
    layer("both", [8, 8, 5], [1, 2], null, "Concatenate"),
    layer("relu", [8, 8, 5], [3], relu),
    layer("end", [8, 8, 4], [4], { ...conv, ...window, size: [1, 1], padding: [0, 0] }),
  ];

  test("side by side, each channel sees what its own source sees, and a later layer what all see", () => {
    expect(receptiveField(joined, 3, [4, 4], 1)).toEqual({ rows: [3, 5], columns: [3, 5] });
    expect(receptiveField(joined, 4, [4, 4], 1)).toEqual({ rows: [3, 5], columns: [3, 5] });
    expect(receptiveField(joined, 4, [4, 4], 2)).toEqual({ rows: [2, 6], columns: [2, 6] });
    expect(receptiveField(joined, 3, [4, 4])).toEqual({ rows: [2, 6], columns: [2, 6] });
    expect(receptiveField(joined, 5, [4, 4], 0)).toEqual({ rows: [2, 6], columns: [2, 6] });
    const below = [joined[0], joined[1], layer("below", [16, 8, 2], [1, 1], null, "Concatenate")];
    expect(receptiveField(below, 2, [4, 4], 1)).toEqual({ rows: [0, 7], columns: [0, 7] }); // joined along another axis
  });

  test("side by side, each channel reads one channel", () => {
    const read = (channel: number) =>
      [1, 2].flatMap((source) => [0, 1, 2].filter((other) => reads(joined, joined[3], channel, source, other)).map((other) => [source, other]));
    expect([0, 1, 2, 4].map(read)).toEqual([[[1, 0]], [[1, 1]], [[2, 0]], [[2, 2]]]);
    expect([0, 1].map((other) => reads(joined, joined[4], 1, 3, other))).toEqual([false, true]);
    expect([0, 1].map((other) => reads(joined, joined[5], 1, 4, other))).toEqual([true, true]);
  });
});

describe("pixels", () => {
  test("the mean colour is one that a screen shows", () => {
    expect(meanColour(Float32Array.of(0, 10, 100, 1, 11, 100))).toEqual([1, 11, 100]);
  });

  test("digits are drawn white on black, and shirts black on white", () => {
    const digit = filled([5, 5], [0, 0, 0]);
    digit.set([255, 255, 255], 3 * 12); // the middle
    expect(borderColour([digit], [5, 5])).toEqual([0, 0, 0]);
    expect(contrasting([0, 0, 0])).toEqual([255, 255, 255]);
    expect(contrasting([255, 255, 255])).toEqual([0, 0, 0]);
    expect(areGrey([digit])).toBe(true);
    expect(areGrey([digit, filled([5, 5], [1, 2, 3])])).toBe(false);
  });

  test("a stroke has no gaps", () => {
    for (const end of [[0, 9], [9, 3], [4, 0], [9, 9]] as [number, number][]) {
      const positions = line([4, 4], end);
      expect([positions[0], positions.at(-1)]).toEqual([[4, 4], end]);
      positions.slice(1).forEach(([r, c], i) => {
        expect(Math.abs(r - positions[i][0])).toBeLessThanOrEqual(1);
        expect(Math.abs(c - positions[i][1])).toBeLessThanOrEqual(1);
      });
    }
  });

  test("a patch changes a copy, and is cut off at the border", () => {
    const before = filled([3, 3], [9, 9, 9]);
    const after = withPatches(before, [3, 3], [[0, 0]], 3, [1, 2, 3]);
    expect(after.filter((x) => x !== 9)).toHaveLength(4 * 3);
    expect(before.every((x) => x === 9)).toBe(true);
  });
});

test("a table of 256 shades is as good as the palette itself", () => {
  const values = Array.from({ length: 1001 }, (_, i) => i / 1000);
  for (const palette of ["outputs", "diverging", "grey"] as const) {
    const rgba = new Uint8ClampedArray(4 * values.length);
    paint(rgba, values, [0, 1], palette);
    const apart = values.flatMap((share, i) => colour(palette, share).map((x, k) => Math.abs(rgba[4 * i + k] - x)));
    expect(Math.max(...apart)).toBeLessThan(3);
  }
});
