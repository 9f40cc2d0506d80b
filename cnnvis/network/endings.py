"""What a network's output means: probabilities, or logits.

Where the last layer has an activation function, it says so. Where operations follow (a mean of several networks, a
clip, a cast, heads put side by side), the values of a few test images tell, and whether the operations keep any values
within 0 and 1: softmax must never be applied to what is a probability already.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import keras
import numpy as np

from cnnvis.network import layer_kinds
from cnnvis.network.computing import Computed

SMALLEST = 1e-7  # probability whose logarithm is taken where there are no logits: float16 rounds smaller ones to 0
MOST_VALUES = 2**22  # of layers, whose values are replaced by random ones
TOLERANCE = 5e-3  # of the sum of probabilities in float16 or bfloat16
SATURATING = ("softmax", "sigmoid")  # activation functions whose inputs are logits
PROBABILITIES = (*SATURATING, "hard_sigmoid", "sparse_sigmoid", "sparsemax")


@dataclass(frozen=True)
class Ending:
    """Symbolic logits and probabilities of a network.

    Attributes
    ----------
    logits : (N, K) tensor
        One number per class to explain; log-probabilities where the network has no logits.
    probabilities : (N, K) tensor
    notice : str
        What a user should know about how the output was read; "" where it is plain.
    """

    logits: object
    probabilities: object
    notice: str = ""


def read(layers, output, evaluate: Callable):
    """Find out what a network's output means.

    Parameters
    ----------
    layers : sequence of Layer
        Of the network.
    output : (N, K) symbolic tensor
    evaluate : callable
        Symbolic tensor -> its (M, K) values for `probe_images`. It is called only where the last layer doesn't tell.

    Returns
    -------
    Ending
        Of two classes if K is 1: the output is, or leads to, the probability of the second.

    Raises
    ------
    ValueError
        If the output is constant, one unit after a softmax, or whole numbers, such as the class chosen.
    """
    if not keras.backend.is_float_dtype(output.dtype):
        raise ValueError(f"the model outputs whole numbers ({output.dtype}): save it without its last step, say argmax")
    makers = {id(tensor): layer for layer in layers for tensor in keras.tree.flatten(layer.output)}
    last, reshapes = _last(makers, output)
    one = output.shape[-1] == 1
    activation = last.activation if last else "linear"
    if activation == "softmax" and one:
        raise ValueError("the model ends in a softmax over one unit, which is always 1: use a sigmoid, or two units")
    if activation == "softmax" and getattr(last.layer, "axis", -1) == 0:
        raise ValueError("the model ends in a softmax over the images of a batch: save it with axis=-1")
    if activation in PROBABILITIES:
        has_logits = activation in SATURATING and last.linear is not last.output
        return _of_probabilities(output, reshapes(last.linear) if has_logits else None)
    if activation == "log_softmax":  # softmax gives the probabilities back
        return _of_logits(output)
    if activation == "linear" and (last is None or last.kind in ("CONV", "FC")):
        return _of_logits(output)
    if activation != "linear":
        return _of_logits(output, f"The model ends in {activation}: its outputs are taken for logits.")
    values = evaluate(output)
    values = values[np.isfinite(values).all(axis=1)]
    if _are_within_0_and_1(values):
        add_up = not one and np.abs(values.sum(axis=1) - 1).max() < TOLERANCE
        if add_up or _is_of_probabilities(makers, output):
            return _of_probabilities(output, _logits_side_by_side(makers, output))
    if len(values) and values.min() < 0:  # as log-probabilities, too
        return _of_logits(output)
    return _of_logits(output, "The model's outputs don't look like probabilities: they are taken for logits.")


def probe_images(height, width):
    """Test images: strong and weak noise, black, white, two colours: (M, H, W, 3) float32, pixels 0-255."""
    rng = np.random.default_rng(0)
    strong, weak = rng.uniform(0, 255, (2, height, width, 3)), rng.normal(128, 20, (1, height, width, 3)).clip(0, 255)
    flat = [np.full((height, width, 3), level) for level in (0, 255)]
    split = np.zeros((height, width, 3))
    split[: height // 2] = (255, 128, 0)
    return np.stack([*strong, *weak, *flat, split]).astype("float32")


def _last(makers, output):
    """The layer whose values the output shows, reshaped at most; and a function that reshapes other values likewise."""
    trailing, x = [], output
    while (last := makers.get(id(x))) and last.activation == "linear" and layer_kinds.only_reshapes(last.layer):
        trailing.append(last.layer)
        x = last.inputs[0]

    def reshapes(values):
        for layer in reversed(trailing):
            values = layer(values)
        return values

    return last, reshapes


def _of_logits(output, notice=""):
    if output.shape[-1] != 1:
        return Ending(output, keras.layers.Softmax(dtype="float32", name="cnnvis_softmax")(output), notice)
    notice = notice or "The model has one unit without activation: it is taken for the logit of the second class."
    second = Computed(keras.ops.sigmoid, "sigmoid")(output)
    return Ending(Computed(_two_logits, "logits")(output), Computed(_two_classes, "probabilities")(second), notice)


def _of_probabilities(output, logits=None):
    notice = ""
    if output.shape[-1] == 1:
        output = Computed(_two_classes, "probabilities")(output)
        logits = None if logits is None else Computed(_two_logits, "logits")(logits)
    if logits is None:
        logits = Computed(lambda p: keras.ops.log(keras.ops.maximum(p, SMALLEST)), "log_probabilities")(output)
        notice = "The model has no logits: --score logit is the logarithm of the probability."
    return Ending(logits, output, notice)


def _two_classes(second):
    return keras.ops.concatenate([1 - second, second], axis=-1)


def _two_logits(second):
    return keras.ops.concatenate([-second, second], axis=-1)


def _logits_side_by_side(makers, x):
    """The logits of sigmoids that are put side by side; None if the tensor is something else."""
    layer = makers[id(x)]
    if type(layer.layer).__name__ != "Concatenate":
        return None
    heads = [_last(makers, source) for source in layer.inputs]
    if all(last and last.activation == "sigmoid" and last.linear is not last.output for last, _ in heads):
        return layer.layer([reshapes(last.linear) for last, reshapes in heads])
    return None


def _is_of_probabilities(makers, output):
    """Whether a tensor comes from outputs of softmax, sigmoid and the like, or is within 0 and 1 by its operations."""
    sources = _sources(makers, output)
    if not sources:
        return False
    if all(layer.activation in PROBABILITIES for layer in sources):
        return True
    tensors = keras.tree.flatten([layer.linear for layer in sources])
    shapes = [x.shape[1:] for x in tensors]
    if any(None in shape for shape in shapes) or sum(map(math.prod, shapes)) > MOST_VALUES:
        return False
    rng, model = np.random.default_rng(0), keras.Model(tensors, output)
    given = ([rng.normal(0, size, (1, *shape)) for shape in shapes] for size in (0.01, 0.1, 1, 1, 10, 10, 100))
    try:
        values = np.concatenate([keras.ops.convert_to_numpy(model(one)).astype("float32") for one in given])
    except Exception:  # anything, where a layer computes several views of an image as a batch
        return False
    return _are_within_0_and_1(values[np.isfinite(values).all(axis=1)])


def _are_within_0_and_1(values):
    return len(values) > 0 and values.min() >= -TOLERANCE and values.max() <= 1 + TOLERANCE


def _sources(makers, output):
    """The last layers before a tensor that have weights or give probabilities; None if there are none on some way."""
    pending, sources, seen = [output], [], set()
    while pending:
        layer = makers.get(id(pending.pop()))
        if layer is None:
            return None
        if layer.name in seen:  # many layers may read the same one
            continue
        seen.add(layer.name)
        if layer.activation in PROBABILITIES or getattr(layer.layer, "weights", None):
            sources.append(layer)
        elif layer.inputs:
            pending.extend(layer.inputs)
        else:
            return None
    return sources
