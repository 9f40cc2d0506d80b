"""A film shows what the network was at each step, and changes nothing in the training."""

import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers
from tensorflow.python.framework import config  # the public API switches determinism on, but not off

from cnnvis.images import Dataset, load
from cnnvis.training import building, loop, recipes
from cnnvis.training import film as film_module
from cnnvis.training.film import Film, most_varied, thinned
from tests.conftest import rounding

CLASSES = tuple("abcdefg")


@pytest.fixture(scope="module")
def digits():
    return load("digits", "train", size=(32, 32)).take(np.arange(48))


def recipe_of(arch, **changes):
    narrow = {"basic": (2, 3), "deep": (4, 6, 6)}[arch]
    return dataclasses.replace(recipes.RECIPES[arch], widths=narrow, batch_size=8, epochs=2, **changes)


def trained(digits, recipe, arch, **options):
    return loop.train(digits, recipe, arch=arch, precision="float32", held_out=digits.take(range(9)), **options)


class Weights(keras.callbacks.Callback):
    """Remembers the weights after every step, with the accuracy of the epoch so far."""

    def __init__(self):
        super().__init__()
        self.after = {}

    def on_train_batch_end(self, batch, logs=None):
        self.after[int(self.model.optimizer.iterations.numpy())] = self.model.get_weights(), logs["accuracy"]


@pytest.mark.parametrize(
    ("arch", "changes"),
    [
        ("basic", {}),
        pytest.param("deep", {}, marks=pytest.mark.slow),
    ],
)
def test_each_frame_is_what_the_network_was_at_its_step(arch, changes, digits):
    recipe, seen, film = recipe_of(arch, **changes), Weights(), Film(digits)
    result = trained(digits, recipe, arch, film=film, callbacks=[seen])
    assert result.film is film
    assert [frame.step for frame in film.frames] == [0, 1, 2, 4, 6, 12]
    assert (film.layer, film.learns, film.steps, film.epochs) == ("conv1", True, 6, 2)
    assert (film.inputs, film.count) == ((3, 2) if arch == "basic" else (24, 4))
    np.testing.assert_array_equal(film.image, digits.images[0])
    assert (film.label, film.classes) == (digits.labels[0], digits.classes)
    network = building.build(arch, digits, recipe)
    parts = keras.Model(network.input, [network.output, network.get_layer("conv1").output])
    image = digits.images[:1].astype("float32")
    for frame in film.frames:
        weights, accuracy = seen.after.get(frame.step, (network.get_weights(), np.nan))
        if frame is film.frames[-1]:  # of deep, with the statistics of its checkpoint
            weights = result.network.get_weights()
        network.set_weights(weights)
        probabilities, maps = (each.numpy()[0] for each in parts(image, training=False))
        close = {"rtol": rounding(1000), "atol": rounding(1000) * np.abs(maps).max()}
        np.testing.assert_allclose(frame.probabilities, probabilities, atol=1e-4)
        np.testing.assert_allclose(frame.maps, maps[..., film.channels], **close)
        kernel = network.get_layer("conv1").kernel.numpy()
        if arch == "deep":
            kernel = np.sqrt((kernel**2).sum(axis=2, keepdims=True))
        np.testing.assert_allclose(frame.filters, kernel, rtol=1e-6)
        assert frame.accuracy == pytest.approx(accuracy, nan_ok=True)
    ends = {frame.step // 6: frame for frame in film.frames if frame.step in (6, 12)}
    for row in result.rows:
        found = ends[row["epoch"]]
        assert (found.accuracy, found.held_out) == (row["accuracy"], row["val_accuracy"])
    assert np.isnan([frame.held_out for frame in film.frames[:-2]]).all()
    assert film.finished == 2


def test_a_film_ends_with_the_epoch_to_which_early_stopping_went_back(digits, monkeypatch):
    monkeypatch.setattr(loop.EarlyStop, "on_epoch_end", best_was_the_first)
    film = Film(digits)
    result = trained(digits, dataclasses.replace(recipe_of("basic"), patience=5), "basic", film=film)
    assert [frame.step for frame in film.frames] == [0, 1, 2, 4, 6, 12, 12]
    assert film.finished == 1
    np.testing.assert_allclose(film.frames[-1].probabilities, film.frames[4].probabilities, atol=1e-6)
    found = result.network(digits.images[:1].astype("float32"))
    np.testing.assert_allclose(film.frames[-1].probabilities, found[0], atol=1e-6)
    assert np.abs(film.frames[5].probabilities - found[0]).max() > 1e-4
    assert np.isnan([film.frames[-1].accuracy, film.frames[-1].held_out]).all()


def best_was_the_first(stop, epoch, logs=None):
    if epoch == 0:
        stop.epoch.assign(1)
        for best, weight in zip(stop.best, stop.weights):
            best.assign(weight.value)


@pytest.mark.parametrize("arch", ["basic", "deep"])
def test_a_film_changes_nothing_in_the_training(arch, digits):
    tf.config.experimental.enable_op_determinism()
    try:
        films = None, Film(digits)
        with_and_without = [trained(digits, recipe_of(arch), arch, deterministic=True, film=film) for film in films]
    finally:
        config.disable_op_determinism()
    assert with_and_without[0].film is None
    pairs = zip(*(each.network.get_weights() for each in with_and_without), strict=True)
    assert all(np.array_equal(one, other) for one, other in pairs)
    assert [row["loss"] for row in with_and_without[0].rows] == [row["loss"] for row in with_and_without[1].rows]


def test_of_many_epochs_some_remain():
    assert thinned([0, 1, 2, 4], 5, most=3) == [0, 1, 2, 3]
    assert thinned([0, 1, 2, 4, 5, 10, 15], 5, most=3) == [0, 1, 2, 3, 4, 5, 6]
    assert thinned([0, 1, 2, 4, 5, 10, 15, 20], 5, most=3) == [0, 1, 2, 3, 4, 5, 7]  # epochs 1, 2, 4
    assert thinned([0, 1, 2, 4, 5, 10, 20, 25], 5, most=3) == [0, 1, 2, 3, 4, 5, 6, 7]  # and the last, 5


@pytest.mark.parametrize("epochs", [1, 3, 48, 49, 97, 1000])
def test_the_number_of_frames_has_a_limit(epochs):
    steps = [0, 1, 2, 4, 8]
    for epoch in range(1, epochs + 1):
        steps.append(10 * epoch)
        steps = [steps[place] for place in thinned(steps, 10)]
        assert len(steps) <= 5 + 1 + film_module.MOST_EPOCHS + 1
    assert steps[-1] == 10 * epochs
    assert len(steps) >= 5 + min(epochs, film_module.MOST_EPOCHS // 2)
    gaps = np.diff(steps[6:-1])
    assert (gaps == gaps[:1]).all()


def test_maps_are_of_channels_that_vary_each_in_its_own_way(monkeypatch):
    monkeypatch.setattr(film_module, "MOST_MAPS", 2)
    rows, columns = np.mgrid[:5, :5].astype("float32")
    flat = np.full((5, 5), 100.0)
    assert most_varied(np.stack([flat, 4 * rows + 1, rows, 3 * rows, columns], axis=-1)).tolist() == [1, 4]
    assert most_varied(flat[..., None]).tolist() == [0]
    assert most_varied(np.full((2, 2, 3), np.nan)).size == 2
    assert most_varied(np.zeros((1, 1, 0))).size == 0


def begun(network, side=32):
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (1, side, side, 3), dtype="uint8")
    film = Film(Dataset("one", image, np.array([2]), CLASSES))
    film.begin(network, steps=3, epochs=2)
    return film


def network_of(*parts, side=32):
    return keras.Sequential([keras.Input((side, side, 3)), *parts, layers.Flatten(), layers.Dense(7, "softmax")])


def test_the_filters_are_those_of_the_first_conv_layer_that_learns():
    def network(**learns):
        sizes = {"colours": (3, 1), "still": (5, 3), "late": (5, 3)}
        convs = [layers.Conv2D(*size, activation="relu", name=name) for name, size in sizes.items()]
        for conv in convs:
            conv.trainable = learns.get(conv.name, False)
        return network_of(*convs)

    film = begun(network(late=True))
    assert (film.layer, film.learns, film.inputs, film.count) == ("late", True, 5, 5)
    assert film.frames[0].filters.shape == (3, 3, 1, 5)
    film = begun(network())
    assert (film.layer, film.learns) == ("still", False)


def test_a_network_without_conv_layers_has_probabilities_only():
    film = begun(network_of(side=8), side=8)
    (frame,) = film.frames
    assert (film.layer, film.channels.size, frame.maps.size, frame.filters.size) == ("", 0, 0, 0)
    assert frame.probabilities.sum() == pytest.approx(1, abs=1e-5)


def test_large_layers_are_cut_to_what_can_be_drawn():
    film = begun(
        network_of(layers.Conv2D(70, 3, padding="same", name="wide"), layers.AveragePooling2D(50), side=130), 130
    )
    (frame,) = film.frames
    assert frame.maps.shape == (44, 44, 4)
    assert film.count == 70
    assert frame.filters.shape == (3, 3, 3, 64)
    whole = keras.Model(film.network.inputs, film.network.layers[0].output)(film.image[None].astype("float32"))
    expected = whole.numpy()[0, ::3, ::3, film.channels].transpose(1, 2, 0)
    np.testing.assert_allclose(frame.maps, expected, atol=rounding(100) * np.abs(expected).max())


def test_fewer_channels_than_maps():
    film = begun(network_of(layers.Conv2D(2, 3)))
    assert film.frames[0].maps.shape == (30, 30, 2)


def test_a_film_goes_on_with_the_frames_that_were_kept(tmp_path, capsys):
    """Up to the epoch from which the training goes on, even if later ones were kept already."""
    network = network_of(layers.Conv2D(6, 3))
    film = begun(network)
    film.path = tmp_path / "film.npz"
    film.set_model(network)
    for epoch in (0, 1):
        film.on_epoch_begin(epoch)
        for batch in range(3):
            network.layers[0].kernel.assign_add(np.full((3, 3, 3, 6), 0.01))
            film.on_train_batch_end(batch, {"accuracy": 0.1 * batch})
        film.on_epoch_end(epoch, {"accuracy": 0.5, "val_accuracy": 0.25 + epoch})
    assert [frame.step for frame in film.frames] == [0, 1, 2, 3, 6]
    again = Film(Dataset("one", film.image[None], np.array([2]), CLASSES), film.path)
    for done, steps in ((1, [0, 1, 2, 3]), (2, [0, 1, 2, 3, 6])):
        again.begin(network, steps=3, epochs=2, done=done)
        assert [frame.step for frame in again.frames] == steps
        np.testing.assert_array_equal(again.channels, film.channels)
        for one, other in zip(again.frames, film.frames):
            for name in ("probabilities", "maps", "filters", "accuracy", "held_out"):
                np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
                assert np.asarray(getattr(one, name)).dtype == np.asarray(getattr(other, name)).dtype
    assert not capsys.readouterr().err


@pytest.mark.parametrize("damage", ["missing", "half", "other"])
def test_a_damaged_film_begins_later(damage, tmp_path, capsys):
    """Training is worth more than its film."""
    network, path = network_of(layers.Conv2D(6, 3)), tmp_path / "film.npz"
    if damage == "half":
        path.write_bytes(b"PK half")
    if damage == "other":
        film = begun(network_of(layers.Conv2D(5, 3)))
        film.path = path
        film._write()
    film = Film(Dataset("one", np.zeros((1, 32, 32, 3), "uint8"), np.array([2]), CLASSES), path)
    film.begin(network, steps=3, epochs=2, done=1)
    assert [frame.step for frame in film.frames] == [3]
    assert "film.npz is missing or damaged: the film begins after epoch 1." in capsys.readouterr().err
