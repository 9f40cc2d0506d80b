/** How well a classifier does, and which images it learns from. */

import { shuffled } from "./random";

export interface Measured {
  /** Mean cross-entropy: −ln of the probability of the true class. */
  loss: number;
  accuracy: number;
}

const LEAST = 1e-7; // of a probability: ln 0 is infinite

/** The class of the highest probability, for each row of `classes` probabilities; the first one if none is a number. */
export function predictions(probabilities: Float32Array, classes: number): Uint8Array {
  const predicted = new Uint8Array(probabilities.length / classes);
  for (let i = 0; i < predicted.length; i++)
    for (let k = 1; k < classes; k++)
      if (probabilities[i * classes + k] > probabilities[i * classes + predicted[i]]) predicted[i] = k;
  return predicted;
}

/** Loss and accuracy of N rows of probabilities, against N true classes. */
export function measured(probabilities: Float32Array, labels: ArrayLike<number>): Measured {
  const classes = probabilities.length / labels.length;
  const predicted = predictions(probabilities, classes);
  let [loss, right] = [0, 0];
  for (let i = 0; i < labels.length; i++) {
    const p = probabilities[i * classes + labels[i]];
    loss -= Number.isNaN(p) ? NaN : Math.log(Math.max(LEAST, p));
    if (predicted[i] === labels[i]) right++;
  }
  return { loss: loss / labels.length, accuracy: right / labels.length };
}

/** Counts by true class (rows) and predicted class (columns). */
export function confusion(labels: ArrayLike<number>, predicted: ArrayLike<number>, classes: number): number[][] {
  const counts = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  for (let i = 0; i < labels.length; i++) counts[labels[i]][predicted[i]]++;
  return counts;
}

/** The most frequent mistake; null if there is none. */
export function worstMistake(counts: number[][]): { truth: number; predicted: number; count: number } | null {
  let worst = { truth: -1, predicted: -1, count: 0 };
  counts.forEach((row, truth) =>
    row.forEach((count, predicted) => {
      if (truth !== predicted && count > worst.count) worst = { truth, predicted, count };
    }),
  );
  return worst.count ? worst : null;
}

/** Indices of `count` images, in random order, with as many of each class as can be. */
export function balanced(labels: ArrayLike<number>, count: number, next: () => number): number[] {
  const seen = new Map<number, number>(); // of each class
  const order = shuffled(Array.from(labels, (_, i) => i), next);
  const turn = order.map((i) => {
    const number = seen.get(labels[i]) ?? 0;
    seen.set(labels[i], number + 1);
    return { i, number };
  });
  return turn
    .sort((a, b) => a.number - b.number)
    .slice(0, count)
    .map(({ i }) => i);
}

/** Classes by F1, the lowest first; those without images last. Each has precision, recall, F1 and its number of images. */
export function worstFirst(byClass: number[][]): number[] {
  const [f1, empty] = [(k: number) => byClass[k][2], (k: number) => Number(byClass[k][3] === 0)];
  return byClass.map((_, k) => k).sort((a, b) => empty(a) - empty(b) || f1(a) - f1(b));
}
