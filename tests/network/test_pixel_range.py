"""A model gets pixels in its own range and channels, and its first layers imply the range."""

import keras
import numpy as np
import pytest
from keras import layers

from cnnvis.network.classifier import Classifier
from cnnvis.network.pixel_range import stated_range
from models.convnet import build_model
from tests.conftest import small_sequential


def test_grey_and_transparent_inputs(images):
    grey = small_sequential(channels=1)
    luminance = images @ np.array([0.299, 0.587, 0.114])
    expected = grey(luminance[..., None].astype("float32") / 255)
    np.testing.assert_allclose(Classifier(grey, (0, 1)).probabilities(images), expected, rtol=1e-3)
    two = small_sequential(channels=2)
    grey_opaque = np.stack([luminance, np.full_like(luminance, 255)], axis=-1) / 255
    np.testing.assert_allclose(Classifier(two, (0, 1)).probabilities(images), two(grey_opaque), rtol=1e-3)
    four = small_sequential(channels=4)
    opaque = np.concatenate([images, np.full_like(images[..., :1], 255)], axis=-1) / 127.5 - 1
    np.testing.assert_allclose(Classifier(four, (-1, 1)).probabilities(images), four(opaque), rtol=1e-3)


def test_stated_range():
    def with_first(*first):
        return keras.Sequential(
            [keras.Input((32, 32, 3)), *first, layers.Conv2D(2, 3), layers.Flatten(), layers.Dense(2)]
        )

    assert stated_range(with_first()) is None
    assert stated_range(with_first(layers.Rescaling(1 / 255))) == (0, 255)
    assert stated_range(with_first(layers.Rescaling(1 / 127.5, offset=-1))) == (0, 255)
    assert stated_range(with_first(layers.Normalization(mean=[0.5] * 3, variance=[0.1] * 3))) == (0, 1)
    assert stated_range(with_first(layers.Normalization(mean=[120.0] * 3, variance=[4000.0] * 3))) == (0, 255)
    assert stated_range(build_model("basic", 10, mean=(120,) * 3, variance=(4000,) * 3)) == (0, 255)


@pytest.mark.parametrize(
    ("scale", "offset", "expected"),
    [
        (1 / 255, 0, (0, 255)),
        (1 / 127.5, -1, (0, 255)),
        (255, 0, (0, 1)),
        (2, -1, (0, 1)),
        (0.5, 0.5, (-1, 1)),
        (127.5, 127.5, (-1, 1)),
        (1, 0, None),
    ],
)
@pytest.mark.parametrize("nested", [False, True])
def test_a_rescaling_says_which_pixels_come_in(scale, offset, expected, nested):
    """In a nested first model, too, and behind one that only augments."""
    first = [layers.RandomFlip(), layers.Rescaling(scale, offset)]
    if nested:
        first = [keras.Sequential([layers.RandomFlip()]), keras.Sequential([layers.Rescaling(scale, offset)])]
    model = keras.Sequential([keras.Input((8, 8, 3)), *first, layers.Flatten(), layers.Dense(2)])
    assert stated_range(model) == expected
