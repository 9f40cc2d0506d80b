import { expect, test } from "vitest";

import { nearColumn, visibleShare } from "../src/arithmetic/minimap";

test("a network that fits needs no minimap", () => {
  expect(visibleShare(0, 900, 900)).toBeNull();
  expect(visibleShare(0, 900, 901)).toBeNull(); // rounding
});

test("the part in sight is a share of the whole, wherever it is scrolled to", () => {
  expect(visibleShare(450, 450, 1800)).toEqual({ left: 0.25, width: 0.25 });
  expect(visibleShare(-20, 450, 1800)!.left).toBe(0); // beyond the end, as on a phone
});

test("each share belongs to one column, the ends as well", () => {
  expect([0, 0.1, 0.249, 0.25, 0.99, 1, 1.2, -0.1].map((share) => nearColumn(share, 4))).toEqual([0, 0, 0, 1, 3, 3, 3, 0]);
});
