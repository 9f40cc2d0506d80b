"""The receptive field of a unit: the part of the image that its value depends on."""

from dataclasses import dataclass

import keras
import numpy as np

from cnnvis.network.layouts import moves_only_channels
from cnnvis.network.window import windows

POINTWISE = (  # names of layers and operations, in lower case
    *("activation", "alphadropout", "batchnormalization", "dropout", "gaussiandropout", "gaussiannoise", "identity"),
    *("normalization", "rescaling", "spatialdropout2d"),
    *("absolute", "cast", "clip", "negative", "power", "sqrt", "square"),
    *("add", "average", "concatenate", "divide", "maximum", "minimum", "multiply", "subtract", "truedivide"),
)
ALONG_CHANNELS = ("layernormalization", "logsoftmax", "softmax", "sparsemax")  # pointwise if that is their axis


@dataclass(frozen=True)
class Field:
    """Receptive fields along one axis of a layer: unit i sees `size` pixels from start + i * stride on.

    Attributes
    ----------
    start : int
        First pixel of unit 0; negative if it sees padding.
    size : int
        In pixels.
    stride : int
        Pixels from one unit's field to the next one's.
    """

    start: int = 0
    size: int = 1
    stride: int = 1

    def of_unit(self, index, length):
        """First and last (exclusive) pixel that a unit sees of `length` pixels."""
        first = self.start + index * self.stride
        return max(first, 0), min(first + self.size, length)


def receptive_fields(classifier, layer):
    """Receptive fields of a layer: a `Field` for rows and one for columns; None if every unit sees the whole image.

    Follows the graph back to the image through the layers that CNNs are commonly made of. Any other layer, such as
    Flatten, Dense or a transposed convolution, is assumed to see its whole input.

    Source: Araujo, Norris & Sim, "Computing receptive fields of convolutional neural networks", Distill 2019.
    """
    fields = {id(classifier.entry): (Field(), Field())}
    for known in classifier.layers.values():
        fields[id(known.output)] = _fields(known, classifier, [fields.get(id(x)) for x in known.inputs])
        if known is layer:
            return fields[id(known.output)]


def _fields(layer, classifier, before):
    """Fields of a layer along rows and columns from those `before` it; None if unknown."""
    if len(getattr(layer.output, "shape", ())) != 4:
        return None
    if _adds_the_channel(layer, classifier):
        return Field(), Field()
    if None in before or not before:
        return None
    if _is_pointwise(layer):
        merged = tuple(map(_merged, zip(*before)))
        return None if None in merged else merged
    window = _window(layer)
    return None if window is None or len(before) > 1 else tuple(map(_moved, before[0], window))


def _adds_the_channel(layer, classifier):
    """Whether a layer makes (N, H, W, 1) of the images, where a network takes them as (N, H, W) or (N, values)."""
    grey = classifier.channels == 1 and len(classifier.fed.shape) != 4
    return grey and layer.inputs == (classifier.fed,) and layer.output.shape == classifier.entry.shape


def _merged(fields):
    if len({field.stride for field in fields}) > 1:
        return None
    start = min(field.start for field in fields)
    return Field(start, max(field.start + field.size for field in fields) - start, fields[0].stride)


def _moved(field, window):
    before, extent, stride = window
    return Field(
        start=field.start - before * field.stride,
        size=field.size + (extent - 1) * field.stride,
        stride=field.stride * stride,
    )


def _is_pointwise(layer):
    """Whether a layer's output at a place depends on nothing but its inputs at that place."""
    name = type(layer.layer).__name__.lower()
    if any(x.shape[1:3] != layer.output.shape[1:3] for x in layer.inputs):
        return False
    if name in ALONG_CHANNELS or (name == "activation" and "max" in layer.activation):
        axes = np.atleast_1d(getattr(layer.layer, "axis", -1)) % 4
        return axes.tolist() == [1 if layer.channels_first else 3]
    if name.startswith("random") or moves_only_channels(layer):  # random layers do nothing but in training
        return True
    return name in POINTWISE or layer.kind == "RELU"


def _window(layer):
    """Padding in front, extent of the window and stride, in values of the input, for rows and columns, or None."""
    if isinstance(layer.layer, keras.layers.ZeroPadding2D):
        return tuple((before, 1, 1) for before, _ in layer.layer.padding)
    if isinstance(layer.layer, keras.layers.Cropping2D):
        return tuple((-before, 1, 1) for before, _ in layer.layer.cropping)
    found = windows(layer)
    return found and tuple((along.before, along.extent, along.stride) for along in found)
