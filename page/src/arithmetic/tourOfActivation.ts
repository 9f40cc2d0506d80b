/** The tour's third step: the first activation function, whatever it is. */

import type { Layer } from "../contract";
import { activationOf, nameOf } from "./activations";
import { digits, short } from "./formatting";
import { isIdentity } from "./layers";
import { counted, indexOfMost, placeAt, share, where, type Seen, type Step } from "./seen";

const NONE = ["linear", "softmax"];

function functionOf({ arithmetic }: Layer) {
  return arithmetic && "activation" in arithmetic && !NONE.includes(arithmetic.activation) ? arithmetic : null;
}

export function activation(seen: Seen): Step {
  const { layers, outputs } = seen;
  const layer = layers.findIndex((one) => functionOf(one));
  if (layer < 0) return without(seen);
  const { name, sources } = layers[layer];
  const how = functionOf(layers[layer])!;
  const own = how.operation === "function";
  const given = own ? outputs[sources[0]] : null;
  const index = indexOfMost(given ?? outputs[layer], given ? (x) => -x : undefined); // the lowest: there it bends
  const place = placeAt(seen, layer, index);
  const { negative_slope: slope, threshold, max_value: most } = how.parameters;
  const isRelu = how.activation.startsWith("relu") && !slope && !threshold;
  const rule = activationOf(how.activation, how.parameters)?.rule;
  const called = nameOf(how.activation, how.parameters);
  const limit = how.activation === "relu6" ? 6 : most;
  const what = isRelu
    ? `RELU: ${own ? name : `relu in ${name}`} turns negative numbers into 0${limit !== undefined ? `, cuts those above ${limit} off` : ""} and lets the others pass.`
    : `The activation function ${called}, in ${name}, bends each number x${rule ? ` into ${rule}` : ""}.`;
  const negative = Array.from(given ?? []).filter((x) => x < 0).length;
  const zeros = outputs[layer].reduce((sum, x) => sum + (x === 0 ? 1 : 0), 0);
  const total = counted(outputs[layer].length);
  const measured = given
    ? `For this image ${share(negative / given.length)} of its ${total} inputs are negative.`
    : isRelu
      ? `For this image ${share(zeros / outputs[layer].length)} of its ${total} numbers are 0.`
      : `For this image its ${total} numbers reach from ${short(Math.min(...outputs[layer]))} to ${short(Math.max(...outputs[layer]))}.`;
  const example = given
    ? ` In ${where(seen, place)}, ${digits(given[index], 3)} becomes ${digits(outputs[layer][index], 3)}.`
    : ` The highest is ${short(outputs[layer][index])}, in ${where(seen, place)}.`;
  return {
    title: isRelu ? "RELU" : `The activation ${called}`,
    text: [what, measured + example],
    place,
    shows: own ? ["working"] : ["working", "totals"],
  };
}

function without(seen: Seen): Step {
  const { layers, outputs } = seen;
  const unknown = layers.find((layer) => layer.sources.length > 0 && !layer.arithmetic && !isIdentity(layer) && !/Flatten|Reshape/.test(layer.type));
  const bends = layers.some(({ arithmetic }) => arithmetic?.operation === "pool" && arithmetic.pooling === "max");
  const layer = Math.max(1, unknown ? layers.indexOf(unknown) : layers.findIndex(({ arithmetic }) => arithmetic?.operation === "fc"));
  const at = Math.min(layer, layers.length - 1);
  return {
    title: "No RELU here",
    text: [
      "Most networks have RELU layers, which turn negative numbers into 0. This one has no activation function before its verdict that the page could show.",
      unknown
        ? `There may be some within ${unknown.name} (${unknown.type}), whose working the page doesn't know.`
        : bends
          ? "Only the maximum in its POOL layers is no weighted sum."
          : "So all its layers up to the scores only weigh and add: together they can do no more than a single one.",
    ],
    place: placeAt(seen, at, indexOfMost(outputs[at])),
    shows: ["working"],
  };
}
