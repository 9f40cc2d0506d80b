"""The ascent climbs, and is the same for the same seed and network."""

import gc
from functools import partial

import h5py
import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

import visualize_hidden_layer_activation
from cnnvis.features import ascent, objectives
from cnnvis.features.ascent import Ascent
from cnnvis.images import sources
from cnnvis.images.statistics import image_statistics
from cnnvis.network.classifier import Classifier
from tests.conftest import small_sequential
from visualize_hidden_layer_activation import LEFT_OUT


@pytest.fixture
def statistics(images):
    return image_statistics(images)


@pytest.mark.parametrize("name", ["first", "second", "hidden", "last"])
def test_the_ascent_climbs_above_all_random_images(name, sequential, images, statistics):
    classifier = Classifier(sequential, (0, 1))
    layer = classifier.layer(name)
    filters = [0, 3, 5]
    (optimised,) = ascent.ascend(classifier, layer, filters, statistics, Ascent(steps=60))
    assert optimised.shape == (3, 32, 32, 3)
    assert optimised.dtype == np.uint8
    reached = objectives.activations(classifier, layer, optimised)[range(3), filters]
    assert (reached > objectives.activations(classifier, layer, images).max(axis=0)[filters]).all()


def test_same_seed_same_images(sequential, statistics):
    classifier = Classifier(sequential)
    layer = classifier.layer("second")
    a, b, c = (ascent.ascend(classifier, layer, [1, 2], statistics, Ascent(steps=8, seed=seed)) for seed in (5, 5, 6))
    np.testing.assert_array_equal(a, b)  # as `--seed` promises
    assert (a != c).any()


def test_no_graph_is_left_in_memory(sequential, statistics):
    """Each would take megabytes."""

    def graphs():
        gc.collect()
        return sum(issubclass(type(thing), tf.Graph) for thing in gc.get_objects())

    classifier, before = Classifier(sequential), graphs()
    ascent.ascend(classifier, classifier.layer("second"), [1, 2], statistics, Ascent(steps=2))
    assert graphs() == before


def test_no_keras_variable_is_made(sequential, statistics, monkeypatch):
    """TensorFlow would leak 36 KiB for each."""
    classifier = Classifier(sequential)
    monkeypatch.setattr(keras.Variable, "__init__", None)
    ascent.ascend(classifier, classifier.layer("second"), [1, 2], statistics, Ascent(steps=2))


def test_steps_equal_those_of_adamw_in_keras():
    start, gradients = np.random.default_rng(0).normal(size=(2, 5)).astype("float32")
    oracle = keras.optimizers.AdamW(ascent.LEARNING_RATE, weight_decay=ascent.WEIGHT_DECAY)
    ours, theirs = tf.Variable(start), keras.Variable(start)
    momentum, variance = tf.Variable(tf.zeros(5)), tf.Variable(tf.zeros(5))
    for number in range(1, 20):
        gradient = tf.constant(gradients * np.cos(number), tf.float32)
        ascent._adamw(ours, gradient, momentum, variance, tf.constant(float(number)))
        oracle.apply([gradient], [theirs])
    np.testing.assert_allclose(ours, theirs, rtol=1e-5)


def test_a_known_filter_is_recovered():
    """A hand-made detector of vertical edges responds most strongly to an image of vertical lines."""
    model = keras.Sequential(
        [keras.Input((16, 16, 3)), layers.Conv2D(1, 3, activation="relu"), layers.Flatten(), layers.Dense(2)]
    )
    edge = np.zeros((3, 3, 3, 1))
    edge[:, 0], edge[:, 2] = -1, 1
    model.layers[0].set_weights([edge, np.zeros(1)])
    classifier, statistics = Classifier(model, (0, 1)), image_statistics(sources.load("samples", "test").images)
    layer = classifier.layer(model.layers[0].name)
    image = ascent.ascend(classifier, layer, [0], statistics, Ascent(steps=80))[-1, 0] / 255
    across, down = np.abs(np.diff(image, axis=1)).mean(), np.abs(np.diff(image, axis=0)).mean()
    assert across > 2 * down
    assert image[:, 10:].mean() > image[:, :6].mean()  # dark to the left, light to the right


def test_the_same_network_in_any_form_gets_the_same_images(statistics, tmp_path):
    plain = small_sequential()
    functional = keras.Model(plain.inputs, plain.outputs)
    pixels = keras.Input((32, 32, 3))
    nested = keras.Sequential([keras.Input((32, 32, 3)), keras.Model(pixels, plain(pixels))])
    plain.save(tmp_path / "model.h5")
    loaded = keras.saving.load_model(tmp_path / "model.h5", compile=False)
    frames = []
    for model in (loaded, functional, nested, plain):
        classifier = Classifier(model, (0, 1))
        frames.append(ascent.ascend(classifier, classifier.layer("second"), [2, 5], statistics, Ascent(steps=6)))
    for other in frames[1:]:  # different graphs may round differently, which may flip the sign of a coefficient
        assert np.abs(frames[0].astype(int) - other).mean() < 1
    other = ascent.ascend(classifier, classifier.layer("second"), [3, 6], statistics, Ascent(steps=6))
    assert np.abs(frames[0].astype(int) - other).mean() > 10


@pytest.mark.once
def test_frames_begin_with_noise_and_end_with_the_image(sequential, statistics):
    classifier = Classifier(sequential, (0, 1))
    layer = classifier.layer("second")
    tracked = []

    def track(steps):
        for step in steps:
            tracked.append(step)
            yield step

    frames = ascent.ascend(classifier, layer, [1, 4], statistics, Ascent(steps=20), stops=[0, 3, 20], track=track)
    assert frames.shape == (3, 2, 32, 32, 3)
    assert tracked == list(range(20))
    for steps, images in zip((3, 20), frames[1:]):
        (alone,) = ascent.ascend(classifier, layer, [1, 4], statistics, Ascent(steps=steps))
        assert np.abs(images.astype(int) - alone).mean() < 1 < np.abs(images.astype(int) - frames[0]).mean()
    reached = [objectives.activations(classifier, layer, images)[[0, 1], [1, 4]] for images in frames]
    assert (np.diff(reached, axis=0) > 0).all()


def test_grey_models_get_grey_images(images):
    classifier = Classifier(small_sequential(channels=1), (0, 1))
    optimised = ascent.ascend(classifier, classifier.layer("first"), [0], image_statistics(images), Ascent(steps=5))
    assert np.ptp(optimised.astype(int), axis=-1).max() == 0


def test_conv_layers_take_other_sizes_fc_layers_do_not(statistics):
    model = keras.Sequential(
        [keras.Input((32, 32, 3)), layers.Conv2D(2, 3, name="conv"), layers.Flatten(), layers.Dense(2, name="fc")]
    )
    classifier = Classifier(model)
    images = ascent.ascend(classifier, classifier.layer("conv"), [1], statistics, Ascent(steps=2, size=40))
    assert images.shape == (1, 1, 40, 40, 3)
    with pytest.raises(ValueError, match="fc needs images of 32x32"):
        ascent.ascend(classifier, classifier.layer("fc"), [1], statistics, Ascent(steps=2, size=40))


def test_many_filters_are_optimised_in_parts(sequential, statistics, monkeypatch):
    """Few at once, or few whose gradients are in memory at once."""
    classifier, parts = Classifier(sequential), []
    optimize = ascent.optimize
    monkeypatch.setattr(
        ascent,
        "optimize",
        lambda objective, image, *more, **how: parts.append(1) or optimize(objective, image, *more, **how),
    )
    monkeypatch.setattr(ascent, "FILTERS_AT_ONCE", 2)
    ascend = partial(ascent.ascend, classifier, classifier.layer("first"), range(3), statistics)
    assert ascend(Ascent(steps=1)).shape[:2] == (1, 3)
    assert len(parts) == 2
    monkeypatch.setattr(ascent, "MOST_KEPT", 2 * classifier.kept - 1)
    assert ascend(Ascent(steps=1)).shape[:2] == (1, 3)
    assert len(parts) == 2 + 3
    with pytest.raises(ValueError, match="GB: choose a smaller --size or other --layers"):
        ascend(Ascent(steps=1, size=64))


@pytest.mark.once
def test_every_part_can_be_left_out(sequential, statistics):
    classifier = Classifier(sequential, (0, 1))
    layer = classifier.layer("second")
    whole, *others = (
        ascent.ascend(classifier, layer, [1], statistics, Ascent(steps=10, **fields))
        for fields in ({}, *LEFT_OUT.values())
    )
    for part, less in zip(LEFT_OUT, others, strict=True):
        assert less.shape == whole.shape, part
        assert np.abs(less.astype(int) - whole).mean() > 1, part  # more than rounding could do


@pytest.mark.slow
def test_optimised_images_activate_the_first_layer_more_than_real_ones(tmp_path, cifar10):
    """Its filters are the hardest: 112 of 128 without weight decay, 122 with it."""
    options = ["--model", "models/stashed/cifar10_deep.keras", "--layers", "conv1", "--filters", "all", "--out"]
    assert visualize_hidden_layer_activation.main([*options, str(tmp_path)]) == 0
    with h5py.File(tmp_path / "hidden_layer_activation.h5") as file:
        layer = file["conv1"]
        assert (layer["activation"][()] >= layer["dataset_max"][()]).sum() >= 118
