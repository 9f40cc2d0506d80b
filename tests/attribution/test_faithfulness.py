"""Deletion and insertion scores by hand."""

import numpy as np

from cnnvis.attribution import faithfulness


def test_pixels_are_in_order_of_importance_and_ties_in_reading_order():
    assert faithfulness.pixel_order([[1.0, 5.0], [5.0, -3.0]]).tolist() == [1, 2, 0, 3]


def test_curve_images_replace_as_many_pixels_as_the_formula_says():
    start, end = np.zeros((3, 3, 1)), np.ones((3, 3, 1))
    order = np.array([8, 0, 1, 2, 3, 4, 5, 6, 7])
    images = faithfulness.curve_images(start, end, order, steps=4)
    assert images.sum(axis=(1, 2, 3)).tolist() == [0, 2, 4, 6, 9]  # int(linspace(0, 9, 5))
    assert images[1].ravel().tolist() == [1, 0, 0, 0, 0, 0, 0, 0, 1]


def test_area_by_the_trapezoidal_rule():
    assert faithfulness.area([1.0, 0.0]) == 0.5
    assert faithfulness.area([1.0, 0.5, 0.5]) == 0.625


def test_a_perfect_map_scores_better_than_its_opposite():
    weights = np.arange(16.0).reshape(4, 4, 1) / 120

    def predict(images):
        return np.tensordot(images, weights, 3)[:, None]  # the sum of the important pixels shown

    image, baseline = np.ones((1, 4, 4, 1)), np.zeros((1, 4, 4, 1))
    right, wrong = (
        faithfulness.deletion_insertion(predict, image, baseline, sign * weights[None, ..., 0], [0], steps=16)
        for sign in (1, -1)
    )
    left = 1 - np.concatenate([[0], np.cumsum(np.arange(15, -1, -1)) / 120])
    by_hand = ((left[1:] + left[:-1]) / 2).mean()
    np.testing.assert_allclose(right[0], by_hand, rtol=1e-5)
    np.testing.assert_allclose(right[0] + right[1], 1, rtol=1e-5)
    assert right[0][0] < wrong[0][0]
    assert right[1][0] > wrong[1][0]
    assert right[0].dtype == np.float32


def test_large_images_are_predicted_a_few_at_a_time(monkeypatch):
    images, importance = np.random.default_rng(0).random((2, 2, 5, 6, 3)), np.random.default_rng(1).random((2, 5, 6))
    batches = []

    def predict(batch):
        batches.append(len(batch))
        return batch.mean(axis=(1, 2, 3))[:, None] ** 2

    def scores(track=iter):
        return faithfulness.deletion_insertion(predict, *images, importance, [0, 0], steps=6, track=track)

    whole, steps = scores(), []
    monkeypatch.setattr(faithfulness, "images_at_once", lambda height, width: 3)
    np.testing.assert_allclose(scores(lambda parts: steps.extend(parts) or parts), whole, rtol=1e-6)
    assert batches == [7] * 4 + [3, 3, 1] * 4
    assert len(steps) == 12
