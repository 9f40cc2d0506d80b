/** Heat maps and the strongest path: worked out by hand, or again from their definitions. */

import { describe, expect, test } from "vitest";

import { averageDrops, gradCam, meanOf, mostImportant, occluded, patches, resizedMap, signedScale } from "../src/arithmetic/attribution";
import { withChannels } from "../src/arithmetic/channels";
import { tilesOf } from "../src/arithmetic/columns";
import { nodesOf, stepBack, type Node } from "../src/arithmetic/strongestPath";
import type { Arithmetic, Layer, Window } from "../src/contract";

function layer(name: string, shape: number[], sources: number[], arithmetic: Arithmetic | null = null, type = ""): Layer {
  return { name, kind: "other", type, shape, node: name, sources, arithmetic, sizeNote: "" };
}

const WINDOW: Omit<Window, "size"> = { strides: [1, 1], dilation: [1, 1], padding: [0, 0] };
const weighted = { kernel: "k", bias: [0.5], activation: "linear", parameters: {} };

describe("occlusion", () => {
  test("patches cover every pixel, and the last is cut off", () => {
    expect(patches([5, 4], 2, 2)).toEqual([
      [0, 0, 2, 2],
      [0, 2, 2, 4],
      [2, 0, 4, 2],
      [2, 2, 4, 4],
      [4, 0, 5, 2],
      [4, 2, 5, 4],
    ]);
  });

  test("a copy has the colour in its patch, and the image elsewhere", () => {
    const pixels = Float32Array.from({ length: 27 }, (_, i) => i);
    const copies = occluded(pixels, 3, [[0, 1, 1, 3], [2, 0, 3, 1]], [100, 200, 300]);
    const expected = [...pixels, ...pixels];
    expected.splice(3, 6, 100, 200, 300, 100, 200, 300);
    expected.splice(27 + 18, 3, 100, 200, 300);
    expect([...copies]).toEqual(expected);
    expect(meanOf(pixels)).toEqual([12, 13, 14]);
  });

  test("a pixel has the mean drop of its patches", () => {
    const map = averageDrops([6, 2], [[0, 0, 1, 2], [0, 1, 1, 3]], [1, 3]);
    expect([...map]).toEqual([6, 4, 2]);
  });

  test("the most important patch is the one with the highest sum, the first of equal ones", () => {
    const map = Float32Array.from([0, 0, 0, 0, 5, 0, 0, 0, -9]);
    expect(mostImportant(map, [3, 3], 2)).toEqual([0, 0, 2, 2]);
    expect(mostImportant(map, [3, 3], 1)).toEqual([1, 1, 2, 2]);
    expect(signedScale(map)).toEqual([-9, 9]);
  });
});

describe("Grad-CAM", () => {
  test("feature maps are weighted with their mean gradients", () => {
    const features = Float32Array.from([1, 10, 2, 20]); // two places, two channels
    const gradients = Float32Array.from([1, 0, 3, -2]); // means 2 and −1
    expect([...gradCam(layer("a", [1, 2, 2], []), features, gradients)]).toEqual([2 - 10, 4 - 20]);
  });

  test("maps are enlarged as Pillow enlarges them, and shrunk over all pixels", () => {
    const enlarged = resizedMap(Float32Array.from([0, 4]), [1, 2], [1, 4]);
    expect([...enlarged]).toEqual([0, 1, 3, 4]);
    const shrunk = [...resizedMap(Float32Array.from([0, 1, 2, 3]), [1, 4], [1, 2])];
    expect(shrunk[0]).toBeCloseTo(5 / 7); // weights 3, 3 and 1 of 7 for the first three
    expect(shrunk[1]).toBeCloseTo(16 / 7);
  });
});

describe("the strongest path", () => {
  const layers = [
    layer("image", [3, 3, 2], []),
    layer("conv", [2, 2, 1], [0], { operation: "conv", depthwise: false, groups: 1, ...weighted, size: [2, 2], ...WINDOW }),
    layer("relu", [2, 2, 1], [1], { operation: "function", activation: "relu", parameters: {} }),
    layer("pool", [1, 1, 1], [2], { operation: "pool", pooling: "max", size: [2, 2], ...WINDOW }),
    layer("flat", [1], [3], null, "Flatten"),
    layer("fc", [1], [4], { operation: "fc", ...weighted }),
  ] as Layer[];
  // Channel 0 of the image is 1 everywhere; channel 1 is 0, but 3 in the middle.
  const image = Float32Array.from({ length: 18 }, (_, i) => (i % 2 === 0 ? 1 : i === 9 ? 3 : 0));
  const filter = Float32Array.from([1, 1, 1, 1, 1, 1, 1, 2]); // (2, 2, 2, 1): all 1, but 2 for channel 1 at the end
  const conv = Float32Array.from([4 + 6 + 0.5, 7.5, 7.5, 7.5]);
  const outputs = [image, conv, conv, Float32Array.of(10.5), Float32Array.of(10.5), Float32Array.of(-21 + 0.5)];

  test("leads from the verdict to the pixel that adds most", () => {
    let node: Node = { layer: 5, channel: 0, position: [0, 0] };
    const steps = [];
    for (let at = 5; at > 0; at--) {
      const step = stepBack(layers, outputs, node, at === 5 ? Float32Array.of(-2) : at === 1 ? filter : null)!;
      steps.push(step);
      node = step.to;
    }
    expect(steps.map(({ added, sum, of, by }) => [added, sum, of, by])).toEqual([
      [-21, -20.5, 1, "contribution"],
      [10.5, 10.5, 1, "passed on"],
      [10.5, 10.5, 4, "highest"],
      [10.5, 10.5, 1, "passed on"],
      [6, 10.5, 2, "contribution"],
    ]);
    expect(node).toEqual({ layer: 0, channel: 1, position: [1, 1] });
    expect(stepBack(layers, outputs, node, null)).toBeNull();
    expect(nodesOf(steps).map((each) => each.layer)).toEqual([5, 4, 3, 2, 1, 0]);
  });

  test("of a sum and of layers side by side, it takes the right source", () => {
    const two = [
      layer("image", [1, 1, 2], []),
      layer("a", [1, 1, 2], [0]),
      layer("sum", [1, 1, 2], [0, 1], { operation: "sum" }),
      layer("both", [1, 1, 4], [0, 2], null, "Concatenate"),
      layer("odd", [1, 1, 4], [3], null, "Permute"),
    ];
    const values = [[1, 2], [5, -6], [6, -4], [1, 2, 6, -4], [9, 9, 9, 9]].map((line) => Float32Array.from(line));
    const from = (at: number, channel: number): Node => ({ layer: at, channel, position: [0, 0] });
    expect(stepBack(two, values, from(3, 3), null)!.to).toEqual(from(2, 1));
    expect(stepBack(two, values, from(2, 0), null)!.to).toEqual(from(1, 0));
    expect(stepBack(two, values, from(2, 1), null)!.to).toEqual(from(0, 1));
    expect(stepBack(two, values, from(4, 1), null)).toBeNull(); // the page doesn't know what it does
  });

  test("its tiles are among those that are shown", () => {
    expect(withChannels([1, 4, 7], [4])).toEqual([1, 4, 7]);
    expect(withChannels([1, 4, 7], [7, 9])).toEqual([1, 7, 9]);
    expect(withChannels([1], [3])).toEqual([3]);
    const columns = [
      { layer: 0, layers: [0], block: 0 },
      { layer: 2, layers: [1, 2], block: 1 },
    ];
    const nodes = [2, 1, 0].map((at) => ({ layer: at, channel: 0 }));
    expect(tilesOf(nodes, columns, [[0], [3, 0]])).toEqual([[1, 1], [0, 0]]);
  });
});
