"""Augmentation keeps what it must keep, and moves what it says it moves."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from cnnvis.training import augmentation as augment


@given(margin=st.integers(0, 3), seed=st.integers(0, 99))
def test_a_crop_is_a_window_of_the_padded_picture(margin, seed):
    images = np.random.default_rng(seed).integers(0, 256, (4, 6, 5, 3), dtype="uint8")
    padded = augment.pad(images, margin)
    crops = augment.random_crop(padded, margin, np.random.default_rng(seed))
    assert crops.shape == images.shape
    assert crops.dtype == np.uint8
    for crop, source in zip(crops, padded):
        windows = [
            source[top : top + 6, left : left + 5] for top in range(2 * margin + 1) for left in range(2 * margin + 1)
        ]
        assert any((crop == window).all() for window in windows)


def test_padding_mirrors_without_repeating_the_border():
    assert augment.pad(np.arange(4).reshape(1, 4, 1, 1).repeat(4, axis=2), 2)[0, :, 3, 0].tolist() == [
        2,
        1,
        0,
        1,
        2,
        3,
        2,
        1,
    ]


def test_all_places_of_a_crop_come_up():
    image = np.arange(9).reshape(1, 3, 3, 1)
    padded = augment.pad(image, 1).repeat(300, axis=0)
    crops = augment.random_crop(padded, 1, np.random.default_rng(0))
    assert len({crop.tobytes() for crop in crops}) == 9


def test_each_picture_is_seen_both_ways_in_two_epochs():
    images = np.random.default_rng(1).integers(0, 256, (10, 4, 4, 3), dtype="uint8")
    first = np.arange(10) % 3 == 0
    even, odd = (augment.alternating_flip(images, first, epoch) for epoch in (4, 5))
    np.testing.assert_array_equal(even, odd[:, :, ::-1])
    np.testing.assert_array_equal(even[1], images[1])
    np.testing.assert_array_equal(even[0], images[0, :, ::-1])


def test_shrinking_by_hand():
    """Of four pixels in a row, those beside the middle of the first half weigh 3/7 each, the next one 1/7."""
    images = np.broadcast_to(np.array([0, 70, 140, 210], "uint8")[None, None, :, None], (2, 4, 4, 3))
    small = augment.shrink(images, 2)
    assert small.dtype == np.uint8
    np.testing.assert_array_equal(small, np.broadcast_to(np.array([50, 160])[None, None, :, None], (2, 2, 2, 3)))
    np.testing.assert_array_equal(augment.shrink(images.swapaxes(1, 2), 2), small.swapaxes(1, 2))


@given(side=st.integers(1, 12), seed=st.integers(0, 99))
def test_shrinking_is_tensorflow_s(side, seed):
    images = np.random.default_rng(seed).integers(0, 256, (3, 12, 14, 3), dtype="uint8")
    before = images.copy()
    small = augment.shrink(images, side)
    np.testing.assert_array_equal(images, before)
    assert small.shape == (3, side, side, 3)
    np.testing.assert_allclose(small, tf.image.resize(images, (side, side), antialias=True), atol=0.51)


def test_shrinking_keeps_extremes_and_knows_no_left_and_right():
    np.testing.assert_array_equal(augment.shrink(np.full((1, 32, 32, 3), 255, "uint8"), 24), 255)
    images = np.random.default_rng(3).integers(0, 256, (4, 32, 32, 3), dtype="uint8")
    here, there = augment.shrink(images, 24), augment.shrink(images[:, :, ::-1], 24)[:, :, ::-1]
    np.testing.assert_allclose(here.astype(int), there, atol=1)  # sums in another order may round to the other side


def test_views():
    images = np.random.default_rng(2).integers(0, 256, (3, 8, 8, 3), dtype="uint8")
    weights, views = zip(*augment.test_views(images))
    assert sum(weights) == pytest.approx(1)
    assert len(views) == augment.VIEWS == 6
    assert views[0] is images
    np.testing.assert_array_equal(views[1], images[:, :, ::-1])
    np.testing.assert_array_equal(views[2][:, 1:, 1:], images[:, :-1, :-1])
    np.testing.assert_array_equal(views[4][:, :-1, :-1], images[:, 1:, 1:])
