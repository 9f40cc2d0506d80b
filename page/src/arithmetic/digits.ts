/** Numbers with digits enough that a calculator, given those that are shown, gives the result that is shown. */

const SIGNIFICANT = 3; // digits of a result
const MOST = 12; // significant digits, or decimals

/** Decimals with which a result has three significant digits at least. */
export function decimalsOf(result: number): number {
  const size = Math.abs(result);
  if (size === 0 || !Number.isFinite(size)) return 2;
  return Math.min(MOST, Math.max(0, SIGNIFICANT - 1 - Math.floor(Math.log10(size))));
}

export const atDecimals = (x: number, decimals: number): number => Number(x.toFixed(decimals));
export const atDigits = (x: number, digits: number): number => Number(x.toPrecision(digits));

/**
 * The fewest significant digits of the operands with which they give the result, rounded to its decimals.
 * `calculate` maps operands to the result.
 */
export function digitsFor(operands: number[], calculate: (shown: number[]) => number, result: number, decimals: number) {
  const expected = atDecimals(result, decimals);
  for (let digits = SIGNIFICANT; digits < MOST; digits++)
    if (atDecimals(calculate(operands.map((x) => atDigits(x, digits))), decimals) === expected) return digits;
  return MOST;
}

/** The fewest decimals of the addends, `decimals` at least, with which their sum is the total to its decimals. */
export function decimalsFor(addends: number[], total: number, decimals: number): number {
  const expected = atDecimals(total, decimals);
  const sum = (places: number) => addends.reduce((all, x) => all + atDecimals(x, places), 0);
  for (let places = decimals; places < MOST; places++) if (atDecimals(sum(places), decimals) === expected) return places;
  return MOST;
}
