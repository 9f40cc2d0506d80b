"""Small random transforms, applied to the images in each step of gradient ascent before the network sees them.

They keep the objective from depending on single pixels (Olah, Mordvintsev & Schubert, "Feature visualization", Distill
2017). A transform is a differentiable function of images and a seed.
"""

import numpy as np
import tensorflow as tf


def jitter(shift, degrees, zoom):
    """A transform that shifts, rotates and scales each image at random; beyond its border, it is mirrored.

    The bilinear interpolation is our own: the gradient of TensorFlow's image transform is not exact.

    Parameters
    ----------
    shift, degrees, zoom : float
        Largest change in pixels, degrees, and as a fraction.

    Returns
    -------
    callable
        (N, H, W, C) float tensor, (2,) int seed -> (N, H, W, C) float tensor
    """

    def transform(images, seed):
        count, height, width, channels = images.shape
        dx, dy, turn, scale = tf.unstack(tf.random.stateless_uniform((4, count, 1), seed, -1, 1))
        angle, factor = turn * (degrees * np.pi / 180), 1 + zoom * scale
        cos, sin = tf.cos(angle) / factor, tf.sin(angle) / factor
        middle_y, middle_x = (height - 1) / 2, (width - 1) / 2
        y, x = (tf.constant(axis.reshape(1, -1), tf.float32) for axis in np.mgrid[:height, :width])
        y, x = y - middle_y, x - middle_x
        from_y = _mirror(sin * x + cos * y + middle_y + shift * dy, height)  # (N, H * W)
        from_x = _mirror(cos * x - sin * y + middle_x + shift * dx, width)
        top, left = tf.floor(from_y), tf.floor(from_x)
        pixels = tf.reshape(images, (count, height * width, channels))
        moved = 0
        for row, row_weight in ((top, top + 1 - from_y), (tf.minimum(top + 1, height - 1), from_y - top)):
            for column, weight in ((left, left + 1 - from_x), (tf.minimum(left + 1, width - 1), from_x - left)):
                place = tf.cast(row * width + column, tf.int32)
                moved += (row_weight * weight)[..., None] * tf.gather(pixels, place, batch_dims=1)
        return tf.reshape(moved, images.shape)

    return transform


def _mirror(place, length):
    """Coordinates, those outside 0 ... length - 1 mirrored at the border."""
    last = length - 1
    return last - tf.abs(last - tf.math.floormod(place, 2 * last)) if last else tf.zeros_like(place)
