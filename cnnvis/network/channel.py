"""How one channel of a CONV layer is computed: the sum of one term per input channel, and the bias."""

from dataclasses import dataclass, replace

import keras
import numpy as np


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
    return ChannelTerms(inputs, weights, parts, bias=bias, activation=layer.activation, output=output, first=first)


def has_filters(layer):
    """Whether a layer is a CONV layer with one filter per channel."""
    return type(layer.layer) in (keras.layers.Conv2D, keras.layers.DepthwiseConv2D)
