"""Grad-CAM by hand, and against a plain GradientTape on foreign models."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from cnnvis import attribution
from cnnvis.attribution import grad_cam
from cnnvis.network.classifier import Classifier
from tests.conftest import small_sequential


def test_two_maps_by_hand():
    """Maps 1 and 2 with mean gradients 2 and -1: 2 · 1 - 1 · 2 = 0, and 2 · 3 - 1 · 1 = 5."""
    features = np.array([[[[1, 2], [3, 1]]]], "float32")
    gradients = np.array([[[[4, -1], [0, -1]]]], "float32")
    images = np.zeros((1, 1, 2, 3))
    maps = grad_cam.grad_cam(lambda *_: [(features, gradients)], images, np.array([0]))
    np.testing.assert_allclose(maps, [[[0, 5]]])
    assert maps.dtype == np.float32


@pytest.mark.parametrize(("small", "large"), [((3, 3), (32, 32)), ((1, 1), (8, 5)), ((4, 7), (20, 21))])
def test_maps_are_enlarged_bilinearly(small, large):
    values = np.random.default_rng(1).normal(size=small).astype("float32")
    expected = tf.image.resize(values[..., None], large, method="bilinear")[..., 0]
    np.testing.assert_allclose(grad_cam.enlarged(values, large), expected, atol=1e-5)


def plain(model, layer, images, targets, size):
    """Grad-CAM as anyone would write it, for a model that takes pixels 0-255 and ends in logits."""
    both = keras.Model(model.inputs, [layer, model.outputs[0]])
    with tf.GradientTape() as tape:
        maps, logits = both(images.astype("float32"))
        scores = tf.gather(logits, targets, axis=1, batch_dims=1)
    weights = tf.reduce_mean(tape.gradient(scores, maps), axis=(1, 2), keepdims=True)
    return tf.image.resize(tf.reduce_sum(weights * maps, axis=-1, keepdims=True), size)[..., 0].numpy()


def branches():
    """CONV layers with normalisation before a separate activation, and a skip connection."""
    pixels = keras.Input((16, 16, 3))
    x = layers.Conv2D(5, 3, padding="same", activation="relu", name="a")(pixels)
    y = layers.Conv2D(5, 3, padding="same", use_bias=False, name="b")(x)
    y = layers.BatchNormalization(name="norm")(y)
    y = layers.Activation("tanh", name="tanh")(y)
    x = layers.Add()([x, y])
    return keras.Model(pixels, layers.Dense(4, name="logits")(layers.Flatten()(layers.MaxPooling2D()(x))))


def separable():
    pixels = keras.Input((16, 16, 3))
    x = layers.SeparableConv2D(6, 3, strides=2, name="a")(pixels)
    x = layers.LeakyReLU(name="b")(x)
    return keras.Model(pixels, layers.Dense(4)(layers.GlobalAveragePooling2D()(x)))


@pytest.mark.parametrize(
    ("build", "asked", "layer"),
    [
        (branches, None, "tanh"),
        (branches, "b", "tanh"),
        (branches, "norm", "norm"),
        (branches, "a", "a"),
        (separable, None, "b"),
    ],
)
def test_grad_cam_of_foreign_models(build, asked, layer):
    keras.utils.set_random_seed(2)
    model = build()
    images = np.random.default_rng(3).integers(0, 256, (3, 16, 16, 3), dtype="uint8")
    targets = np.array([0, 3, 1])
    expected = plain(model, model.get_layer(layer).output, images, targets, (16, 16))
    explained = attribution.explain(Classifier(model), images, targets, method="gradcam", layer=asked)
    np.testing.assert_allclose(explained.importance, expected, atol=1e-5 * np.abs(expected).max())


def test_a_nested_network_is_explained_by_its_inner_layer(images):
    inner = small_sequential(activation=None)
    outer = keras.Sequential([keras.Input((32, 32, 3)), inner])
    expected = attribution.explain(Classifier(inner), images[:2], np.array([1, 4]), method="gradcam")
    found = attribution.explain(Classifier(outer), images[:2], np.array([1, 4]), method="gradcam", layer="second")
    np.testing.assert_allclose(found.importance, expected.importance, rtol=1e-4, atol=1e-6)


def test_a_channels_first_network_has_the_map_of_its_channels_last_twin(images):
    first = keras.Sequential(
        [
            keras.Input((3, 32, 32)),
            layers.Conv2D(4, 3, strides=2, activation="relu", data_format="channels_first", name="conv"),
            layers.GlobalAveragePooling2D(data_format="channels_first"),
            layers.Dense(3),
        ]
    )
    last = keras.Sequential(
        [
            keras.Input((32, 32, 3)),
            layers.Conv2D(4, 3, strides=2, activation="relu", name="conv"),
            layers.GlobalAveragePooling2D(),
            layers.Dense(3),
        ]
    )
    last.set_weights(first.get_weights())
    maps = [
        attribution.explain(Classifier(model), images[:2], np.array([0, 2]), method="gradcam").importance
        for model in (first, last)
    ]
    np.testing.assert_allclose(maps[0], maps[1], rtol=1e-3, atol=1e-6 * np.abs(maps[1]).max())


def test_what_layer_counts_and_which_errors_name_another(sequential):
    classifier = Classifier(sequential)
    assert attribution.layer_for("gradcam", classifier) == "second"
    assert attribution.layer_for("gradcam", classifier, "shrink") == "shrink"
    assert attribution.layer_for("banzhaf", classifier) is None
    with pytest.raises(ValueError, match="--layer hidden has no feature maps: choose --layer second"):
        attribution.layer_for("gradcam", classifier, "hidden")
    with pytest.raises(ValueError, match="no layer is called 'secnd'; there are first"):
        attribution.layer_for("gradcam", classifier, "secnd")
    dense = Classifier(keras.Sequential([keras.Input((8, 8, 3)), layers.Flatten(), layers.Dense(2)]))
    with pytest.raises(ValueError, match="the network has no CONV layer: choose another"):
        attribution.layer_for("gradcam", dense)
