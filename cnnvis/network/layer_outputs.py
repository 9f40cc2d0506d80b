"""What each layer passes on for a picture, all layers in one forward pass; and how one channel comes about."""

from dataclasses import dataclass, replace

import keras
import numpy as np

SHOWN = ("CONV", "RELU", "POOL", "FC")  # kinds of layers that are shown if none are named


def layer_outputs(classifier, image, names=None):
    """Outputs of layers for one picture.

    Parameters
    ----------
    classifier : Classifier
    image : (H, W, 3) array
        Pixels 0-255, of the classifier's size.
    names : sequence of str, optional
        Layers; every CONV, RELU, POOL and FC layer if not said.

    Returns
    -------
    dict of str to float32 array
        (h, w, c) or (units,), in the order of the network.

    Raises
    ------
    ValueError
        If there is no layer of such a name, or its output is neither.
    """
    if names is None:
        shown = [layer for layer in classifier.layers.values() if layer.kind in SHOWN]
        names = [layer.name for layer in shown if len(layer.output.shape) in (2, 4)]
    for name in names:
        shape = classifier.layer(name).output.shape
        if len(shape) not in (2, 4):
            raise ValueError(f"{name} gives {shape[1:]}, neither (height, width, channels) nor (units,)")
    ordered = [name for name in classifier.layers if name in names]
    outputs = classifier.outputs(np.asarray(image)[None], ordered)
    return {name: array[0] for name, array in outputs.items()}


def size_change(layer):
    """Why a layer's output is as high and wide as it is, in words; "" where there is nothing to say.

    Layer -> str, such as "2×2 cells, 2 apart: 30×30 becomes 15×15"
    """
    before, after = layer.inputs[0].shape[1:-1], layer.output.shape[1:-1]
    if layer.kind not in ("CONV", "POOL") or len(before) != 2:
        return ""
    if len(after) != 2 or "Global" in type(layer.layer).__name__:
        return f"all {_times(before)} cells become one number a channel"
    steps = tuple(layer.layer.strides)
    window = getattr(layer.layer, "kernel_size", None) or layer.layer.pool_size
    words = f"{_times(window)} cells" + (
        f", {_times(steps) if steps[0] != steps[1] else steps[0]} apart" * (max(steps) > 1)
    )
    if tuple(before) == tuple(after):
        return f"{words}: {_times(before)} stays so, as the border is padded" * (max(window) > 1)
    why = ", none beyond the border" if max(steps) == 1 and layer.layer.padding == "valid" else ""
    return f"{words}{why}: {_times(before)} becomes {_times(after)}"


def _times(lengths):
    return "×".join(map(str, lengths))


@dataclass(frozen=True)
class Working:
    """How one channel of a CONV layer comes about: each input channel, filtered, adds its part.

    Attributes
    ----------
    inputs : (h, w, c) float32 array
        The input channels that the filter sees.
    weights : (kh, kw, c) float32 array
        The filter: its weights for each of them.
    parts : (h', w', c) float32 array
        What each of them adds: `parts.sum(axis=-1) + bias` is the output before the layer's own activation function.
    bias : float
    activation : str
        The layer's own activation function; "linear" if it has none.
    output : (h', w') float32 array
        What the layer passes on.
    first : int
        Where the first of the input channels stands in the input: filters of groups see some only.
    """

    inputs: np.ndarray
    weights: np.ndarray
    parts: np.ndarray
    bias: float
    activation: str
    output: np.ndarray
    first: int = 0

    def most(self, count):
        """The same of the input channels that add or take away most, most first; and which of the input these are."""
        order = np.argsort(-np.abs(self.parts).sum(axis=(0, 1)), kind="stable")[:count]
        few = {name: getattr(self, name)[..., order] for name in ("inputs", "weights", "parts")}
        return replace(self, **few), self.first + order


def working(classifier, layer, image, channel):
    """How a channel comes about for a picture.

    Parameters
    ----------
    classifier : Classifier
    layer : Layer
    image : (H, W, 3) array
        Pixels 0-255, of the classifier's size.
    channel : int

    Returns
    -------
    Working

    Raises
    ------
    ValueError
        If the layer has no such channel, or isn't a CONV layer with a filter for each channel.
    """
    conv, channels = layer.layer, layer.output.shape[-1]
    if not has_filters(layer):
        raise ValueError(
            f"{layer.name} is no CONV layer with a filter for each channel: leave out --channel, or name one"
        )
    if channel >= channels:
        raise ValueError(f"{layer.name} has no channel {channel}: it has 0 to {channels - 1}")
    inputs, output = classifier.model_to([layer.inputs[0], layer.output])(np.asarray(image, "float32")[None])
    kernel, first = keras.ops.convert_to_numpy(conv.kernel), 0
    if isinstance(conv, keras.layers.DepthwiseConv2D):
        first, copy = divmod(channel, conv.depth_multiplier)
        weights = kernel[:, :, first : first + 1, copy]
    else:
        weights = kernel[..., channel]
        first = channel // (channels // conv.groups) * weights.shape[-1]
    inputs = inputs[..., first : first + weights.shape[-1]]
    options = {"strides": conv.strides, "padding": conv.padding, "dilation_rate": conv.dilation_rate}
    parts = keras.ops.depthwise_conv(inputs, weights[..., None], **options)
    bias = float(keras.ops.convert_to_numpy(conv.bias)[channel]) if conv.use_bias else 0.0
    inputs, parts, output = map(keras.ops.convert_to_numpy, (inputs[0], parts[0], output[0, ..., channel]))
    return Working(inputs, weights, parts, bias, layer.activation, output, first)


def has_filters(layer):
    """Whether a layer is a CONV layer with a filter for each channel."""
    return type(layer.layer) in (keras.layers.Conv2D, keras.layers.DepthwiseConv2D)
