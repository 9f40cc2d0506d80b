"""Occlusion maps: hide a section of a picture, see how much a score falls (Zeiler & Fergus 2014).

Three steps, each a function of its own: where the windows are, what the pictures with hidden windows look like, and
what the scores say about each pixel. Works with any callable that scores pictures.
"""

import numpy as np

BATCH = 256  # occluded pictures that are scored at once


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


def occlude(image, baseline, corners):
    """Copies of a picture, each with one window replaced by the baseline's pixels.

    (H, W, C) float array twice, (windows, 4) -> (windows, H, W, C) float array
    """
    occluded = np.repeat(image[None], len(corners), axis=0)
    for copy, (top, left, bottom, right) in zip(occluded, corners):
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

    Parameters
    ----------
    score : callable
        (B, H, W, C) float32 -> (B, K) scores, logits or probabilities. Called with batches of at most `BATCH`.
    images, baselines : (N, H, W, C) arrays
    targets : (N,) int array
        Class whose score is explained.
    windows : sequence of int
        Sides of the occluded squares, in pixels.
    stride : int
        Pixels from one window to the next.
    track : callable
        Wraps the list of batches that are gone through; a progress bar, say.

    Returns
    -------
    (N, H, W) float32 array, signed, in units of the score.

    Raises
    ------
    ValueError
        If a window is larger than the picture, or the stride than a window.
    """
    images, baselines = np.asarray(images, "float32"), np.asarray(baselines, "float32")
    shape = images.shape[1:3]
    sizes = [window_corners(*shape, size, stride) for size in windows]
    corners = np.concatenate(sizes)
    whole = np.concatenate([score(images[i : i + BATCH]) for i in range(0, len(images), BATCH)])
    whole = whole[np.arange(len(images)), targets]
    drops = np.empty((len(images), len(corners)))
    jobs = [(n, i) for n in range(len(images)) for i in range(0, len(corners), BATCH)]
    for n, i in track(jobs):
        occluded = occlude(images[n], baselines[n], corners[i : i + BATCH])
        drops[n, i : i + BATCH] = whole[n] - score(occluded)[:, targets[n]]
    ends = np.cumsum([len(size) for size in sizes])
    maps = [
        np.mean([average_drop(d, c, shape) for d, c in zip(np.split(row, ends[:-1]), sizes)], axis=0) for row in drops
    ]
    return np.array(maps, dtype="float32").reshape(len(images), *shape)


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
    (N, H, W, C) float32 array, 0-255.
    """
    images = np.asarray(images, "float32")
    if kind == "mean":
        return np.broadcast_to(images.mean(axis=(1, 2), keepdims=True), images.shape)
    if kind == "blur":
        from scipy.ndimage import gaussian_filter

        sigma = min(images.shape[1:3]) / 8
        return np.stack([gaussian_filter(image, (sigma, sigma, 0)) for image in images])
    if kind == "noise":
        return np.random.default_rng(seed).uniform(0, 255, images.shape).astype("float32")
    return np.full_like(images, 0 if kind == "zero" else float(kind))
