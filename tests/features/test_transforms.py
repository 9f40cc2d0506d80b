"""Random transforms: identity, rotation and gradient by hand."""

import numpy as np
import pytest
import tensorflow as tf

from cnnvis.features.transforms import jitter

LARGEST = (2.0, 5.0, 0.1)  # shift, degrees, zoom


def test_jitter_of_zero_is_the_identity():
    images = tf.constant(np.random.default_rng(0).uniform(size=(2, 9, 9, 3)), tf.float32)
    np.testing.assert_allclose(jitter(0, 0, 0)(images, [1, 2]), images, atol=1e-5)
    moved = jitter(*LARGEST)(images, [1, 2])
    assert np.abs(moved - images).max() > 0.01
    np.testing.assert_array_equal(moved, jitter(*LARGEST)(images, [1, 2]))


@pytest.mark.parametrize("shape", [(1, 1), (6, 1), (1, 6)])
def test_a_side_of_one_pixel_does_not_move(shape):
    images = np.random.default_rng(0).uniform(size=(3, *shape, 3)).astype("float32")
    moved = jitter(*LARGEST)(images, [1, 2]).numpy()
    assert moved.min() >= images.min() - 1e-6
    assert moved.max() <= images.max() + 1e-6
    if shape == (1, 1):
        np.testing.assert_allclose(moved, images, atol=1e-6)


def test_jitter_rotates_about_the_centre():
    image = np.zeros((1, 9, 9, 1), "float32")
    image[0, 4, 4] = 1
    turned = jitter(shift=0, degrees=45, zoom=0)(tf.constant(image), [3, 4])
    np.testing.assert_allclose(turned[0, 4, 4], 1, atol=1e-4)


def test_the_gradient_of_jitter_agrees_with_differences():
    rng = np.random.default_rng(1)
    image = tf.constant(rng.uniform(size=(1, 5, 5, 1)), tf.float32)
    weights = tf.constant(rng.normal(size=(1, 5, 5, 1)), tf.float32)

    def value(x):
        return tf.reduce_sum(weights * jitter(*LARGEST)(x, [7, 8]))

    with tf.GradientTape() as tape:
        tape.watch(image)
        out = value(image)
    gradient = tape.gradient(out, image).numpy()
    for row, column in ((1, 1), (2, 3)):
        step = np.zeros((1, 5, 5, 1), "float32")
        step[0, row, column] = 0.1
        difference = (value(image + step) - value(image - step)) / 0.2
        np.testing.assert_allclose(gradient[0, row, column, 0], difference, atol=1e-3)
