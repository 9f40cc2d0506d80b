"""Integrated gradients by hand, by the completeness axiom, and by finite differences."""

import keras
import numpy as np
import pytest
from keras import layers

from cnnvis.attribution import integrated_gradients
from cnnvis.images import dataset
from cnnvis.network.classifier import Classifier


def test_a_cubic_scorer_by_hand():
    # f(x) = x0^3 + 5 x1: from 1 to 3, x0 adds 27 - 1 and x1 adds 5 * 2.
    def slopes(images, targets):
        return np.stack([3 * images[..., 0] ** 2, np.full(images.shape[:3], 5.0)], axis=-1)

    images, baselines = np.full((1, 1, 1, 2), 3.0), np.full((1, 1, 1, 2), 1.0)
    maps = integrated_gradients.integrated_gradients(slopes, images, [0], baselines, steps=2)  # exact up to degree 3
    np.testing.assert_allclose(maps, [[[26 + 10]]], rtol=1e-6)
    assert maps.dtype == np.float32


@pytest.mark.parametrize("score", ["logit", "probability"])
def test_a_map_adds_up_to_the_difference_in_score(score, small_classifier, small_images):
    baselines = np.full_like(small_images, 90)
    targets = np.array([0, 2, 1])
    evaluate = small_classifier.logits if score == "logit" else small_classifier.probabilities
    gained = (evaluate(small_images) - evaluate(baselines))[np.arange(3), targets]
    maps = integrated_gradients.integrated_gradients(
        lambda x, chosen: small_classifier.gradients(score, x, chosen), small_images, targets, baselines
    )
    np.testing.assert_allclose(maps.sum(axis=(1, 2)), gained, rtol=1e-3, atol=1e-5)


def test_gradients_agree_with_finite_differences(small_classifier, small_images):
    images = small_images.astype("float32")
    slopes = small_classifier.gradients("logit", images, [0, 1, 2])
    for n, row, column, color in ((0, 1, 2, 0), (1, 4, 4, 1), (2, 7, 5, 2)):
        step = np.zeros_like(images)
        step[n, row, column, color] = 2
        difference = small_classifier.logits(images + step) - small_classifier.logits(images - step)
        np.testing.assert_allclose(difference[n, n] / 4, slopes[n, row, column, color], rtol=2e-2, atol=1e-6)


def test_batching_does_not_change_the_maps(monkeypatch, small_classifier, small_images):
    def maps():
        return integrated_gradients.integrated_gradients(
            lambda x, chosen: small_classifier.gradients("logit", x, chosen),
            small_images,
            [0, 1, 2],
            np.zeros_like(small_images),
        )

    whole = maps()
    monkeypatch.setattr(dataset, "PIXELS_AT_ONCE", 7 * 64)
    np.testing.assert_allclose(maps(), whole, rtol=1e-4, atol=1e-6)


@pytest.fixture(scope="module")
def small_classifier():
    """A smooth network of random weights for 8x8 images and three classes."""
    keras.utils.set_random_seed(3)
    model = keras.Sequential(
        [
            keras.Input((8, 8, 3)),
            layers.Conv2D(6, 3, activation="tanh"),
            layers.GlobalAveragePooling2D(),
            layers.Dense(3, activation="softmax", kernel_initializer="he_normal"),
        ]
    )
    return Classifier(model, (0, 1))


@pytest.fixture
def small_images():
    return np.random.default_rng(4).integers(0, 256, (3, 8, 8, 3), dtype="uint8")
