"""Statistics of real images, a few dozen numbers: their colours and their amplitude spectrum."""

import math
from dataclasses import asdict, dataclass

import numpy as np

PIXELS = 5_000_000  # at once, or at most, for the statistics
HIGH_FREQUENCY = 0.25  # cycles per pixel from which we call a frequency high: half the Nyquist frequency
RINGS = 16  # of the spectrum, up to the Nyquist frequency; each has its mean amplitude


@dataclass(frozen=True)
class Statistics:
    """Statistics of real images, with which the gradient ascent makes more natural images.

    Attributes
    ----------
    mean : (3,) float array
        Mean colour, 0-1.
    colors : (3, 3) float array
        Square root of the covariance of the colours: it gives uncorrelated noise the correlations of real images.
    amplitudes : (RINGS + 1,) float array
        Relative amplitudes of the frequencies from 0 to 1/2 cycles per pixel, in equal steps; their mean is 1.
    grey : bool
        Whether red, green and blue are always equal.
    """

    mean: np.ndarray
    colors: np.ndarray
    amplitudes: np.ndarray
    grey: bool

    def as_json(self):
        """Dict of lists of numbers with six significant digits, for `from_json`."""
        rounded = np.vectorize(lambda value: float(f"{value:.6g}"))
        return {key: value if key == "grey" else rounded(value).tolist() for key, value in asdict(self).items()}

    @classmethod
    def from_json(cls, values):
        """Read what `as_json` wrote; ValueError if no images can have these statistics."""
        shapes = {"mean": (3,), "colors": (3, 3), "amplitudes": (RINGS + 1,)}
        try:
            arrays = {key: np.array(values[key], dtype="float64") for key in shapes}
            grey = values["grey"]
        except (TypeError, KeyError, ValueError, OverflowError) as error:
            raise ValueError("they need mean, colors, amplitudes and grey") from error
        for key, shape in shapes.items():
            if arrays[key].shape != shape or not (np.abs(arrays[key]) < 1e3).all():  # NaN fails, too
                raise ValueError(f"{key} needs {'x'.join(map(str, shape))} finite numbers")
        mean, amplitudes = arrays["mean"], arrays["amplitudes"]
        if not ((mean >= 0) & (mean <= 1)).all() or not arrays["colors"].any() or not (amplitudes > 0).all():
            raise ValueError("mean must be from 0 to 1, colors not all 0, amplitudes above 0")
        if not isinstance(grey, bool):
            raise ValueError("grey must be true or false")
        return cls(**arrays, grey=grey)


def image_statistics(images):
    """Statistics of real images, or of a sample of at most `PIXELS` pixels: (N, H, W, 3) uint8 -> Statistics."""
    images = np.asarray(images[:: -(-math.prod(images.shape) // (3 * PIXELS))])
    pixels = images.reshape(-1, 3) / 255
    variances, directions = np.linalg.eigh(np.cov(pixels, rowvar=False) + 1e-6 * np.eye(3))
    colors = directions * np.sqrt(np.maximum(variances, 0)) @ directions.T
    grey = bool((np.ptp(pixels, axis=1) == 0).all())
    amplitudes = _amplitudes(images.mean(axis=3))
    return Statistics(pixels.mean(axis=0), colors=colors, amplitudes=amplitudes, grey=grey)


def channel_statistics(images):
    """Mean and variance of the pixels in each colour channel; a variance of 0 becomes 1.

    (N, H, W, 3) uint8 -> two lists of 3 floats, 0-255 and 0-255².
    """
    counts, levels = np.zeros((3, 256), int), np.arange(256)
    at_once = max(1, PIXELS // math.prod(images.shape[1:3]))
    for start in range(0, len(images), at_once):
        part = images[start : start + at_once]
        counts += [np.bincount(part[..., c].ravel(), minlength=256) for c in range(3)]
    means = [np.average(levels, weights=count) for count in counts]
    variances = [np.average((levels - mean) ** 2, weights=count) for count, mean in zip(counts, means)]
    return [float(m) for m in means], [float(v) or 1.0 for v in variances]


def frequencies(size):
    """Frequencies of the Fourier coefficients of a real (H, W) image: (H, W // 2 + 1) array, cycles per pixel."""
    height, width = size
    return np.hypot(np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None])


def coefficient_counts(size):
    """How many coefficients of `fft2` each of the (H, W // 2 + 1) of `rfft2` represents: 1 or 2, but 0 for the mean."""
    height, width = size
    counts = np.full((height, width // 2 + 1), 2.0)
    counts[:, [0, -1] if width % 2 == 0 else 0] = 1
    counts[0, 0] = 0
    return counts


def high_frequency_share(amplitudes, size):
    """The share of high frequencies in the energy of (H, W) images; the mean colour doesn't count.

    Parameters
    ----------
    amplitudes : (RINGS + 1,) float array
        As in `Statistics`.
    size : (H, W)

    Returns
    -------
    float, 0-1; 0 for images of one pixel
    """
    spectrum = frequencies(size)
    strength = np.interp(spectrum, np.linspace(0, 0.5, len(amplitudes)), amplitudes)
    energy = strength**2 * coefficient_counts(size)
    return float(energy[spectrum > HIGH_FREQUENCY].sum() / max(energy.sum(), 1e-12))


def _amplitudes(images):
    """Mean amplitude spectrum of (N, H, W) images by frequency: (RINGS + 1,) float array with mean 1."""
    spectrum = np.abs(np.fft.rfft2(images - images.mean(axis=(1, 2), keepdims=True))).mean(axis=0)
    ring = np.minimum(np.rint(frequencies(images.shape[1:]) * 2 * RINGS), RINGS).astype(int)
    count = np.bincount(ring.ravel(), minlength=RINGS + 1)
    total = np.bincount(ring.ravel(), spectrum.ravel(), RINGS + 1)
    known = np.flatnonzero((count > 0) & (np.arange(RINGS + 1) > 0))  # small images have few frequencies
    if not len(known):  # an image of one pixel
        return np.ones(RINGS + 1)
    amplitudes = np.interp(np.arange(RINGS + 1), known, total[known] / count[known]) + 1e-6
    return amplitudes / amplitudes.mean()
