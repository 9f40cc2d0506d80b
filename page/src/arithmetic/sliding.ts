/** How a window slides over a row of positions: the size of the output, and what is read. Both axes are alike. */

import { listed } from "./seen";

export interface Sizes {
  /** Positions of the input. */
  input: number;
  filter: number;
  stride: number;
  /** Zeros on each side. */
  padding: number;
  dilation: number;
}

/** How many positions the filter covers, gaps included. */
export const extent = ({ filter, dilation }: Sizes): number => dilation * (filter - 1) + 1;

/** How often the filter fits. */
export function outputSize(sizes: Sizes): number {
  const { input, padding, stride } = sizes;
  return Math.max(0, Math.floor((input + 2 * padding - extent(sizes)) / stride) + 1);
}

/** The positions that one output reads; those below 0 or from `input` on are padding. */
export function reads({ filter, stride, padding, dilation }: Sizes, output: number): number[] {
  return Array.from({ length: filter }, (_, k) => output * stride - padding + k * dilation);
}

/** The formula with the numbers put in, step by step. */
export function formula(sizes: Sizes): string[] {
  const { input, filter, stride, padding, dilation } = sizes;
  const covered = extent(sizes);
  const rest = input + 2 * padding - covered;
  const size = `floor((${input} + 2·${padding} − ${covered}) ÷ ${stride}) + 1`;
  const dilated = dilation > 1 && filter > 1 ? [`${dilation}·(${filter} − 1) + 1 = ${covered} positions are covered`] : [];
  if (rest < 0) return dilated;
  return [...dilated, `${size} = floor(${rest} ÷ ${stride}) + 1 = ${Math.floor(rest / stride)} + 1 = ${outputSize(sizes)}`];
}

/** Why nothing comes out; null if something does. */
export function impossible(sizes: Sizes): string | null {
  const { input, padding, dilation, filter } = sizes;
  const covered = extent(sizes);
  const given = input + 2 * padding;
  if (covered <= given) return null;
  const smaller = dilation > 1 && filter > 1 ? "a smaller filter, less dilation" : "a smaller filter";
  const there = padding ? `${given} with its padding` : `only ${given}`;
  return `The filter covers ${covered} positions, but the input has ${there}: choose ${smaller}, a larger input or more padding.`;
}

/** What is worth noticing. */
export function remarks(sizes: Sizes): string[] {
  if (impossible(sizes)) return [];
  const { input, padding, filter } = sizes;
  const output = outputSize(sizes);
  const windows = Array.from({ length: output }, (_, at) => reads(sizes, at));
  const read = new Set(windows.flat());
  const unread = Array.from({ length: input }, (_, at) => at).filter((at) => !read.has(at));
  const empty = windows.filter((at) => at.every((position) => position < 0 || position >= input)).length;
  const rows = (positions: number[]) => `${positions.length > 1 ? "Rows and columns" : "Row and column"} ${listed(positions.map(String))}`;
  const found: string[] = [];
  if (output === input && (padding || filter > 1)) found.push("The output is as large as the input.");
  if (unread.length) found.push(`${rows(unread)} of the input ${unread.length > 1 ? "are" : "is"} never read.`);
  if (empty) found.push(`Rows and columns of the output that read nothing but padding: ${empty} of ${output}.`);
  return found;
}

/** A small input and a filter to try it with: whole numbers. */
export const inputAt = (row: number, column: number): number => (3 * row + 5 * column + row * column) % 4;
export const weightAt = (row: number, column: number): number => ((2 * row + column) % 3) - 1;

export interface Read {
  row: number;
  column: number;
  weight: number;
  /** 0 in the padding. */
  value: number;
  padding: boolean;
}

/** All that one output value reads, row by row. */
export function readsOf(sizes: Sizes, [row, column]: [number, number]): Read[] {
  const inside = (at: number) => at >= 0 && at < sizes.input;
  return reads(sizes, row).flatMap((r, i) =>
    reads(sizes, column).map((c, j) => {
      const padding = !inside(r) || !inside(c);
      return { row: r, column: c, weight: weightAt(i, j), value: padding ? 0 : inputAt(r, c), padding };
    }),
  );
}

export const summed = (read: Read[]): number => read.reduce((sum, { weight, value }) => sum + weight * value, 0);
