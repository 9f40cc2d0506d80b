"""The pixels that a network takes: their range, and whether they are RGB or grey."""

import inspect
import math

import keras
import numpy as np

from cnnvis.network.walking import tensors, walk

INPUT_RANGES = ((0, 255), (0, 1), (-1, 1))  # the common ones
CAFFE_MEANS = (103.939, 116.779, 123.68)  # of blue, green and red in ImageNet
TORCH_MEANS, TORCH_DEVIATIONS = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of red, green and blue, 0-1
SCALED = {  # what first layers make of black and white of each range
    (0, 255): ((0, 1), (-1, 1), (-0.5, 0.5), (0, 2), (0, 255)),
    (0, 1): ((0, 255), (-1, 1), (-0.5, 0.5), (0, 1)),
    (-1, 1): ((0, 255), (0, 1)),
}
MOST_VALUES = 2**24  # in a tensor that is computed to find the range
STANDARDISED = {(0, 255): (0.9, 12), (0, 1): (0.9, 12), (-1, 1): (2.1, 5)}  # from black to white, the mean being 0


class ToInput(keras.layers.Layer):
    """Converts (N, H, W, 3) pixels 0-255 to the channels and the range that a network takes.

    "caffe" and "torch" are the modes of Keras's `imagenet_utils.preprocess_input`.
    """

    def __init__(self, channels, input_range, **options):
        super().__init__(dtype="float32", **options)
        if isinstance(input_range, str) and channels != 3:
            raise ValueError(
                f"the pixel range {input_range} is for colour images, and the model takes {channels} "
                f"channel{'s' * (channels > 1)}: give its lowest and its highest value instead"
            )
        self.channels, self.input_range = channels, input_range

    def call(self, rgb):
        if self.input_range == "caffe":
            return keras.ops.flip(rgb, axis=-1) - np.array(CAFFE_MEANS, "float32")
        if self.input_range == "torch":
            return (rgb / 255 - np.array(TORCH_MEANS, "float32")) / np.array(TORCH_DEVIATIONS, "float32")
        pixels = rgb
        if self.channels in (1, 2):
            luminance = np.array([0.299, 0.587, 0.114], "float32")  # ITU-R 601
            pixels = keras.ops.sum(rgb * luminance, axis=-1, keepdims=True)
        if self.channels in (2, 4):
            pixels = keras.ops.concatenate([pixels, 255 * keras.ops.ones_like(rgb[..., :1])], axis=-1)  # opaque
        low, high = self.input_range
        return pixels if (low, high) == (0, 255) else pixels * ((high - low) / 255) + low


def stated_range(model):
    """The common pixel range that a model's first layers and operations imply; None if they imply none, or several.

    What comes before the first layer with weights is computed for a black, a grey and a white image. So it doesn't
    matter by which layers, operations and nested models the pixels are scaled, or in how many steps.
    """
    if "int" in model.inputs[0].dtype:
        return 0, 255
    count, *shape = model.inputs[0].shape
    shape = (count or 1, *(side or 32 for side in shape))
    if math.prod(shape) > MOST_VALUES:
        return None
    try:
        black, grey, white = (_scaled(model, np.full(shape, value, "float32")) for value in (0, 128, 255))
    except Exception:  # third-party layers may raise anything; the classifier will, too, and say so
        return None
    scale = (white - black) / 255
    if not np.allclose(black + 128 * scale, grey, rtol=0.01, atol=0.01 * np.ptp(np.stack([black, white]))):
        return None
    varies = np.abs(scale) > 1e-9  # the frame of ZeroPadding2D doesn't
    return _implied_range(scale[varies], black[varies])


class _Reached(Exception):
    """The first layer with weights is reached; it is given the tensors in `args`."""


def _scaled(model, pixels):
    """What a model makes of pixels before its first layer with weights: an array of any shape."""

    def call(layer, *inputs, **options):
        if getattr(layer, "weights", ()) and not isinstance(layer, keras.layers.Normalization):
            raise _Reached(*tensors((inputs, options)))
        if "training" in inspect.signature(layer.call).parameters:
            options["training"] = False  # else layers that augment images do so
        args, kwargs = keras.tree.map_structure(_symbolic, (inputs, options))
        for output in keras.tree.flatten(layer.compute_output_spec(*args, **kwargs)):
            if math.prod(output.shape) > MOST_VALUES:
                raise ValueError("too large to compute")
        return layer(*inputs, **options)

    try:
        x = walk(model, keras.ops.convert_to_tensor(pixels), call)
    except _Reached as reached:
        x = reached.args[0]
    return x.numpy().astype("float32")


def _symbolic(x):
    return keras.KerasTensor(x.shape, keras.backend.standardize_dtype(x.dtype)) if keras.ops.is_tensor(x) else x


def _implied_range(scale, shift):
    """The common range of pixels for which scale * pixels + shift, (n,) float arrays, gives what networks are fed."""
    if not scale.size:
        return None
    inverts = (scale < 0).all()
    ends = {r: np.stack([scale * r[0] + shift, scale * r[1] + shift], axis=1) for r in INPUT_RANGES}
    fits = [
        r
        for r, targets in SCALED.items()
        if any(
            np.allclose(np.sort(ends[r]), target, atol=0.01 * (target[1] - target[0])) and (target != r or inverts)
            for target in targets
        )
    ]
    if not fits and shift.any():
        fits = [r for r, least_and_most in STANDARDISED.items() if _is_standardised(ends[r], *least_and_most)]
    return fits[0] if len(fits) == 1 else None


def _is_standardised(ends, least, most):
    """Whether black and white, (n, 2), look as if the mean of images were subtracted, and the rest perhaps scaled."""
    black, white = ends.T
    width, mean = np.abs(white - black), -black / (white - black)
    is_scaled = (least <= width) & (width <= most) | np.isclose(width, 255, rtol=0.01)
    return bool((is_scaled & (mean > 0.02) & (mean < 0.98)).all())


def whole(pixels):
    """Pixels without fractions, as Keras casts them for integer inputs, but with the gradient of the pixels."""
    almost = 1e-3  # a grey pixel that is a little less than a whole number by rounding
    return keras.ops.floor(pixels + almost) + (pixels - keras.ops.stop_gradient(pixels))
