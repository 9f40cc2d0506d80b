"""How one channel of a CONV layer is computed: the sum of one term per input channel, and the bias."""

from dataclasses import dataclass, replace

import keras
import numpy as np

from cnnvis.network.window import windows


@dataclass(frozen=True)
class ChannelTerms:
    """The terms that add up to one channel of a CONV layer, for one image.

    Attributes
    ----------
    inputs : (h, w, c) float32 array
        The input channels that the filter is applied to.
    weights : (kh, kw, c) float32 array
        The filter.
    parts : (h', w', c) float32 array
        The contribution of each input channel: `parts.sum(axis=-1) + bias` is the value before the activation.
    bias : float
    activation : str
        The layer's own activation function; "linear" if it has none.
    output : (h', w') float32 array
        After the activation function.
    first : int
        Index of `inputs[..., 0]` among the layer's input channels; above 0 for grouped and depthwise convolutions.
    """

    inputs: np.ndarray
    weights: np.ndarray
    parts: np.ndarray
    bias: float
    activation: str
    output: np.ndarray
    first: int = 0

    def most(self, count):
        """Only the input channels with the largest contributions, in that order, and their indices in the input."""
        order = np.argsort(-np.abs(self.parts).sum(axis=(0, 1)), kind="stable")[:count]
        few = {name: getattr(self, name)[..., order] for name in ("inputs", "weights", "parts")}
        return replace(self, **few), self.first + order


def channel_terms(classifier, layer, image, channel):
    """Compute the terms of one channel for one image.

    Parameters
    ----------
    classifier : Classifier
    layer : Layer
    image : (H, W, 3) array
        Pixels 0-255, of the classifier's size.
    channel : int

    Returns
    -------
    ChannelTerms

    Raises
    ------
    ValueError
        If the layer has no such channel, or isn't a CONV layer with one filter per channel.
    """
    conv, channels = layer.layer, layer.output.shape[-1]
    if not has_filters(layer):
        raise ValueError(
            f"{layer.name} is not a CONV layer with one filter per channel: leave out --channel or name other --layers"
        )
    if channel >= channels:
        raise ValueError(f"{layer.name} has no channel {channel}: it has 0 to {channels - 1}")
    if (along := windows(layer)) is None:
        raise ValueError(
            f"{layer.name} takes its input's channels for rows or columns: leave out --channel or name other --layers"
        )
    seen = classifier.model_to([layer.inputs[0], layer.output])(np.asarray(image, "float32")[None])
    inputs, output = (keras.ops.convert_to_numpy(maps).astype("float32") for maps in seen)
    kernel, first = keras.ops.convert_to_numpy(conv.kernel), 0
    if isinstance(conv, keras.layers.DepthwiseConv2D):
        first, copy = divmod(channel, conv.depth_multiplier)
        weights = kernel[:, :, first : first + 1, copy]
    else:
        weights = kernel[..., channel]
        first = channel // (channels // conv.groups) * weights.shape[-1]
    inputs, weights = inputs[0, ..., first : first + weights.shape[-1]], weights.astype("float32")
    bias = float(keras.ops.convert_to_numpy(conv.bias)[channel]) if conv.use_bias else 0.0
    found = {"bias": bias, "activation": layer.activation, "output": output[0, ..., channel], "first": first}
    return ChannelTerms(inputs, weights, _parts(inputs, weights, along), **found)


def _parts(inputs, weights, along):
    """Each input channel convolved with its part of the filter: (h, w, c), (kh, kw, c) -> (h', w', c)."""
    padded = np.pad(inputs, [*((axis.before, axis.after) for axis in along), (0, 0)])
    seen = np.lib.stride_tricks.sliding_window_view(padded, [axis.extent for axis in along], (0, 1))
    rows, columns = along
    seen = seen[:: rows.stride, :: columns.stride, :, :: rows.dilation, :: columns.dilation]
    return np.einsum("yxcij,ijc->yxc", seen, weights)


def has_filters(layer):
    """Whether a layer is a CONV layer with one filter per channel."""
    return type(layer.layer) in (keras.layers.Conv2D, keras.layers.DepthwiseConv2D)
