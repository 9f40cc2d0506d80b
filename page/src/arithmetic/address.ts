/** What the page shows, in its address: #view=Network&image=3&layer=conv2&channel=5&row=4&col=7 */

import type { Layer } from "../contract";
import type { Node } from "./strongestPath";

export interface Place<View extends string> {
  view: View | null;
  /** Index among the page's images. */
  image: number | null;
  selection: (Omit<Node, "position"> & { position: Node["position"] | null }) | null;
}

export interface Known<View extends string> {
  views: readonly View[];
  /** How many images there are. */
  images: number;
  layers: Layer[];
}

export function formatAddress<View extends string>({ view, image, selection }: Place<View>, layers: Layer[]): string {
  const values = new URLSearchParams();
  if (view) values.set("view", view);
  if (image !== null) values.set("image", String(image));
  if (selection) {
    values.set("layer", layers[selection.layer].name);
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
  const selection = (): Place<View>["selection"] => {
    const text = values.get("layer");
    if (text === null) return null;
    const layer = known.layers.findIndex(({ name }) => name === text);
    if (layer < 0) return ignore("layer", "no layer is called so");
    const { shape } = known.layers[layer];
    const channel = index("channel", shape.at(-1)!);
    if (channel === null) return null;
    const [height, width] = shape.length === 3 ? shape : [1, 1];
    const [row, column] = [index("row", height), index("col", width)];
    return { layer, channel, position: row === null || column === null ? null : [row, column] };
  };
  const place: Place<View> = { view: view(), image: index("image", known.images), selection: selection() };
  return { place, ignored };
}

/** Whether two addresses differ in the row and the column only: Back doesn't stop at each of them. */
export function samePlaces(one: string, other: string): boolean {
  const without = (hash: string) => hash.replace(/&(row|col)=\d+/g, "");
  return without(one) === without(other);
}
