"""A network that splits its batches learns what the parts teach, each alone."""

import dataclasses
from functools import partial

import keras
import numpy as np
import pytest
import tensorflow as tf

from cnnvis.training import distribution, fast_layers, recipes
from cnnvis.training.ghost_batches import GhostBatches
from models.convnet import Variant, build_model

WIDTHS = (4, 8, 8)
RECIPE = recipes.RECIPES["deep"]


def networks(parts):
    """One that splits its batches into parts, and one with the same weights that doesn't."""
    variant = Variant(widths=WIDTHS, batch_normalization=fast_layers.FusedBatchNormalization)
    whole = build_model("deep", 10, variant, seed=1)
    ghost = build_model("deep", 10, dataclasses.replace(variant, network=partial(GhostBatches, parts=parts)), seed=1)
    ghost.set_weights(whole.get_weights())
    return ghost, whole


def images(count):
    return np.random.default_rng(0).integers(0, 256, (count, 32, 32, 3)).astype("float32")


@pytest.mark.parametrize(("count", "sizes"), [(8, [4, 4]), (9, [5, 4]), (10, [4, 3, 3]), (3, [3])])
def test_each_part_is_seen_alone(count, sizes):
    """Outputs, gradients and running statistics are those of one part after the other."""
    ghost, whole = networks(len(sizes))
    x, upstream = images(count), np.random.default_rng(1).normal(size=(count, 10)).astype("float32")
    with tf.GradientTape() as tape:
        found = ghost(x, training=True)
    gradients = tape.gradient(found, ghost.trainable_variables, tf.constant(upstream))
    assert found.shape == (count, 10)
    expected = [0.0] * len(gradients)
    borders = np.cumsum(sizes)[:-1]
    for part, of_part, upstream_of_part in zip(*(np.split(each, borders) for each in (x, found, upstream))):
        with tf.GradientTape() as tape:
            alone = whole(part, training=True)
        np.testing.assert_allclose(of_part, alone, rtol=1e-4, atol=1e-5)
        more = tape.gradient(alone, whole.trainable_variables, tf.constant(upstream_of_part))
        expected = [total + gradient for total, gradient in zip(expected, more)]
    for gradient, total in zip(gradients, expected):
        np.testing.assert_allclose(gradient, total, rtol=1e-3, atol=1e-4 * np.abs(total).max())
    for mine, theirs in zip(ghost.get_weights(), whole.get_weights()):
        np.testing.assert_allclose(mine, theirs, rtol=1e-4, atol=1e-5)


def test_a_trained_network_does_not_split_its_batches():
    ghost, whole = networks(2)
    x = images(5)
    np.testing.assert_allclose(ghost(x), whole(x), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(ghost(x[:1]), whole(x[:1]), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("batch_size", "ghost_batch", "expected"),
    [(1000, 0, 1), (1000, 250, 4), (1000, 1000, 1), (999, 500, 1), (600, 250, 2), (51, 250, 1)],
)
def test_a_batch_has_as_many_parts_as_it_fills(batch_size, ghost_batch, expected):
    recipe = dataclasses.replace(RECIPE, batch_size=batch_size, ghost_batch=ghost_batch)
    assert recipe.ghost_batches == expected


class Replicas:
    def __init__(self, count):
        self.num_replicas_in_sync = count


@pytest.mark.parametrize(("replicas", "parts"), [(1, 4), (2, 2), (4, 1)])
def test_replicas_share_ghost_batches(replicas, parts):
    """Running statistics forget the same in a step, whatever the number of parts."""
    made = distribution.layers(Replicas(replicas), dataclasses.replace(RECIPE, batch_size=1000, ghost_batch=250))
    network = build_model("deep", 10, Variant(widths=WIDTHS, **made))
    assert network.parts == parts
    norm = network.get_layer("norm1")
    assert isinstance(norm, fast_layers.FusedBatchNormalization)
    assert norm.momentum**parts == pytest.approx(0.9)


@pytest.mark.parametrize(("replicas", "ghost_batch"), [(3, 250), (8, 250), (2, 0)])
def test_replicas_that_can_not_share_ghost_batches_share_statistics(replicas, ghost_batch):
    recipe = dataclasses.replace(RECIPE, batch_size=1000, ghost_batch=ghost_batch)
    (norm,) = distribution.layers(Replicas(replicas), recipe).values()
    assert norm.func is keras.layers.BatchNormalization
    assert norm.keywords == {"synchronized": True}
