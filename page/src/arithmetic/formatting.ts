/** How the page writes numbers. */

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

export function signed(value: number): string {
  const text = short(value);
  return text.startsWith("−") ? text : `+${text}`;
}

export const times = (lengths: readonly number[]): string => lengths.join("×");
