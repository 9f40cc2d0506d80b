"""Batch normalisation ends with the means and variances of training images under the final weights."""

import keras
import numpy as np
import pytest

from cnnvis.images import sources
from cnnvis.training import final_statistics, loop, recipes
from cnnvis.training.batches import Batches
from cnnvis.training.final_statistics import recompute_statistics


def two_layers():
    first, second = (keras.layers.BatchNormalization(momentum=0.9, name=name) for name in ("first", "second"))
    return keras.Sequential([keras.Input((4, 4, 3)), first, keras.layers.Conv2D(2, 3), keras.layers.ReLU(), second])


def moving(network):
    return [
        np.stack([layer.moving_mean, layer.moving_variance])
        for layer in network.layers
        if isinstance(layer, keras.layers.BatchNormalization)
    ]


def test_statistics_are_means_over_the_parts():
    network = two_layers()
    parts = np.random.default_rng(0).integers(0, 256, (3, 10, 4, 4, 3), dtype="uint8")
    recompute_statistics(network, parts)
    means, variances = parts.mean(axis=(1, 2, 3)), parts.var(axis=(1, 2, 3))
    np.testing.assert_allclose(moving(network)[0], [means.mean(axis=0), variances.mean(axis=0)], rtol=1e-5)
    expected = []
    for part in parts:  # the second layer sees what the first one makes of each part alone
        x = part.astype("float32")
        x = (x - x.mean(axis=(0, 1, 2))) / np.sqrt(x.var(axis=(0, 1, 2)) + network.layers[0].epsilon)
        x = np.maximum(0, network.layers[1](x).numpy())
        expected.append([x.mean(axis=(0, 1, 2)), x.var(axis=(0, 1, 2))])
    np.testing.assert_allclose(moving(network)[1], np.mean(expected, axis=0), rtol=1e-3)


def test_what_was_learned_stays():
    network = two_layers()
    before = [weight.numpy() for weight in network.trainable_variables]
    recompute_statistics(network, np.zeros((1, 4, 4, 4, 3), "uint8"))
    for weight, old in zip(network.trainable_variables, before, strict=True):
        np.testing.assert_array_equal(weight, old)
    assert [layer.momentum for layer in network.layers if hasattr(layer, "momentum")] == [0.9, 0.9]


def test_only_as_many_images_are_taken_as_are_needed(monkeypatch):
    monkeypatch.setattr(final_statistics, "FEWEST_IMAGES", 15)
    network = two_layers()
    taken = []

    def parts():
        for number in range(5):
            taken.append(number)
            yield np.full((10, 4, 4, 3), number, "uint8")

    recompute_statistics(network, parts())
    assert taken == [0, 1]
    np.testing.assert_allclose(moving(network)[0][0], 0.5)


def test_without_batch_normalisation_nothing_is_read():
    network = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    recompute_statistics(network, iter([None]))


@pytest.mark.parametrize("stops", [False, True])
def test_a_trained_network_has_them(images, stops):
    """Parts are ghost batches of an epoch that follows the last; early stopping comes before."""
    dataset = sources.Dataset("seven", images, np.arange(7), tuple("abcdefg"))
    changes = ["widths=4,8,8", "batch_size=6", "ghost_batch=3", *(["patience=1"] if stops else [])]
    recipe = recipes.recipe_for("deep", dataset, changes, epochs=2)
    network = loop.train(dataset, recipe, held_out=dataset if stops else None, precision="float32").network
    again = keras.models.clone_model(network)
    again.set_weights(network.get_weights())
    recompute_statistics(again, Batches(images, np.arange(7), recipe, seed=0).parts(recipe.epochs))
    assert [part.shape[0] for part in Batches(images, np.arange(7), recipe, seed=0).parts(2)] == [3, 3]
    for ours, theirs in zip(moving(network), moving(again), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5)
