"""The window that a CONV or POOL layer moves over its input."""

from dataclasses import dataclass, replace

import keras

from cnnvis.network.layer_kinds import CONV, POOL


@dataclass(frozen=True)
class Window:
    """A window along one axis, in values of the layer's input.

    Attributes
    ----------
    size : int
        Values under it.
    stride : int
    dilation : int
        From one value under it to the next.
    before, after : int
        Padding at both ends.
    """

    size: int
    stride: int
    dilation: int = 1
    before: int = 0
    after: int = 0

    @property
    def extent(self):
        """From the first to the last value under it."""
        return (self.size - 1) * self.dilation + 1


def windows(layer):
    """The windows of a CONV or POOL layer along rows and columns, a global one as large as the input.

    None for other layers, for transposed convolutions, and if it `takes_channels_for_rows`.
    """
    kind = layer.layer
    if not isinstance(kind, (*CONV, *POOL)) or isinstance(kind, keras.layers.Conv2DTranspose):
        return None
    lengths = layer.inputs[0].shape[1:-1]
    if None in lengths or takes_channels_for_rows(layer):
        return None
    if not hasattr(kind, "strides"):
        return tuple(Window(length, length) for length in lengths)
    sizes = kind.pool_size if isinstance(kind, POOL) else kind.kernel_size
    dilations = getattr(kind, "dilation_rate", (1, 1))
    return tuple(
        _padded(Window(*of_axis), length, kind.padding)
        for *of_axis, length in zip(sizes, kind.strides, dilations, lengths)
    )


def takes_channels_for_rows(layer):
    """Whether a layer's data format is not that of its input, so that it computes, but not on feature maps."""
    return (layer.layer.data_format == "channels_first") != layer.channels_first


def _padded(window, length, padding):
    if padding == "valid":
        return window
    missing = max((-(-length // window.stride) - 1) * window.stride + window.extent - length, 0)
    return replace(window, before=missing // 2, after=missing - missing // 2)
