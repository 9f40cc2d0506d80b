/** The filter of the chosen channel, and what each input adds to the chosen value. */

import { useEffect, useState } from "preact/hooks";

import { block, convTerms, fcTerms, largestChannels, type Term } from "../arithmetic/layers";
import type { Layer } from "../contract";
import type { Engine } from "../network/engine";
import { positionOf, type Selection } from "./selection";

const MOST = 3; // inputs shown one by one

/** The weights of the chosen channel; null while they are fetched, and for layers without any. */
export function useFilter(engine: Engine, layers: Layer[], selection: Selection | null) {
  const [filter, setFilter] = useState<{ key: string; weights: Float32Array } | null>(null);
  const arithmetic = selection && layers[selection.layer].arithmetic;
  const key = selection && arithmetic && "kernel" in arithmetic ? `${selection.layer},${selection.channel}` : "";
  useEffect(() => {
    if (!key || !selection || !arithmetic || !("kernel" in arithmetic)) return;
    let wanted = true;
    void engine.filter(arithmetic.kernel, selection.channel, layers[selection.layer].shape.at(-1)!).then((weights) => {
      if (wanted) setFilter({ key, weights });
    });
    return () => {
      wanted = false;
    };
  }, [engine, key]);
  return filter?.key === key ? filter.weights : null;
}

/** What each input adds to the chosen value; null for layers that don't sum weighted inputs. */
export function contributions(
  layers: Layer[],
  outputs: Float32Array[],
  selection: Selection | null,
  filter: Float32Array | null,
): Term[] | null {
  if (!selection || !filter) return null;
  const layer = layers[selection.layer];
  const source = layer.sources[0];
  const input = block(layers[source], outputs[source]);
  const arithmetic = layer.arithmetic;
  if (arithmetic?.operation === "fc") return fcTerms(input, filter);
  if (arithmetic?.operation !== "conv") return null;
  return convTerms(input, layer, arithmetic, filter, selection.channel, positionOf(layer, selection, outputs[selection.layer]));
}

/** The inputs that are shown one by one at every position: those that add most to the channel's highest value. */
export function shownInputs(layers: Layer[], outputs: Float32Array[], selection: Selection | null, filter: Float32Array | null): number[] {
  const terms = contributions(layers, outputs, selection && { ...selection, position: null }, filter);
  return terms ? largestChannels(terms, MOST) : [];
}

