"""The digits on which a network trains in the browser."""

import base64
import gzip

import numpy as np
from PIL import Image
from sklearn.datasets import load_digits

from cnnvis import explore, images


def unpacked():
    """What the page makes of them: (N, 8, 8) uint8, (N,) int, and how many are for training."""
    stored = explore.digits()
    levels = np.frombuffer(gzip.decompress(base64.b64decode(stored["pixels"])), "uint8").reshape(-1, 8, 8)
    return levels, np.array([*stored["labels"]], int), stored["training"]


def test_they_are_the_data_set_and_split_that_train_uses():
    levels, labels, count = unpacked()
    for split, part in (("train", slice(count)), ("test", slice(count, None))):
        dataset = images.load("digits", split)
        np.testing.assert_array_equal(labels[part], dataset.labels)
        brightness = np.rint(levels[part] * (255 / 16)).astype("uint8")
        resized = [images.resize(Image.fromarray(image), (32, 32)) for image in brightness]
        np.testing.assert_array_equal(resized, dataset.images[..., 0])


def test_each_digit_is_there_once_unchanged():
    levels, labels, count = unpacked()
    assert (len(levels), count) == (1797, 1437)
    rows = np.column_stack([levels.reshape(len(levels), -1), labels])
    source = load_digits()
    original = np.column_stack([source.data.astype("uint8"), source.target])
    np.testing.assert_array_equal(rows[np.lexsort(rows.T)], original[np.lexsort(original.T)])


def test_the_same_bytes_each_time_and_few_of_them():
    stored = explore.digits()
    assert stored == explore.digits()
    assert len(stored["pixels"]) < 60_000
