"""Worse copies of images, by hand and by their effect."""

import re

import numpy as np
import pytest

from bench import robustness
from cnnvis import images, network

pytestmark = pytest.mark.once  # independent of versions


@pytest.fixture(scope="module")
def image():
    return images.load("samples", "test").images[0]


def test_darkness_and_shift_by_hand():
    image = np.arange(5 * 5 * 3, dtype="uint8").reshape(5, 5, 3)
    np.testing.assert_array_equal(robustness.darkened(image), np.rint(image / 2))
    moved = robustness.shifted(image)
    np.testing.assert_array_equal(moved[3:, 3:], image[:2, :2])
    np.testing.assert_array_equal(moved[:4, :4], np.broadcast_to(image[0, 0], (4, 4, 3)))


def test_blur_and_jpeg_change_details_but_not_the_mean(image):
    for change in (robustness.blurred, robustness.as_jpeg):
        copy = change(image)
        assert copy.shape == image.shape
        assert copy.dtype == np.uint8
        assert abs(copy.mean() - image.mean()) < 2
        assert 0.5 < np.abs(copy - image.astype(float)).mean() < 20
    rough, smooth = (np.abs(np.diff(each.astype(float), axis=0)).mean() for each in (image, robustness.blurred(image)))
    assert smooth < 0.8 * rough


def test_each_copy_has_the_accuracy_that_the_network_has_on_it(cifar10, capsys):
    """For 60 images and the network of the article, recomputed without the bench."""
    assert robustness.main(["--model", "basic", "--limit", "60"]) == 0
    shown = [float(value) for value in re.findall(r"\| ([\d.]+)% \|", capsys.readouterr().out)]
    test, classifier = images.load("cifar10", "test").take(range(60)), network.load("basic")
    expected = []
    for change in robustness.COPIES.values():
        predicted = classifier.probabilities(np.stack([change(image) for image in test.images])).argmax(axis=1)
        expected.append(100 * (predicted == test.labels).mean())
    np.testing.assert_allclose(shown, expected, atol=0.006)
