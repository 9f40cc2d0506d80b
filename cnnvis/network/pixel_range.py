"""The pixels that a network takes: their range, and whether they are RGB or grey."""

import keras
import numpy as np

INPUT_RANGES = ((0, 255), (0, 1), (-1, 1))  # the common ones


class ToInput(keras.layers.Layer):
    """Converts (N, H, W, 3) pixels 0-255 to the channels and the range that a network takes."""

    def __init__(self, channels, input_range, **options):
        super().__init__(dtype="float32", **options)
        self.channels, self.input_range = channels, input_range

    def call(self, rgb):
        pixels = rgb
        if self.channels in (1, 2):
            luminance = np.array([0.299, 0.587, 0.114], "float32")  # ITU-R 601
            pixels = keras.ops.sum(rgb * luminance, axis=-1, keepdims=True)
        if self.channels in (2, 4):
            pixels = keras.ops.concatenate([pixels, 255 * keras.ops.ones_like(rgb[..., :1])], axis=-1)  # opaque
        low, high = self.input_range
        return pixels if (low, high) == (0, 255) else pixels * ((high - low) / 255) + low


def stated_range(model):
    """The pixel range that a model's first layers imply (Rescaling, Normalization); None if they imply none."""
    for layer in model.layers:
        if isinstance(layer, (keras.Sequential, keras.Model)):
            found = stated_range(layer)
        elif isinstance(layer, keras.layers.Rescaling):
            found = _rescaled_range(layer)
        elif isinstance(layer, keras.layers.Normalization):
            mean = np.max(keras.ops.convert_to_numpy(layer.mean))
            found = (0, 255) if mean > 2 else (0, 1) if 0 < mean < 1 else None
        else:
            found = None
        if found or layer.weights:
            return found
    return None


def _rescaled_range(layer):
    """The common range that a Rescaling maps onto another common one; None if that is true of none, or of several."""
    scale, offset = (np.asarray(value, dtype=float) for value in (layer.scale, layer.offset))
    if scale.size > 1 or offset.size > 1:  # a mean and a deviation for each colour
        return (0, 255) if np.max(np.abs(scale)) < 0.05 else None
    fits = [
        ends
        for ends in INPUT_RANGES
        if any(np.allclose(scale * np.array(ends) + offset, other, atol=0.01 * other[1]) for other in INPUT_RANGES)
    ]
    if len(fits) == 1:
        return fits[0]
    return (0, 255) if abs(float(scale)) < 0.05 else None
