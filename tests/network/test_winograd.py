"""Winograd's convolution equals TensorFlow's own in all but speed."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from cnnvis.network import winograd
from cnnvis.network.classifier import Classifier


def test_the_matrices_give_a_row_of_a_convolution():
    rng = np.random.default_rng(0)
    row, weights = rng.normal(size=6), rng.normal(size=3)
    of_tile, of_filter, of_products = winograd.matrices()
    expected = np.correlate(row, weights, "valid")
    np.testing.assert_allclose(of_products @ (of_tile @ row * (of_filter @ weights)), expected, atol=1e-12)


@pytest.mark.parametrize("size", [(1, 1), (3, 3), (4, 9), (7, 7), (15, 6)])
@pytest.mark.parametrize("padding", ["same", "valid"])
@pytest.mark.parametrize("traced", [False, True])
def test_convolutions_equal_tensorflows(size, padding, traced):
    if padding == "valid" and min(size) < 3:
        size = (3, 3)  # the smallest with an output
    rng = np.random.default_rng(0)
    images, kernel = rng.normal(size=(5, *size, 7)), rng.normal(size=(3, 3, 7, 4))
    expected = tf.nn.conv2d(images, kernel, 1, padding.upper())  # in float64
    convolve = winograd.convolve
    if traced:  # for batches of any length
        signature = tf.TensorSpec((None, *size, 7)), tf.TensorSpec(kernel.shape), padding
        convolve = tf.function(winograd.convolve, autograph=False).get_concrete_function(*signature)
        output = convolve(tf.constant(images, tf.float32), tf.constant(kernel, tf.float32))
    else:
        output = convolve(tf.constant(images, tf.float32), tf.constant(kernel, tf.float32), padding)
    np.testing.assert_allclose(output, expected, atol=1e-4)  # of sums of 63 products


def network(wide=winograd.LEAST_CHANNELS):
    """CONV layers of many kinds; only `pays` and `valid` can be computed faster."""
    keras.utils.set_random_seed(0)
    x = inputs = keras.Input((16, 16, 3))
    x = layers.Conv2D(wide, 3, padding="same", activation="relu", name="narrow")(x)
    x = layers.Conv2D(wide, 3, padding="same", activation="relu", name="pays")(x)
    x = layers.Conv2D(wide, 3, activation="relu", name="valid")(x)
    for name, options in {
        "strides": {"strides": 2, "padding": "same"},
        "dilated": {"dilation_rate": 2, "padding": "same"},
        "grouped": {"groups": 2, "padding": "same"},
        "small": {},  # 5x5 outputs
    }.items():
        x = layers.Conv2D(wide, 3, activation="relu", name=name, **options)(x)
    x = layers.Conv2D(wide, 1, name="one")(x)
    return keras.Model(inputs, layers.Dense(5)(layers.GlobalAveragePooling2D()(x)))


def test_only_layers_where_it_pays_off_are_computed_this_way(monkeypatch):
    model, seen = network(), []
    convolve = winograd.convolve
    monkeypatch.setattr(winograd, "convolve", lambda *given: seen.append(given[0].shape) or convolve(*given))
    images = np.random.default_rng(0).normal(size=(3, 16, 16, 3)).astype("float32")
    expected = model(images)
    assert not seen
    with winograd.fast_convolutions(model):
        outputs = model(images)
    wide = winograd.LEAST_CHANNELS
    assert seen == [(3, 16, 16, wide), (3, 16, 16, wide)]
    np.testing.assert_allclose(outputs, expected, atol=1e-5)
    np.testing.assert_array_equal(model(images), expected)
    assert len(seen) == 2


def test_layers_are_restored_after_an_error():
    model = network()
    with pytest.raises(RuntimeError), winograd.fast_convolutions(model):
        raise RuntimeError
    assert not [layer.name for layer in model.layers if "convolution_op" in vars(layer)]


def test_an_image_has_the_same_probabilities_in_a_batch_and_alone():
    classifier = Classifier(network())
    images = np.random.default_rng(0).integers(0, 256, (winograd.FAST_FROM + 1, 16, 16, 3), dtype="uint8")
    together, alone = (classifier.probabilities(images, size) for size in (None, 1))
    np.testing.assert_allclose(together, alone, atol=1e-5)


@pytest.mark.parametrize("name", ["narrow", "valid", "one"])
def test_feature_maps_have_the_same_gradients_in_a_batch_and_alone(name, monkeypatch):
    """Of a layer before those that are computed this way, of one of them, and of one behind them."""
    classifier, seen = Classifier(network()), []
    convolve = winograd.convolve
    monkeypatch.setattr(winograd, "convolve", lambda *given: seen.append(given) or convolve(*given))
    images = np.random.default_rng(0).integers(0, 256, (winograd.FAST_FROM, 16, 16, 3), dtype="uint8")
    targets = np.arange(len(images)) % 5
    (together,) = classifier.feature_gradients("logit", images, targets, name)
    assert len(seen) == 2
    for found, alone in zip(together, zip(*each_alone(classifier, images, targets, name))):
        alone = np.concatenate(alone)
        np.testing.assert_allclose(found, alone, atol=1e-5 * np.abs(alone).max())
    assert len(seen) == 2


def each_alone(classifier, images, targets, name):
    for image, target in zip(images, targets):
        yield from classifier.feature_gradients("logit", image[None], [target], name)
