"""How an image is parametrised while it is optimised: a variable, and a function that renders the image from it.

Optimised pixel by pixel, images become noise. Optimised as a spectrum scaled like that of real images, in colours
correlated as in real images, they become recognisable (Olah, Mordvintsev & Schubert, Distill 2017).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from cnnvis.images import HIGH_FREQUENCY, coefficient_counts, frequencies, high_frequency_share

START = 0.3  # standard deviation of the initial noise
CONTRAST = 1.7  # root mean square deviation of the image from its mean colour, in logits of pixel values


@dataclass(frozen=True)
class Parametrization:
    """A variable, and a function without arguments that renders (F, H, W, 3) float images from it."""

    variable: tf.Variable
    render: Callable


def pixels(count, size, seed):
    """Images parametrised by their pixels, initialised with noise."""
    variable = _noise((count, *size, 3), seed)
    return Parametrization(variable, lambda: variable)


def fourier(count, size, seed, amplitudes):
    """Images parametrised by their spectrum, initialised with noise whose amplitudes are those of real images.

    Each step changes all parameters about equally, so the scale of a wave determines how fast it changes.

    Parameters
    ----------
    count : int
    size : (H, W)
    seed : int
    amplitudes : (RINGS + 1,) float array
        As of `Statistics`.
    """
    scale = np.interp(frequencies(size), np.linspace(0, 0.5, len(amplitudes)), amplitudes)
    scale = tf.constant(scale / scale.mean() * np.sqrt(np.prod(size)), tf.complex64)
    variable = _noise((2, count, 3, *scale.shape), seed)

    def render():
        images = tf.signal.irfft2d(tf.complex(variable[0], variable[1]) * scale, fft_length=size)  # (F, 3, H, W)
        return tf.transpose(images, (0, 2, 3, 1))  # (F, H, W, 3), uncorrelated

    return Parametrization(variable, render)


def coloured(image, statistics, free=False):
    """An image with natural colours (any, if `free`) and fixed contrast, in pixels 0-255."""
    mean, colors = np.clip(statistics.mean, 0.05, 0.95), statistics.colors / np.abs(statistics.colors).max()
    if free:
        mean, colors = np.full(3, 0.5), np.eye(3)
    if statistics.grey:
        mean, colors = np.full(3, mean.mean()), np.full((3, 3), 1 / 3)
    offset, colors = tf.constant(np.log(mean / (1 - mean)), tf.float32), tf.constant(colors, tf.float32)

    def render():
        x = tf.tensordot(image.render(), colors, 1)
        x = CONTRAST * x * tf.math.rsqrt(tf.reduce_mean(x**2, axis=(1, 2, 3), keepdims=True) + 1e-6)
        return 255 * tf.sigmoid(x + offset)

    return Parametrization(image.variable, render)


def limit_high_frequencies(image, size, amplitudes, fraction):
    """An image whose high frequencies have at most `fraction` of their share of energy in real images.

    Otherwise they would dominate, even with amplitudes initialised like those of real images: there are many more of
    them.

    Parameters
    ----------
    image : Parametrization
        Of pixels 0-255.
    size : (H, W)
    amplitudes : (RINGS + 1,) float array
        As of `Statistics`.
    fraction : float
    """
    share, is_high = fraction * high_frequency_share(amplitudes, size), frequencies(size) > HIGH_FREQUENCY
    if share >= 1 or not is_high.any():
        return image
    high, counts = tf.constant(is_high, tf.float32), tf.constant(coefficient_counts(size), tf.float32)

    def render():
        spectrum = tf.signal.rfft2d(tf.transpose(image.render(), (0, 3, 1, 2)))  # (F, 3, H, W // 2 + 1)
        energy = tf.math.real(spectrum * tf.math.conj(spectrum)) * counts
        of_high, of_low = (tf.reduce_sum(energy * band, axis=(1, 2, 3), keepdims=True) for band in (high, 1 - high))
        scale = tf.minimum(1.0, tf.sqrt(share / (1 - share) * of_low / (of_high + 1e-6) + 1e-12))
        kept = 1 - high + high * scale
        spectrum *= tf.complex(kept, tf.zeros_like(kept))  # unlike a cast, it has a gradient without a warning
        return tf.clip_by_value(tf.transpose(tf.signal.irfft2d(spectrum, fft_length=size), (0, 2, 3, 1)), 0, 255)

    return Parametrization(image.variable, render)


def _noise(shape, seed):
    return tf.Variable(np.random.default_rng(seed).normal(0, START, shape), dtype=tf.float32)
