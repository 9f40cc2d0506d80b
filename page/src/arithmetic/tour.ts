/** A tour of any network in seven steps: what each says of this network and this image, in their own numbers. */

import type { Conv, Fc, Pair } from "../contract";
import { softmax } from "./activations";
import { digits, short, times } from "./formatting";
import { at, biasOf, block, isIdentity } from "./layers";
import { best, counted, indexOfMost, isMap, listed, placeAt, share, sizeOf, where, type Seen, type Step } from "./seen";
import { activation } from "./tourOfActivation";
import { deeper, pooling } from "./tourOfMaps";

/** What happened when a patch was hidden: the one of `tried` patches that lowered the verdict's probability most. */
export interface Hidden {
  /** Height and width in pixels. */
  size: Pair;
  tried: number;
  probabilities: ArrayLike<number>;
}

const SAME = 1e-2; // largest difference between probabilities that are taken for the same

export function tourOf(seen: Seen, hidden: Hidden | null): Step[] {
  return [numbers(seen), filter(seen), activation(seen), pooling(seen), deeper(seen), verdict(seen), hiding(seen, hidden)];
}

function numbers({ layers, outputs, colours }: Seen): Step {
  const whole = block(layers[0], outputs[0]);
  const { height, width, channels } = whole;
  const position: Pair = [height >> 1, width >> 1];
  const pixel = Array.from({ length: channels }, (_, k) => digits(at(whole, ...position, k), 4));
  const each = channels === 1 ? "one number each" : `${channels} numbers each`;
  const kinds = channels === 3 ? ` (${listed(colours)})` : channels === 1 ? ", its brightness" : "";
  return {
    title: "An image is numbers",
    text: [
      `To the network this image is ${times([height, width])} pixels, ${each}${kinds}: ${counted(sizeOf(layers[0]))} numbers in all.`,
      `The pixel in row ${position[0]}, column ${position[1]} is ${listed(pixel)}.`,
      "Whatever the network says, it works out from these numbers alone.",
    ],
    place: { layer: 0, channel: 0, position },
    shows: ["image", "working"],
  };
}

function filter(seen: Seen): Step {
  const { layers, outputs } = seen;
  const of = (operation: string) => layers.findIndex((layer) => layer.arithmetic?.operation === operation);
  const layer = of("conv") > 0 ? of("conv") : of("fc") > 0 ? of("fc") : layers.findIndex((one) => one.sources.length > 0 && !isIdentity(one));
  const place = placeAt(seen, Math.max(layer, 0), indexOfMost(outputs[Math.max(layer, 0)]));
  const { name, type, arithmetic, shape, sources } = layers[place.layer];
  const value = short(outputs[place.layer][indexOfMost(outputs[place.layer])]);
  if (arithmetic?.operation === "conv") {
    const inputs = arithmetic.depthwise ? 1 : layers[sources[0]].shape.at(-1)! / arithmetic.groups;
    const weights = [...arithmetic.size, inputs];
    const all = shape[0] * shape[1] > 1 ? `, and uses the same weights at all ${times(shape.slice(0, 2))} positions` : "";
    return {
      title: "A filter slides",
      text: [
        `CONV: ${name} has ${shape[2]} filters of ${times(weights)} weights.`,
        `Filter ${place.channel} slides over the output of ${layers[sources[0]].name}${all}. At each it multiplies the ` +
          `${counted(weights.reduce((a, b) => a * b, 1))} numbers under it by its weights and adds them up${afterwards(arithmetic, place.channel)}.`,
        `In row ${place.position[0]}, column ${place.position[1]} this gives ${value}, the highest number in the layer: here the input looks most like the filter.`,
      ],
      place,
      shows: ["working"],
      slides: true,
    };
  }
  if (arithmetic?.operation === "fc")
    return {
      title: "A unit weighs everything",
      text: [
        `This network has no CONV layer, so no filter slides. FC: ${name} has ${counted(shape[0])} units.`,
        `Each multiplies all ${counted(sizeOf(layers[sources[0]]))} numbers before it by weights of its own and adds them up${afterwards(arithmetic, place.channel)}.`,
        `Unit ${place.channel} gives ${value}, the highest number in the layer.`,
      ],
      place,
      shows: ["working"],
    };
  return {
    title: "The first layer",
    text: [
      `This network has no CONV layer that the page can work out step by step. Its first layer is ${name} (${type}).`,
      `Of ${counted(sources.length ? sizeOf(layers[sources[0]]) : 0)} numbers it makes ${counted(sizeOf(layers[place.layer]))}; the highest is ${value}, in ${where(seen, place)}.`,
    ],
    place,
    shows: ["working"],
  };
}

function afterwards(arithmetic: Conv | Fc, channel: number): string {
  const bias = arithmetic.bias ? `, and its bias of ${short(biasOf(arithmetic, channel))}` : "";
  return bias + (arithmetic.activation === "linear" ? "" : `; ${arithmetic.activation} follows`);
}

function verdict(seen: Seen): Step {
  const { layers, outputs, classes, probabilities, label } = seen;
  const last = layers.length - 1;
  const order = best(probabilities);
  const told = (k: number) => `${classes[k]} ${share(probabilities[k])}`;
  const truth = label < 0 ? "" : label === order[0] ? ` That is right.` : ` In truth it is ${classes[label]}.`;
  const byClass = layers[last].shape.length === 1 && layers[last].shape[0] === classes.length;
  const place = { layer: last, channel: byClass ? order[0] : 0, position: null };
  const scores = scoresOf(seen);
  const top = order.slice(0, 2);
  if (scores === null)
    return {
      title: "The verdict",
      text: [
        `The last layer is ${layers[last].name} (${layers[last].type}), with ${counted(sizeOf(layers[last]))} ${sizeOf(layers[last]) === 1 ? "number" : "numbers"} for the ${classes.length} classes.`,
        `For this image the probabilities are ${listed(top.map(told))}${classes.length > 2 ? "; the others are lower" : ""}.${truth}`,
      ],
      place,
      shows: ["verdict", "working"],
    };
  const { name, arithmetic, sources } = layers[scores];
  const isFc = arithmetic?.operation === "fc";
  return {
    title: isFc ? "FC and softmax: the verdict" : "Softmax: the verdict",
    text: [
      isFc
        ? `FC: for each of the ${classes.length} classes ${name} weighs the ${counted(sizeOf(layers[sources[0]]))} numbers before it into a score.`
        : `${name} ends with a score for each of the ${classes.length} classes.`,
      `Softmax makes probabilities of them that add up to 100%: e to the power of each score, divided by the sum of all.`,
      `${listed(top.map((k) => `${classes[k]} has a score of ${short(outputs[scores][k])} and gets ${share(probabilities[k])}`))}.${truth}`,
    ],
    place,
    shows: ["working", "verdict"],
  };
}

/** The layer whose outputs are the scores that softmax makes the probabilities of; null if there is none. */
function scoresOf({ layers, outputs, probabilities, classes }: Seen): number | null {
  const last = layers.length - 1;
  const { arithmetic, sources } = layers[last];
  const isSoftmax = arithmetic?.operation === "function" && arithmetic.activation === "softmax";
  const scores = isSoftmax ? sources[0] : last;
  if (scores === undefined || isMap(layers[scores]) || outputs[scores].length !== classes.length) return null;
  const found = softmax(Array.from(outputs[scores]));
  return found.every((p, k) => Math.abs(p - probabilities[k]) <= SAME) ? scores : null;
}

function hiding({ layers, classes, probabilities }: Seen, hidden: Hidden | null): Step {
  const [height, width] = layers[0].shape;
  const [now] = best(probabilities);
  const place = { layer: layers.length - 1, channel: layers.at(-1)!.shape[0] === classes.length ? now : 0, position: null };
  const step = { title: "Hide a patch", place, shows: ["image", "verdict"] as Step["shows"] };
  if (!hidden) return { ...step, text: [`Which part of the image makes it say ${classes[now]}? Trying patches …`] };
  const [other] = best(hidden.probabilities);
  const [before, after] = [share(probabilities[now]), share(hidden.probabilities[now])];
  const changed =
    before === after
      ? `stays at ${before}`
      : `${hidden.probabilities[now] < probabilities[now] ? "falls" : "rises"} from ${before} to ${after}`;
  return {
    ...step,
    text: [
      `One patch of ${times(hidden.size)} of the ${times([height, width])} pixels now has the image's mean colour. Of ${hidden.tried} places this one costs ${classes[now]} most.`,
      other === now
        ? `${classes[now]} ${changed} and still leads.`
        : `${classes[now]} ${changed}, and ${classes[other]} leads with ${share(hidden.probabilities[other])}.`,
      "Move over the image to hide other places: where the verdict falls, it looked.",
    ],
  };
}

