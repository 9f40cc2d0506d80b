"""Parametrised images keep to the frequencies of real ones."""

import numpy as np
import pytest
import tensorflow as tf

from cnnvis.features import ascent, parametrization
from cnnvis.images.statistics import (
    HIGH_FREQUENCY,
    coefficient_counts,
    frequencies,
    high_frequency_share,
    image_statistics,
)
from cnnvis.network.classifier import Classifier


def test_high_frequencies_keep_to_their_share():
    low, high = (100.0 + 50 * ((np.indices((8, 8)) // side).sum(axis=0) % 2) for side in (4, 1))
    images = tf.constant(np.stack([low, high, low / 2 + high / 4])[..., None] * np.ones(3), tf.float32)
    amplitudes = np.ones(17)

    def limited(share):
        image, fraction = (
            parametrization.Parametrization(None, lambda: images),
            share / high_frequency_share(amplitudes, (8, 8)),
        )
        return parametrization.limit_high_frequencies(image, (8, 8), amplitudes, fraction).render().numpy()

    held = limited(0.04)
    spectrum = np.abs(np.fft.fft2((held - held.mean(axis=(1, 2), keepdims=True))[..., 0])) ** 2
    is_high = np.hypot(np.fft.fftfreq(8)[:, None], np.fft.fftfreq(8)) > 0.25
    share = spectrum[:, is_high].sum(axis=1) / spectrum.sum(axis=(1, 2)).clip(1e-3)
    assert share[0] <= 0.041
    np.testing.assert_allclose(held[1], 125, atol=1)  # without low frequencies, nothing is left but the mean
    np.testing.assert_allclose(share[2], 0.04, atol=2e-3)
    np.testing.assert_array_equal(limited(1), images)


@pytest.mark.once
def test_images_are_smoother_than_real_ones(sequential):
    noise = np.random.default_rng(6).integers(0, 256, (30, 16, 16, 3), dtype="uint8")
    statistics = image_statistics(noise.repeat(2, axis=1).repeat(2, axis=2))
    classifier = Classifier(sequential, (0, 1))
    for options, smooth in (({}, True), ({"limit_high_frequencies": None}, False)):
        how = ascent.Ascent(steps=30, **options)
        (images,) = ascent.ascend(classifier, classifier.layer("second"), [0, 1, 2], statistics, how)
        energy = np.abs(np.fft.rfft2(images.transpose(0, 3, 1, 2))) ** 2 * coefficient_counts((32, 32))
        shares = energy[..., frequencies((32, 32)) > HIGH_FREQUENCY].sum(axis=(1, 2)) / energy.sum(axis=(1, 2, 3))
        real = high_frequency_share(statistics.amplitudes, (32, 32))
        assert (shares < 0.55 * real).all() == smooth
