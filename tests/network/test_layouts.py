"""A channels-first network is shown as its channels-last twin: same layers, maps, windows, filters and page."""

import keras
import numpy as np
import pytest
from keras import layers

import visualize_hidden_layer_output
from cnnvis import features
from cnnvis.explore import browser_network
from cnnvis.images import Dataset
from cnnvis.network import channel_terms, layer_outputs, receptive_fields, relu_input, size_change
from cnnvis.network.classifier import Classifier
from cnnvis.network.receptive_field import Field
from tests.conftest import rounding

SIZE = (20, 14)
CONV = {
    "strides": lambda **how: layers.Conv2D(6, 3, strides=2, padding="same", activation="relu", **how),
    "dilation": lambda **how: layers.Conv2D(6, (3, 2), dilation_rate=2, **how),
    "groups": lambda **how: layers.Conv2D(6, 3, groups=3, activation="tanh", **how),
    "transposed": lambda **how: layers.Conv2DTranspose(4, 3, strides=2, padding="same", activation="relu", **how),
    "depthwise": lambda **how: layers.DepthwiseConv2D(3, depth_multiplier=2, **how),
    "separable": lambda **how: layers.SeparableConv2D(5, 3, activation="relu", **how),
}


def network(data_format, kind="strides", enter="permuted"):
    """Layers with a data format, and those between them that follow it."""
    keras.utils.set_random_seed(3)
    first = data_format == "channels_first"
    axis, how = (1 if first else -1), {"data_format": data_format}
    x = inputs = keras.Input((3, *SIZE) if first and enter == "itself" else (*SIZE, 3))
    if first and enter == "permuted":
        x = layers.Permute((3, 1, 2), name="to_first")(x)
    if first and enter == "transposed":
        x = keras.ops.moveaxis(x, -1, 1)
    x = CONV[kind](name="conv", **how)(x)
    x = layers.BatchNormalization(axis=axis, beta_initializer="normal", gamma_initializer="uniform", name="norm")(x)
    x = layers.SpatialDropout2D(0.5, name="dropped")(keras.ops.relu(x))
    side = layers.ZeroPadding2D(((2, 0), (0, 2)), name="pad", **how)(x)
    side = layers.Cropping2D(((1, 1), (0, 2)), name="crop", **how)(side)
    x = layers.Concatenate(axis=axis, name="both")([x, layers.ReLU(name="rectified")(layers.Add()([x, side]))])
    x = layers.MaxPooling2D((3, 2), strides=(1, 2), padding="same", name="pool", **how)(x)
    x = layers.Conv2D(7, 2, activation="relu", name="last", **how)(layers.UpSampling2D(2, name="up", **how)(x))
    x = layers.Concatenate(name="ends")(
        [layers.Flatten(**how)(x), layers.GlobalAveragePooling2D(name="mean", **how)(x)]
    )
    return keras.Model(inputs, layers.Dense(10, activation="softmax", name="classes")(x))


def pair(kind="strides", enter="permuted"):
    """Classifiers of a channels-first network and of its twin."""
    first, last = network("channels_first", kind, enter=enter), network("channels_last", kind)
    last.set_weights(first.get_weights())
    return Classifier(first, (0, 1)), Classifier(last, (0, 1))


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(0).integers(0, 256, (3, *SIZE, 3), dtype="uint8")


@pytest.mark.parametrize(
    ("kind", "enter"), [*((kind, "permuted") for kind in CONV), ("strides", "transposed"), ("dilation", "itself")]
)
def test_every_layer_is_shown_as_that_of_its_twin(kind, enter, images):
    """On every processor: on CPUs, only oneDNN has channels-first kernels, and the user may have turned it off."""
    first, last = pair(kind, enter)
    np.testing.assert_allclose(first.probabilities(images), last.probabilities(images), atol=1e-5)
    pairs = [*zip(shown(first), last.layers.values(), strict=True)]
    given, expected = first.outputs(images, [ours.name for ours, _ in pairs]), last.outputs(images, [*last.layers])
    for ours, twin in pairs:
        np.testing.assert_allclose(given[ours.name], expected[twin.name], rtol=1e-4, atol=1e-5, err_msg=twin.name)
        assert receptive_fields(first, ours) == receptive_fields(last, twin), twin.name
        assert size_change(ours) == size_change(twin), twin.name
    assert (receptive_fields(first, first.layer("pool")) is None) == (kind == "transposed")
    before_relu = [relu_input(each, each.layer("conv")) for each in (first, last)]
    assert before_relu[0].shape == before_relu[1].shape


def shown(classifier):
    """Its layers, without those that put the channels in front."""
    return [layer for layer in classifier.layers.values() if type(layer.layer).__name__ not in ("Permute", "Moveaxis")]


def test_the_page_has_the_same_layers_and_computes_the_same_values():
    first, last = (browser_network.export(classifier).layers for classifier in pair())
    assert (first[1]["name"], first[1]["shape"], first[1]["sources"]) == ("to_first", [*SIZE, 3], [0])
    for ours, twin in zip([first[0], *first[2:]], last, strict=True):
        kernels = [(layer["arithmetic"] or {}).pop("kernel", None) for layer in (ours, twin)]
        assert (kernels[0] is None) == (kernels[1] is None)
        assert [place - 1 for place in ours["sources"] if place > 1] == [place for place in twin["sources"] if place]
        for key in ("shape", "sizeNote", "arithmetic"):
            assert ours[key] == twin[key], twin["name"]


def test_filters_are_counted_along_the_channels_and_respond_alike(images):
    first, last = pair()
    layer, twin = first.layer("conv"), last.layer("conv")
    assert features.choose_filters(first, ["conv"], ["all"])["conv"].tolist() == list(range(6))
    for objective in (features.channel, features.neuron):
        given, expected = (features.activations(*each, images, objective) for each in ((first, layer), (last, twin)))
        np.testing.assert_allclose(given, expected, rtol=1e-4, atol=1e-5)
    larger = np.random.default_rng(1).integers(0, 256, (2, 26, 18, 3), dtype="uint8")
    given, expected = (features.activations(*each, larger) for each in ((first, layer), (last, twin)))
    np.testing.assert_allclose(given, expected, rtol=1e-4, atol=1e-5)
    seen, expected = (
        features.visualize(
            each, "conv", "all", dataset=Dataset("noise", images, np.arange(3), tuple("abcdefghij")), steps=1
        )
        for each in (first, last)
    )
    np.testing.assert_allclose(seen.dataset_max, expected.dataset_max, rtol=1e-4)
    np.testing.assert_array_equal(seen.patches, expected.patches)


@pytest.mark.parametrize("name", ["conv", "last"])
def test_the_terms_of_a_channel_are_those_of_the_twin(name, images):
    first, last = pair()
    given, expected = (channel_terms(each, each.layer(name), images[0], channel=5) for each in (first, last))
    for field in ("inputs", "weights", "parts", "output"):
        np.testing.assert_allclose(getattr(given, field), getattr(expected, field), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("shape", [(8, 8), (64,)])
def test_what_reads_a_reshaped_image_tells_its_layout(shape):
    """As in networks that were written for Theano."""
    steps = [layers.Reshape((1, 8, 8)), layers.Dropout(0.1), layers.Conv2D(4, 3, data_format="channels_first")]
    model = keras.Sequential([keras.Input(shape), *steps, layers.Flatten(), layers.Dense(2)])
    classifier = Classifier(model)
    reshaped, dropped, conv = list(classifier.layers.values())[:3]
    assert reshaped.output.shape == dropped.output.shape == (None, 8, 8, 1)
    assert conv.output.shape == (None, 6, 6, 4)
    assert [field.size for field in receptive_fields(classifier, conv)] == [3, 3]


def test_a_layer_that_takes_channels_for_rows_says_nothing_untrue(tmp_path, capsys):
    """A network for channels-first images whose CONV layer isn't: it computes what it computes."""
    conv = layers.Conv2D(5, 3, padding="same", name="conv")
    model = keras.Sequential([keras.Input((3, 16, 16)), conv, layers.Flatten(), layers.Dense(10)])
    images = np.random.default_rng(0).integers(0, 256, (2, 16, 16, 3), dtype="uint8")
    classifier = Classifier(model)
    expected = model.predict(images.transpose(0, 3, 1, 2).astype("float32"), verbose=0)
    np.testing.assert_allclose(classifier.logits(images), expected, atol=rounding(9 * 16 + 240, 255 * 16))
    assert layer_outputs(classifier, images[0], ["conv"])["conv"].shape == (3, 16, 5)
    assert size_change(classifier.layer("conv")) == ""
    assert receptive_fields(classifier, classifier.layer("conv")) is None
    assert browser_network.export(classifier).layers[1]["arithmetic"] is None
    model.save(tmp_path / "model.keras")
    options = ["--model", str(tmp_path / "model.keras"), "--data", "samples", "--input-range", "0", "1"]
    assert visualize_hidden_layer_output.main([*options, "--channel", "0", "--out", str(tmp_path)]) == 2
    assert (
        capsys.readouterr()
        .err.splitlines()[-1]
        .endswith("conv takes its input's channels for rows or columns: leave out --channel or name other --layers")
    )


def test_layers_that_only_move_the_channels_are_looked_through():
    """As converters from PyTorch write them."""
    x = inputs = keras.Input((3, *SIZE))
    x = layers.Conv2D(4, 3, name="conv")(layers.Permute((2, 3, 1))(x))
    x = layers.ReLU(name="relu")(keras.ops.transpose(x, (0, 3, 1, 2)))
    classifier = Classifier(keras.Model(inputs, layers.Dense(5)(layers.Flatten()(x))))
    conv, relu = classifier.layer("conv"), classifier.layer("relu")
    assert relu_input(classifier, conv) is relu.inputs[0]
    assert relu.output.shape == (None, 18, 12, 4)
    assert receptive_fields(classifier, relu) == receptive_fields(classifier, conv) == (Field(0, 3), Field(0, 3))
