/** Softmax worked out: powers of e with digits enough that their sum and each quotient hold on a calculator. */

import { softmax } from "./activations";
import { atDecimals, atDigits, decimalsOf } from "./digits";

const MOST_DIGITS = 15;
const MOST_DECIMALS = 12;
const LARGEST = 50; // score whose power of e is written out

export interface WorkedSoftmax {
  /** Subtracted from every score, which changes no quotient. */
  subtracted: number;
  powers: number[];
  /** The sum of those that aren't shown. */
  others: number;
  total: number;
  probabilities: number[];
  /** Significant digits of the powers and of their sum. */
  digits: number;
  /** Decimals of the scores. */
  decimals: number;
}

/** Of the scores, those of `shown` are written out one by one. */
export function workedSoftmax(scores: number[], shown: number[]): WorkedSoftmax {
  const subtracted = Math.max(...scores.map(Math.abs)) > LARGEST ? Math.max(...scores) : 0;
  const powers = scores.map((x) => Math.exp(x - subtracted));
  const total = sumOf(powers);
  const others = sumOf(powers.filter((_, k) => !shown.includes(k)));
  const addends = [...shown.map((k) => powers[k]), others];
  const digits = digitsOfPowers(addends, total);
  const probabilities = softmax(scores);
  const decimals = decimalsOfScores(
    shown.map((k) => scores[k] - subtracted),
    digits,
  );
  return { subtracted, powers, others, total, probabilities, digits, decimals };
}

/** The fewest with which the powers, as shown, add up to their sum as shown, and each divided by it is its share in percent. */
export function digitsOfPowers(powers: number[], total: number): number {
  for (let digits = 3; digits < MOST_DIGITS; digits++) {
    const all = atDigits(total, digits);
    const holds = (power: number) => {
      const share = (100 * power) / total;
      const decimals = share < 9.95 ? 1 : 0;
      return atDecimals((100 * atDigits(power, digits)) / all, decimals) === atDecimals(share, decimals);
    };
    if (atDigits(sumOf(powers.map((power) => atDigits(power, digits))), digits) === all && powers.every(holds)) return digits;
  }
  return MOST_DIGITS;
}

/** The fewest decimals of the scores with which e to the power of each is what is shown. */
function decimalsOfScores(scores: number[], digits: number): number {
  const power = (score: number) => atDigits(Math.exp(score), digits);
  let decimals = Math.max(...scores.map(decimalsOf));
  while (decimals < MOST_DECIMALS && !scores.every((x) => power(atDecimals(x, decimals)) === power(x))) decimals++;
  return decimals;
}

const sumOf = (numbers: number[]) => numbers.reduce((a, b) => a + b, 0);
