"""What a network outputs is read as it is meant: never a softmax on top of probabilities."""

import keras
import numpy as np
import pytest
from keras import layers, ops

from cnnvis import checkpoints, features, network
from cnnvis.network import endings
from cnnvis.network.classifier import Classifier

SIZE = (12, 12, 3)


def body(x, name="a"):
    x = layers.Conv2D(6, 3, activation="relu", name=f"conv_{name}")(x)
    return layers.GlobalMaxPooling2D(name=f"pool_{name}")(x)


def head(x, units=4, activation="softmax", name="a"):
    start = keras.initializers.RandomNormal(stddev=0.02, seed=len(name) + units)
    return layers.Dense(units, activation=activation, kernel_initializer=start, name=f"head_{name}")(body(x, name))


def conv_softmax(x):
    maps = layers.Conv2D(4, 3, activation="softmax", name="maps")(x)
    return layers.GlobalAveragePooling2D()(maps)


def augmented(x):
    shared = keras.Sequential([keras.Input(SIZE), layers.Flatten(), layers.Dense(4, activation="softmax")])
    return (shared(x) + shared(ops.flip(x, axis=2))) / 2


def capsules(x):
    """Their length is squashed to 0-1."""
    squares = ops.sum(ops.square(layers.Reshape((4, 2))(head(x, 8, None))), axis=-1)
    return squares / (1 + squares)


def tanh_that_happens_to_be_positive(x):
    return 0.5 * layers.Dense(4, activation="tanh", kernel_initializer="zeros", bias_initializer="ones")(body(x))


def read_twice_by_each(x):
    """2**40 ways lead from the output to the sigmoids."""
    x = head(x, activation="sigmoid")
    for _ in range(40):
        x = layers.Maximum()([x, x])
    return x


PROBABILITIES = {
    "softmax": head,
    "sigmoids": lambda x: head(x, activation="sigmoid"),
    "sigmoids through many layers": read_twice_by_each,
    "mean of two": lambda x: layers.Average()([head(x, name="a"), head(x, name="b")]),
    "weighted sum": lambda x: 0.3 * head(x, name="a") + 0.7 * head(x, name="b"),
    "clip": lambda x: ops.clip(head(x), 1e-6, 1.0),
    "cast": lambda x: ops.cast(head(x), "float32"),
    "reshape": lambda x: layers.Reshape((4,))(layers.Reshape((2, 2))(head(x))),
    "reshaped by an operation": lambda x: ops.reshape(head(x), (-1, 4)),
    "sigmoid heads side by side": lambda x: layers.Concatenate()([head(x, 1, "sigmoid", str(i)) for i in range(4)]),
    "mean of sigmoids": lambda x: layers.Average()([head(x, 4, "sigmoid", name) for name in "ab"]),
    "softmax of maps, averaged": conv_softmax,
    "a layer as activation": lambda x: head(x, activation=layers.Softmax()),
    "softmax by an operation": lambda x: ops.softmax(head(x, activation=None)),
    "test-time augmentation": augmented,
    "hard sigmoids": lambda x: head(x, activation="hard_sigmoid"),
    "hard sigmoids by an operation": lambda x: ops.hard_sigmoid(head(x, activation=None)),
    "sparsemax": lambda x: head(x, activation="sparsemax"),
    "weighted sum of sigmoids": lambda x: 0.3 * head(x, 4, "sigmoid", "a") + 0.7 * head(x, 4, "sigmoid", "b"),
    "smoothed sigmoids": lambda x: layers.Rescaling(0.9, 0.05)(head(x, activation="sigmoid")),
    "product of sigmoids": lambda x: layers.Multiply()([head(x, 4, "sigmoid", name) for name in "ab"]),
    "mean of a stack": lambda x: ops.mean(ops.stack([head(x, 4, "sigmoid", name) for name in "ab"], axis=0), axis=0),
    "sigmoid by hand": lambda x: 1 / (1 + ops.exp(-head(x, activation=None))),
    "lengths of capsules": capsules,
    "tanh scaled to 0-1": lambda x: (head(x, activation="tanh") + 1) / 2,
    "one less a sigmoid": lambda x: 1 - head(x, activation="sigmoid"),
    "softmax of another kind of layer": lambda x: layers.EinsumDense("ab,bc->ac", 4, activation="softmax")(body(x)),
    "a wrapped layer": lambda x: layers.SpectralNormalization(layers.Dense(4, activation="sigmoid"))(body(x)),
}
LOGITS = {
    "linear": lambda x: head(x, activation=None),
    "scaled": lambda x: 2.0 * head(x, activation=None),
    "linear maps, averaged": lambda x: layers.GlobalAveragePooling2D()(layers.Conv2D(4, 3)(x)),
    "relu": lambda x: head(x, activation="relu"),
    "tanh": lambda x: head(x, activation="tanh"),
    "log-softmax": lambda x: head(x, activation="log_softmax"),
    "log-softmax by an operation": lambda x: ops.log_softmax(head(x, activation=None)),
    "percent": lambda x: 100 * head(x),
    "tanh that happens to be positive": tanh_that_happens_to_be_positive,
}


def model_of(make):
    keras.utils.set_random_seed(4)
    x = keras.Input(SIZE)
    return keras.Model(x, make(x))


@pytest.fixture
def pixels():
    return np.random.default_rng(1).integers(0, 256, (5, *SIZE), dtype="uint8")


def softmax(values):
    return ops.convert_to_numpy(ops.softmax(values))


@pytest.mark.parametrize("ending", PROBABILITIES)
def test_probabilities_stay_as_they_are(ending, pixels):
    model = model_of(PROBABILITIES[ending])
    classifier, expected = Classifier(model), model.predict(pixels.astype("float32"), verbose=0)
    np.testing.assert_allclose(classifier.probabilities(pixels), expected, atol=1e-5)
    logits = classifier.logits(pixels)
    assert (logits.argmax(axis=1) == expected.argmax(axis=1)).all()
    assert np.isfinite(logits).all()


@pytest.mark.parametrize("ending", LOGITS)
def test_anything_else_counts_as_logits(ending, pixels):
    model = model_of(LOGITS[ending])
    classifier, expected = Classifier(model), model.predict(pixels.astype("float32"), verbose=0)
    np.testing.assert_allclose(classifier.probabilities(pixels), softmax(expected), atol=1e-5)
    assert ("taken for logits" in classifier.notice) == ("tanh" in ending or ending in ("relu", "percent"))


def test_views_of_an_image_may_be_a_batch(pixels):
    def views(x):
        maps = layers.Conv2D(4, 3, activation="relu", name="maps")(ops.concatenate([x, ops.flip(x, axis=2)], axis=0))
        return ops.mean(ops.reshape(ops.mean(maps / 1000, axis=(1, 2)), (2, -1, 4)), axis=0)

    model = model_of(views)
    expected = softmax(model.predict(pixels.astype("float32"), verbose=0))
    np.testing.assert_allclose(Classifier(model).probabilities(pixels), expected, atol=1e-5)


@pytest.mark.parametrize("activation", ["sigmoid", None, "relu"])
def test_one_unit_is_two_classes(activation, pixels):
    model = model_of(lambda x: head(x, 1, activation))
    classifier, (output,) = Classifier(model), model.predict(pixels.astype("float32"), verbose=0).T
    second = output if activation == "sigmoid" else 1 / (1 + np.exp(-output))
    assert classifier.classes == 2
    np.testing.assert_allclose(classifier.probabilities(pixels), np.stack([1 - second, second], axis=1), atol=1e-5)
    logits = classifier.logits(pixels)
    np.testing.assert_allclose(logits[:, 0], -logits[:, 1])
    np.testing.assert_allclose(1 / (1 + np.exp(-logits[:, 1])), second, atol=1e-5)
    assert bool(classifier.notice) == (activation != "sigmoid")


def test_one_unit_of_probabilities_without_an_activation_of_its_own(pixels):
    model = model_of(lambda x: layers.Average()([head(x, 1, "sigmoid", name) for name in "ab"]))
    expected = model.predict(pixels.astype("float32"), verbose=0)
    np.testing.assert_allclose(Classifier(model).probabilities(pixels)[:, 1:], expected, atol=1e-5)


def test_a_softmax_over_one_unit_is_refused():
    with pytest.raises(ValueError, match="always 1"):
        Classifier(model_of(lambda x: head(x, 1, "softmax")))


def test_the_chosen_class_is_no_probability():
    with pytest.raises(ValueError, match=r"whole numbers \(int32\)"):
        Classifier(model_of(lambda x: ops.argmax(head(x), axis=-1, keepdims=True)))


def test_infinite_logits_are_large_ones(pixels):
    """As in float16; the probability is exactly 0 or 1."""
    classifier = Classifier(model_of(lambda x: layers.Activation("sigmoid")(head(x, 1, None) / 0.0)))
    assert set(np.unique(classifier.probabilities(pixels))) <= {0, 1}
    assert set(np.abs(classifier.logits(pixels)).ravel()) == {65504}


def test_logits_that_are_no_numbers_are_refused(pixels):
    classifier = Classifier(model_of(lambda x: head(x, activation=None) * np.nan))
    with pytest.raises(ValueError, match="outputs NaN"):
        classifier.logits(pixels)


def test_sigmoids_side_by_side_keep_their_logits(pixels):
    classifier = Classifier(model_of(PROBABILITIES["sigmoid heads side by side"]))
    p = classifier.probabilities(pixels)
    np.testing.assert_allclose(classifier.logits(pixels), np.log(p / (1 - p)), rtol=1e-3, atol=1e-3)
    assert not classifier.notice


def test_a_softmax_over_the_batch_is_refused():
    with pytest.raises(ValueError, match="softmax over the images"):
        Classifier(model_of(lambda x: layers.Softmax(axis=0)(head(x, activation=None))))


def test_where_there_are_no_logits_the_logarithm_of_the_probability_stands_for_them(pixels):
    classifier = Classifier(model_of(PROBABILITIES["mean of two"]))
    np.testing.assert_allclose(np.exp(classifier.logits(pixels)), classifier.probabilities(pixels), rtol=1e-4)
    assert "no logits" in classifier.notice


def test_probabilities_of_exactly_0_and_1_give_finite_maps(pixels):
    """As a softmax in float16 gives them."""

    def saturated(x):
        return ops.one_hot(ops.argmax(head(x), axis=-1), 4)

    classifier = Classifier(model_of(saturated))
    assert set(np.unique(classifier.probabilities(pixels))) == {0, 1}
    assert np.isfinite(classifier.logits(pixels)).all()


def test_probabilities_are_seen_though_some_test_images_give_none(pixels):
    """As of a network that takes a logarithm of the pixels, which black ones don't have."""

    def fails_on_black(x):
        nothing = 0 * ops.log(ops.mean(x, axis=(1, 2, 3), keepdims=False))[:, None]
        return (head(x, name="a") + head(x, name="b")) / 2 + nothing

    model = model_of(fails_on_black)
    expected = model.predict(pixels.astype("float32"), verbose=0)
    np.testing.assert_allclose(Classifier(model).probabilities(pixels), expected, atol=1e-5)


def test_the_probes_are_unlike_one_another():
    probes = endings.probe_images(8, 10)
    assert probes.shape == (6, 8, 10, 3)
    assert probes.min() == 0
    assert probes.max() == 255


@pytest.mark.parametrize("ending", PROBABILITIES | LOGITS)
def test_names_of_ours_are_no_names_of_a_model_that_was_loaded(ending, tmp_path, pixels):
    """As in a process of its own, in which Keras has given no name yet."""
    model_of((PROBABILITIES | LOGITS)[ending]).save(tmp_path / "model.keras")
    expected = Classifier(keras.saving.load_model(tmp_path / "model.keras")).probabilities(pixels)
    keras.utils.clear_session()
    classifier = Classifier(checkpoints.load(tmp_path / "model.keras").model)
    np.testing.assert_allclose(classifier.probabilities(pixels), expected, atol=1e-5)
    layer = next(layer for layer in classifier.layers.values() if layer.kind == "CONV" or layer.kind == "FC")
    assert features.activations(classifier, layer, pixels, objective=features.neuron).shape[0] == 5


@pytest.mark.parametrize("name", ["binary", "relu", "ensemble"])
def test_they_can_be_loaded(name, tmp_path, capsys):
    made = {"binary": lambda x: head(x, 1, "sigmoid"), "relu": LOGITS["relu"], "ensemble": PROBABILITIES["mean of two"]}
    model_of(made[name]).save(tmp_path / "model.keras")
    checkpoint = checkpoints.load(tmp_path / "model.keras")
    classifier = network.take_apart(checkpoint, input_range=(0, 255))
    assert classifier.classes == checkpoint.class_count == (2 if name == "binary" else 4)
    assert ("logits" in capsys.readouterr().err) == (name != "binary")
