"""Augmentation changes what it says, as much as it says, and nothing else."""

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from cnnvis.training import augmentation


@given(margin=st.integers(0, 3), seed=st.integers(0, 99))
def test_a_crop_is_a_window_of_the_padded_image(margin, seed):
    images = np.random.default_rng(seed).integers(0, 256, (4, 6, 5, 3), dtype="uint8")
    padded = augmentation.pad(images, margin)
    crops = augmentation.random_crop(padded, margin, np.random.default_rng(seed))
    assert crops.shape == images.shape
    assert crops.dtype == np.uint8
    for crop, source in zip(crops, padded):
        windows = [
            source[top : top + 6, left : left + 5] for top in range(2 * margin + 1) for left in range(2 * margin + 1)
        ]
        assert any((crop == window).all() for window in windows)


def test_padding_mirrors_without_repeating_the_border():
    padded = augmentation.pad(np.arange(4).reshape(1, 4, 1, 1).repeat(4, axis=2), 2)
    assert padded[0, :, 3, 0].tolist() == [2, 1, 0, 1, 2, 3, 2, 1]


def test_all_positions_of_a_crop_occur():
    image = np.arange(9).reshape(1, 3, 3, 1)
    padded = augmentation.pad(image, 1).repeat(300, axis=0)
    crops = augmentation.random_crop(padded, 1, np.random.default_rng(0))
    assert len({crop.tobytes() for crop in crops}) == 9


def test_two_epochs_show_each_image_both_ways_round():
    images = np.random.default_rng(1).integers(0, 256, (10, 4, 4, 3), dtype="uint8")
    first = np.arange(10) % 3 == 0
    even, odd = (augmentation.alternating_flip(images, first, epoch) for epoch in (4, 5))
    np.testing.assert_array_equal(even, odd[:, :, ::-1])
    np.testing.assert_array_equal(even[1], images[1])
    np.testing.assert_array_equal(even[0], images[0, :, ::-1])


class Chosen:
    """A generator whose "random" numbers are chosen."""

    def __init__(self, *values):
        self.values = list(values)

    def uniform(self, low, high, shape):
        return np.full(shape, self.values.pop(0)).clip(low, high)


def test_light_by_hand():
    """Mean 100: half of the contrast makes 80 and 120 of 60 and 140, and 1.5 times the brightness 120 and 180."""
    images = np.array([60, 140], "uint8").reshape(1, 1, 2, 1)
    changed = augmentation.change_light(images, 0.5, 0.5, Chosen(0.5, -0.5))
    assert changed.dtype == np.uint8
    assert changed.ravel().tolist() == [120, 180]
    clipped = augmentation.change_light(images, 0.9, 0.0, Chosen(0.9, 0.0))
    assert clipped.ravel().tolist() == [114, 255]


@given(brightness=st.floats(0, 1), contrast=st.floats(0, 1), seed=st.integers(0, 99))
def test_light_stays_within_its_bounds(brightness, contrast, seed):
    rng = np.random.default_rng(seed)
    images = rng.integers(0, 256, (5, 4, 6, 3), dtype="uint8")
    before = images.copy()
    means = augmentation.change_light(images, brightness, 0.0, rng).mean(axis=(1, 2, 3))
    old = images.mean(axis=(1, 2, 3))
    np.testing.assert_array_equal(images, before)
    assert (means >= (1 - brightness) * old - 0.6).all()
    assert (means <= (1 + brightness) * old + 0.6).all()
    spread = augmentation.change_light(images, 0.0, contrast, rng).std(axis=(1, 2, 3))
    assert (spread <= (1 + contrast) * images.std(axis=(1, 2, 3)) + 0.6).all()
    np.testing.assert_array_equal(augmentation.change_light(images, 0.0, 0.0, rng), images)


@pytest.mark.parametrize("channels", [1, 3])
def test_images_are_compressed_as_jpeg(channels):
    images = np.random.default_rng(2).integers(0, 256, (40, 16, 16, channels), dtype="uint8")
    assert (augmentation.compress(images, 0.0, np.random.default_rng(0)) == images).all()
    some = augmentation.compress(images, 0.5, np.random.default_rng(0))
    assert 10 < (some != images).any(axis=(1, 2, 3)).sum() < 30
    changed = augmentation.compress(images, 1.0, np.random.default_rng(0))
    for image, after in zip(images, changed, strict=True):
        assert any((after == saved(image, quality)).all() for quality in augmentation.JPEG_QUALITIES)


def saved(image, quality):
    file = io.BytesIO()
    Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file)).reshape(image.shape)


@given(side=st.integers(1, 8), seed=st.integers(0, 99))
def test_one_square_is_hidden(side, seed):
    images = np.random.default_rng(seed).integers(0, 200, (5, 6, 9, 3), dtype="uint8")
    before = images.copy()
    result = augmentation.cut_out(images, side, [201, 202, 203], np.random.default_rng(seed))
    np.testing.assert_array_equal(images, before)
    assert result.dtype == np.uint8
    hidden = (result != images).any(axis=-1)
    for picture, mask, original in zip(result, hidden, images, strict=True):
        rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
        assert mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].all()
        for found, length in ((rows, 6), (columns, 9)):
            whole = found[0] > 0 and found[-1] < length - 1
            assert len(found) == side if whole else 1 <= len(found) <= side
        np.testing.assert_array_equal(picture[mask], np.broadcast_to([201, 202, 203], (mask.sum(), 3)))
        np.testing.assert_array_equal(picture[~mask], original[~mask])


def test_the_hidden_square_is_anywhere():
    images = np.zeros((4000, 4, 5, 1), "uint8")
    hidden = augmentation.cut_out(images, 1, [1], np.random.default_rng(0)).sum(axis=(0, 3))
    assert hidden.sum() == 4000
    assert hidden.min() > 120  # of 200 in the mean


def test_the_hidden_square_is_smaller_at_a_border():
    """Of side 3 around a centre in four rows: an outer row is hidden by two of the centres, an inner one by three."""
    images = np.zeros((4000, 4, 5, 1), "uint8")
    rows = augmentation.cut_out(images, 3, [1], np.random.default_rng(0)).any(axis=(2, 3)).mean(axis=0)
    np.testing.assert_allclose(rows, [1 / 2, 3 / 4, 3 / 4, 1 / 2], atol=0.04)
