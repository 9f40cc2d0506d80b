/** How the page writes numbers. */

const LARGEST_RATIO = 100; // beyond it, the real image's activation is almost 0

export function percent(share: number): string {
  if (share > 0 && share < 0.001) return "<0.1%";
  return `${(100 * share).toFixed(share < 0.0995 ? 1 : 0)}%`;
}

/** A number with three significant digits and a typographic minus sign. */
export function short(value: number): string {
  if (Number.isNaN(value)) return "·";
  const size = Math.abs(value);
  const text = size >= 1000 || (size > 0 && size < 0.001) ? size.toExponential(1) : size.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : 2);
  return value < 0 && Number(text) !== 0 ? `−${text}` : text;
}

/** The activation for a made image, against that for the strongest real one. */
export function compared(made: number, real: number): string {
  const ratio = made > 0 && real > 0 ? made / real : Infinity;
  return ratio <= LARGEST_RATIO
    ? `${short(made)}: ${ratio.toFixed(1)} times that of the strongest real image (${short(real)})`
    : `${short(made)}; that of the strongest real image is ${short(real)}`;
}

/** A number with these decimals. */
export function fixed(value: number, decimals: number): string {
  const text = Math.abs(value).toFixed(decimals);
  return value < 0 && Number(text) !== 0 ? `−${text}` : text;
}

/** A number with these significant digits at most. */
export function digits(value: number, count: number): string {
  return String(Number(value.toPrecision(count))).replaceAll("-", "−");
}

export function signed(value: number, decimals: number): string {
  const text = fixed(value, decimals);
  return text.startsWith("−") ? text : `+${text}`;
}

export const times = (lengths: readonly number[]): string => lengths.join("×");
