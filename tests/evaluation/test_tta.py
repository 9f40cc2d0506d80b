"""Test-time augmentation: the views of an image, and the accuracy of their mean logits."""

from types import SimpleNamespace

import numpy as np
import pytest

from cnnvis.evaluation import tta


def test_views():
    images = np.random.default_rng(2).integers(0, 256, (3, 8, 8, 3), dtype="uint8")
    weights, views = zip(*tta.views(images))
    assert sum(weights) == pytest.approx(1)
    assert len(views) == tta.VIEWS == 6
    assert views[0] is images
    np.testing.assert_array_equal(views[1], images[:, :, ::-1])
    np.testing.assert_array_equal(views[2][:, 1:, 1:], images[:, :-1, :-1])
    np.testing.assert_array_equal(views[4][:, :-1, :-1], images[:, 1:, 1:])


def test_views_of_what_must_not_be_mirrored():
    images = np.random.default_rng(2).integers(0, 256, (3, 8, 8, 3), dtype="uint8")
    every, kept = list(tta.views(images)), list(tta.views(images, flips=False))
    assert [weight for weight, _ in kept] == [1 / 2, 1 / 4, 1 / 4]
    for (_, view), (_, same) in zip(kept, every[::2]):
        np.testing.assert_array_equal(view, same)


def test_accuracies_by_hand():
    """Of images of class 1, the views as they are say 0, 1 and 1, and the mean of all views, weighted, 1, 1 and 0."""
    batches = [[[2, 0], [0, 1]], [[0, 4], [0, 1]], *[[[0, 1], [0, 1]]] * 4], [[[0, 1]], [[4, 0]], *[[[0, 1]]] * 4]
    answers = iter([answer for batch in batches for answer in batch])
    classifier = SimpleNamespace(logits=lambda view: np.array(next(answers), float), at_once=2)
    images = np.zeros((3, 4, 4, 3), "uint8")
    assert tta.accuracies(classifier, images, np.array([1, 1, 1])) == pytest.approx((2 / 3, 2 / 3))
