"""Anybody's model, taken apart, computes the same as before."""

import keras
import numpy as np
import pytest
from keras import layers

from cnnvis import keras_internals
from cnnvis.features.top_images import observe
from cnnvis.network import relu_input
from cnnvis.network.classifier import Classifier
from models.convnet import build_model
from tests.conftest import rounding, small_sequential


def functional(end):
    """A functional model with a branch, a shared layer, an operation, and one of several ends."""
    keras.utils.set_random_seed(2)
    x = inputs = keras.Input((16, 16, 3))
    conv = layers.Conv2D(3, 3, padding="same", activation="relu", name="shared")
    x = layers.add([conv(x), conv(conv(x))])
    x = keras.ops.tanh(x * 0.01)
    x = layers.Conv2D(5, 1, name="classes")(x)
    return keras.Model(inputs, end(x))


def softmax_then_flatten(x):
    x = layers.MaxPooling2D(16)(x)
    return layers.Flatten()(layers.Softmax()(x))


ENDS = {
    "average": lambda x: layers.GlobalAveragePooling2D()(x),
    "softmax layer": lambda x: layers.Softmax()(layers.GlobalAveragePooling2D()(x)),
    "activation layer": lambda x: layers.Activation("softmax")(layers.GlobalAveragePooling2D()(x)),
    "softmax operation": lambda x: keras.ops.softmax(layers.GlobalAveragePooling2D()(x)),
    "softmax then flatten": softmax_then_flatten,
    "dense softmax": lambda x: layers.Dense(4, activation="softmax")(layers.Flatten()(x)),
}


def softmax(x):
    x = np.exp(x - x.max(axis=1, keepdims=True))
    return x / x.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("end", ENDS)
def test_logits_and_probabilities_of_all_ends(end):
    model = functional(ENDS[end])
    images = np.random.default_rng(0).uniform(0, 255, (5, 16, 16, 3)).astype("float32")
    given = model(images, training=False).numpy()
    classifier = Classifier(model)
    logits, probabilities = classifier.logits(images), classifier.probabilities(images)
    np.testing.assert_allclose(softmax(logits), probabilities, rtol=1e-4)
    np.testing.assert_allclose(logits if end == "average" else probabilities, given, rtol=1e-4, atol=1e-6)


def test_sigmoid_end_keeps_its_probabilities(images):
    model = small_sequential(activation="sigmoid")
    classifier = Classifier(model)
    np.testing.assert_allclose(classifier.probabilities(images), model(images / 1.0), rtol=1e-4)
    np.testing.assert_allclose(1 / (1 + np.exp(-classifier.logits(images))), model(images / 1.0), rtol=1e-4)


def test_a_nested_model_may_have_several_inputs_and_outputs(images):
    one = keras.Input((32, 32, 3))
    features = layers.Conv2D(4, 3, activation="relu")(one)
    taken_apart = keras.Model(one, [layers.GlobalMaxPooling2D()(features), layers.GlobalAveragePooling2D()(features)])
    left, right = keras.Input((4,)), keras.Input((4,))
    joined = keras.Model([left, right], layers.Dense(3, activation="softmax")(layers.Concatenate()([left, right])))
    pixels = keras.Input((32, 32, 3))
    model = keras.Model(pixels, joined(taken_apart(pixels)[::-1]))
    classifier = Classifier(model)
    np.testing.assert_allclose(classifier.probabilities(images), model(images / 1.0), atol=1e-5)
    assert [layer.kind for layer in classifier.layers.values()].count("CONV") == 1


@pytest.mark.parametrize("arch", ["basic", "deep"])
def test_our_networks(arch, images):
    model = build_model(arch, 10, mean=(120, 120, 120), variance=(4000, 4000, 4000))
    classifier = Classifier(model)
    np.testing.assert_allclose(classifier.probabilities(images), model(images.astype("float32")), rtol=1e-4)
    logits = keras.Model(model.input, model.get_layer("fc2").output)(images.astype("float32"), training=False)
    np.testing.assert_allclose(classifier.logits(images), logits, rtol=1e-4, atol=1e-5)
    assert [name for name, layer in classifier.layers.items() if layer.kind == "FC"] == ["fc1", "fc2"]


def test_the_batch_size_makes_no_difference(sequential, images):
    classifier = Classifier(sequential)
    whole, single = classifier.probabilities(images), classifier.probabilities(images, batch_size=1)
    # A softmax makes of a logit's absolute error a relative one; 3x3x3, 3x3x6, 15x15, 8 and 12 terms make a logit.
    largest = np.abs(classifier.logits(images)).max()
    np.testing.assert_allclose(whole, single, rtol=rounding(27 + 54 + 225 + 8 + 12, largest))


def test_nested_models_are_taken_apart(images):
    inner = keras.Sequential(
        [keras.Input((32, 32, 3)), layers.Conv2D(4, 3, activation="relu", name="inside")], name="base"
    )
    x = inputs = keras.Input((32, 32, 3))
    middle = keras.Model(inputs, layers.MaxPooling2D(name="pooled")(inner(x)), name="middle")
    model = keras.Sequential(
        [keras.Input((32, 32, 3)), middle, layers.Flatten(), layers.Dense(3, activation="softmax")]
    )
    classifier = Classifier(model)
    assert list(classifier.layers)[:2] == ["inside", "pooled"]
    np.testing.assert_allclose(classifier.probabilities(images), model(images / 1.0), rtol=1e-4)
    inside = inner(images.astype("float32")).numpy()
    np.testing.assert_allclose(classifier.outputs(images, ["inside"])["inside"], inside, rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize(("channels", "activation"), [(1, "softmax"), (2, "linear"), (4, "sigmoid")])
def test_gradients_are_with_respect_to_rgb_pixels(channels, activation, images):
    classifier = Classifier(small_sequential(channels=channels, activation=activation), (0, 1))
    pixels = images.astype("float32")
    slopes = classifier.gradients("probability", pixels, [3] * len(pixels))
    assert slopes.shape == pixels.shape
    step = 0.05 * np.sign(slopes)  # large against rounding
    rise = classifier.probabilities(pixels + step)[:, 3] - classifier.probabilities(pixels - step)[:, 3]
    np.testing.assert_allclose(rise, 0.1 * np.abs(slopes).sum(axis=(1, 2, 3)), rtol=0.05)


def test_a_layer_before_and_after_its_activation(sequential, images):
    classifier = Classifier(sequential, (0, 1))
    layer = classifier.layer("first")
    before, after = (t.numpy() for t in classifier.model_to([layer.linear, layer.output])(images.astype("float32")))
    assert before.min() < 0
    np.testing.assert_allclose(np.maximum(before, 0), after, atol=1e-6)
    kernel, bias = sequential.get_layer("first").get_weights()
    np.testing.assert_allclose(before, keras.ops.conv(images / np.float32(255), kernel) + bias, rtol=1e-3, atol=1e-4)


def test_relu_input_is_found_behind_normalization_and_pooling(sequential):
    classifier = Classifier(build_model("deep", 10))
    for conv, norm in (("conv1", "norm1"), ("conv2", "norm2")):
        assert relu_input(classifier, classifier.layer(conv)) is classifier.layer(norm).output
    assert relu_input(classifier, classifier.layer("fc1")) is classifier.layer("fc1").linear
    assert relu_input(classifier, classifier.layer("fc2")) is None
    classifier = Classifier(sequential)
    assert relu_input(classifier, classifier.layer("first")) is classifier.layer("first").linear


def test_the_error_for_an_unknown_layer_lists_the_known_ones(sequential):
    with pytest.raises(ValueError, match="no layer is called 'conv99'; there are first, shrink, second"):
        Classifier(sequential).layer("conv99")


def test_a_model_for_any_size_takes_the_size_of_the_images():
    model = keras.Sequential(
        [keras.Input((None, None, 3)), layers.Conv2D(4, 3), layers.GlobalMaxPooling2D(), layers.Dense(2)]
    )
    assert Classifier(model).size == (32, 32)
    assert Classifier(model, size=(20, 24)).probabilities(np.zeros((1, 20, 24, 3))).shape == (1, 2)


@pytest.mark.parametrize("structure", ["list", "dict"])
def test_one_output_in_a_list_or_dict_is_one_output(structure, sequential, images):
    x = sequential.outputs[0]
    model = keras.Model(sequential.inputs, [x] if structure == "list" else {"classes": x})
    expected = sequential(images / 1.0)
    np.testing.assert_allclose(Classifier(model).probabilities(images), expected, rtol=1e-4)
    np.testing.assert_allclose(softmax(Classifier(model).logits(images)), expected, rtol=1e-3)


def test_added_layers_do_not_clash_with_names_in_the_model(images):
    """Keras numbers its automatic names; the layers that we add must not use one of them."""
    x = inputs = keras.Input((32, 32, 3))
    x = layers.Rescaling(1.0, name="rescaling")(x)
    x = layers.Conv2D(3, 3, activation="relu", name="conv")(x)
    x = layers.Activation("relu", name="activation")(x)
    x = layers.Conv2D(3, 1, activation="relu", name="mean")(x)
    x = layers.Softmax(name="softmax")(x)
    x = layers.GlobalAveragePooling2D(name="global_average_pooling2d")(x)
    model = keras.Model(inputs, layers.Dense(4, name="max")(x))
    model = keras.models.clone_model(model)
    expected = softmax(model(images / np.float32(255)).numpy())
    classifier = Classifier(model, (0, 1))
    np.testing.assert_allclose(classifier.probabilities(images), expected, rtol=1e-4)
    chosen = [classifier.layer("conv"), classifier.layer("mean")]
    assert len(observe(classifier, chosen, images, np.full(len(images), -1))) == 2


def test_two_nested_models_may_use_the_same_names(images):
    def block():
        return keras.Sequential([layers.Conv2D(3, 3, name="conv"), layers.ReLU(name="relu")])

    model = keras.Sequential([keras.Input((32, 32, 3)), block(), block(), layers.Flatten(), layers.Dense(2)])
    expected = model(images / 1.0).numpy()
    classifier = Classifier(model)
    np.testing.assert_allclose(classifier.logits(images), expected, rtol=1e-3, atol=1e-2)
    assert list(classifier.layers)[:4] == ["conv", "relu", "conv_2", "relu_2"]


def residual(after_add):
    x = inputs = keras.Input((8, 8, 3))
    stem = layers.Conv2D(4, 3, padding="same", name="stem")(x)
    branch = layers.Conv2D(4, 3, padding="same", name="branch")(layers.ReLU()(stem))
    x = layers.add([stem, branch])
    return keras.Model(inputs, layers.Dense(2)(layers.Flatten()(after_add(x))))


def test_a_layer_that_bypasses_a_relu_has_no_relu_input():
    classifier = Classifier(residual(lambda x: x))
    assert relu_input(classifier, classifier.layer("stem")) is None
    assert relu_input(classifier, classifier.layer("branch")) is None


def test_a_relu_after_padding_or_as_an_operation():
    x = inputs = keras.Input((8, 8, 3))
    x = layers.Conv2D(4, 3, name="padded")(x)
    x = layers.ReLU()(layers.ZeroPadding2D(name="zeros")(x))
    x = keras.ops.relu(layers.Conv2D(4, 3, name="operation")(x))
    x = keras.activations.relu(layers.Conv2D(4, 3, name="function")(x))
    classifier = Classifier(keras.Model(inputs, layers.Dense(2)(layers.Flatten()(x))))
    assert relu_input(classifier, classifier.layer("padded")) is classifier.layer("zeros").output
    assert [layer.kind for layer in classifier.layers.values()].count("RELU") == 3
    for name in ("operation", "function"):
        assert relu_input(classifier, classifier.layer(name)) is classifier.layer(name).output


def test_a_network_that_outputs_nan_is_an_error(sequential, images):
    kernel, bias = sequential.get_layer("last").get_weights()
    sequential.get_layer("last").set_weights([kernel * np.nan, bias])
    with pytest.raises(ValueError, match="the model outputs NaN"):
        Classifier(sequential).probabilities(images)


@pytest.mark.skipif(keras_internals.uses_onednn(), reason="oneDNN computes it")
def test_the_error_for_a_layer_that_only_onednn_supports_says_so(images):
    inside = layers.TimeDistributed(layers.Conv2D(2, 3, data_format="channels_first"))
    model = keras.Sequential([keras.Input((32, 32, 3)), layers.Reshape((1, 3, 32, 32)), inside, layers.Flatten()])
    model.add(layers.Dense(10))
    with pytest.raises(ValueError, match="TF_ENABLE_ONEDNN_OPTS=1 may help"):
        Classifier(model).probabilities(images)
