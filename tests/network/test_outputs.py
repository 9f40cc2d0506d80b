"""The outputs of all layers from one pass equal those from one pass each; their sizes are explained."""

import keras
import numpy as np
import pytest
from keras import layers

from cnnvis.features.top_images import observe
from cnnvis.network import cost
from cnnvis.network.classifier import Classifier
from cnnvis.network.outputs import layer_outputs, size_change
from models.convnet import build_model


@pytest.mark.parametrize("arch", ["basic", "deep"])
def test_equal_to_the_layers_one_by_one(arch, images):
    model = build_model(arch, 10, mean=(120, 120, 120), variance=(4000, 4000, 4000))
    outputs = layer_outputs(Classifier(model), images[0])
    kinds = (
        keras.layers.Conv2D,
        keras.layers.ReLU,
        keras.layers.MaxPooling2D,
        keras.layers.AveragePooling2D,
        keras.layers.GlobalMaxPooling2D,
        keras.layers.Dense,
    )
    assert list(outputs) == [layer.name for layer in model.layers if isinstance(layer, kinds)]
    for name, output in outputs.items():
        alone = keras.Model(model.input, model.get_layer(name).output)(images[:1].astype("float32"), training=False)
        np.testing.assert_allclose(output, alone[0], rtol=1e-4, atol=1e-5)
        assert output.dtype == np.float32


def test_outputs_that_would_fill_the_memory_are_refused(sequential, images, monkeypatch):
    classifier = Classifier(sequential)
    monkeypatch.setattr(cost, "MOST_VALUES", 6 * 30 * 30 // 2)  # half the outputs of "first"
    assert list(layer_outputs(classifier, images[0], ["first"])) == ["first"]
    with pytest.raises(ValueError, match="choose some with --layers"):
        layer_outputs(classifier, images[0])


def test_outputs_that_are_not_of_one_image_each_are_not_shown(images):
    """As of branches that are stacked in front of the batch."""
    inputs = keras.Input((32, 32, 3))
    pixels = keras.layers.Reshape((1024, 3))(inputs)
    both = keras.layers.Dense(2, name="both")(keras.ops.stack([pixels, 1 - pixels], axis=0))
    classifier = Classifier(keras.Model(inputs, keras.ops.mean(both, axis=(0, 2))))
    with pytest.raises(ValueError, match="no CONV, RELU, POOL or FC layer"):
        layer_outputs(classifier, images[0])
    with pytest.raises(ValueError, match=r"output of both is \(2, None, 1024, 2\), neither"):
        layer_outputs(classifier, images[0], ["both"])


def test_layers_that_see_several_views_of_an_image_are_named(images):
    """As in test-time augmentation inside the model, whose probabilities are right."""
    pixels = keras.Input((32, 32, 3))
    conv = layers.Conv2D(4, 3, name="conv")(keras.ops.concatenate([pixels, keras.ops.flip(pixels, axis=2)], axis=0))
    views = keras.ops.reshape(layers.GlobalAveragePooling2D()(conv), (2, -1, 4))
    model = keras.Model(pixels, layers.Softmax()(keras.ops.mean(views, axis=0)))
    classifier, x = Classifier(model), images.astype("float32")
    np.testing.assert_allclose(classifier.probabilities(x), model(x), atol=1e-6)
    for use in (
        lambda: layer_outputs(classifier, x[0]),
        lambda: observe(classifier, [classifier.layer("conv")], x, np.zeros(len(x), int)),
    ):
        with pytest.raises(ValueError, match=r"conv has \d+ outputs for \d+ images, such as views or parts of them"):
            use()


def test_chosen_layers_are_in_the_order_of_the_network(sequential, images):
    classifier = Classifier(sequential, (0, 1))
    outputs = layer_outputs(classifier, images[0], ["hidden", "first"])
    assert list(outputs) == ["first", "hidden"]
    alone = keras.Model(sequential.inputs, sequential.get_layer("first").output)(images[:1] / 255)
    np.testing.assert_allclose(outputs["first"], alone[0], rtol=1e-4, atol=1e-5)  # after its own ReLU
    with pytest.raises(ValueError, match="no layer is called 'third'"):
        layer_outputs(classifier, images[0], ["third"])


@pytest.mark.parametrize(
    ("layer", "words"),
    [
        (keras.layers.MaxPooling2D(2), "2×2 window, stride 2: 12×10 becomes 6×5"),
        (keras.layers.MaxPooling2D(3, strides=1), "3×3 window, no padding: 12×10 becomes 10×8"),
        (keras.layers.Conv2D(2, (3, 2)), "3×2 window, no padding: 12×10 becomes 10×9"),
        (keras.layers.Conv2D(2, 3, padding="same"), "3×3 window, padded: 12×10 stays 12×10"),
        (keras.layers.Conv2D(2, 3, strides=(2, 3)), "3×3 window, stride 2×3, no padding: 12×10 becomes 5×3"),
        (
            keras.layers.Conv2D(2, 3, dilation_rate=2),
            "3×3 window, dilation 2 (spans 5×5), no padding: 12×10 becomes 8×6",
        ),
        (
            keras.layers.Conv2DTranspose(2, 3, strides=2),
            "each value spreads over a 3×3 window, stride 2: 12×10 becomes 25×21",
        ),
        (keras.layers.Conv2D(2, 1), ""),
        (keras.layers.GlobalMaxPooling2D(keepdims=True), "each 12×10 channel becomes one value"),
        (keras.layers.ReLU(), ""),
    ],
)
def test_the_size_of_an_output_is_explained(layer, words):
    layer = type(layer).from_config(layer.get_config() | {"name": "it"})
    head = [keras.layers.Flatten(), keras.layers.Dense(2)]
    classifier = Classifier(keras.Sequential([keras.Input((12, 10, 3)), layer, *head]))
    assert size_change(classifier.layer("it")) == words
