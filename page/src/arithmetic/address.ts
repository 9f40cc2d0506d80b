/** What the page shows, in its address: #view=Network&image=3&layer=conv2&channel=5&row=4&col=7 */

import type { Layer } from "../contract";
import type { Node } from "./strongestPath";

export interface Place<View extends string> {
  view: View | null;
  /** Index among the page's images. */
  image: number | null;
  /** The layer whose outputs are shown, if no channel of it is chosen. */
  layer: number | null;
  selection: (Omit<Node, "position"> & { position: Node["position"] | null }) | null;
  /** Whether the image was drawn on, or is the reader's own: that is not in the address. */
  changed: boolean;
}

export interface Known<View extends string> {
  views: readonly View[];
  /** How many images there are. */
  images: number;
  layers: Layer[];
}

export function formatAddress<View extends string>({ view, image, layer, selection, changed }: Place<View>, layers: Layer[]): string {
  const values = new URLSearchParams();
  if (view) values.set("view", view);
  if (image !== null) values.set("image", String(image));
  if (changed) values.set("changed", "1");
  const named = selection?.layer ?? layer;
  if (named !== null) values.set("layer", layers[named].name);
  if (selection) {
    values.set("channel", String(selection.channel));
    if (selection.position) {
      values.set("row", String(selection.position[0]));
      values.set("col", String(selection.position[1]));
    }
  }
  return `#${values}`;
}

/** The place that an address names, and sentences about values that there aren't, which are ignored. */
export function parseAddress<View extends string>(hash: string, known: Known<View>) {
  const values = new URLSearchParams(hash.replace(/^#/, ""));
  const ignored: string[] = [];
  const ignore = (key: string, expected: string) => {
    ignored.push(`${key}=${values.get(key)!.slice(0, 40)} is ignored: ${expected}.`);
    return null;
  };
  const index = (key: string, count: number): number | null => {
    const text = values.get(key);
    if (text === null) return null;
    if (/^\d{1,9}$/.test(text) && Number(text) < count) return Number(text);
    return ignore(key, `expected 0 to ${count - 1}`);
  };
  const view = (): View | null => {
    const text = values.get("view");
    if (text === null) return null;
    return known.views.find((name) => name.toLowerCase() === text.toLowerCase()) ?? ignore("view", `expected ${known.views.join(", ")}`);
  };
  const named = (): number | null => {
    const text = values.get("layer");
    if (text === null) return null;
    const layer = known.layers.findIndex(({ name }) => name === text);
    return layer < 0 ? ignore("layer", "no layer is called so") : layer;
  };
  const chosen = (layer: number): Place<View>["selection"] => {
    const { shape } = known.layers[layer];
    const channel = index("channel", shape.at(-1)!);
    if (channel === null) return null;
    const [height, width] = shape.length === 3 ? shape : [1, 1];
    const [row, column] = [index("row", height), index("col", width)];
    return { layer, channel, position: row === null || column === null ? null : [row, column] };
  };
  const [shown, image, layer] = [view(), index("image", known.images), named()];
  const selection = layer === null ? null : chosen(layer);
  const place: Place<View> = { view: shown, image, layer: selection ? null : layer, selection, changed: values.get("changed") === "1" };
  return { place, ignored };
}

/** Whether two addresses differ only in the row, the column, and whether the image was changed: Back doesn't stop at each of them. */
export function samePlaces(one: string, other: string): boolean {
  const without = (hash: string) => hash.replace(/&(row|col|changed)=\d+/g, "");
  return without(one) === without(other);
}
