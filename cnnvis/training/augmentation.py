"""Augmentation: images in, as many slightly different images out. `rng` makes all random choices."""

import io

import numpy as np
from PIL import Image

JPEG_QUALITIES = range(50, 96)  # of 1 to 100


def pad(images, margin):
    """Pad images with their mirrored borders, so that a crop of the old size has room to move.

    (N, H, W, C) -> (N, H + 2*margin, W + 2*margin, C), of the same dtype.
    """
    return np.pad(images, ((0, 0), (margin, margin), (margin, margin), (0, 0)), mode="reflect")


def random_crop(padded, margin, rng):
    """Crop each padded image to its old size, at a random place.

    Parameters
    ----------
    padded : (N, H + 2*margin, W + 2*margin, C) array
    margin : int
        Pixels that `pad` added on each side.
    rng : numpy.random.Generator

    Returns
    -------
    (N, H, W, C) array, a new one.
    """
    count, height, width, channels = padded.shape
    size = (height - 2 * margin, width - 2 * margin)
    windows = np.lib.stride_tricks.sliding_window_view(padded, (*size, channels), axis=(1, 2, 3))[:, :, :, 0]
    top, left = rng.integers(2 * margin + 1, size=(2, count))
    return windows[np.arange(count), top, left]


def flip(images, chosen):
    """Mirror some images left to right: (N, H, W, C) images, (N,) bool array -> a new array of the same shape."""
    flipped = images.copy()
    flipped[chosen] = images[chosen, :, ::-1]
    return flipped


def alternating_flip(images, flipped_first, pass_number):
    """Mirror each image left to right in every second pass over the images.

    Random flips show half of the images the same way round in two successive passes; alternating ones never do
    (Jordan 2024). Half of the images start mirrored.

    Parameters
    ----------
    images : (N, H, W, C) array
    flipped_first : (N,) bool array
        Which images are mirrored in pass 0.
    pass_number : int or (N,) int array

    Returns
    -------
    (N, H, W, C) array, a new one.
    """
    return flip(images, flipped_first ^ (pass_number % 2 == 1))


def change_light(images, brightness, contrast, rng):
    """Multiply the pixels of each image by a factor, and their distance from its mean by another.

    Parameters
    ----------
    images : (N, H, W, C) uint8 array
    brightness, contrast : float
        The largest difference of each factor from 1, at most 1.
    rng : numpy.random.Generator

    Returns
    -------
    (N, H, W, C) uint8 array, rounded, and clipped to 0-255.
    """
    shape = (len(images), 1, 1, 1)
    brighter, starker = (1 + rng.uniform(-most, most, shape).astype("float32") for most in (brightness, contrast))
    mean = images.mean(axis=(1, 2, 3), keepdims=True, dtype="float32")
    changed = brighter * (mean + starker * (images - mean))
    return np.rint(np.clip(changed, 0, 255)).astype("uint8")


def compress(images, fraction, rng):
    """Save a random part of the images as JPEG, at random qualities, and decode them again.

    Parameters
    ----------
    images : (N, H, W, 1 or 3) uint8 array
    fraction : float
        Probability of each image to be saved.
    rng : numpy.random.Generator

    Returns
    -------
    (N, H, W, 1 or 3) uint8 array, a new one.
    """
    images = images.copy()
    chosen = np.flatnonzero(rng.random(len(images)) < fraction)
    for index, quality in zip(chosen, rng.choice(JPEG_QUALITIES, len(chosen))):
        file = io.BytesIO()
        Image.fromarray(images[index].squeeze()).save(file, "JPEG", quality=int(quality))
        images[index] = np.asarray(Image.open(file)).reshape(images.shape[1:])
    return images


def cut_out(images, side, color, rng):
    """Hide a square of each image (DeVries & Taylor, "Improved regularization of convolutional neural networks", 2017).

    Its centre is anywhere in the image: at a border, less is hidden.

    Parameters
    ----------
    images : (N, H, W, C) uint8 array
    side : int
        Of the square, in pixels.
    color : (C,) sequence of int
        What is seen instead, 0-255.
    rng : numpy.random.Generator

    Returns
    -------
    (N, H, W, C) uint8 array, a new one.
    """
    count, height, width, _ = images.shape
    hidden = []
    for length in (height, width):
        first = rng.integers(length, size=(count, 1)) - side // 2
        place = np.arange(length) - first
        hidden.append((place >= 0) & (place < side))
    rows, columns = hidden
    return np.where((rows[:, :, None] & columns[:, None])[..., None], np.asarray(color, images.dtype), images)
