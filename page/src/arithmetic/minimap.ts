/** The part of a long strip that is in sight, in shares of its length. */

/** Null if all of it is in sight. */
export function visibleShare(scrolled: number, sight: number, length: number): { left: number; width: number } | null {
  if (length <= sight + 1) return null;
  return { left: Math.min(1, Math.max(0, scrolled / length)), width: sight / length };
}

/** The column at a share of the length. */
export function nearColumn(share: number, columns: number): number {
  return Math.min(columns - 1, Math.max(0, Math.floor(share * columns)));
}
