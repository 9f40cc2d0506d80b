/** What the working of a value starts from. */

import type { ComponentChildren } from "preact";

import type { Palette } from "../arithmetic/colours";
import type { Block } from "../arithmetic/layers";
import type { Pair } from "../contract";

export interface Source {
  place: number;
  whole: Block;
}

/** A link to a channel of a source, or of another layer. */
export type Open = (of: number, index?: number) => ComponentChildren;

export interface PartProps {
  input: Source;
  name: string;
  channel: number;
  position: Pair;
  value: number;
  open: Open;
  /** Of a channel of the input. */
  paletteOf(channel: number): Palette;
}
