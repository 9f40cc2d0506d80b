"""What real pictures have in common, in a few dozen numbers: their colours, and how strong their waves are."""

import math
from dataclasses import asdict, dataclass

import numpy as np

PIXELS = 5_000_000  # that are looked at, at most
FINE = 0.25  # cycles a pixel above which a wave is called fine: half the Nyquist rate
RINGS = 16  # of frequencies, up to the highest along an axis, whose mean amplitude is kept


@dataclass(frozen=True)
class Statistics:
    """What the ascent takes from real pictures, so that its own are likely ones.

    Attributes
    ----------
    mean : (3,) float array
        Of the colours, 0-1.
    colors : (3, 3) float array
        Square root of the colours' covariance: uncorrelated noise times it is as correlated as real pictures are.
    amplitudes : (RINGS + 1,) float array
        How strong waves of 0 to 1/2 cycles a pixel are, in equal steps, beside each other; 1 on average.
    grey : bool
        Whether red, green and blue are always the same.
    """

    mean: np.ndarray
    colors: np.ndarray
    amplitudes: np.ndarray
    grey: bool

    def as_json(self):
        """Lists of numbers of six digits, which `from_json` reads."""
        rounded = np.vectorize(lambda value: float(f"{value:.6g}"))
        return {key: value if key == "grey" else rounded(value).tolist() for key, value in asdict(self).items()}

    @classmethod
    def from_json(cls, values):
        """The statistics that `as_json` wrote; ValueError if they can't be any picture's."""
        shapes = {"mean": (3,), "colors": (3, 3), "amplitudes": (RINGS + 1,)}
        try:
            arrays = {key: np.array(values[key], dtype="float64") for key in shapes}
            grey = values["grey"]
        except (TypeError, KeyError, ValueError, OverflowError) as error:
            raise ValueError("they need mean, colors, amplitudes and grey") from error
        for key, shape in shapes.items():
            if arrays[key].shape != shape or not (np.abs(arrays[key]) < 1e3).all():  # NaN is not, either
                raise ValueError(f"{key} needs {'x'.join(map(str, shape))} finite numbers")
        mean, amplitudes = arrays["mean"], arrays["amplitudes"]
        if not ((mean >= 0) & (mean <= 1)).all() or not arrays["colors"].any() or not (amplitudes > 0).all():
            raise ValueError("mean must be from 0 to 1, colors not all 0, amplitudes above 0")
        if not isinstance(grey, bool):
            raise ValueError("grey must be true or false")
        return cls(**arrays, grey=grey)


def picture_statistics(images):
    """Statistics of real pictures: (N, H, W, 3) uint8 -> Statistics. Of very many, only some are looked at."""
    images = np.asarray(images[:: -(-math.prod(images.shape) // (3 * PIXELS))])
    pixels = images.reshape(-1, 3) / 255
    variances, directions = np.linalg.eigh(np.cov(pixels, rowvar=False) + 1e-6 * np.eye(3))
    colors = directions * np.sqrt(np.maximum(variances, 0)) @ directions.T
    grey = bool((np.ptp(pixels, axis=1) == 0).all())
    return Statistics(pixels.mean(axis=0), colors, _amplitudes(images.mean(axis=3)), grey)


def frequencies(size):
    """Of each wave of a real (H, W) picture: (H, W // 2 + 1) array, cycles a pixel."""
    height, width = size
    return np.hypot(np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None])


def wave_counts(size):
    """How many waves of a (H, W) picture each of its (H, W // 2 + 1) stands for, as its mirror image isn't kept: 0, for
    the mean, 1 or 2."""
    height, width = size
    counts = np.full((height, width // 2 + 1), 2.0)
    counts[:, [0, -1] if width % 2 == 0 else 0] = 1
    counts[0, 0] = 0
    return counts


def fine_share(amplitudes, size):
    """Share of the energy of (H, W) pictures, but for their mean, that is in fine waves.

    Parameters
    ----------
    amplitudes : (RINGS + 1,) float array
        As of `Statistics`.
    size : (H, W)

    Returns
    -------
    float, 0-1; 0 where there are no waves
    """
    waves = frequencies(size)
    strength = np.interp(waves, np.linspace(0, 0.5, len(amplitudes)), amplitudes)
    energy = strength**2 * wave_counts(size)
    return float(energy[waves > FINE].sum() / max(energy.sum(), 1e-12))


def _amplitudes(images):
    """Mean amplitude of the waves of (N, H, W) pictures by frequency: (RINGS + 1,) float array."""
    waves = np.abs(np.fft.rfft2(images - images.mean(axis=(1, 2), keepdims=True))).mean(axis=0)
    ring = np.minimum(np.rint(frequencies(images.shape[1:]) * 2 * RINGS), RINGS).astype(int)
    count = np.bincount(ring.ravel(), minlength=RINGS + 1)
    total = np.bincount(ring.ravel(), waves.ravel(), RINGS + 1)
    known = np.flatnonzero((count > 0) & (np.arange(RINGS + 1) > 0))  # small pictures have few frequencies
    if not len(known):  # a picture of one pixel has no waves
        return np.ones(RINGS + 1)
    amplitudes = np.interp(np.arange(RINGS + 1), known, total[known] / count[known]) + 1e-6
    return amplitudes / amplitudes.mean()
