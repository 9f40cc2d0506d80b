"""Occlusion maps: hide a section of a picture, see how much a score falls (Zeiler & Fergus 2014).

Three steps, each a function of its own: where the windows are, what the pictures with hidden windows look like, and
what the scores say about each pixel. Works with any callable that scores pictures.
"""

import numpy as np

from cnnvis.images.sources import pictures_at_once


def window_positions(length, size, stride):
    """First pixels of the windows along one axis.

    ceil((length - size) / stride) + 1 windows stand `stride` pixels apart; the last may be cut off by the border, so
    that every pixel is in a window.

    Parameters
    ----------
    length, size, stride : int
        Pixels.

    Raises
    ------
    ValueError
        If the window doesn't fit or the stride would leave pixels out.
    """
    if not 1 <= size <= length:
        raise ValueError(f"a window of {size} pixels doesn't fit a picture of {length}: choose 1 to {length}")
    if not 1 <= stride <= size:
        raise ValueError(f"a stride of {stride} skips pixels between windows of {size}: choose 1 to {size}")
    return stride * np.arange(-(-(length - size) // stride) + 1)


def window_corners(height, width, size, stride):
    """All windows of one size over a picture: (windows, 4) int array of top, left, bottom, right (exclusive)."""
    tops, lefts = np.meshgrid(
        window_positions(height, size, stride), window_positions(width, size, stride), indexing="ij"
    )
    tops, lefts = tops.ravel(), lefts.ravel()
    return np.stack([tops, lefts, np.minimum(tops + size, height), np.minimum(lefts + size, width)], axis=1)


def occlude(images, baselines, corners):
    """Copies of pictures, each with one window replaced by its baseline's pixels.

    (B, H, W, C) arrays twice, (B, 4) -> (B, H, W, C) float32 array
    """
    occluded = np.array(images, "float32")
    for copy, baseline, (top, left, bottom, right) in zip(occluded, baselines, corners):
        copy[top:bottom, left:right] = baseline[top:bottom, left:right]
    return occluded


def average_drop(drops, corners, shape):
    """The mean, over the windows that hold a pixel, of how much hiding the window cost.

    Parameters
    ----------
    drops : (windows,) float array
        Score of the whole picture minus score with the window hidden.
    corners : (windows, 4) int array
    shape : (height, width)

    Returns
    -------
    (height, width) float64 array, signed: negative where hiding helped.
    """
    total, count = np.zeros(shape), np.zeros(shape)
    for drop, (top, left, bottom, right) in zip(drops, corners):
        total[top:bottom, left:right] += drop
        count[top:bottom, left:right] += 1
    return total / count


def occlusion_maps(score, images, targets, baselines, windows, stride=1, track=iter):
    """How important each pixel is for a target's score.

    For windows w with mask m_w: importance[i] = sum_w m_w[i] (f(x) - f(x_w)) / sum_w m_w[i] with x_w = x (1 - m_w) +
    baseline m_w, for each window size by itself; then the mean over the sizes. (Captum's Occlusion, for one size.)

    The windows of all pictures go through the network in full batches, one after the other: beside its arguments and
    what it returns, it needs memory for one batch and for a number a window.

    Parameters
    ----------
    score : callable
        (B, H, W, C) float32 -> (B, K) scores, logits or probabilities. B is at most `pictures_at_once(H, W)`.
    images, baselines : (N, H, W, C) arrays
    targets : (N,) int array
        Class whose score is explained.
    windows : sequence of int
        Sides of the occluded squares, in pixels.
    stride : int
        Pixels from one window to the next.
    track : callable
        Wraps the sequence of batches that are gone through; a progress bar, say.

    Returns
    -------
    (N, H, W) float32 array, signed, in units of the score.

    Raises
    ------
    ValueError
        If a window is larger than the picture, or the stride than a window.
    """
    targets, shape = np.asarray(targets), images.shape[1:3]
    corners = [window_corners(*shape, size, stride) for size in windows]
    corners = np.concatenate([[[0, 0, 0, 0]], *corners])  # hiding nothing comes first
    scores = np.empty(len(images) * len(corners))
    batch = pictures_at_once(*shape)
    for start in track(range(0, len(scores), batch)):
        pictures, chosen = np.divmod(np.arange(start, min(start + batch, len(scores))), len(corners))
        occluded = occlude(images[pictures], [baselines[n] for n in pictures], corners[chosen])
        scores[start : start + batch] = score(occluded)[np.arange(len(pictures)), targets[pictures]]
    scores = scores.reshape(len(images), -1)
    return average_maps(scores[:, :1] - scores[:, 1:], shape, windows, stride)


def average_maps(drops, shape, windows, stride):
    """The mean of the maps that each window size makes by itself.

    Parameters
    ----------
    drops : (N, windows) float array
        What hiding each window costs, one size after the other, each in the order of `window_corners`.
    shape : (height, width)
    windows, stride : as in `occlusion_maps`

    Returns
    -------
    (N, height, width) float32 array
    """
    corners = [window_corners(*shape, size, stride) for size in windows]
    parts = np.split(drops, np.cumsum([len(size) for size in corners])[:-1], axis=1)
    maps = np.empty((len(drops), *shape), "float32")
    for n in range(len(drops)):
        maps[n] = np.mean([average_drop(part[n], size, shape) for part, size in zip(parts, corners)], axis=0)
    return maps


def most_important_section(importance, size):
    """Where a window of that size covers the most importance: (H, W) array -> top, left, bottom, right (exclusive)."""
    size = min(size, *importance.shape)
    sums = np.lib.stride_tricks.sliding_window_view(importance, (size, size)).mean(axis=(2, 3))
    top, left = np.unravel_index(sums.argmax(), sums.shape)
    return int(top), int(left), int(top) + size, int(left) + size


def baseline_images(images, kind, seed=0):
    """What a hidden section is replaced by.

    Parameters
    ----------
    images : (N, H, W, C) array
        Pixels 0-255.
    kind : {"mean", "zero", "blur", "noise"} or float
        The picture's own mean colour, black, the picture blurred (Gaussian, sigma an eighth of its shorter side),
        uniform random pixels, or one value 0-255 everywhere.
    seed : int
        Of the noise.

    Returns
    -------
    (N, H, W, C) array, 0-255: uint8 of "blur" and "noise", else float32, a view in which a colour stands once.
    """
    if kind == "blur":
        from scipy.ndimage import gaussian_filter

        sigma = min(images.shape[1:3]) / 8
        return np.array(
            [gaussian_filter(image.astype("float32"), (sigma, sigma, 0)).round() for image in images], "uint8"
        )
    if kind == "noise":
        return np.random.default_rng(seed).integers(0, 256, images.shape, dtype="uint8")
    if kind == "mean":
        colors = images.mean(axis=(1, 2), keepdims=True, dtype="float64").astype("float32")
    else:
        colors = np.full((len(images), 1, 1, images.shape[3]), 0 if kind == "zero" else float(kind), "float32")
    return np.broadcast_to(colors, images.shape)
