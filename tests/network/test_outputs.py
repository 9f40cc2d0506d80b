"""All layers in one pass give what each gives by itself."""

import keras
import numpy as np
import pytest

from cnnvis.network.classifier import Classifier
from cnnvis.network.layer_outputs import layer_outputs, size_change, working
from models.convnet import build_model


@pytest.mark.parametrize("arch", ["basic", "deep"])
def test_equal_to_the_layers_one_by_one(arch, pictures):
    model = build_model(arch, 10, (120, 120, 120), (4000, 4000, 4000))
    outputs = layer_outputs(Classifier(model), pictures[0])
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
        alone = keras.Model(model.input, model.get_layer(name).output)(pictures[:1].astype("float32"), training=False)
        np.testing.assert_allclose(output, alone[0], rtol=1e-4, atol=1e-5)
        assert output.dtype == np.float32


def test_chosen_layers_come_in_the_networks_order(sequential, pictures):
    classifier = Classifier(sequential, (0, 1))
    outputs = layer_outputs(classifier, pictures[0], ["hidden", "first"])
    assert list(outputs) == ["first", "hidden"]
    alone = keras.Model(sequential.inputs, sequential.get_layer("first").output)(pictures[:1] / 255)
    np.testing.assert_allclose(outputs["first"], alone[0], rtol=1e-4, atol=1e-5)  # after its own RELU
    with pytest.raises(ValueError, match="no layer is called 'third'"):
        layer_outputs(classifier, pictures[0], ["third"])


def classifier_of(*layers, size=(12, 10)):
    keras.utils.set_random_seed(0)
    head = [keras.layers.GlobalAveragePooling2D(name="average"), keras.layers.Dense(3)]
    return Classifier(keras.Sequential([keras.Input((*size, 3)), *layers, *head]), (0, 1))


CONVS = {
    "plain": keras.layers.Conv2D(4, 3),
    "padded, fused": keras.layers.Conv2D(4, (3, 2), padding="same", activation="relu", bias_initializer="normal"),
    "strided": keras.layers.Conv2D(4, 3, strides=2, padding="same", use_bias=False),
    "dilated": keras.layers.Conv2D(4, 3, dilation_rate=2, bias_initializer="normal"),
    "grouped": keras.layers.Conv2D(4, 3, groups=2, bias_initializer="normal"),
    "depthwise": keras.layers.DepthwiseConv2D(3, depth_multiplier=2, bias_initializer="normal"),
}


@pytest.mark.parametrize("name", CONVS)
def test_what_input_channels_add_makes_the_output(name):
    conv = type(CONVS[name]).from_config(CONVS[name].get_config() | {"name": "conv"})
    classifier = classifier_of(keras.layers.Conv2D(6, 1, name="first"), conv)
    image = np.random.default_rng(0).integers(0, 256, (12, 10, 3), dtype="uint8")
    outputs = layer_outputs(classifier, image, ["first", "conv"])
    for channel in range(outputs["conv"].shape[-1]):
        work = working(classifier, classifier.layer("conv"), image, channel)
        np.testing.assert_allclose(work.output, outputs["conv"][..., channel], rtol=1e-4, atol=1e-5)
        total = work.parts.sum(axis=-1) + work.bias
        made = np.maximum(total, 0) if work.activation == "relu" else total
        np.testing.assert_allclose(made, work.output, rtol=1e-4, atol=1e-5)
        assert work.inputs.shape[-1] == work.weights.shape[-1] == work.parts.shape[-1]
        few, which = work.most(2)
        order = which - work.first
        if name == "grouped":
            start = 3 * (channel // 2)
            np.testing.assert_allclose(work.inputs, outputs["first"][..., start : start + 3], rtol=1e-4, atol=1e-5)
            assert work.first == start
        if name == "depthwise":
            assert which.tolist() == [channel // 2]
        strength = np.abs(work.parts).sum(axis=(0, 1))
        assert strength[order[0]] == strength.max()
        np.testing.assert_array_equal(few.weights, work.weights[..., order])


def test_one_part_by_hand():
    """What a 2x2 filter adds of one input channel at the upper left corner, cell by cell."""
    classifier = classifier_of(keras.layers.Conv2D(2, 2, name="conv"))
    image = np.random.default_rng(0).integers(0, 256, (12, 10, 3), dtype="uint8")
    work = working(classifier, classifier.layer("conv"), image, 1)
    expected = sum(image[i, j, 2] / 255 * work.weights[i, j, 2] for i in (0, 1) for j in (0, 1))
    assert work.parts[0, 0, 2] == pytest.approx(expected, rel=1e-4)


def test_only_layers_with_filters_have_workings(sequential, pictures):
    classifier = Classifier(sequential, (0, 1))
    with pytest.raises(ValueError, match="first has no channel 6: it has 0 to 5"):
        working(classifier, classifier.layer("first"), pictures[0], 6)
    with pytest.raises(ValueError, match="shrink is no CONV layer"):
        working(classifier, classifier.layer("shrink"), pictures[0], 0)


@pytest.mark.parametrize(
    ("layer", "words"),
    [
        (keras.layers.MaxPooling2D(2), "2×2 cells, 2 apart: 12×10 becomes 6×5"),
        (keras.layers.MaxPooling2D(3, strides=1), "3×3 cells, none beyond the border: 12×10 becomes 10×8"),
        (keras.layers.Conv2D(2, (3, 2)), "3×2 cells, none beyond the border: 12×10 becomes 10×9"),
        (keras.layers.Conv2D(2, 3, padding="same"), "3×3 cells: 12×10 stays so, as the border is padded"),
        (keras.layers.Conv2D(2, 3, strides=(2, 3)), "3×3 cells, 2×3 apart: 12×10 becomes 5×3"),
        (keras.layers.Conv2D(2, 1), ""),
        (keras.layers.GlobalMaxPooling2D(keepdims=True), "all 12×10 cells become one number a channel"),
        (keras.layers.ReLU(), ""),
    ],
)
def test_why_outputs_are_smaller(layer, words):
    layer = type(layer).from_config(layer.get_config() | {"name": "it"})
    head = [keras.layers.Flatten(), keras.layers.Dense(2)]
    classifier = Classifier(keras.Sequential([keras.Input((12, 10, 3)), layer, *head]))
    assert size_change(classifier.layer("it")) == words
