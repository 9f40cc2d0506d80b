/** What each kind of layer does, in a sentence. */

import { nameOf, rectifierOf } from "../arithmetic/activations";
import type { Layer, Parameters } from "../contract";

export function explanation(layer: Layer): string {
  switch (layer.arithmetic?.operation) {
    case "conv":
      return (
        "CONV: a small filter slides over the input. At each position it multiplies the input by its weights and sums the " +
        "products: high where the input looks like the filter, low where it looks like its opposite."
      );
    case "fc":
      return "FC: every unit multiplies all inputs by its weights and sums the products.";
    case "pool":
      return layer.arithmetic.pooling === "max"
        ? "POOL: the maximum of each window. It says that a feature is there, but not exactly where."
        : "POOL: the mean of each window. The output is smaller and smoother.";
    case "affine":
      return "Normalisation: each channel is multiplied by one number and shifted by another, so that all have a similar range.";
    case "sum":
      return "The outputs of several layers are added element by element.";
    case "function":
      if (layer.arithmetic.activation === "softmax")
        return "Softmax: scores become probabilities. e is raised to the power of each score; the results are divided by their sum.";
      return bending(layer.arithmetic.activation, layer.arithmetic.parameters);
    default:
      if (layer.type === "Concatenate") return "The outputs of several layers are put side by side.";
      return layer.kind === "image" ? "The image, as the network takes it." : `A ${layer.type} layer.`;
  }
}

function bending(activation: string, parameters: Parameters): string {
  const name = nameOf(activation, parameters);
  const bend = rectifierOf(activation, parameters);
  if (!bend || bend.threshold || (bend.slope && bend.most < Infinity)) return `Activation: the function ${name} is applied to each value.`;
  const { slope, most } = bend;
  if (slope) return `${name}: negative values are multiplied by ${slope}, others stay.`;
  if (most < Infinity) return `${name}: negative values become 0, those above ${most} become ${most}, others stay.`;
  return `${name}: negative values become 0, others stay. Without it, many layers could do no more than one.`;
}
