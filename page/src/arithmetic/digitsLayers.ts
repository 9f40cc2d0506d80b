/** The layers of the network that learns digits, as numbers and as text. */

export const SIDE = 8; // pixels
export const CLASSES = 10;
export const FILTERS = [8, 16] as const; // of both convolutions
export const WINDOW = 3; // rows and columns of a filter
export const MOMENTUM = 0.9;
export const UNITS = (SIDE / 4) ** 2 * FILTERS[1]; // after two poolings of 2×2

/** Shapes of its weights. */
export const SHAPES = {
  conv1: [WINDOW, WINDOW, 1, FILTERS[0]],
  bias1: [FILTERS[0]],
  conv2: [WINDOW, WINDOW, FILTERS[0], FILTERS[1]],
  bias2: [FILTERS[1]],
  fc: [UNITS, CLASSES],
  bias: [CLASSES],
};

const count = (...names: (keyof typeof SHAPES)[]) =>
  names.reduce((all, name) => all + SHAPES[name].reduce((a, b) => a * b, 1), 0);

export const WEIGHTS = count("conv1", "bias1", "conv2", "bias2", "fc", "bias");

/** Each layer: what it is, the shape of its output, and what it does. */
export const LAYERS: [kind: string, shape: string, does: string][] = [
  ["INPUT", "8×8×1", "a digit of 8×8 pixels, from 0 (black) to 1 (white)"],
  ["CONV", "8×8×8", `${FILTERS[0]} filters of 3×3×1, and a bias each: 8 · 9 + 8 = ${count("conv1", "bias1")} weights`],
  ["RELU", "8×8×8", "max(0, x)"],
  ["POOL", "4×4×8", "the largest of 2×2 values"],
  ["CONV", "4×4×16", `${FILTERS[1]} filters of 3×3×8, and a bias each: 16 · 72 + 16 = ${count("conv2", "bias2").toLocaleString("en")} weights`],
  ["RELU", "4×4×16", "max(0, x)"],
  ["POOL", "2×2×16", "the largest of 2×2 values"],
  ["FC", "10", `10 units with ${UNITS} inputs and a bias each: 640 + 10 = ${count("fc", "bias")} weights`],
  ["SOFTMAX", "10", "probabilities that add up to 1"],
  ["LOSS", "1", "cross-entropy: the mean of −ln(probability of the true digit)"],
  ["STEP", "", `velocity ← ${MOMENTUM} · velocity + gradient (+ weight decay · weight, biases excepted), then weight ← weight − learning rate · velocity`],
];
