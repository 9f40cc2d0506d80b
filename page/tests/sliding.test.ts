/** The arithmetic of the playground, against counting. */

import { expect, test } from "vitest";

import { extent, formula, impossible, inputAt, outputSize, reads, readsOf, remarks, summed, weightAt, type Sizes } from "../src/arithmetic/sliding";

const PATIENCE = 300_000; // milliseconds: a busy machine may need them

function* everything(): Generator<Sizes> {
  for (let input = 1; input <= 12; input++)
    for (let filter = 1; filter <= 7; filter++)
      for (let stride = 1; stride <= 4; stride++)
        for (let padding = 0; padding <= 4; padding++)
          for (let dilation = 1; dilation <= 3; dilation++) yield { input, filter, stride, padding, dilation };
}

/** Slides by trying: moves on as long as the last weight is not beyond the padding. */
function slid({ input, filter, stride, padding, dilation }: Sizes): number[][] {
  const windows: number[][] = [];
  for (let start = 0 - padding; ; start += stride) {
    const window: number[] = [];
    for (let k = 0, at = start; k < filter; k++, at += dilation) window.push(at);
    if (window.at(-1)! > input - 1 + padding) return windows;
    windows.push(window);
  }
}

test("size and reads are those of a window that slides, in all 5040 combinations", () => {
  let count = 0;
  for (const sizes of everything()) {
    const windows = slid(sizes);
    expect(outputSize(sizes)).toBe(windows.length);
    expect(windows.map((_, at) => reads(sizes, at))).toEqual(windows);
    expect(impossible(sizes) === null).toBe(windows.length > 0);
    count++;
  }
  expect(count).toBe(5040);
}, PATIENCE);

test("the formula ends with the size, and each of its steps is true", () => {
  let count = 0;
  for (const sizes of everything()) {
    const steps = formula(sizes);
    const shown = steps.at(-1);
    if (impossible(sizes)) {
      expect(shown ?? "").not.toContain("floor");
      continue;
    }
    const parts = shown!.replaceAll("floor", "Math.floor").replaceAll("·", "*").replaceAll("−", "-").replaceAll("÷", "/").split(" = ");
    const values = Function(`return [${parts.join(", ")}]`)() as number[];
    if (values.some((value) => value !== outputSize(sizes))) expect(values, shown).toEqual(parts.map(() => outputSize(sizes)));
    count++;
  }
  expect(count).toBe([...everything()].filter((sizes) => !impossible(sizes)).length);
}, PATIENCE);

test("what is never read is what no window reads", () => {
  for (const sizes of everything()) {
    if (impossible(sizes)) continue;
    const read = new Set(slid(sizes).flat());
    const unread = Array.from({ length: sizes.input }, (_, at) => at).filter((at) => !read.has(at));
    const said = remarks(sizes).find((line) => line.includes("never read"));
    expect((said?.match(/\d+/g) ?? []).map(Number)).toEqual(unread);
    const empty = slid(sizes).filter((window) => window.every((at) => at < 0 || at >= sizes.input)).length;
    expect(remarks(sizes).some((line) => line.includes("nothing but padding"))).toBe(empty > 0);
  }
}, PATIENCE);

test("a value is the sum of products, worked out over a padded copy", () => {
  const sizes: Sizes = { input: 5, filter: 3, stride: 2, padding: 2, dilation: 2 };
  const padded = Array.from({ length: 9 }, (_, r) => Array.from({ length: 9 }, (_, c) => (r < 2 || c < 2 || r > 6 || c > 6 ? 0 : inputAt(r - 2, c - 2))));
  for (let r = 0; r < outputSize(sizes); r++)
    for (let c = 0; c < outputSize(sizes); c++) {
      let sum = 0;
      for (let i = 0; i < 3; i++) for (let j = 0; j < 3; j++) sum += weightAt(i, j) * padded[2 * r + 2 * i][2 * c + 2 * j];
      expect(summed(readsOf(sizes, [r, c]))).toBe(sum);
    }
});

test("what is impossible is said in one sentence, with what to do", () => {
  expect(extent({ input: 3, filter: 3, stride: 1, padding: 0, dilation: 3 })).toBe(7);
  expect(impossible({ input: 3, filter: 3, stride: 1, padding: 1, dilation: 3 })).toBe(
    "The filter covers 7 positions, but the input has 5 with its padding: choose a smaller filter, less dilation, a larger input or more padding.",
  );
  expect(impossible({ input: 3, filter: 5, stride: 1, padding: 0, dilation: 1 })).toContain("has only 3: choose a smaller filter, a larger");
});
