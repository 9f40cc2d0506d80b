/** The tour's fourth and fifth step: how maps become smaller, and how much of the image a value sees. */

import type { Pair } from "../contract";
import { atDecimals, decimalsOf, digitsFor } from "./digits";
import { digits, fixed, times } from "./formatting";
import { across, at, block, windowPositions } from "./layers";
import { receptiveField } from "./receptiveField";
import { counted, indexOfMost, isMap, listed, placeAt, sizeOf, where, type Place, type Seen, type Step } from "./seen";

const LARGEST_WINDOW = 9; // values that are listed

export function pooling(seen: Seen): Step {
  const { layers, outputs } = seen;
  const pools = layers.flatMap(({ arithmetic, shape }, layer) =>
    arithmetic?.operation === "pool" ? [{ arithmetic, layer, global: shape.length === 1 }] : [],
  );
  const found = pools.find(({ global }) => !global) ?? pools[0];
  if (!found) return withoutPooling(seen);
  const { arithmetic, layer, global } = found;
  const { name, sources } = layers[layer];
  const source = layers[sources[0]];
  const place = placeAt(seen, layer, indexOfMost(outputs[layer]));
  const isMax = arithmetic.pooling === "max";
  const window = global ? "each whole channel" : `each window of ${times(arithmetic.size)}`;
  const sizes = `${times(source.shape.slice(0, 2))} ${global ? "numbers become one" : `becomes ${times(layers[layer].shape.slice(0, 2))}`}`;
  const input = block(source, outputs[sources[0]]);
  const values = windowPositions(arithmetic, place.position)
    .flat()
    .map(([row, column]) => at(input, row, column, place.channel))
    .filter((x) => !Number.isNaN(x));
  return {
    title: "POOL: smaller maps",
    text: [
      `POOL: ${name} keeps the ${isMax ? "maximum" : "mean"} of ${window}, so ${sizes} in every channel: ${counted(sizeOf(layers[layer]))} of ${counted(sizeOf(source))} numbers are left.`,
      worked(values, isMax, where(seen, place)),
      isMax ? "That something is there is kept; where exactly is not." : "The maps become smaller and smoother.",
    ],
    place,
    shows: ["working"],
  };
}

/** The values of a window and what becomes of them, as it holds on a calculator. */
function worked(values: number[], isMax: boolean, place: string): string {
  const calculate = (shown: number[]) => (isMax ? Math.max(...shown) : shown.reduce((a, b) => a + b, 0) / shown.length);
  const result = calculate(values);
  const decimals = decimalsOf(result);
  const count = digitsFor(values, calculate, result, decimals);
  const given = values.length <= LARGEST_WINDOW ? `${listed(values.map((x) => digits(x, count)))} become` : `${values.length} numbers become`;
  return `In ${place}, ${given} ${fixed(atDecimals(result, decimals), decimals)}.`;
}

function withoutPooling(seen: Seen): Step {
  const { layers, outputs } = seen;
  const strided = layers.findIndex(({ arithmetic }) => arithmetic?.operation === "conv" && Math.max(...arithmetic.strides) > 1);
  const maps = layers.flatMap((layer, place) => (place > 0 && isMap(layer) ? [place] : []));
  const layer = strided > 0 ? strided : (maps.at(-1) ?? Math.min(1, layers.length - 1));
  const { name, arithmetic, sources, shape } = layers[layer];
  const from = sources.length ? times(layers[sources[0]].shape.slice(0, 2)) : "";
  const stride = arithmetic && "strides" in arithmetic ? arithmetic.strides[0] : 1;
  return {
    title: "No POOL here",
    text: [
      "Many networks have POOL layers, which keep one number of each window, so that maps become smaller. This one has none.",
      strided > 0
        ? `Instead, the filters of ${name} move ${stride} positions at a time (stride ${stride}): ${from} becomes ${times(shape.slice(0, 2))}.`
        : maps.length
          ? `The image has ${times(layers[0].shape.slice(0, 2))} positions, and the maps of its last layer with maps, ${name}, have ${times(shape.slice(0, 2))}.`
          : "Nor has it any maps: its units have no place in the image.",
    ],
    place: placeAt(seen, layer, indexOfMost(outputs[layer])),
    shows: ["working"],
  };
}

export function deeper(seen: Seen): Step {
  const { layers } = seen;
  const maps = layers.flatMap(({ arithmetic, shape }, layer) =>
    layer > 0 && shape.length === 3 && arithmetic && "size" in arithmetic ? [layer] : [],
  );
  const first = maps[0];
  const last = maps.at(-1) ?? layers.findIndex((layer, place) => place > 0 && !isMap(layer));
  const place = inTheMiddle(seen, Math.max(last, 0));
  const all = times(layers[0].shape.slice(0, 2));
  const { name } = layers[place.layer];
  const size = seenBy(seen, place);
  const step = { title: "Deeper layers see more", place, shows: ["image", "working"] as Step["shows"] };
  if (first === undefined)
    return {
      ...step,
      title: "How much it sees",
      text: [
        `In networks with filters a value of an early layer depends on a small part of the image, and a deep one on more.`,
        `In this one ${where(seen, place)} of ${name} depends on ${size === all ? `all ${all}` : size} pixels, framed in the image.`,
      ],
    };
  const early = inTheMiddle(seen, first);
  const many = `depends on ${size === all ? `all ${all}` : size}, framed in the image`;
  const atEnd = seenBy(seen, { layer: layers.length - 1, channel: 0, position: [0, 0] });
  return {
    ...step,
    text: [
      `A value in the middle of ${layers[first].name}, the first layer with a window, depends on ${seenBy(seen, early)} pixels of the image.`,
      first === last
        ? `There is no second one; each of the ${counted(sizeOf(layers.at(-1)!))} numbers at the end depends on ${atEnd === all ? `all ${all}` : atEnd}.`
        : `One in the middle of ${name}, channel ${place.channel}, ${many}: it combines what the layers before it found.`,
      first === last ? "" : "So early layers can only respond to edges and colours, and later ones to larger things.",
    ].filter(Boolean),
  };
}

/** The highest value in the middle of a layer. */
function inTheMiddle({ layers, outputs }: Seen, layer: number): Place {
  const whole = block(layers[layer], outputs[layer]);
  const position: Pair = [whole.height >> 1, whole.width >> 1];
  return { layer, channel: indexOfMost(across(whole, position)), position };
}

/** The height and width of a receptive field, in pixels. */
function seenBy({ layers }: Seen, { layer, channel, position }: Place): string {
  const { rows, columns } = receptiveField(layers, layer, position as Pair, channel);
  return times([rows[1] - rows[0] + 1, columns[1] - columns[0] + 1]);
}
