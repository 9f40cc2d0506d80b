/** What the page computes and says about a training in the browser; the network itself is in trainingNetwork.test.ts. */

import { describe, expect, test } from "vitest";

import { extended, path, ticks, type Point } from "../src/arithmetic/curves";
import { LAYERS, WEIGHTS } from "../src/arithmetic/digitsLayers";
import { seen, type Progress } from "../src/arithmetic/learning";
import { balanced, confusion, measured, predictions, worstFirst, worstMistake } from "../src/arithmetic/metrics";
import { normals, shuffled, uniform } from "../src/arithmetic/random";

describe("random numbers", () => {
  test("the same seed gives the same numbers, another seed others", () => {
    const some = (seed: number) => Array.from({ length: 5 }, uniform(seed));
    expect(some(3)).toEqual(some(3));
    expect(some(3)).not.toEqual(some(4));
  });

  test("uniform ones have the moments of a uniform distribution, normal ones those of a normal one", () => {
    const count = 20_000;
    const even = Array.from({ length: count }, uniform(1));
    const mean = (values: ArrayLike<number>) => Array.from(values).reduce((a, b) => a + b, 0) / values.length;
    expect(Math.min(...even)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...even)).toBeLessThan(1);
    expect(mean(even)).toBeCloseTo(0.5, 1);
    expect(mean(even.map((x) => (x - 0.5) ** 2))).toBeCloseTo(1 / 12, 2);
    const bell = normals(count, 3, uniform(2));
    expect(mean(bell) / 3).toBeCloseTo(0, 1);
    expect(mean(bell.map((x) => x * x)) / 9).toBeCloseTo(1, 1);
    expect(mean(bell.map((x) => x ** 4)) / 81).toBeCloseTo(3, 0);
  });

  test("shuffling keeps every item, leaves the original alone and moves each to each place", () => {
    const items = [0, 1, 2, 3];
    const next = uniform(5);
    const found = new Set<string>();
    for (let round = 0; round < 200; round++) {
      const order = shuffled(items, next);
      expect([...order].sort()).toEqual(items);
      order.forEach((item, place) => found.add(`${item}${place}`));
    }
    expect(found.size).toBe(16);
    expect(items).toEqual([0, 1, 2, 3]);
  });
});

describe("metrics", () => {
  test("the worst class is one that has images", () => {
    const byClass = [[1, 1, 0.9, 5], [0, 0, 0, 0], [1, 0.5, 0.4, 3], [0, 0, 0, 0], [0, 0, 0, 2]];
    expect(worstFirst(byClass)).toEqual([4, 2, 0, 1, 3]);
  });

  const probabilities = Float32Array.of(0.5, 0.25, 0.25, 0.1, 0.2, 0.7, 0.3, 0.4, 0.3);

  test("loss, accuracy and confusion matrix, worked out by hand", () => {
    const { loss, accuracy } = measured(probabilities, [0, 1, 1]);
    expect(loss).toBeCloseTo(-(Math.log(0.5) + Math.log(0.2) + Math.log(0.4)) / 3, 6);
    expect(accuracy).toBeCloseTo(2 / 3);
    expect([...predictions(probabilities, 3)]).toEqual([0, 2, 1]);
    const counts = confusion([0, 1, 1], predictions(probabilities, 3), 3);
    expect(counts).toEqual([[1, 0, 0], [0, 1, 1], [0, 0, 0]]);
    expect(worstMistake(counts)).toEqual({ truth: 1, predicted: 2, count: 1 });
    expect(worstMistake([[3, 0], [0, 2]])).toBeNull();
  });

  test("guessing has a loss of ln 10; no number stays no number; a probability of 0 is finite", () => {
    expect(measured(new Float32Array(50).fill(0.1), [0, 1, 2, 3, 4]).loss).toBeCloseTo(Math.log(10), 6);
    expect(measured(new Float32Array(10).fill(NaN), [0]).loss).toBeNaN();
    expect(measured(Float32Array.of(0, 1), [0]).loss).toBeGreaterThan(10);
    expect(measured(Float32Array.of(0, 1), [0]).loss).toBeLessThan(Infinity);
  });

  test("a few digits have each class equally often, without one of them twice", () => {
    const labels = Array.from({ length: 300 }, (_, i) => (i % 7) % 5);
    const chosen = balanced(labels, 50, uniform(1));
    expect(new Set(chosen).size).toBe(50);
    for (let k = 0; k < 5; k++) expect(chosen.filter((i) => labels[i] === k).length).toBe(10);
    expect(balanced(labels, 300, uniform(1)).sort((a, b) => a - b)).toEqual(labels.map((_, i) => i));
  });
});

const point = (step: number, loss: number, heldOutLoss: number, accuracy: number, heldOutAccuracy: number): Point => ({
  step,
  training: { loss, accuracy },
  heldOut: { loss: heldOutLoss, accuracy: heldOutAccuracy },
});

describe("curves", () => {
  test("a curve keeps its first and its last point however long it gets", () => {
    let points: Point[] = [];
    for (let step = 0; step < 5000; step++) points = extended(points, point(step, 1, 1, 0, 0));
    expect(points.length).toBeLessThanOrEqual(401);
    expect(points.length).toBeGreaterThan(200);
    expect(points[0].step).toBe(0);
    expect(points.at(-1)!.step).toBe(4999);
    expect(points.every(({ step }, i) => !i || step > points[i - 1].step)).toBe(true);
  });

  test("a step that is measured again replaces its point", () => {
    const points = extended([point(0, 2, 2, 0, 0)], point(0, 3, 3, 0, 0));
    expect(points.map(({ training }) => training.loss)).toEqual([3]);
  });

  test.each([
    [2.3, 5, [0, 0.5, 1, 1.5, 2, 2.5]],
    [1, 5, [0, 0.2, 0.4, 0.6, 0.8, 1]],
    [100, 4, [0, 50, 100]],
    [0, 4, [0, 5e-10]],
  ])("round numbers up to %d", (highest, most, marks) => {
    expect(ticks(highest, most)).toEqual(marks);
  });

  test("what is no number is not drawn", () => {
    expect(path([[0, 1], [1, NaN], [2, Infinity], [3, 4]])).toBe("M0.0 1.0L3.0 4.0");
  });
});

describe("what is seen", () => {
  const diagonal = Array.from({ length: 10 }, (_, i) => Array.from({ length: 10 }, (_, k): number => (i === k ? 30 : 0)));
  const start = point(0, 2.31, 2.3, 0.1, 0.1);
  const sentence = (points: Point[], more: Partial<Progress> = {}) =>
    seen({ points, confusion: diagonal, learningRate: 0.03, digits: 1437, all: 1437, dead: 0, ...more });

  test.each([
    ["it knows nothing", [start], {}, /2\.31, and ln 10 = 2\.30/],
    ["it learns", [start, point(30, 1.2, 1.25, 0.6, 0.58)], {}, /fell from 2\.31 to 1\.20\. 58% of the held-out/],
    ["it has learnt", [start, point(300, 0.1, 0.15, 0.97, 0.96)], {}, /96% of the digits that it has never seen/],
    ["no number", [start, point(9, NaN, NaN, 0.1, 0.1)], { learningRate: 3 }, /NaN.*tenth of the learning rate \(0\.3\)/],
    ["dead", [start, point(9, 2.4, 2.4, 0.1, 0.1)], { dead: 1, learningRate: 1 }, /Every ReLU.*\(0\.1\)/],
    ["diverging", [start, point(50, 9, 9, 0.1, 0.1)], { learningRate: 1 }, /higher than at the start/],
    ["too slow", [start, point(400, 2.29, 2.29, 0.2, 0.2)], {}, /still 2\.29/],
    ["overfitting", [start, point(90, 0.01, 1.4, 1, 0.74)], { digits: 50 }, /overfits: 100% of its 50.*74%.*26 points.*1,437/],
    ["a gap", [start, point(90, 0.2, 0.9, 0.95, 0.8)], {}, /gap is 15 points/],
  ] as [string, Point[], Partial<Progress>, RegExp][])("%s", (_, points, more, words) => {
    expect(sentence(points, more)).toMatch(words);
  });

  test("the most frequent mistake is named", () => {
    const counts = diagonal.map((row) => [...row]);
    counts[8][1] = 4;
    expect(sentence([start, point(300, 0.1, 0.15, 0.97, 0.96)], { confusion: counts })).toMatch(/8 taken for 1 \(4 digits\)/);
  });
});

test("the description of the layers adds up to all weights", () => {
  const counts = LAYERS.flatMap(([, , does]) => [...does.matchAll(/= ([\d,]+) weights/g)].map(([, count]) => Number(count.replace(",", ""))));
  expect(counts.length).toBe(3);
  expect(counts.reduce((a, b) => a + b)).toBe(WEIGHTS);
  for (const [, , does] of LAYERS)
    for (const [, a, b, c, sum] of does.matchAll(/(\d+) · (\d+) \+ (\d+) = ([\d,]+)/g))
      expect(Number(a) * Number(b) + Number(c)).toBe(Number(sum.replace(",", "")));
});
