"""Our layers differ from Keras's in speed only."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from cnnvis.training import fast_layers
from tests.conftest import rounding


@pytest.mark.parametrize("shape", [(6, 5, 7, 3), (2, 3, 4, 1)])
def test_row_normalization_agrees_with_keras(shape):
    """A difference and a quotient."""
    x = np.random.default_rng(0).integers(0, 256, shape).astype("float32")
    statistics = {"mean": [120.5, 0.0, 99.9][: shape[-1]], "variance": [4000.0, 0.0, 3901.3][: shape[-1]]}
    pixels = keras.Input(shape[1:])
    theirs, ours = (
        keras.Model(pixels, kind(**statistics)(pixels))
        for kind in (keras.layers.Normalization, fast_layers.RowNormalization)
    )
    assert ours.output_shape == theirs.output_shape
    np.testing.assert_allclose(ours(x), theirs(x), rtol=rounding(2))


@pytest.mark.parametrize("shape", [(6, 5, 5, 3), (6, 3)])
@pytest.mark.parametrize("is_training", [True, False])
def test_fused_batch_normalization_agrees_with_keras(shape, is_training):
    layers = [
        kind(scale=False, momentum=0.9, epsilon=1e-5)
        for kind in (keras.layers.BatchNormalization, fast_layers.FusedBatchNormalization)
    ]
    rng = np.random.default_rng(0)
    x = rng.normal(3, 2, shape).astype("float32")
    for layer in layers:
        layer.build(shape)
        layer.set_weights([np.array([1, 2, 3]), np.array([2, 3, 4]), np.array([1, 4, 9])])
    ours, theirs = (layer(x, training=is_training) for layer in layers)
    np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5)
    count = x.size // 3
    np.testing.assert_allclose(layers[0].moving_mean, layers[1].moving_mean, rtol=1e-5)
    unbiased = count / (count - 1)  # the fused kernel divides by n - 1
    old, new = 0.9 * np.array([1, 4, 9]), layers[0].moving_variance - 0.9 * np.array([1, 4, 9])
    expected = old + new * unbiased if is_training else layers[0].moving_variance
    np.testing.assert_allclose(layers[1].moving_variance, expected, rtol=1e-4)


@pytest.mark.parametrize(("size", "count"), [((7, 7), 9), ((3, 3), 8), ((3, 5), 1), ((8, 2), 23), ((2, 15), 3)])
def test_packed_convolution_agrees_with_keras(size, count):
    """Outputs, and gradients of inputs and filters, whether or not the last row of images is full."""
    rng = np.random.default_rng(0)
    x, upstream = (tf.constant(rng.normal(size=(count, *size, channels)), "float32") for channels in (4, 5))
    kernel, found = rng.normal(size=(3, 3, 4, 5)), []
    for kind in (keras.layers.Conv2D, fast_layers.PackedConv2D):
        layer = kind(5, 3, padding="same", use_bias=False)
        layer.build(x.shape)
        layer.set_weights([kernel])
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = layer(x)
        found.append([y, *tape.gradient(y, [x, layer.kernel.value], upstream)])
    for own, packed in zip(*found):
        np.testing.assert_allclose(packed, own, rtol=1e-4, atol=1e-4)


def test_only_small_maps_are_packed(monkeypatch):
    asked = []
    monkeypatch.setattr(fast_layers, "_packed_convolution", lambda inputs, kernel: asked.append(inputs.shape) or inputs)
    layer = fast_layers.PackedConv2D(3, 3, padding="same", use_bias=False)
    for width in (15, 8, 9, 3):
        layer(tf.zeros((1, 5, width, 3)))
    assert [shape[2] for shape in asked] == [8, 3]
