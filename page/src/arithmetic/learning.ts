/** What can be seen of a training so far, in words. */

import { percent } from "./formatting";
import { worstMistake } from "./metrics";
import type { Point } from "./curves";

export interface Progress {
  points: readonly Point[];
  /** Of the held-out digits. */
  confusion: number[][];
  learningRate: number;
  /** How many digits it learns from, and how many there are. */
  digits: number;
  all: number;
  /** Share of the second layer's feature maps that are 0 for every held-out digit. */
  dead: number;
}

const EARLY = 20; // steps in which nothing has to be seen yet
const SLOW = 150; // steps after which something should have happened
const NOT_MOVED = 0.95; // of the loss at the start
const GUESSING = 0.2; // accuracy of a network that has learnt next to nothing
const GAP = 0.08; // of accuracies: overfitting
const KNOWN = 0.995; // accuracy on training digits that were memorised
const GOOD = 0.95;

export function seen(progress: Progress): string {
  const { points, confusion, learningRate, digits, all, dead } = progress;
  const now = points.at(-1);
  if (!now) return "Starting …";
  const { training, heldOut, step } = now;
  const start = points[0].training.loss;
  const tenth = `Reset with a tenth of the learning rate (${Number((learningRate / 10).toPrecision(2))}).`;
  if (!Number.isFinite(training.loss) || !Number.isFinite(heldOut.loss))
    return `The loss is NaN, not a number: the steps were too large, and the weights grew without limit. ${tenth}`;
  if (step === 0)
    return `The loss is ${start.toFixed(2)}, and ln 10 = 2.30: it knows nothing yet and gives each digit about 10%. Press Start.`;
  if (dead === 1)
    return `Every ReLU of the second layer is 0 for every digit: no gradient comes through, and it can learn nothing any more. The steps were too large. ${tenth}`;
  if (step > EARLY && heldOut.accuracy < GUESSING && training.loss > 1.2 * start)
    return `The loss is ${training.loss.toFixed(2)}, higher than at the start (${start.toFixed(2)}): each step overshoots. ${tenth}`;
  if (step > SLOW && training.loss > NOT_MOVED * start)
    return `After ${step.toLocaleString("en")} steps the loss is still ${training.loss.toFixed(2)}: the learning rate is too small, or far too large.`;
  const gap = training.accuracy - heldOut.accuracy;
  if (gap >= GAP && training.accuracy >= KNOWN)
    return (
      `It overfits: ${percent(training.accuracy)} of its ${digits.toLocaleString("en")} training digits are right, but ${percent(heldOut.accuracy)} of the held-out ones, ` +
      `a generalisation gap of ${points100(gap)}. ${digits < all ? `More digits to learn from would help: there are ${all.toLocaleString("en")}.` : "Weight decay may help."}`
    );
  const fell = `The loss ${training.loss < start ? "fell" : "went"} from ${start.toFixed(2)} to ${training.loss.toFixed(2)}.`;
  if (heldOut.accuracy >= GOOD) {
    const worst = worstMistake(confusion);
    const mistake = worst
      ? `Its most frequent mistake: ${worst.truth} taken for ${worst.predicted} (${worst.count} ${worst.count > 1 ? "digits" : "digit"}).`
      : "It makes no mistake.";
    return `${fell} ${percent(heldOut.accuracy)} of the digits that it has never seen are right. ${mistake}`;
  }
  if (gap >= GAP) return `${fell} The generalisation gap is ${points100(gap)}: it does better on the digits that it learns from.`;
  return `${fell} ${percent(heldOut.accuracy)} of the held-out digits are right; guessing would get 10%.`;
}

function points100(gap: number): string {
  return `${(100 * gap).toFixed(0)} points`;
}
