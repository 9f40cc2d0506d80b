"""SmoothGrad by hand, against single noisy copies, and its seed."""

import numpy as np
import pytest

from cnnvis.attribution import smooth_grad
from cnnvis.images import dataset


def test_the_gradient_of_a_linear_score_is_that_of_every_copy():
    """Slopes of 2 and 3 in two channels: (5 - 1) · 2 + (4 - 2) · 3 = 14, whatever the noise."""
    images, baselines = np.array([[[[5.0, 4.0]]]]), np.array([[[[1.0, 2.0]]]])
    maps = smooth_grad.smooth_grad(lambda x, targets: np.full(x.shape, [2.0, 3.0]), images, [0], baselines)
    np.testing.assert_allclose(maps, [[[14]]], rtol=1e-6)
    assert maps.dtype == np.float32


def test_noise_is_as_large_as_it_should_be():
    """The gradient x + noise of x²/2: its mean is x, and copies differ by the noise's standard deviation."""
    seen = []

    def slopes(noisy, targets):
        seen.append(noisy)
        return noisy

    images = np.random.default_rng(4).uniform(0, 200, (2, 6, 5, 3))
    smooth_grad.smooth_grad(slopes, images, [0, 1], np.zeros(images.shape), copies=400, noise=0.1)
    copies = np.concatenate(seen).reshape(2, 400, *images.shape[1:])
    spread = 0.1 * np.ptp(images, axis=(1, 2, 3))
    np.testing.assert_allclose(copies.std(axis=1).mean(axis=(1, 2, 3)), spread, rtol=0.02)
    np.testing.assert_allclose(copies.mean(axis=1), images, atol=6 * spread.max() / 20)


@pytest.mark.parametrize("seed", [0, 1])
def test_the_same_seed_gives_the_same_maps_in_batches_of_any_size(seed, monkeypatch):
    images = np.random.default_rng(5).uniform(0, 255, (3, 8, 8, 3))

    def maps(seed):
        return smooth_grad.smooth_grad(
            lambda x, _: x**2, images, [0, 1, 2], np.zeros(images.shape), seed=seed, copies=9
        )

    whole = maps(seed)
    monkeypatch.setattr(dataset, "PIXELS_AT_ONCE", 5 * 64)
    np.testing.assert_allclose(maps(seed), whole, rtol=1e-5)
    assert np.abs(maps(2) - whole).max() > 1


def test_a_constant_image_has_no_noise():
    images = np.full((1, 4, 4, 3), 70.0)
    maps = smooth_grad.smooth_grad(lambda x, _: x, images, [0], np.zeros(images.shape))
    np.testing.assert_allclose(maps, 3 * 70**2)
