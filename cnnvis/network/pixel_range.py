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
            return stated_range(layer)
        if isinstance(layer, keras.layers.Rescaling) and np.max(np.abs(layer.scale)) < 0.05:
            return (0, 255)
        if isinstance(layer, keras.layers.Normalization):
            mean = np.max(keras.ops.convert_to_numpy(layer.mean))
            return (0, 255) if mean > 2 else (0, 1) if 0 < mean < 1 else None
        if layer.weights:
            return None
    return None
