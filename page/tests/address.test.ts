/** The page's address: what it names is found again, and nonsense does no harm. */

import { describe, expect, test } from "vitest";

import { formatAddress, parseAddress, samePlaces, type Place } from "../src/arithmetic/address";
import type { Layer } from "../src/contract";

const layer = (name: string, shape: number[]): Layer => ({
  ...{ name, shape, kind: "other", type: "", node: name, sources: [], arithmetic: null, sizeNote: "" },
});
const layers = [layer("image", [8, 6, 3]), layer("a & b=ü#1", [4, 3, 5]), layer("fc", [10])];
const known = { views: ["Network", "Results"] as const, images: 4, layers };
type Shown = Place<"Network" | "Results">;

const rest = { layer: null, changed: false };

describe("the address", () => {
  const places: Shown[] = [
    { view: "Network", image: 3, selection: null, ...rest },
    { view: "Results", image: 2, selection: null, layer: 1, changed: true },
    { view: "Results", image: null, ...rest, selection: { layer: 2, channel: 9, position: null } },
    { view: "Network", image: 0, ...rest, selection: { layer: 1, channel: 4, position: [3, 2] } },
  ];

  test("names a place that is found again, whatever a layer is called", () => {
    for (const place of places) {
      const address = formatAddress(place, layers);
      expect(address).toMatch(/^#[\w=&%+.-]+$/);
      expect(parseAddress(address, known)).toEqual({ place, ignored: [] });
    }
  });

  test("of which values are ignored that there aren't, with a sentence each", () => {
    const nothing = { view: null, image: null, selection: null, ...rest };
    expect(parseAddress("", known)).toEqual({ place: nothing, ignored: [] });
    expect(parseAddress("#somewhere&x=1&%E0%A4%A", known).place).toEqual(nothing);
    const all = parseAddress("#view=Nowhere&image=4&layer=fc&channel=-1", known);
    expect(all.place).toEqual({ ...nothing, layer: 2 });
    expect(all.ignored).toEqual([
      "view=Nowhere is ignored: expected Network, Results.",
      "image=4 is ignored: expected 0 to 3.",
      "channel=-1 is ignored: expected 0 to 9.",
    ]);
    for (const text of ["1e1", "0x1", "2.5", "NaN", "", " 1", "99999999999999999999"])
      expect(parseAddress(`#image=${text}`, known)).toMatchObject({ place: nothing, ignored: [expect.any(String)] });
    const inside = parseAddress("#layer=image&channel=2&row=8&col=5", known);
    expect(inside.place.selection).toEqual({ layer: 0, channel: 2, position: null });
    expect(inside.ignored).toEqual(["row=8 is ignored: expected 0 to 7."]);
    expect(parseAddress("#layer=none&channel=1", known).ignored).toEqual(["layer=none is ignored: no layer is called so."]);
  });

  test("moving within a channel, or changing the image, is no new place", () => {
    const at = (row: number, channel = 1, changed = false): string =>
      formatAddress({ view: "Network", image: 1, layer: null, changed, selection: { layer: 1, channel, position: [row, 0] } } as Shown, layers);
    expect(samePlaces(at(0), at(3))).toBe(true);
    expect(samePlaces(at(0), at(0, 1, true))).toBe(true);
    expect(samePlaces(at(0), at(0, 2))).toBe(false);
  });
});
