"""The terms of one channel add up to the layer's output."""

import keras
import numpy as np
import pytest

from cnnvis.network.channel import channel_terms
from cnnvis.network.classifier import Classifier
from cnnvis.network.outputs import layer_outputs


def classifier_of(*layers, size=(12, 10)):
    keras.utils.set_random_seed(0)
    head = [keras.layers.GlobalAveragePooling2D(name="average"), keras.layers.Dense(3)]
    return Classifier(keras.Sequential([keras.Input((*size, 3)), *layers, *head]), (0, 1))


CONVS = {
    "plain": keras.layers.Conv2D(4, 3),
    "padded, fused": keras.layers.Conv2D(4, (3, 2), padding="same", activation="relu", bias_initializer="normal"),
    "strided": keras.layers.Conv2D(4, 3, strides=2, padding="same", use_bias=False),
    "unequal strides": keras.layers.Conv2D(4, (3, 5), strides=(2, 1), padding="same", bias_initializer="normal"),
    "dilated": keras.layers.Conv2D(4, 3, dilation_rate=2, bias_initializer="normal"),
    "grouped": keras.layers.Conv2D(4, 3, groups=2, bias_initializer="normal"),
    "depthwise": keras.layers.DepthwiseConv2D(3, depth_multiplier=2, bias_initializer="normal"),
}


@pytest.mark.parametrize("name", CONVS)
def test_the_terms_add_up_to_the_output(name):
    conv = type(CONVS[name]).from_config(CONVS[name].get_config() | {"name": "conv"})
    classifier = classifier_of(keras.layers.Conv2D(6, 1, name="first"), conv)
    image = np.random.default_rng(0).integers(0, 256, (12, 10, 3), dtype="uint8")
    outputs = layer_outputs(classifier, image, ["first", "conv"])
    for channel in range(outputs["conv"].shape[-1]):
        terms = channel_terms(classifier, classifier.layer("conv"), image, channel)
        np.testing.assert_allclose(terms.output, outputs["conv"][..., channel], rtol=1e-4, atol=1e-5)
        total = terms.parts.sum(axis=-1) + terms.bias
        made = np.maximum(total, 0) if terms.activation == "relu" else total
        np.testing.assert_allclose(made, terms.output, rtol=1e-4, atol=1e-5)
        assert terms.inputs.shape[-1] == terms.weights.shape[-1] == terms.parts.shape[-1]
        few, which = terms.most(2)
        order = which - terms.first
        if name == "grouped":
            start = 3 * (channel // 2)
            np.testing.assert_allclose(terms.inputs, outputs["first"][..., start : start + 3], rtol=1e-4, atol=1e-5)
            assert terms.first == start
        if name == "depthwise":
            assert which.tolist() == [channel // 2]
        strength = np.abs(terms.parts).sum(axis=(0, 1))
        assert strength[order[0]] == strength.max()
        np.testing.assert_array_equal(few.weights, terms.weights[..., order])


def test_one_term_by_hand():
    """The contribution of one input channel of a 2x2 filter, in the upper left corner."""
    classifier = classifier_of(keras.layers.Conv2D(2, 2, name="conv"))
    image = np.random.default_rng(0).integers(0, 256, (12, 10, 3), dtype="uint8")
    terms = channel_terms(classifier, classifier.layer("conv"), image, 1)
    expected = sum(image[i, j, 2] / 255 * terms.weights[i, j, 2] for i in (0, 1) for j in (0, 1))
    assert terms.parts[0, 0, 2] == pytest.approx(expected, rel=1e-4)


def test_only_layers_with_filters_have_terms(sequential, images):
    classifier = Classifier(sequential, (0, 1))
    with pytest.raises(ValueError, match="first has no channel 6: it has 0 to 5"):
        channel_terms(classifier, classifier.layer("first"), images[0], 6)
    with pytest.raises(ValueError, match="shrink is not a CONV layer"):
        channel_terms(classifier, classifier.layer("shrink"), images[0], 0)
