"""Statistics of images with known statistics; and as JSON, as in a checkpoint's metadata."""

import json

import numpy as np
import pytest

from cnnvis.images.statistics import (
    HIGH_FREQUENCY,
    RINGS,
    Statistics,
    coefficient_counts,
    frequencies,
    high_frequency_share,
    image_statistics,
)


def test_the_colours_square_is_the_covariance():
    rng = np.random.default_rng(2)
    wanted = np.array([[0.04, 0.03, 0.01], [0.03, 0.05, 0.02], [0.01, 0.02, 0.03]])
    pixels = np.clip(rng.multivariate_normal([0.5, 0.5, 0.5], wanted / 4, (4, 64, 64)), 0, 1)
    colors = image_statistics((pixels * 255).astype("uint8")).colors
    np.testing.assert_allclose(colors @ colors.T, wanted / 4, atol=5e-4)


def test_amplitudes_peak_at_the_frequency_of_stripes():
    x = np.tile(np.arange(32), (32, 1))
    striped = (128 + 100 * np.sin(2 * np.pi * x * 4 / 32)).astype("uint8")
    images = np.repeat(np.stack([striped, striped.T])[..., None], 3, axis=3)
    amplitudes = image_statistics(images).amplitudes
    assert amplitudes.argmax() == 4 * 2 * RINGS // 32
    assert amplitudes.max() > 10 * np.median(amplitudes)
    np.testing.assert_allclose(amplitudes.mean(), 1)
    noise = np.random.default_rng(3).integers(0, 256, (40, 32, 32, 3), dtype="uint8")
    assert np.ptp(image_statistics(noise).amplitudes) < 0.3
    for height, width in ((1, 1), (1, 5), (2, 2)):
        amplitudes = image_statistics(noise[:, :height, :width]).amplitudes
        assert (amplitudes > 0).all()


@pytest.mark.parametrize("size", [(8, 8), (7, 5), (1, 6), (6, 1), (1, 1)])
def test_half_a_spectrum_has_the_energy_of_the_whole(size):
    image = np.random.default_rng(5).normal(size=size)
    whole = np.abs(np.fft.fft2(image)) ** 2
    whole[0, 0] = 0
    half = np.abs(np.fft.rfft2(image)) ** 2 * coefficient_counts(size)
    np.testing.assert_allclose(half.sum(), whole.sum())
    fine = np.hypot(np.fft.fftfreq(size[0])[:, None], np.fft.fftfreq(size[1])) > HIGH_FREQUENCY
    np.testing.assert_allclose(half[frequencies(size) > HIGH_FREQUENCY].sum(), whole[fine].sum())


def test_the_high_frequency_share_of_white_noise_is_their_number():
    waves = np.hypot(np.fft.fftfreq(32)[:, None], np.fft.fftfreq(32))
    assert high_frequency_share(np.ones(RINGS + 1), (32, 32)) == pytest.approx(
        (waves > HIGH_FREQUENCY).sum() / (32 * 32 - 1)
    )
    assert high_frequency_share(np.ones(RINGS + 1), (1, 1)) == 0


def test_json_and_back():
    dataset = np.random.default_rng(4).integers(0, 256, (9, 32, 32, 3), dtype="uint8")
    dataset[:, :, 1:] = dataset[:, :, :1]  # the same in every row
    for images in (dataset, np.repeat(dataset[..., :1], 3, axis=-1)):
        before = image_statistics(images)
        after = Statistics.from_json(json.loads(json.dumps(before.as_json())))
        for key in ("mean", "colors", "amplitudes"):
            np.testing.assert_allclose(getattr(after, key), getattr(before, key), rtol=1e-5)
        assert after.grey is before.grey


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"mean": [0.5, 0.5]}, "mean needs 3 finite numbers"),
        ({"mean": [0.5, 0.5, float("nan")]}, "mean needs 3 finite numbers"),
        ({"mean": [0.5, 0.5, 128.0]}, "mean must be from 0 to 1"),
        ({"mean": "grey"}, "they need mean"),
        ({"colors": [1, 2, 3]}, "colors needs 3x3 finite numbers"),
        ({"colors": [[1, 2], [3]]}, "they need mean"),
        ({"colors": [[0] * 3] * 3}, "colors not all 0"),
        ({"amplitudes": [1.0] * RINGS}, f"amplitudes needs {RINGS + 1} finite numbers"),
        ({"amplitudes": [-1.0] * (RINGS + 1)}, "amplitudes above 0"),
        ({"amplitudes": None}, "amplitudes needs"),
        ({"grey": "no"}, "grey must be true or false"),
    ],
)
def test_impossible_statistics_are_refused(changes, message):
    values = image_statistics(np.random.default_rng(5).integers(0, 256, (2, 8, 8, 3), dtype="uint8")).as_json()
    with pytest.raises(ValueError, match=message):
        Statistics.from_json(values | changes)
    for wrong in ([], "text", 3, None, {}):
        with pytest.raises(ValueError, match="they need mean"):
            Statistics.from_json(wrong)
