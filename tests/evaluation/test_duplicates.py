"""Near-duplicates are found whatever their colours, and other images aren't."""

import numpy as np
import pytest

from cnnvis import images
from cnnvis.evaluation import duplicates


@pytest.fixture(scope="module")
def samples():
    return images.load("samples", "test").images


def changed(image):
    """Brighter, with less contrast, in other colours, and with some noise."""
    noise = np.random.default_rng(0).normal(0, 4, image.shape)
    return np.clip(image[..., ::-1] * 0.7 + 50 + noise, 0, 255).astype("uint8")


def test_changed_images_are_found_and_others_are_not(samples):
    others = np.concatenate([samples[10:], np.stack([changed(image) for image in samples[2:6]])])
    ours, theirs = duplicates.same_edges(samples[:10], others)
    assert ours.tolist() == [2, 3, 4, 5]
    assert theirs.tolist() == [10, 11, 12, 13]


def test_of_digits_which_are_all_alike_only_copies_count():
    train, test = (images.load("digits", split).images[:] for split in ("train", "test"))
    assert len(duplicates.same_edges(test[:60], train)[0]) == 0
    ours, theirs = duplicates.same_edges(test[:60], np.concatenate([train, test[5:7]]))
    assert ours.tolist() == [5, 6]
    assert theirs.tolist() == [len(train), len(train) + 1]


def test_edges_by_hand():
    """Columns of 0, 10, 40: differences of 10 and 30, of which the slope of 20 is no edge."""
    image = np.broadcast_to(np.array([0, 10, 40], "uint8")[None, :, None], (3, 3, 3))
    found = duplicates.edges(image[None])
    assert found.shape == (1, 6 + 6)
    np.testing.assert_allclose(found[0, 6:].reshape(3, 2), [[-10, 10]] * 3)
    assert not found[0, :6].any()


def test_large_images_are_reduced_by_averages(samples):
    larger = samples.repeat(3, axis=1).repeat(5, axis=2)
    np.testing.assert_allclose(duplicates.edges(larger), duplicates.edges(samples), atol=1e-2)


@pytest.mark.parametrize("shape", [(1, 1), (2, 3), (16, 16), (17, 31)])
def test_images_of_one_colour_have_no_edges_and_are_alike_to_none(shape):
    grey = np.full((3, *shape, 3), 90, "uint8")
    assert not duplicates.edges(grey).any()
    assert len(duplicates.same_edges(grey, grey)[0]) == 0


def test_slopes_of_brightness_are_not_alike():
    slope = np.broadcast_to(np.arange(32, dtype="uint8")[None, None, :, None] * 7, (1, 32, 32, 3))
    assert len(duplicates.same_edges(slope, slope)[0]) == 0


def test_nothing_to_search(samples):
    assert len(duplicates.same_edges(samples, samples[:0])[0]) == 0
