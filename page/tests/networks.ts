/** Small networks with made-up outputs, for tests of what the page says about them. */

import type { Seen } from "../src/arithmetic/seen";
import { softmax } from "../src/arithmetic/activations";
import type { Arithmetic, Conv, Layer, Pool } from "../src/contract";

/** Numbers that look random and are the same in each run (Park and Miller, 1988). */
export function random(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 48271) % 2147483647) / 2147483647;
}

export function layer(name: string, shape: number[], sources: number[], arithmetic: Arithmetic | null, type = "Layer"): Layer {
  return { name, shape, sources, arithmetic, type, kind: sources.length ? "other" : "image", node: name, sizeNote: "" };
}

export const image = (...shape: number[]) => layer("image", shape, [], null, "Input");
export const conv = (size: number, more: Partial<Conv> = {}): Conv => ({
  operation: "conv", depthwise: false, groups: 1, kernel: "k", bias: null, activation: "linear", parameters: {},
  size: [size, size], strides: [1, 1], dilation: [1, 1], padding: [size >> 1, size >> 1], ...more,
});
export const pool = (size: number, pooling: "max" | "mean" = "max"): Pool => ({
  operation: "pool", pooling, size: [size, size], strides: [size, size], dilation: [1, 1], padding: [0, 0],
});
export const fc = (activation = "linear", bias: number[] | null = null): Arithmetic => ({
  operation: "fc", kernel: "k", bias, activation, parameters: {},
});
export const elementwise = (activation: string, parameters = {}): Arithmetic => ({ operation: "function", activation, parameters });

/** The network with an image in it: activations and pooling are computed, everything else is random. */
export function seen(layers: Layer[], classes: number, more: Partial<Seen> = {}): Seen {
  const next = random(3);
  const outputs: Float32Array[] = [];
  for (const { shape, sources, arithmetic } of layers) {
    const count = shape.reduce((a, b) => a * b, 1);
    const given = outputs[sources[0]];
    if (!sources.length) outputs.push(Float32Array.from({ length: count }, () => Math.floor(256 * next())));
    else if (arithmetic?.operation === "function" && arithmetic.activation === "softmax")
      outputs.push(Float32Array.from(softmax([...given])));
    else if (arithmetic?.operation === "function" && arithmetic.activation === "relu") outputs.push(given.map((x) => Math.max(0, x)));
    else if (arithmetic && "activation" in arithmetic && arithmetic.activation === "sigmoid")
      outputs.push(Float32Array.from({ length: count }, () => 1 / (1 + Math.exp(4 * next() - 2))));
    else outputs.push(Float32Array.from({ length: count }, () => 4 * next() - 2));
  }
  const last = [...outputs.at(-1)!];
  const isSum = Math.abs(last.reduce((a, b) => a + b, 0) - 1) < 1e-3;
  const probabilities = last.length !== classes ? [1 - last[0], last[0]] : isSum ? last : softmax(last);
  const names = Array.from({ length: classes }, (_, k) => `class ${k}`);
  return { layers, outputs, colours: ["red", "green", "blue"], classes: names, probabilities, label: -1, ...more };
}

const map = (n: number, channels: number) => [n, n, channels];

export const NETWORKS: Record<string, () => Seen> = {
  "CONV, RELU, POOL, FC, softmax": () =>
    seen(
      [
        image(8, 8, 3),
        layer("conv", map(8, 4), [0], conv(3, { bias: [0.5, 0.25, -0.5, 1] })),
        layer("relu", map(8, 4), [1], elementwise("relu"), "ReLU"),
        layer("pool", map(4, 4), [2], pool(2)),
        layer("deep", map(4, 6), [3], conv(3)),
        layer("flat", [96], [4], null, "Flatten"),
        layer("fc", [10], [5], fc()),
        layer("probabilities", [10], [6], elementwise("softmax")),
      ],
      10,
    ),
  "one channel, a fused RELU and a global mean": () =>
    seen(
      [
        image(8, 8, 1),
        layer("conv", map(6, 4), [0], conv(3, { padding: [0, 0], activation: "relu" })),
        layer("mean", [4], [1], pool(6, "mean")),
        layer("scores", [3], [2], fc()),
      ],
      3,
    ),
  "nothing but FC, 100 classes": () =>
    seen(
      [image(4, 4, 3), layer("flat", [48], [0], null, "Flatten"), layer("first", [20], [1], fc("tanh")), layer("scores", [100], [2], fc())],
      100,
    ),
  "two classes in one unit": () =>
    seen([image(6, 6, 3), layer("conv", map(3, 2), [0], conv(3, { strides: [2, 2] })), layer("yes", [1], [1], fc("sigmoid"))], 2),
  "layers that the page doesn't know": () =>
    seen([image(6, 5, 3), layer("rows", [8], [0], null, "LSTM"), layer("end", [4], [1], null, "Special")], 4),
  "no activation": () => seen([image(5, 5, 3), layer("flat", [75], [0], null, "Flatten"), layer("scores", [2], [1], fc())], 2),
};
