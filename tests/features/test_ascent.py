"""The ascent climbs, its numbers are those of the stored pictures, and the dead are known."""

import gc

import h5py
import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

import visualize_hidden_layer_activation
from cnnvis.features import ascent
from cnnvis.images import sources as data
from cnnvis.images.statistics import FINE, fine_share, frequencies, picture_statistics, wave_counts
from cnnvis.network.classifier import Classifier
from tests.conftest import small_sequential
from visualize_hidden_layer_activation import PARTS


@pytest.fixture
def statistics(pictures):
    return picture_statistics(pictures)


def test_activations_are_the_means_before_relu(sequential, pictures):
    classifier = Classifier(sequential, (0, 1))
    kernel, bias = sequential.get_layer("first").get_weights()
    by_hand = keras.ops.conv(pictures / np.float32(255), kernel).numpy() + bias
    given = ascent.activations(classifier, classifier.layer("first"), pictures)
    np.testing.assert_allclose(given, by_hand.mean(axis=(1, 2)), rtol=1e-3, atol=1e-5)
    hidden = keras.Model(sequential.inputs, sequential.get_layer("average").output)(pictures / 255)
    kernel, bias = sequential.get_layer("hidden").get_weights()
    given = ascent.activations(classifier, classifier.layer("hidden"), pictures)
    np.testing.assert_allclose(given, hidden @ kernel + bias, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("name", ["first", "second", "hidden", "last"])
def test_the_ascent_climbs_above_all_random_pictures(name, sequential, pictures, statistics):
    classifier = Classifier(sequential, (0, 1))
    layer = classifier.layer(name)
    filters = [0, 3, 5]
    images = ascent.ascend(classifier, layer, filters, statistics, steps=60)
    assert images.shape == (3, 32, 32, 3)
    assert images.dtype == np.uint8
    reached = ascent.activations(classifier, layer, images)[range(3), filters]
    assert (reached > ascent.activations(classifier, layer, pictures).max(axis=0)[filters]).all()


def test_same_seed_same_pictures(sequential, statistics):
    classifier = Classifier(sequential)
    layer = classifier.layer("second")
    a, b, c = (ascent.ascend(classifier, layer, [1, 2], statistics, steps=8, seed=seed) for seed in (5, 5, 6))
    np.testing.assert_array_equal(a, b)  # as `--seed` promises
    assert (a != c).any()


def test_no_graph_is_left_in_memory(sequential, statistics):
    """Megabytes for each call, in a process that makes many pictures."""

    def graphs():
        gc.collect()
        return sum(issubclass(type(thing), tf.Graph) for thing in gc.get_objects())

    classifier, before = Classifier(sequential), graphs()
    ascent.ascend(classifier, classifier.layer("second"), [1, 2], statistics, steps=2)
    assert graphs() == before


def test_no_variable_of_kerass_is_made(sequential, statistics, monkeypatch):
    """TensorFlow keeps 36 KiB of each that has no name of its own, for ever."""
    classifier = Classifier(sequential)
    monkeypatch.setattr(keras.Variable, "__init__", None)
    ascent.ascend(classifier, classifier.layer("second"), [1, 2], statistics, steps=2)


def test_steps_are_those_of_kerass_adamw():
    start, gradients = np.random.default_rng(0).normal(size=(2, 5)).astype("float32")
    oracle = keras.optimizers.AdamW(ascent.LEARNING_RATE, weight_decay=ascent.FORGETTING)
    ours, theirs = tf.Variable(start), keras.Variable(start)
    momentum, variance = tf.Variable(tf.zeros(5)), tf.Variable(tf.zeros(5))
    for number in range(1, 20):
        gradient = tf.constant(gradients * np.cos(number), tf.float32)
        ascent._adamw(ours, gradient, momentum, variance, tf.constant(float(number)))
        oracle.apply([gradient], [theirs])
    np.testing.assert_allclose(ours, theirs, rtol=1e-5)


def test_a_known_filter_is_recovered():
    """A hand-set detector of vertical edges is excited by a picture of vertical lines."""
    model = keras.Sequential(
        [keras.Input((16, 16, 3)), layers.Conv2D(1, 3, activation="relu"), layers.Flatten(), layers.Dense(2)]
    )
    edge = np.zeros((3, 3, 3, 1))
    edge[:, 0], edge[:, 2] = -1, 1
    model.layers[0].set_weights([edge, np.zeros(1)])
    classifier, statistics = Classifier(model, (0, 1)), picture_statistics(data.load("samples", "test").images)
    image = ascent.ascend(classifier, classifier.layer(model.layers[0].name), [0], statistics, steps=80)[0] / 255
    across, down = np.abs(np.diff(image, axis=1)).mean(), np.abs(np.diff(image, axis=0)).mean()
    assert across > 2 * down
    assert image[:, 10:].mean() > image[:, :6].mean()  # dark to the left, light to the right


def test_the_gradient_of_an_excitation_agrees_with_differences(pictures):
    """Of both objectives, on a tiny network, pixel by pixel."""
    keras.utils.set_random_seed(2)
    model = keras.Sequential([keras.Input((6, 6, 3)), layers.Conv2D(3, 3, activation="relu"), layers.Flatten()])
    model.add(layers.Dense(2))
    classifier = Classifier(model, (0, 1))
    layer = classifier.layer(model.layers[0].name)
    image = pictures[:1, :6, :6].astype("float64")
    for objective in ("channel", "neuron"):
        excitation = ascent.excitation_model(classifier, layer, (6, 6), objective)
        pixels = tf.constant(image, tf.float32)
        with tf.GradientTape() as tape:
            tape.watch(pixels)
            value = excitation(pixels)[0, 1]
        gradient = tape.gradient(value, pixels)[0].numpy()
        for place in ((3, 3, 0), (2, 4, 1), (3, 2, 2)):
            step = np.zeros_like(image)
            step[(0, *place)] = 50
            up, down = (ascent.activations(classifier, layer, image + sign * step, objective)[0, 1] for sign in (1, -1))
            np.testing.assert_allclose(gradient[place], (up - down) / 100, rtol=1e-3, atol=1e-6)


def test_the_same_network_in_any_form_gets_the_same_pictures(statistics, tmp_path):
    plain = small_sequential()
    functional = keras.Model(plain.inputs, plain.outputs)
    pixels = keras.Input((32, 32, 3))
    nested = keras.Sequential([keras.Input((32, 32, 3)), keras.Model(pixels, plain(pixels))])
    plain.save(tmp_path / "model.h5")
    loaded = keras.saving.load_model(tmp_path / "model.h5", compile=False)
    images = []
    for model in (loaded, functional, nested, plain):
        classifier = Classifier(model, (0, 1))
        images.append(ascent.ascend(classifier, classifier.layer("second"), [2, 5], statistics, steps=6))
    for other in images[1:]:  # their graphs may round in other ways, and a wave that is about to turn may then turn
        assert np.abs(images[0].astype(int) - other).mean() < 1
    other = ascent.ascend(classifier, classifier.layer("second"), [3, 6], statistics, steps=6)
    assert np.abs(images[0].astype(int) - other).mean() > 10


@pytest.mark.once
def test_growth_begins_with_noise_and_ends_with_the_picture(sequential, statistics):
    classifier = Classifier(sequential, (0, 1))
    layer = classifier.layer("second")
    told = []

    def track(steps):
        for step in steps:
            told.append(step)
            yield step

    grown = ascent.growth(classifier, layer, [1, 4], statistics, [0, 3, 20], track=track)
    assert grown.shape == (3, 2, 32, 32, 3)
    assert told == list(range(20))
    for steps, images in zip((3, 20), grown[1:]):
        alone = ascent.ascend(classifier, layer, [1, 4], statistics, steps=steps)
        assert np.abs(images.astype(int) - alone).mean() < 1 < np.abs(images.astype(int) - grown[0]).mean()
    reached = [ascent.activations(classifier, layer, images)[[0, 1], [1, 4]] for images in grown]
    assert (np.diff(reached, axis=0) > 0).all()


def test_grey_models_get_grey_pictures(pictures):
    classifier = Classifier(small_sequential(channels=1), (0, 1))
    images = ascent.ascend(classifier, classifier.layer("first"), [0], picture_statistics(pictures), steps=5)
    assert np.ptp(images.astype(int), axis=-1).max() == 0


def test_conv_layers_take_other_sizes_fc_layers_do_not(statistics):
    model = keras.Sequential(
        [keras.Input((32, 32, 3)), layers.Conv2D(2, 3, name="conv"), layers.Flatten(), layers.Dense(2, name="fc")]
    )
    classifier = Classifier(model)
    images = ascent.ascend(classifier, classifier.layer("conv"), [1], statistics, steps=2, size=40)
    assert images.shape == (1, 40, 40, 3)
    with pytest.raises(ValueError, match="fc needs pictures of 32x32"):
        ascent.ascend(classifier, classifier.layer("fc"), [1], statistics, steps=2, size=40)


def test_many_filters_go_in_parts(sequential, statistics, monkeypatch):
    monkeypatch.setattr(ascent, "FILTERS_AT_ONCE", 2)
    classifier = Classifier(sequential)
    assert ascent.ascend(classifier, classifier.layer("first"), range(3), statistics, steps=1).shape[0] == 3


def test_random_move_without_room_is_the_identity():
    images = tf.constant(np.random.default_rng(0).uniform(size=(2, 9, 9, 3)), tf.float32)
    np.testing.assert_allclose(ascent.random_move(images, [1, 2], 0, 0, 0), images, atol=1e-5)
    moved = ascent.random_move(images, [1, 2])
    assert np.abs(moved - images).max() > 0.01
    np.testing.assert_array_equal(moved, ascent.random_move(images, [1, 2]))


@pytest.mark.parametrize("shape", [(1, 1), (6, 1), (1, 6)])
def test_a_side_of_one_pixel_stays_where_it_is(shape):
    images = np.random.default_rng(0).uniform(size=(3, *shape, 3)).astype("float32")
    moved = ascent.random_move(images, [1, 2]).numpy()
    assert moved.min() >= images.min() - 1e-6
    assert moved.max() <= images.max() + 1e-6
    if shape == (1, 1):
        np.testing.assert_allclose(moved, images, atol=1e-6)


def test_random_move_turns_about_the_centre():
    image = np.zeros((1, 9, 9, 1), "float32")
    image[0, 4, 4] = 1
    turned = ascent.random_move(tf.constant(image), [3, 4], shift=0, degrees=45, zoom=0)
    np.testing.assert_allclose(turned[0, 4, 4], 1, atol=1e-4)


def test_the_gradient_of_a_move_agrees_with_differences():
    rng = np.random.default_rng(1)
    image = tf.constant(rng.uniform(size=(1, 5, 5, 1)), tf.float32)
    weights = tf.constant(rng.normal(size=(1, 5, 5, 1)), tf.float32)

    def value(x):
        return tf.reduce_sum(weights * ascent.random_move(x, [7, 8]))

    with tf.GradientTape() as tape:
        tape.watch(image)
        out = value(image)
    gradient = tape.gradient(out, image).numpy()
    for row, column in ((1, 1), (2, 3)):
        step = np.zeros((1, 5, 5, 1), "float32")
        step[0, row, column] = 0.1
        difference = (value(image + step) - value(image - step)) / 0.2
        np.testing.assert_allclose(gradient[0, row, column, 0], difference, atol=1e-3)


@pytest.mark.once
def test_every_part_can_be_left_out(sequential, statistics):
    classifier = Classifier(sequential, (0, 1))
    layer = classifier.layer("second")
    whole, *others = (
        ascent.ascend(classifier, layer, [1], statistics, steps=10, without=without)
        for without in ((), *((part,) for part in PARTS))
    )
    for part, less in zip(PARTS, others, strict=True):
        assert less.shape == whole.shape, part
        assert np.abs(less.astype(int) - whole).mean() > 1, part  # more than rounding could do


def test_fine_waves_keep_to_their_share():
    coarse, fine = (100.0 + 50 * ((np.indices((8, 8)) // side).sum(axis=0) % 2) for side in (4, 1))
    pictures = np.stack([coarse, fine, coarse / 2 + fine / 4])[..., None] * np.ones(3)
    held = ascent._smooth(tf.constant(pictures, tf.float32), 0.04).numpy()
    spectrum = np.abs(np.fft.fft2((held - held.mean(axis=(1, 2), keepdims=True))[..., 0])) ** 2
    is_fine = np.hypot(np.fft.fftfreq(8)[:, None], np.fft.fftfreq(8)) > 0.25
    share = spectrum[:, is_fine].sum(axis=1) / spectrum.sum(axis=(1, 2)).clip(1e-3)
    assert share[0] <= 0.041
    np.testing.assert_allclose(held[1], 125, atol=1)  # there is nothing coarse beside which it could stay
    np.testing.assert_allclose(share[2], 0.04, atol=2e-3)
    np.testing.assert_array_equal(ascent._smooth(tf.constant(pictures, tf.float32), 1).numpy(), pictures)


@pytest.mark.once
def test_pictures_are_smoother_than_real_ones(sequential):
    noise = np.random.default_rng(6).integers(0, 256, (30, 16, 16, 3), dtype="uint8")
    statistics = picture_statistics(noise.repeat(2, axis=1).repeat(2, axis=2))
    classifier = Classifier(sequential, (0, 1))
    for without, smooth in (((), True), (("smooth",), False)):
        images = ascent.ascend(classifier, classifier.layer("second"), [0, 1, 2], statistics, steps=30, without=without)
        waves = np.abs(np.fft.rfft2(images.transpose(0, 3, 1, 2))) ** 2 * wave_counts((32, 32))
        shares = waves[..., frequencies((32, 32)) > FINE].sum(axis=(1, 2)) / waves.sum(axis=(1, 2, 3))
        real = fine_share(statistics.amplitudes, (32, 32))
        assert (shares < 0.55 * real).all() == smooth


def test_the_objective_of_a_neuron_is_the_cell_in_the_middle(sequential, pictures, statistics):
    classifier = Classifier(sequential, (0, 1))
    layer = classifier.layer("second")
    output = classifier.model_to(layer.linear)(pictures.astype("float32")).numpy()
    given = ascent.activations(classifier, layer, pictures, "neuron")
    np.testing.assert_allclose(given, output[:, output.shape[1] // 2, output.shape[2] // 2], rtol=1e-5)
    image = ascent.ascend(classifier, layer, [3], statistics, steps=40, objective="neuron")
    assert ascent.activations(classifier, layer, image, "neuron")[0, 3] > given[:, 3].max()


@pytest.mark.slow
def test_the_first_layer_of_the_included_network_beats_real_pictures(tmp_path, cifar10):
    """Its filters are the hardest: without forgetting the first steps, 112 of 128 do, with it 122."""
    options = ["--model", "models/stashed/cifar10_deep.keras", "--layers", "conv1", "--filters", "all", "--out"]
    assert visualize_hidden_layer_activation.main([*options, str(tmp_path)]) == 0
    with h5py.File(tmp_path / "hidden_layer_activation.h5") as file:
        layer = file["conv1"]
        assert (layer["activation"][()] >= layer["dataset_max"][()]).sum() >= 118
