"""Unusual models: every script draws the right figure, or says in one line why it can't."""

import json

import h5py
import keras
import numpy as np
import pytest
from keras import layers

import visualize_hidden_layer_activation
import visualize_hidden_layer_output
import visualize_pixel_importance
import visualize_results
from cnnvis import plots
from cnnvis.checkpoints import checkpoint
from cnnvis.network import classifier as classifiers
from cnnvis.network import computing, cost
from cnnvis.network.classifier import Classifier
from tests.conftest import rounding

SCRIPTS = {
    visualize_results: ("--examples", "2"),
    visualize_pixel_importance: ("--indices", "0", "--window", "2", "--stride", "2"),
    visualize_hidden_layer_activation: ("--steps", "2", "--num", "1"),
    visualize_hidden_layer_output: (),
}


def chain(*steps, shape=(16, 16, 3), dtype="float32"):
    keras.utils.set_random_seed(3)
    return keras.Sequential([keras.Input(shape, dtype=dtype), *steps])


def convolutional(end=None, shape=(16, 16, 3), kernel=3, **options):
    first = layers.Conv2D(4, kernel, activation="relu", name="conv", **options)
    return chain(first, layers.Flatten(), layers.Dense(10, activation=end, name="classes", **options), shape=shape)


def shared_and_nested():
    x = inputs = keras.Input((16, 16, 3))
    conv = layers.Conv2D(3, 3, padding="same", activation="relu", name="shared")
    inner = keras.Sequential([keras.Input((16, 16, 3)), layers.Conv2D(2, 3), layers.MaxPooling2D()], name="inner")
    x = layers.concatenate([inner(conv(conv(x))), inner(x)])
    return keras.Model(inputs, layers.Dense(10)(layers.Flatten()(x)))


def attention():
    x = inputs = keras.Input((16, 16, 3))
    x = layers.Reshape((16, 48))(x)
    x = layers.GlobalAveragePooling1D()(layers.MultiHeadAttention(2, 4)(x, x))
    return keras.Model(inputs, layers.Dense(10, activation="softmax")(x))


def channels_first_inside():
    first = layers.Conv2D(4, 3, data_format="channels_first", activation="relu", name="conv")
    pool = layers.MaxPooling2D(data_format="channels_first")
    return chain(layers.Permute((3, 1, 2)), first, pool, layers.Flatten(), layers.Dense(10))


def channels_last_inside():
    first = layers.Conv2D(4, 3, activation="relu", name="conv")
    return chain(first, layers.MaxPooling2D(), layers.Permute((3, 1, 2)), layers.Flatten(), layers.Dense(10))


def branches():
    """Layers called by keyword, an operation with several outputs, one with a number, and a nested model by names."""
    inputs = keras.Input((16, 16, 3))
    red, green, _ = keras.ops.split(inputs / 255, 3, axis=-1)
    z, y = keras.Input((16, 16, 1), name="z"), keras.Input((16, 16, 1), name="y")
    difference = keras.Model([z, y], layers.Subtract()([z, y]))({"y": red, "z": green})
    x = layers.Conv2D(2, 3, name="conv")(inputs=1 - difference)
    rows = layers.Reshape((14, 28))(x)
    rows = layers.MultiHeadAttention(2, 4)(query=rows, value=rows)
    return keras.Model(inputs, layers.Dense(10, activation="softmax")(layers.Flatten()(rows)))


def of_one_batch_size(size=3):
    x = inputs = keras.Input(batch_shape=(size, 16, 16, 3))
    x = layers.LSTM(4, stateful=True)(keras.ops.reshape(x / 255, (size, 16, 48)))
    return keras.Model(inputs, layers.Dense(10, activation="softmax")(keras.ops.reshape(x, (x.shape[0], -1))))


def in_training_mode():
    x = inputs = keras.Input((16, 16, 3))
    x = layers.BatchNormalization()(layers.Conv2D(2, 3)(x), training=True)
    x = layers.Dropout(0.5)(layers.Flatten()(x), training=True)
    return keras.Model(inputs, layers.Dense(10, activation="softmax")(x))


def one_unit_of_two_networks():
    x = inputs = keras.Input((16, 16, 3))
    heads = [layers.Dense(1, activation="sigmoid")(layers.GlobalAveragePooling2D()(x / 255)) for _ in range(2)]
    return keras.Model(inputs, 0.3 * heads[0] + 0.7 * heads[1])


SHOWN = {
    "branches": branches,
    "one batch size": of_one_batch_size,
    "in training mode": in_training_mode,
    "no CONV layer": lambda: chain(layers.Flatten(), layers.Dense(10, activation="softmax")),
    "sigmoid": lambda: convolutional("sigmoid"),
    "no activation": convolutional,
    "log softmax": lambda: convolutional("log_softmax"),
    "shared and nested": shared_and_nested,
    "channels first inside": channels_first_inside,
    "float16": lambda: convolutional("softmax", dtype="float16"),
    "float64": lambda: convolutional("softmax", dtype="float64"),
    "mixed precision": lambda: convolutional("softmax", dtype="mixed_bfloat16"),
    "zeros": lambda: convolutional(kernel_initializer="zeros"),
    "2x3": lambda: convolutional(shape=(2, 3, 3), kernel=2),
    "512x512": lambda: chain(
        layers.Conv2D(2, 3, strides=32, activation="relu"),
        layers.GlobalAveragePooling2D(),
        layers.Dense(10),
        shape=(512, 512, 3),
    ),
    "any size": lambda: chain(
        layers.Conv2D(2, 3, activation="relu"), layers.GlobalAveragePooling2D(), layers.Dense(10), shape=(None, None, 3)
    ),
    "recurrent": lambda: chain(layers.Reshape((16, 48)), layers.LSTM(4), layers.Dense(10)),
    "attention": attention,
    "three dimensions": lambda: chain(
        layers.Reshape((16, 16, 3, 1)), layers.Conv3D(2, 3), layers.Flatten(), layers.Dense(10)
    ),
    "augmentation": lambda: chain(
        layers.RandomFlip(), layers.RandomRotation(0.5), layers.Conv2D(2, 3), layers.Flatten(), layers.Dense(10)
    ),
    "whole numbers": lambda: chain(
        layers.Rescaling(1.0), layers.Conv2D(2, 3), layers.Flatten(), layers.Dense(10), dtype="uint8"
    ),
}


@pytest.fixture
def network(tmp_path):
    """A function that saves a model and returns its path."""

    def save(model, name="model.keras"):
        model.save(tmp_path / name)
        return tmp_path / name

    return save


def run(script, path, options=()):
    return script.main(
        ["--model", str(path), "--data", "samples", "--input-range", "0", "255", "--out", str(path.parent), *options]
    )


@pytest.mark.parametrize("strange", SHOWN)
def test_what_is_computed_is_what_the_model_computes(strange, network):
    """End to end: saved, checked, loaded and taken apart, against the model before it was saved."""
    model = SHOWN[strange]()
    loaded = checkpoint.load(network(model)).model
    size = [side or 16 for side in model.inputs[0].shape[1:3]]
    images = np.random.default_rng(0).integers(0, 256, (3, *size, 3)).astype("float32")
    if strange == "channels first inside":  # which plain Keras can't compute on every processor
        weights, model = model.get_weights(), channels_last_inside()
        model.set_weights(weights)
    given = keras.ops.convert_to_numpy(model(images, training=False)).astype("float32")
    classifier = Classifier(loaded, size=size)
    if not np.allclose(given.sum(axis=1), 1, rtol=1e-2) and strange != "sigmoid":
        given = np.exp(given - given.max(axis=1, keepdims=True))
        given /= given.sum(axis=1, keepdims=True)
    roughly = (
        {"rtol": 0.05, "atol": 0.02} if strange in ("float16", "mixed precision") else {"rtol": 1e-3, "atol": 1e-6}
    )
    np.testing.assert_allclose(classifier.probabilities(images), given, **roughly)


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.__name__)
@pytest.mark.parametrize("strange", ["no CONV layer", "shared and nested", "channels first inside", "float16", "2x3"])
def test_every_script_works(strange, script, network, capsys, monkeypatch):
    path = network(SHOWN[strange]())
    drawn = (
        script is not visualize_results or strange == "2x3"
    )  # its figures don't depend on the layers: one network will do
    if not drawn:
        monkeypatch.setattr(plots, "findings_pages", lambda *_, **__: {})
    assert run(script, path, SCRIPTS[script]) == 0, capsys.readouterr().err
    topic = script.__name__.removeprefix("visualize_")
    if drawn:
        assert (path.parent / f"{topic}.png").stat().st_size > 1000
    with h5py.File(path.parent / f"{topic}.h5") as file:
        arrays = {}
        file.visititems(lambda name, item: arrays.update({name: item[()]}) if isinstance(item, h5py.Dataset) else None)
    for name, array in arrays.items():
        empty = (
            arrays["calibration/count"] == 0 if name.startswith("calibration/") else False
        )  # empty bins have no mean
        assert np.isfinite(array[~np.broadcast_to(empty, array.shape)]).all(), name


def of_two(inputs=1, outputs=1):
    given = [keras.Input((16, 16, 3)) for _ in range(inputs)]
    x = layers.Flatten()(layers.add(given) if inputs > 1 else given[0])
    return keras.Model(given, [layers.Dense(10)(x) for _ in range(outputs)])


def broken(value):
    model = convolutional("softmax")
    kernel, bias = model.get_layer("conv").get_weights()
    kernel[0, 0, 0, 1] = value
    model.get_layer("conv").set_weights([kernel, bias])
    return model


@keras.saving.register_keras_serializable("of_somebody")
class Doubling(keras.layers.Layer):
    def call(self, x):
        return 2 * x


REFUSED = {
    "two inputs": (lambda: of_two(inputs=2), "it needs one input and one output"),
    "two outputs": (lambda: of_two(outputs=2), "it needs one input and one output"),
    "no channels": (lambda: convolutional(shape=(5, 16, 16)), "it takes (5, 16, 16), not (height, width, 1 to 4)"),
    "no image": (lambda: chain(layers.Dense(10), shape=(770,)), "it takes (770,), not (height, width"),
    "classes in rows": (lambda: chain(layers.Dense(10)), "it outputs (16, 16, 10), not one number for each class"),
    "a NaN": (lambda: broken(np.nan), "has weights that are not finite (NaN or infinity), the first in conv/kernel"),
    "infinity": (lambda: broken(np.inf), "has weights that are not finite (NaN or infinity), the first in conv/kernel"),
    "a custom layer": (
        lambda: chain(Doubling(), layers.Flatten(), layers.Dense(10)),
        "of_somebody>Doubling",
    ),
    "a huge layer": (
        lambda: chain(layers.UpSampling2D(2**11), layers.GlobalMaxPooling2D(), layers.Dense(10)),
        "is too large to compute: (32768, 32768, 3) for one image",
    ),
}


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.__name__)
@pytest.mark.parametrize("strange", REFUSED)
def test_every_script_says_in_one_line_why_it_cannot(strange, script, network, capsys):
    make, reason = REFUSED[strange]
    path = network(make())
    assert run(script, path, SCRIPTS[script]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert reason in line
    assert not list(path.parent.glob("*.png"))


def test_an_image_too_large_for_a_layer_names_a_side_that_fits(monkeypatch):
    model = chain(layers.Conv2D(4, 3, padding="same"), layers.GlobalMaxPooling2D(), shape=(None, None, 3))
    monkeypatch.setattr(classifiers, "MOST_OUTPUTS", 4 * 30 * 40)
    with pytest.raises(ValueError, match=r"^the input is too large .*\(300, 400, 3\) for one image: .* 30 or smaller"):
        Classifier(model, size=(300, 400))
    assert Classifier(model, size=(30, 40)).size == (30, 40)


def test_one_unit_of_a_weighted_sum_is_two_classes():
    """Keras marks the product of a tensor and a number as sparse."""
    model, images = one_unit_of_two_networks(), np.full((2, 16, 16, 3), 90, "float32")
    second = keras.ops.convert_to_numpy(model(images))
    np.testing.assert_allclose(Classifier(model).probabilities(images)[:, 1:], second, atol=1e-6)


def test_integer_inputs_have_no_fractions_but_gradients():
    classifier, whole = Classifier(SHOWN["whole numbers"]()), np.full((1, 16, 16, 3), 90)
    np.testing.assert_array_equal(classifier.logits(whole + 0.9), classifier.logits(whole))
    assert classifier.gradients("logit", whole, [1]).any()


def test_a_batch_size_that_stays_is_refused():
    x = keras.Input(batch_shape=(3, 16, 16, 3))
    model = keras.Model(x, layers.Concatenate()([keras.ops.mean(x, axis=(1, 2)), keras.ops.ones((3, 2))]))
    with pytest.raises(ValueError, match="computes batches of 3 only"):
        Classifier(model)


def test_a_name_that_tensorflow_cannot_compute_is_refused():
    with pytest.raises(ValueError, match="no layer called 'größte'"):
        Classifier(chain(layers.Flatten(name="größte"), layers.Dense(10)))


def looking_pixels_up():
    return chain(layers.Embedding(256, 2), layers.Flatten(), layers.Dense(10, name="classes"), dtype="int32")


def test_without_gradients_two_scripts_say_so(network, capsys):
    path = network(looking_pixels_up())
    options = "--indices", "0", "--method"
    assert run(visualize_pixel_importance, path, (*options, "gradients")) == 2
    assert run(visualize_hidden_layer_activation, path, SCRIPTS[visualize_hidden_layer_activation]) == 2
    first, second = capsys.readouterr().err.splitlines()
    assert "has no gradient" in first
    assert "have gradients" in second


def test_a_large_layer_reduces_the_batch_size(monkeypatch):
    classifier = Classifier(chain(layers.Flatten(), layers.Dense(10)))
    images, batches = np.zeros((20, 16, 16, 3), "uint8"), []
    monkeypatch.setattr(cost, "MOST_VALUES", 7 * (16 * 16 * 3 + 10))
    whole = classifier.probabilities(images, track=lambda steps: batches.extend(steps) or list(steps))
    assert batches == [0, 7, 14]
    np.testing.assert_allclose(whole, classifier.probabilities(images, batch_size=20), rtol=rounding(16 * 16 * 3))


def test_what_tensorflow_cannot_compute_is_one_error():
    model = chain(layers.Conv2D(2, 3), layers.GlobalMaxPooling2D(), layers.Dense(10), shape=(None, None, 3))
    run_model = computing.compiled(model)
    with pytest.raises(ValueError, match="TensorFlow can't compute this model here"):
        run_model(np.zeros((1, 1, 1, 3)))


def test_an_operation_that_fails_only_when_it_is_computed_is_one_error():
    inputs = keras.Input((8, 8, 3))
    x = layers.Flatten()(keras.ops.triu(inputs, k=10**20))
    classifier = Classifier(keras.Model(inputs, layers.Dense(2)(x)))
    with pytest.raises(ValueError, match="the model can't be computed on images"):
        classifier.probabilities(np.zeros((1, 8, 8, 3), "uint8"))


def test_a_layer_that_loads_but_fails_when_called_is_one_error(sequential, monkeypatch):
    def fail(*_args, **_options):
        raise TypeError("slices take whole numbers")

    monkeypatch.setattr(sequential.get_layer("shrink"), "compute_output_spec", fail)
    with pytest.raises(ValueError, match=r"(?s)can't be computed on images: .*slices take whole numbers"):
        Classifier(sequential)


def test_metadata_of_another_model_are_an_error(network):
    path = network(convolutional())
    path.with_suffix(".json").write_text(json.dumps({"architecture": "deep", "classes": ["a", "b"], "data": "cifar10"}))
    with pytest.raises(ValueError, match="names 2 classes, the model has 10"):
        checkpoint.load(path)
