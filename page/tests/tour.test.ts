/** The tour: seven steps that are true for the network, whatever it is. */

import { describe, expect, test } from "vitest";

import { receptiveField } from "../src/arithmetic/receptiveField";
import { tourOf, type Hidden } from "../src/arithmetic/tour";
import type { Pair } from "../src/contract";
import { conv, elementwise, image, layer, NETWORKS, pool, seen } from "./networks";

const hidden = (probabilities: number[]): Hidden => ({ size: [3, 3], tried: 16, probabilities });
const said = (steps: ReturnType<typeof tourOf>, number: number) => steps[number - 1].text.join(" ");

describe.each(Object.keys(NETWORKS))("%s", (name) => {
  const network = NETWORKS[name]();
  const steps = tourOf(network, hidden([...Array.from(network.probabilities)].reverse()));

  test("has seven steps of one to three sentences without a number that is none", () => {
    expect(steps).toHaveLength(7);
    for (const { title, text } of steps) {
      expect(text.length).toBeGreaterThanOrEqual(1);
      expect(text.length).toBeLessThanOrEqual(3);
      for (const sentence of [title, ...text]) expect(sentence).not.toMatch(/undefined|NaN|Infinity|null|\[object|  |^[a-z].*[^.]$/);
      for (const sentence of text) expect(sentence).toMatch(/[.…]$/);
    }
    expect(new Set(steps.map(({ title }) => title)).size).toBe(7);
  });

  test("each step chooses a place that there is", () => {
    for (const { place } of steps) {
      const { shape } = network.layers[place.layer];
      expect(place.channel).toBeLessThan(shape.at(-1)!);
      const [height, width] = shape.length === 3 ? shape : [1, 1];
      if (!place.position) continue;
      expect(place.position[0]).toBeLessThan(height);
      expect(place.position[1]).toBeLessThan(width);
    }
  });
});

test("its numbers are those of the network", () => {
  const network = NETWORKS["CONV, RELU, POOL, FC, softmax"]();
  const steps = tourOf(network, null);
  const { outputs } = network;
  const pixel = [0, 1, 2].map((k) => outputs[0][(4 * 8 + 4) * 3 + k]);
  expect(said(steps, 1)).toContain(`row 4, column 4 is ${pixel[0]}, ${pixel[1]} and ${pixel[2]}.`);
  expect(said(steps, 1)).toContain("8×8 pixels, 3 numbers each (red, green and blue): 192 numbers in all");
  const top = Math.max(...outputs[1]);
  const { channel, position } = steps[1].place;
  expect(outputs[1][(position![0] * 8 + position![1]) * 4 + channel]).toBe(top);
  expect(said(steps, 2)).toContain("4 filters of 3×3×3 weights");
  expect(said(steps, 2)).toContain(`multiplies the 27 numbers under it by its weights and adds them up, and its bias of ${[0.5, 0.25, -0.5, 1][channel].toFixed(2).replace("-", "−")}`);
  expect(said(steps, 2)).toContain(`gives ${top.toFixed(2)}, the highest`);
  const negative = [...outputs[1]].filter((x) => x < 0).length / 256;
  expect(said(steps, 3)).toContain(`${Math.round(100 * negative)}% of its 256 inputs are negative`);
  expect(said(steps, 3)).toMatch(/−\S+ becomes 0\./);
  expect(said(steps, 4)).toContain("8×8 becomes 4×4 in every channel: 64 of 256 numbers are left");
  expect(said(steps, 6)).toContain("for each of the 10 classes fc weighs the 96 numbers before it");
  expect(said(steps, 7)).toContain("Trying patches");
});

test("the receptive fields that it names are those that the page frames", () => {
  const network = NETWORKS["CONV, RELU, POOL, FC, softmax"]();
  const step = tourOf(network, null)[4];
  const { rows, columns } = receptiveField(network.layers, step.place.layer, step.place.position as Pair);
  expect(network.layers[step.place.layer].name).toBe("deep");
  expect(step.text[0]).toContain("depends on 3×3 pixels");
  const size = `${rows[1] - rows[0] + 1}×${columns[1] - columns[0] + 1}`;
  expect(step.text[1]).toContain(size === "8×8" ? "all 8×8" : size);
});

test("what a network doesn't have is said, not made up", () => {
  const plain = tourOf(NETWORKS["no activation"](), null);
  expect(said(plain, 2)).toContain("no CONV layer");
  expect(said(plain, 3)).toContain("only weigh and add");
  expect(said(plain, 4)).toContain("This one has none. Nor has it any maps");
  const strange = tourOf(NETWORKS["layers that the page doesn't know"](), null);
  expect(said(strange, 3)).toContain("There may be some within rows (LSTM)");
  expect(said(strange, 6)).toContain("end ends with a score for each of the 4 classes");
  const strided = tourOf(NETWORKS["two classes in one unit"](), null);
  expect(said(strided, 4)).toContain("the filters of conv move 2 positions at a time (stride 2): 6×6 becomes 3×3");
  expect(said(strided, 6)).toContain("The last layer is yes (Layer), with 1 number for the 2 classes.");
  const bending = [image(4, 4, 3), layer("most", [2, 2, 3], [0], pool(2)), layer("sum", [3], [1], pool(2, "mean"))];
  expect(said(tourOf(seen(bending, 3), null), 3)).toContain("Only the maximum in its POOL layers");
});

test("an activation that is not RELU is explained by its own rule", () => {
  const layers = (how: ReturnType<typeof elementwise>) => [
    image(4, 4, 3),
    layer("conv", [4, 4, 2], [0], conv(3)),
    layer("bend", [4, 4, 2], [1], how),
    layer("mean", [2], [2], pool(4, "mean")),
  ];
  expect(said(tourOf(seen(layers(elementwise("elu", { alpha: 1 })), 2), null), 3)).toContain("bends each number x into x if it is positive, else eˣ − 1.");
  expect(said(tourOf(seen(layers(elementwise("relu", { max_value: 6 })), 2), null), 3)).toContain("cuts those above 6 off");
  const unknown = tourOf(seen(layers(elementwise("squareplus")), 2), null);
  expect(unknown[2].title).toBe("The activation squareplus");
  expect(said(unknown, 3)).toContain("The activation function squareplus, in bend, bends each number x. For this image");
});

test("hiding says what changed: who leads, or that nothing did", () => {
  const network = seen(NETWORKS["no activation"]().layers, 2, { probabilities: [0.9, 0.1], label: 1 });
  expect(said(tourOf(network, hidden([0.3, 0.7])), 7)).toContain("class 0 falls from 90% to 30%, and class 1 leads with 70%.");
  expect(said(tourOf(network, hidden([0.6, 0.4])), 7)).toContain("class 0 falls from 90% to 60% and still leads.");
  expect(said(tourOf(network, hidden([0.901, 0.099])), 7)).toContain("class 0 stays at 90% and still leads.");
  expect(said(tourOf(network, hidden([0.95, 0.05])), 7)).toContain("rises from 90% to 95%");
  expect(said(tourOf(network, null), 6)).toContain("In truth it is class 1.");
});
