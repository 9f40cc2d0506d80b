"""The outputs of layers for one image, from one forward pass, and why they have the size they have."""

import keras
import numpy as np

from cnnvis.network import cost
from cnnvis.network.window import takes_channels_for_rows, windows

SHOWN = ("CONV", "RELU", "POOL", "FC")  # kinds of layers that are shown by default


def layer_outputs(classifier, image, names=None):
    """Outputs of layers for one image.

    Parameters
    ----------
    classifier : Classifier
    image : (H, W, 3) array
        Pixels 0-255, of the classifier's size.
    names : sequence of str, optional
        Layers; every CONV, RELU, POOL and FC layer if not given.

    Returns
    -------
    dict of str to float32 array
        (h, w, c) or (units,), in the order of the network.

    Raises
    ------
    ValueError
        If there is no layer of such a name or to show, an output has another shape, or together they fill the memory.
    """
    if names is None:
        shown = [layer for layer in classifier.layers.values() if layer.kind in SHOWN]
        names = [layer.name for layer in shown if _is_of_images(layer.output.shape)]
        if not names:
            raise ValueError("the model has no CONV, RELU, POOL or FC layer to show: name others with --layers")
    for name in names:
        shape = classifier.layer(name).output.shape
        if not _is_of_images(shape):
            shape = shape[1:] if shape[0] is None else shape
            raise ValueError(f"the output of {name} is {shape}, neither (height, width, channels) nor (units,)")
    ordered = [name for name in classifier.layers if name in names]
    values = cost.total(classifier.layers[name] for name in ordered)
    if values > 2 * cost.MOST_VALUES:
        smaller = f", or --image-size {side}" if (side := classifier.side(2 * cost.MOST_VALUES / values)) else ""
        raise ValueError(f"outputs of these layers take {values / 2**28:.1f} GB: choose some with --layers{smaller}")
    outputs = classifier.outputs(np.asarray(image)[None], ordered)
    return {name: array[0] for name, array in outputs.items()}


def size_change(layer):
    """Why a layer's output has its height and width, in words; "" if there is nothing to say.

    Layer -> str, such as "2×2 window, stride 2: 30×30 becomes 15×15"; ", padded" or ", no padding" follows where the
    size depends on it.
    """
    kind = layer.layer
    if layer.kind not in ("CONV", "POOL") or takes_channels_for_rows(layer):
        return ""
    before, after = layer.inputs[0].shape[1:-1], layer.output.shape[1:-1]
    if isinstance(kind, keras.layers.Conv2DTranspose):
        spread = _window(kind.kernel_size, kind.strides, kind.dilation_rate)
        return f"each value spreads over a {spread}: {_becomes(before, after)}"
    if (along := windows(layer)) is None:
        return ""
    if len(after) != 2 or "Global" in type(kind).__name__:
        return f"each {_times(before)} channel becomes one value"
    sizes, strides, dilations = zip(*((axis.size, axis.stride, axis.dilation) for axis in along))
    if max(*sizes, *strides) == 1:
        return ""
    padding = ""
    if any(axis.before + axis.after for axis in along):
        padding = ", padded"
    elif after != tuple(-(-length // stride) for length, stride in zip(before, strides)):
        padding = ", no padding"
    return f"{_window(sizes, strides, dilations)}{padding}: {_becomes(before, after)}"


def _is_of_images(shape):
    return len(shape) in (2, 4) and shape[0] is None  # not where the batch is elsewhere, as after a stack


def _window(sizes, strides, dilations):
    words = f"{_times(sizes)} window"
    if max(dilations) > 1:
        spans = [(size - 1) * dilation + 1 for size, dilation in zip(sizes, dilations)]
        words += f", dilation {_one_or_both(dilations)} (spans {_times(spans)})"
    return words if max(strides) == 1 else f"{words}, stride {_one_or_both(strides)}"


def _one_or_both(lengths):
    return _times(lengths[:1] if lengths[0] == lengths[1] else lengths)


def _becomes(before, after):
    return f"{_times(before)} {'stays' if before == after else 'becomes'} {_times(after)}"


def _times(lengths):
    return "×".join(map(str, lengths))
