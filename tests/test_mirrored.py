"""Networks of mirrored pairs see a picture as its mirror image, and are the plain ones that they are written out as."""

import keras
import numpy as np
import pytest

from cnnvis import mirrored, training
from models.convnet import build_model


def mirrored_deep(pictures, widths=(16, 32, 32), input_shape=(32, 32, 3)):
    model = build_model("deep", 10, (120,) * 3, (4000,) * 3, 3, input_shape, widths, kinds=mirrored.MIRRORED_KINDS)
    normalized = (pictures - 120) / np.sqrt(4000)
    model.get_layer("whitening").set_weights([training.whitening_filters(normalized)])
    rng = np.random.default_rng(0)
    for layer in model.layers:  # as training would leave it: nothing at zero or one
        if layer.name.startswith("norm") and layer.name != "normalization":
            layer.set_weights([rng.uniform(0.5, 1.5, weight.shape) for weight in layer.get_weights()])
    return model


def test_the_twin_of_a_filter_sees_the_mirror_image():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(2, 8, 7, 4)).astype("float32")
    layer = mirrored.MirroredConv2D(6, 3, padding="same", use_bias=False)
    y, y_mirrored = layer(x).numpy(), layer(x[:, :, ::-1][..., [2, 3, 0, 1]]).numpy()
    assert y.shape == (2, 8, 7, 6)
    np.testing.assert_allclose(y_mirrored[:, :, ::-1][..., [3, 4, 5, 0, 1, 2]], y, rtol=1e-4, atol=1e-5)


def test_a_mirror_image_changes_nothing(pictures):
    """At 33 pixels: there, unlike at 32, each POOL meets an even number of columns and drops none at the right."""
    model = mirrored_deep(pictures, input_shape=(33, 33, 3))
    x = np.pad(pictures, ((0, 0), (0, 1), (0, 1), (0, 0)), mode="reflect").astype("float32")
    np.testing.assert_allclose(model(x, training=False), model(x[:, :, ::-1], training=False), rtol=1e-4)


def test_written_out_it_is_a_plain_network(pictures):
    model = mirrored_deep(pictures)
    plain = build_model("deep", 10, (120,) * 3, (4000,) * 3, widths=(16, 32, 32))
    for layer in plain.layers:
        layer.set_weights(mirrored.plain_weights(model.get_layer(layer.name)))
    x = pictures.astype("float32")
    np.testing.assert_allclose(plain(x, training=False), model(x, training=False), rtol=1e-4, atol=1e-6)
    assert plain.get_layer("conv3").kernel.shape == (3, 3, 16, 32)


def test_statistics_are_those_of_both_twins():
    layer = mirrored.MirroredBatchNormalization(scale=False, momentum=0.75, epsilon=1e-5)
    x = np.random.default_rng(0).normal(3, 2, (50, 4, 4, 6)).astype("float32")
    y = layer(x, training=True).numpy()
    np.testing.assert_allclose(y.mean(axis=(0, 1, 2)), 0, atol=1e-4)
    means, variances = x.mean(axis=(0, 1, 2)), x.var(axis=(0, 1, 2), ddof=1)
    np.testing.assert_allclose(layer.moving_mean, 0.25 * (means[:3] + means[3:]) / 2, rtol=1e-4)
    np.testing.assert_allclose(layer.moving_variance, 0.75 + 0.25 * (variances[:3] + variances[3:]) / 2, rtol=1e-4)


def test_an_odd_number_of_filters_has_no_pairs():
    with pytest.raises(ValueError, match="can't be 5: choose an even number"):
        mirrored.MirroredConv2D(5, 3)


def test_gradients_reach_the_learned_filters_from_both_twins(pictures):
    model = mirrored_deep(pictures)
    training_model = keras.Model(model.input, model.get_layer("conv2").output)
    import tensorflow as tf

    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(training_model(pictures.astype("float32")) ** 2)
    kernel = model.get_layer("conv2").kernel
    gradient = tape.gradient(loss, kernel.value)
    moved = kernel.numpy()
    step = 1e-3 * gradient / tf.norm(gradient)
    kernel.assign(moved + step)
    higher = tf.reduce_sum(training_model(pictures.astype("float32")) ** 2)
    kernel.assign(moved - step)
    lower = tf.reduce_sum(training_model(pictures.astype("float32")) ** 2)
    assert float(higher - lower) / 2e-3 == pytest.approx(float(tf.norm(gradient)), rel=1e-2)
