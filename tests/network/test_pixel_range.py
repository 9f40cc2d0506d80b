"""A model gets pixels in its own range and channels, and its first layers imply the range."""

import keras
import numpy as np
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
