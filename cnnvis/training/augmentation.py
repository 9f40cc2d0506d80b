"""Augmentation: pictures in, as many slightly different pictures out. All random choices come from `rng`."""

import numpy as np

VIEWS = 6  # of an image that `test_views` gives


def pad(images, margin):
    """Mirror the border outwards, so that a crop of the old size has room to move.

    (N, H, W, C) -> (N, H + 2*margin, W + 2*margin, C), of the same dtype.
    """
    return np.pad(images, ((0, 0), (margin, margin), (margin, margin), (0, 0)), mode="reflect")


def random_crop(padded, margin, rng):
    """Cut each padded picture back to its old size, at a random place.

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
    """Mirror the chosen ones of (N, H, W, C) pictures left and right: (N,) bool array -> a new array of that shape."""
    flipped = images.copy()
    flipped[chosen] = images[chosen, :, ::-1]
    return flipped


def alternating_flip(images, flipped_first, epoch):
    """Mirror left and right every second time that a picture is seen.

    Random flips show a picture twice the same way round in half of all epoch pairs; alternating ones never do
    (Jordan 2024). Half of the pictures start mirrored.

    Parameters
    ----------
    images : (N, H, W, C) array
    flipped_first : (N,) bool array
        Which pictures are mirrored in epoch 0.
    epoch : int

    Returns
    -------
    (N, H, W, C) array, a new one.
    """
    return flip(images, flipped_first ^ bool(epoch % 2))


def shrink(images, side):
    """Make pictures smaller, with no more detail than the fewer pixels can show: so they take less time to learn from.

    Each new pixel is a mean of those around its place, which weigh the less the farther they are, as in
    `tf.image.resize(..., antialias=True)`, of which this takes half the time.

    Parameters
    ----------
    images : (N, H, W, C) uint8 array
    side : int
        In pixels; at most H and W.

    Returns
    -------
    (N, side, side, C) uint8 array, rounded.
    """
    count, height, width, channels = images.shape
    rows = _triangles(height, side) @ images.reshape(count, height, -1).astype("float32")
    return np.rint(_triangles(width, side) @ rows.reshape(count, side, width, channels)).astype("uint8")


def _triangles(length, shorter):
    """Weights of `length` pixels in `shorter` ones: (shorter, length) float32 array, whose rows add up to 1."""
    scale = length / shorter
    places = scale * (np.arange(shorter) + 0.5)
    distances = np.abs(np.arange(length) + 0.5 - places[:, None])
    weights = np.maximum(0, 1 - distances / scale)
    return (weights / weights.sum(axis=1, keepdims=True)).astype("float32")


def test_views(images):
    """Six views of pictures to average predictions over: each way round, in place, and a pixel to either corner.

    (N, H, W, C) -> pairs of weight and (N, H, W, C), `images` itself first; the weights add up to 1 (Jordan 2024).
    """
    height, width = images.shape[1:3]
    padded = pad(images, 1)
    for weight, corner in ((1 / 2, 1), (1 / 4, 0), (1 / 4, 2)):
        view = images if corner == 1 else padded[:, corner : corner + height, corner : corner + width]
        yield weight / 2, view
        yield weight / 2, view[:, :, ::-1]
