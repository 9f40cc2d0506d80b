/** The network that learns in the browser: its gradients, and a training that can be paused, repeated and overfitted. */

import type { MathBackendCPU } from "@tensorflow/tfjs-backend-cpu/dist/backend_cpu";
import { conv2DBackpropFilter } from "@tensorflow/tfjs-backend-cpu/dist/kernels/Conv2DBackpropFilter";
import { backend, memory, tensor, type Tensor4D } from "@tensorflow/tfjs-core/dist/base";
import { describe, expect, test } from "vitest";

import { CLASSES, SIDE, WEIGHTS } from "../src/arithmetic/digitsLayers";
import { normals, uniform } from "../src/arithmetic/random";
import { DigitsNetwork } from "../src/network/digitsNetwork";
import { filterGradientConfig } from "../src/network/filterGradient";
import { TrainingLoop, type Digits, type Settings, type Snapshot } from "../src/network/trainingLoop";

const SLOW = { timeout: 300_000 };
const PIXELS = SIDE ** 2;
const USUAL: Settings = { learningRate: 0.03, batch: 16, weightDecay: 0, digits: 200, seed: 1 };

/** Noise, in which class k has a bright block at a place of its own; or nothing that could be learnt, if `random`. */
function blocks(count: number, training: number, random = false): Digits {
  const next = uniform(11);
  const labels = Uint8Array.from({ length: count }, () => Math.floor(next() * CLASSES));
  const pixels = Float32Array.from({ length: count * PIXELS }, () => 0.4 * next());
  if (!random)
    labels.forEach((label, i) => {
      const [top, left] = [2 * (label % 4), 3 * Math.floor(label / 4)];
      for (let r = 0; r < 2; r++) for (let c = 0; c < 2; c++) pixels[i * PIXELS + (top + r) * SIDE + left + c] += 0.6;
    });
  return { pixels, labels, training };
}

/** A training whose slices run when the test says so. */
function started(digits: Digits, settings: Partial<Settings> = {}) {
  const snapshots: Snapshot[] = [];
  const work: (() => void)[] = [];
  const loop = new TrainingLoop(digits, { ...USUAL, ...settings }, (snapshot) => snapshots.push(snapshot), 0, (slice) => work.push(slice));
  const steps = (count: number) => {
    loop.advance(count);
    return snapshots.at(-1)!;
  };
  return { loop, snapshots, work, steps };
}

describe("gradients", SLOW, () => {
  test("are the differences of the loss", () => {
    const { pixels, labels } = blocks(6, 6);
    const network = new DigitsNetwork(3, 0.1);
    for (let i = 0; i < 5; i++) network.step(pixels, labels, 0); // away from the start, where the last layer is nearly 0
    const { gradients } = network.gradients(pixels, labels);
    const weights = network.read();
    expect(weights.reduce((sum, { length }) => sum + length, 0)).toBe(WEIGHTS);
    const apart = 2e-3;
    const lossWith = (array: number, place: number, value: number) => {
      const changed = weights.map((values) => values.slice());
      changed[array][place] = value;
      network.write(changed);
      return network.gradients(pixels, labels).loss;
    };
    const norm = (of: number[]) => Math.sqrt(of.reduce((sum, x) => sum + x * x, 0));
    weights.forEach((values, array) => {
      const places = Array.from({ length: Math.min(12, values.length) }, (_, i) => Math.floor((i * values.length) / 12));
      const exact = places.map((place) => gradients[array][place]);
      const measured = places.map(
        (place) => (lossWith(array, place, values[place] + apart) - lossWith(array, place, values[place] - apart)) / (2 * apart),
      );
      expect(norm(exact)).toBeGreaterThan(1e-3);
      // A ReLU or a maximum may change sides in between, and float32 rounds: a wrong gradient is wrong by its whole size.
      expect(norm(exact.map((x, i) => x - measured[i])) / norm(exact)).toBeLessThan(0.1);
    });
    network.dispose();
  });

  test.each([
    ["same", 1],
    ["same", 2],
    ["valid", 1],
    ["valid", 2],
  ] as const)("of filters are those of TensorFlow.js: padding %s, strides of %d", (pad, stride) => {
    const next = uniform(4);
    const out = pad === "same" ? Math.ceil(7 / stride) : Math.ceil(5 / stride);
    const x = tensor(normals(2 * 7 * 7 * 3, 1, next), [2, 7, 7, 3]) as Tensor4D;
    const dy = tensor(normals(2 * out * out * 5, 1, next), [2, out, out, 5]) as Tensor4D;
    const call = {
      inputs: { x, dy },
      attrs: { strides: [stride, stride] as [number, number], pad, dataFormat: "NHWC" as const, filterShape: [3, 3, 3, 5] as [number, number, number, number] },
      backend: backend() as MathBackendCPU,
    };
    const values = ({ dataId }: { dataId: object }) => [...(call.backend.data.get(dataId).values as Float32Array)];
    const theirs = values(conv2DBackpropFilter(call));
    const ours = values((filterGradientConfig.kernelFunc as unknown as (of: typeof call) => { dataId: object })(call));
    expect(ours.length).toBe(135);
    ours.forEach((value, i) => expect(value).toBeCloseTo(theirs[i], 4));
  });
});

describe("training", SLOW, () => {
  test("starts at ln 10 and learns what can be learnt", () => {
    const { snapshots, steps } = started(blocks(260, 200));
    expect(snapshots[0].training.loss).toBeCloseTo(Math.log(10), 1);
    const last = steps(100);
    expect(last.step).toBe(100);
    expect(last.epoch).toBeCloseTo((100 * 15.4) / 200, 0); // 13 steps an epoch: 12 of 16 digits and one of 8
    expect(last.training.loss).toBeLessThan(0.5 * snapshots[0].training.loss);
    expect(last.heldOut.accuracy).toBeGreaterThan(0.9);
    const diagonal = last.confusion.reduce((sum, row, k) => sum + row[k], 0);
    expect(diagonal / 60).toBeCloseTo(last.heldOut.accuracy, 6);
  });

  test("what can't be learnt is learnt by rote: the held-out digits stay at guessing", () => {
    const last = started(blocks(300, 60, true), { digits: 20, learningRate: 0.1 }).steps(150);
    expect(last.training.accuracy).toBe(1);
    expect(last.heldOut.accuracy).toBeLessThan(0.25);
    expect(last.heldOut.loss).toBeGreaterThan(Math.log(10));
  });

  test("the same seed is the same run, another one is not", () => {
    const run = (seed: number) => started(blocks(260, 200), { seed }).steps(15);
    const [once, again, other] = [run(5), run(5), run(6)];
    expect(again.filters).toEqual(once.filters);
    expect(again.heldOut).toEqual(once.heldOut);
    expect(other.filters).not.toEqual(once.filters);
  });

  test("needs no more memory with each step, nor after a reset", () => {
    const { loop, steps } = started(blocks(260, 200), { weightDecay: 0.01 });
    steps(2);
    const before = memory().numTensors;
    steps(20);
    expect(memory().numTensors).toBe(before);
    loop.change({ ...USUAL, learningRate: 0.3 });
    loop.reset(USUAL);
    steps(2);
    expect(memory().numTensors).toBe(before);
  });

  test("a pause leaves nothing to do, and going on begins where it was", () => {
    const { loop, snapshots, work } = started(blocks(260, 200));
    loop.run();
    loop.run();
    expect(work.length).toBe(1);
    work.shift()!();
    const running = snapshots.at(-1)!;
    expect(running.running).toBe(true);
    expect(running.step).toBeGreaterThan(0);
    loop.pause();
    while (work.length) work.shift()!();
    expect(snapshots.at(-1)!.running).toBe(false);
    expect(snapshots.at(-1)!.step).toBe(running.step);
    loop.run();
    expect(work.length).toBe(1);
    work.shift()!();
    expect(snapshots.at(-1)!.step).toBeGreaterThan(running.step);
  });

  test("going on at once after a pause does not run twice", () => {
    const { loop, work } = started(blocks(260, 200));
    loop.run();
    loop.pause();
    loop.run();
    const turns = work.splice(0);
    turns.forEach((slice) => slice());
    expect(work.length).toBe(1);
  });

  test("a reset begins anew, and keeps running if it ran", () => {
    const { loop, snapshots, steps, work } = started(blocks(260, 200));
    const fresh = snapshots[0];
    steps(5);
    loop.run();
    loop.reset(USUAL);
    const { filters, step, epoch, seconds, running } = snapshots.at(-1)!;
    expect(filters).toEqual(fresh.filters);
    expect([step, epoch, seconds, running]).toEqual([0, 0, 0, true]);
    expect(work.length).toBe(1);
  });

  test("learning rate and weight decay take effect at once", () => {
    const { loop, steps } = started(blocks(260, 200));
    const before = steps(3).filters;
    loop.change({ ...USUAL, learningRate: 0 });
    expect(steps(1).filters).toEqual(before);
    const size = (values: Float32Array) => values.reduce((sum, x) => sum + x * x, 0);
    loop.change({ ...USUAL, weightDecay: 1 });
    expect(size(steps(30).filters)).toBeLessThan(0.5 * size(before));
  });

  test("far too large steps leave a dead network, and numbers that say so", () => {
    const last = started(blocks(260, 200), { learningRate: 3 }).steps(10);
    expect(last.dead).toBe(1);
    expect(last.heldOut.accuracy).toBeLessThan(0.3);
  });

  test("the digit that is followed is the one that was asked for", () => {
    const digits = blocks(260, 200);
    const { loop, snapshots } = started(digits);
    loop.look(7);
    const { digit, probabilities, predicted, first, second } = snapshots.at(-1)!;
    expect(digit).toBe(7);
    expect(first.length).toBe(8 * 8 * 8);
    expect(second.length).toBe(4 * 4 * 16);
    const network = new DigitsNetwork(USUAL.seed, USUAL.learningRate);
    const own = network.outputs(digits.pixels.subarray(207 * PIXELS, 208 * PIXELS));
    expect(probabilities).toEqual(own.probabilities);
    expect(first).toEqual(own.first);
    expect(own.probabilities.indexOf(Math.max(...own.probabilities))).toBe(predicted[7]);
    network.dispose();
  });
});
