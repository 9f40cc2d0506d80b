"""Windows, and the words about them, against the outputs that single pixels reach."""

import itertools
import re

import keras
import numpy as np
import pytest
from keras import layers

from cnnvis import keras_internals
from cnnvis.network.classifier import Layer
from cnnvis.network.layer_kinds import kind_of
from cnnvis.network.outputs import size_change
from cnnvis.network.window import windows

SIZE = (7, 6)
WORDS = re.compile(
    r"(?P<size>\d+×\d+) window(, dilation (?P<dilation>[\d×]+) \(spans (?P<spans>\d+×\d+)\))?"
    r"(, stride (?P<stride>[\d×]+))?(, (?P<padding>padded|no padding))?"
    r": (?P<before>\d+×\d+) (?P<verb>stays|becomes) (?P<after>\d+×\d+)"
)
MOVING = {
    "CONV": lambda size, **how: layers.Conv2D(1, size, **how),
    "depthwise": lambda size, **how: layers.DepthwiseConv2D(size, **how),
    "separable": lambda size, **how: layers.SeparableConv2D(1, size, **how),
    "maximum": lambda size, dilation_rate, **how: layers.MaxPooling2D(size, **how),
    "mean": lambda size, dilation_rate, **how: layers.AveragePooling2D(size, **how),
}


def numbers(words):
    """ "3×2" -> (3, 2), and "2" -> (2, 2)"""
    found = tuple(map(int, (words or "1").split("×")))
    return found * 2 if len(found) == 1 else found


def recorded(keras_layer):
    x = keras.Input((*SIZE, 1))
    output = keras_layer(x)
    keras_layer.set_weights([np.full(weight.shape, float(weight.ndim > 1)) for weight in keras_layer.get_weights()])
    return Layer("it", kind_of(keras_layer), keras_layer, (x,), linear=output, output=output, activation="linear")


def reached(layer, axis):
    """Which values along an axis of its output depend on which of its input: (outputs, inputs) bool array."""
    alone = np.eye(SIZE[0] * SIZE[1], dtype="float32").reshape(-1, *SIZE, 1)
    outputs = np.abs(keras.ops.convert_to_numpy(layer.layer(alone)))[..., 0].reshape(*SIZE, *layer.output.shape[1:3])
    return outputs.any(axis=(1 - axis, 3 - axis)).T


@pytest.mark.parametrize("kind", MOVING)
def test_windows_and_words_are_true(kind):
    checked = 0
    for size, strides, dilation, padding in itertools.product(
        (1, 2, 3, (3, 2), 9), (1, 2, 3, (2, 1)), (1, 2, (1, 3)), ("same", "valid")
    ):
        equal = isinstance(strides, int) or kind not in ("depthwise", "separable")  # which TensorFlow can't compute
        if (strides != 1 and dilation != 1) or (dilation != 1 and kind in ("maximum", "mean")) or not equal:
            continue
        options = {"strides": strides, "dilation_rate": dilation, "padding": padding}
        try:
            layer = recorded(MOVING[kind](size, **options))
        except ValueError:  # larger than the image
            continue
        if 0 in layer.output.shape:  # which some Keras allow
            continue
        words, found = size_change(layer), WORDS.fullmatch(size_change(layer))
        assert found or (size, strides, words) == (1, 1, ""), words
        short = hangs_over = False
        for axis, window in enumerate(windows(layer)):
            seen = reached(layer, axis)
            places = np.arange(len(seen))[:, None] * window.stride - window.before
            places = places + np.arange(window.size) * window.dilation
            expected = (places[:, :, None] == np.arange(SIZE[axis])).any(axis=1)
            np.testing.assert_array_equal(seen, expected, err_msg=f"{options}, {size}")
            hangs_over |= bool(((places < 0) | (places >= SIZE[axis])).any())
            short |= len(seen) < np.ceil(SIZE[axis] / window.stride)
            if found:
                told = [numbers(found[key])[axis] for key in ("size", "dilation", "stride", "before", "after")]
                assert told == [window.size, window.dilation, window.stride, SIZE[axis], len(seen)], words
                assert not found["spans"] or numbers(found["spans"])[axis] == window.extent, words
        if found:
            assert found["padding"] == ("padded" if hangs_over else "no padding" if short else None), words
            assert (found["verb"] == "stays") == (found["before"] == found["after"]), words
        checked += 1
    assert checked >= 20


@pytest.mark.parametrize("padding", ["same", "valid"])
@pytest.mark.parametrize(("size", "strides", "dilation"), [(3, 1, 1), ((3, 2), 2, 1), (2, (1, 2), 1), (2, 1, (1, 2))])
def test_words_about_a_transposed_convolution_are_true(size, strides, dilation, padding):
    if dilation != 1 and not keras_internals.uses_onednn():
        pytest.skip("on CPUs, only oneDNN computes it")
    options = {"strides": strides, "dilation_rate": dilation, "padding": padding}
    layer = recorded(layers.Conv2DTranspose(1, size, **options))
    prefix, words = size_change(layer).split(" spreads over a ")
    found = WORDS.fullmatch(words)
    assert prefix == "each value"
    assert windows(layer) is None
    assert numbers(found["before"]) == SIZE
    assert numbers(found["after"]) == layer.output.shape[1:3]
    for axis in (0, 1):
        middle, neighbour = (np.flatnonzero(reached(layer, axis)[:, place]) for place in (3, 4))
        assert len(middle) == numbers(found["size"])[axis]
        assert set(np.diff(middle)) <= {numbers(found["dilation"])[axis]}
        assert set(neighbour - middle) == {numbers(found["stride"])[axis]}
