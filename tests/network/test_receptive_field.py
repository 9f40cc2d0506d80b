"""Receptive fields by hand, and against the pixels that a unit's gradient reaches."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from cnnvis.network.classifier import Classifier
from cnnvis.network.receptive_field import Field, receptive_fields
from models.convnet import build_model
from tests.conftest import small_sequential


def residual():
    pixels = keras.Input((20, 14, 3))
    x = layers.Conv2D(4, 3, strides=2, padding="same", name="entry")(pixels)
    y = layers.DepthwiseConv2D(3, padding="same", dilation_rate=2, name="depth")(x)
    y = layers.ZeroPadding2D(((2, 0), (0, 1)), name="pad")(y)
    y = layers.Cropping2D(((1, 1), (1, 0)), name="crop")(y)
    x = layers.Add(name="sum")([x, y])
    x = layers.AveragePooling2D((3, 2), strides=(1, 2), padding="same", name="shrink")(x)
    x = layers.SeparableConv2D(5, 2, name="separable")(x)
    x = layers.GlobalAveragePooling2D()(x)
    return keras.Model(pixels, layers.Dense(3)(x))


def reached(classifier, layer, row, column):
    """Rows and columns of the pixels that a unit's value depends on, in a network of positive weights."""
    for known in classifier.layers.values():
        known.layer.set_weights([np.ones_like(weight) for weight in known.layer.get_weights()])
    model = classifier.model_to(layer.linear)
    pixels = tf.Variable(np.random.default_rng(0).uniform(1, 255, (64, *classifier.size, 3)).astype("float32"))
    with tf.GradientTape() as tape:
        value = tf.reduce_sum(model(pixels, training=False)[:, row, column])
    seen = np.abs(tape.gradient(value, pixels).numpy()).sum(axis=(0, 3)) > 0
    rows, columns = np.flatnonzero(seen.any(axis=1)), np.flatnonzero(seen.any(axis=0))
    return (rows[0], rows[-1] + 1), (columns[0], columns[-1] + 1)


CHAINS = {
    "dilated and padded": lambda: [
        layers.Conv2D(2, 3, dilation_rate=2, padding="same"),
        layers.Conv2D(2, (2, 3), strides=2, padding="same"),
        layers.DepthwiseConv2D((2, 3), dilation_rate=(1, 2), padding="same"),
    ],
    "not padded": lambda: [layers.Conv2D(2, (3, 1), strides=(1, 2)), layers.MaxPooling2D(3, strides=2)],
    "pointwise": lambda: [
        *(layers.RandomFlip(), layers.RandomTranslation(0.5, 0.5), layers.Rescaling(2.0), layers.Conv2D(2, 3)),
        *(layers.GaussianNoise(0.5), layers.PReLU(), layers.Activation("gelu")),
    ],
}


@pytest.mark.parametrize("name", ["entry", "depth", "pad", "crop", "sum", "shrink", "separable", *CHAINS])
def test_the_receptive_field_is_what_the_gradient_reaches(name):
    model = residual()
    if name in CHAINS:
        model = keras.Sequential([keras.Input((20, 14, 3)), *CHAINS[name](), layers.Flatten(), layers.Dense(3)])
    classifier = Classifier(model, (0, 255), (20, 14))
    layer = list(classifier.layers.values())[-3] if name in CHAINS else classifier.layer(name)
    rows, columns = receptive_fields(classifier, layer)
    height, width = layer.output.shape[1:3]
    for row, column in ((0, 0), (height // 2, width // 2), (height - 1, width - 1)):
        if name in ("pad", "crop", "sum", "shrink", "separable") and row != height // 2:
            continue  # no gradient reaches padding or what was cropped
        expected = rows.of_unit(row, 20), columns.of_unit(column, 14)
        assert reached(classifier, layer, row, column) == expected


def by_operations(x):
    x = keras.ops.relu(layers.Conv2D(2, 3)(x) * 2.0)
    return layers.Conv2D(2, 3)(x + keras.ops.abs(x))


@pytest.mark.parametrize(
    ("layers_before", "size"),
    [
        (by_operations, 5),
        (lambda x: layers.Softmax()(layers.LayerNormalization()(layers.Conv2D(2, 3)(x))), 3),
        (lambda x: keras.ops.flip(layers.Conv2D(2, 3)(x), axis=1), None),
        (lambda x: keras.ops.roll(layers.Conv2D(2, 3)(x), 3, axis=2), None),
        (lambda x: layers.Softmax(axis=1)(layers.Conv2D(2, 3)(x)), None),
        (lambda x: layers.LayerNormalization(axis=[1, 2, 3])(layers.Conv2D(2, 3)(x)), None),
        (lambda x: layers.Permute((2, 1, 3))(layers.Conv2D(2, 3)(x)), None),
        (lambda x: layers.Concatenate(axis=1)([x, x]), None),
        (lambda x: layers.Multiply()([x, layers.GlobalAveragePooling2D(keepdims=True)(x)]), None),
    ],
)
def test_layers_between_change_nothing_or_show_the_whole_image(layers_before, size):
    inputs = keras.Input((12, 12, 3))
    x = layers.Conv2D(2, 1, name="end")(layers_before(inputs))
    classifier = Classifier(keras.Model(inputs, layers.Dense(2)(layers.Flatten()(x))))
    fields = receptive_fields(classifier, classifier.layer("end"))
    assert fields == (size and (Field(0, size), Field(0, size)))


def test_a_deep_residual_network_takes_no_time():
    """There are 2⁶⁰ ways through it."""
    x = inputs = keras.Input((4, 4, 3))
    for _ in range(60):
        x = layers.Add()([x, layers.Conv2D(3, 3, padding="same")(x)])
    classifier = Classifier(keras.Model(inputs, layers.Dense(2)(layers.Flatten()(x))))
    *_, last, _, _ = classifier.layers.values()
    assert receptive_fields(classifier, last)[0] == Field(-60, 121)


def test_our_own_networks_by_hand():
    classifier = Classifier(build_model("deep", 10))
    # whitening 2, conv1 + 2, pool1 + 1, smooth1 + 1 and stride 2, conv2 + 4, conv3 + 4, pool2 + 2, smooth2 + 2, ...
    sizes = {"whitening": 2, "conv1": 4, "pool1": 5, "conv2": 10, "conv3": 14, "conv4": 26, "conv5": 34}
    for name, size in sizes.items():
        rows, columns = receptive_fields(classifier, classifier.layer(name))
        assert rows == columns
        assert rows.size == size
    assert rows == Field(start=rows.start, size=34, stride=4)
    assert receptive_fields(classifier, classifier.layer("fc1")) is None
    classifier = Classifier(build_model("basic", 10))
    assert receptive_fields(classifier, classifier.layer("conv4"))[0] == Field(start=-6, size=14, stride=2)


def test_nested_and_fused_models():
    inner = keras.Sequential([keras.Input((32, 32, 3)), layers.Conv2D(4, 5, name="inside")])
    classifier = Classifier(keras.Sequential([keras.Input((32, 32, 3)), inner, layers.Flatten(), layers.Dense(2)]))
    assert receptive_fields(classifier, classifier.layer("inside")) == (Field(0, 5, 1), Field(0, 5, 1))
    classifier = Classifier(small_sequential(), (0, 1))
    assert receptive_fields(classifier, classifier.layer("second"))[0] == Field(-2, 8, 2)
    assert receptive_fields(classifier, classifier.layer("hidden")) is None


def test_an_unknown_layer_sees_its_whole_input():
    model = keras.Sequential(
        [
            keras.Input((8, 8, 3)),
            layers.Conv2DTranspose(2, 3, strides=2, name="up"),
            layers.Conv2D(2, 3, name="after"),
            layers.Flatten(),
            layers.Dense(2),
        ]
    )
    classifier = Classifier(model)
    assert receptive_fields(classifier, classifier.layer("after")) is None
