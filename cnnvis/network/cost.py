"""What one image costs: a network that would fill the memory, or never end, is refused before it is computed.

The limits are for one image. What takes many passes says how long that is, and can be interrupted.
"""

import functools
import math
import time
from typing import NamedTuple

import keras
import numpy as np

from cnnvis.network.computing import compiled

MOST_VALUES = 2**27  # in memory at once: 512 MB of float32
MOST_KEPT = 2**29  # for the gradients of one image: 2 GB
MOST_MULTIPLICATIONS = 2**39  # for one image: ConvNeXtLarge at 384x384 takes about 2/3 of them
MOST_SUMMANDS = 2**14  # of a sum: TensorFlow's optimizer writes sums of sums as one, in exponential time
MOST_AT_ONCE = 2**37  # multiplications in a batch: some seconds, after which Ctrl-C is heard and the bar moves
A_VALUE = 2**5  # multiplications that take as long as reading or writing a value
A_GROUPED_VALUE = 2**8  # in a window of a grouped convolution, which TensorFlow computes group by group
A_SORTED_VALUE = 2**12
A_STEP = 2**22  # of a recurrent layer
HEAVY = 2**30  # multiplications of an image, from which the time that it takes is forecast

RECURRENT = (keras.layers.RNN, keras.layers.Bidirectional, keras.layers.TimeDistributed)
ATTENTION = (  # their scores have a value for each pair of places
    keras.layers.AdditiveAttention,
    keras.layers.Attention,
    keras.layers.GroupQueryAttention,
    keras.layers.MultiHeadAttention,
)
LINEAR = (  # unless they have an activation function
    keras.layers.Add,
    keras.layers.AveragePooling2D,
    keras.layers.BatchNormalization,
    keras.layers.Concatenate,
    keras.layers.Conv2D,
    keras.layers.Dense,
    keras.layers.DepthwiseConv2D,
    keras.layers.Dropout,
    keras.layers.Flatten,
    keras.layers.GlobalAveragePooling2D,
    keras.layers.Rescaling,
    keras.layers.ZeroPadding2D,
)
OF_TWO = {"Conv", "ConvTranspose", "Correlate", "Dot", "DotProductAttention", "Einsum", "Inner", "Matmul", "Tensordot"}
SORTING = {"Argsort", "Median", "Quantile", "Sort", "TopK"}
WINDOWS = {"ElasticTransform": "sigma", "GaussianBlur": "kernel_size", "SSIM": "filter_size"}  # which option says it


class Cost(NamedTuple):
    """Of one image: how many values are in memory at once; about how many multiplications, or what takes as long."""

    values: int
    multiplications: int

    def seconds(self, images):
        """A rough estimate of how many seconds so many images take on this machine; 0 if each takes little."""
        return images * self.multiplications / _speed() if self.multiplications >= HEAVY else 0.0


class TooLarge(ValueError):
    """One image takes too much: of so many values or multiplications, only a share (0-1) is possible."""

    def __init__(self, text, share, side=0):
        super().__init__(f"{text}: choose --image-size {side} or smaller" if side else text)
        self.text, self.share, self.side = text, share, side


def check(layers):
    """What it costs to compute one image.

    Parameters
    ----------
    layers : sequence of Layer
        In the order of computation.

    Returns
    -------
    Cost

    Raises
    ------
    TooLarge
        If one image takes too much memory or time.
    ValueError
        If it can't be told, or a sum is too long.
    """
    last_read = {id(x): number for number, layer in enumerate(layers) for x in layer.inputs}
    live, most, multiplications, summands = {}, 1, 0, {}
    for number, layer in enumerate(layers):
        outputs = keras.tree.flatten(layer.output)
        unknown = max((x.shape.count(None) for x in layer.inputs), default=1)  # 1: the batch, first or elsewhere
        if not isinstance(layer.layer, keras.layers.Layer) and any(x.shape.count(None) > unknown for x in outputs):
            raise ValueError(f"the size of {layer.name}'s output depends on the pixels or the batch: leave it out")
        live |= {id(x): values(x) for x in outputs}
        most = max(most, sum(live.values()) + _within(layer))
        multiplications += _multiplications(layer)
        live = {key: count for key, count in live.items() if last_read.get(key, 0) > number}
        summands |= dict.fromkeys(map(id, outputs), _summands(layer, summands))
    if most > MOST_VALUES:
        gigabytes = most * 4 / 2**30
        raise TooLarge(f"one image takes {gigabytes:,.1f} GB of memory, too much to compute", MOST_VALUES / most)
    if multiplications > MOST_MULTIPLICATIONS:
        billions, share = multiplications / 1e9, MOST_MULTIPLICATIONS / multiplications
        raise TooLarge(f"one image takes {billions:,.0f} billion steps, too many to compute", share)
    if max(summands.values(), default=1) > MOST_SUMMANDS:
        raise ValueError(f"the model adds up sums of sums, of more than {MOST_SUMMANDS:,} numbers, too many to compute")
    return Cost(most, max(1, multiplications))


def total(layers):
    """How many values the layers output for one image."""
    return sum(values(x) for layer in layers for x in keras.tree.flatten(layer.output))


def kept(layers, cost):
    """How many values are in memory for the gradients of one image, whose slope at linear layers is always the same."""
    curved = [layer for layer in layers if layer.activation != "linear" or not isinstance(layer.layer, LINEAR)]
    return total(curved) + 2 * cost.values


def values(tensor):
    """How many values a symbolic tensor has for one image; the batch may be elsewhere than first, as after a stack."""
    return math.prod(side or 1 for side in tensor.shape)


def _within(layer):
    """Values that a layer keeps beside its inputs and outputs."""
    name = type(layer.layer).__name__
    if isinstance(layer.layer, ATTENTION) and layer.inputs:
        places = [values(x) // x.shape[-1] for x in (layer.inputs[0], layer.inputs[-1])]
        each = values(layer.inputs[0]) // places[0] if isinstance(layer.layer, keras.layers.AdditiveAttention) else 1
        heads = getattr(layer.layer, "num_heads", getattr(layer.layer, "num_query_heads", 1))
        return math.prod(places) * max(each, heads)
    if isinstance(layer.layer, keras.layers.CategoryEncoding):
        return sum(map(values, layer.inputs)) * layer.layer.num_tokens
    if name == "ExtractPatches":
        return layer.output.shape[-1] ** 2
    if name in WINDOWS:
        side = 6 * max(map(abs, _numbers(getattr(layer.layer, WINDOWS[name]))), default=0)  # six deviations wide
        return side**2 * (layer.inputs[0].shape[-1] or 1)
    return 0


def _numbers(option):
    return [number for number in keras.tree.flatten(option) if isinstance(number, int | float)]


def _multiplications(layer):
    """About how many multiplications a layer takes, or what takes as long."""
    made, name = layer.layer, type(layer.layer).__name__
    outputs = sum(values(x) for x in keras.tree.flatten(layer.output))
    inputs = [values(x) for x in layer.inputs]
    last = keras.tree.flatten(layer.output)[0]
    is_first = getattr(made, "data_format", None) == "channels_first" and not layer.channels_first
    places = outputs // max(1, (last.shape[1] if is_first else last.shape[-1]) or 1)
    total = (outputs + sum(inputs)) * (A_SORTED_VALUE if name in SORTING else A_VALUE)
    if isinstance(made, RECURRENT) and inputs:
        total += (layer.inputs[0].shape[1] or 1) * A_STEP
        places = max(places, inputs[0] // (layer.inputs[0].shape[-1] or 1))
    kernels = (math.prod(w.shape) for w in getattr(made, "weights", ()) if len(w.shape) > 1)
    total += sum(kernel * places for kernel in kernels if kernel != outputs)  # else one weight for each output
    total += outputs * abs(math.prod(_numbers(getattr(made, "pool_size", 1))))
    if hasattr(made, "kernel_size") and getattr(made, "groups", 1) > 1:
        total += places * math.prod(made.kernel.shape[:-1]) * made.groups * A_GROUPED_VALUE
    if inputs and (isinstance(made, (keras.layers.Dot, *ATTENTION)) or name in OF_TWO):
        scores = _within(layer)
        total += scores * (inputs[0] // max(1, places)) if scores else math.isqrt(inputs[0] * inputs[-1] * outputs)
    return total


def _summands(layer, before):
    """Of how many numbers a layer's output is a sum, as far as no weights are between them."""
    if getattr(layer.layer, "weights", None):
        return 1
    found = [before.get(id(x), 1) for x in layer.inputs] or [1]
    return sum(found) if type(layer.layer).__name__ in ("Add", "Average", "Subtract") else max(found)


@functools.cache
def _speed():
    """Multiplications per second of a convolution on this machine, as busy as it is now."""
    layer = keras.layers.Conv2D(64, 3, padding="same", kernel_initializer="zeros")  # draws no random numbers
    convolve, image = compiled(keras.Sequential([keras.Input((64, 64, 64)), layer])), np.zeros((1, 64, 64, 64))
    convolve(image)
    began = time.perf_counter()
    for _ in range(10):
        convolve(image)
    return 10 * math.prod(layer.kernel.shape) * 64 * 64 / (time.perf_counter() - began)
