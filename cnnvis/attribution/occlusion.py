"""Occlusion maps: hide a patch of an image, and see how much a score falls (Zeiler & Fergus 2014).

Three steps, each a function of its own: place the patches, hide them, and turn the scores into a map. It works with any
callable that scores images.
"""

import numpy as np

from cnnvis.images import images_at_once


def window_positions(length, size, stride):
    """First pixels of the patches along one axis.

    There are ceil((length - size) / stride) + 1 patches, `stride` pixels apart. The last may be cut off at the border,
    so that every pixel is in a patch.

    Parameters
    ----------
    length, size, stride : int
        Pixels.

    Raises
    ------
    ValueError
        If a patch is larger than the axis, or the stride than a patch.
    """
    if not 1 <= size <= length:
        raise ValueError(f"--window {size} doesn't fit the image ({length} pixels): choose 1 to {length}")
    if not 1 <= stride <= size:
        raise ValueError(f"--stride {stride} skips pixels between patches ({size} pixels): choose 1 to {size}")
    return stride * np.arange(-(-(length - size) // stride) + 1)


def window_corners(height, width, size, stride):
    """All patches of one size over an image: (patches, 4) int array of top, left, bottom, right (exclusive)."""
    tops, lefts = np.meshgrid(
        window_positions(height, size, stride), window_positions(width, size, stride), indexing="ij"
    )
    tops, lefts = tops.ravel(), lefts.ravel()
    return np.stack([tops, lefts, np.minimum(tops + size, height), np.minimum(lefts + size, width)], axis=1)


def occlude(images, baselines, corners):
    """Copies of images, each with one patch replaced by the baseline's pixels.

    (B, H, W, C) arrays twice, (B, 4) -> (B, H, W, C) float32 array
    """
    occluded = np.array(images, "float32")
    for copy, baseline, (top, left, bottom, right) in zip(occluded, baselines, corners):
        copy[top:bottom, left:right] = baseline[top:bottom, left:right]
    return occluded


def average_drop(drops, corners, shape):
    """The mean drop of the score for each pixel, over the patches that contain it.

    Parameters
    ----------
    drops : (patches,) float array
        Score of the whole image minus score with the patch hidden.
    corners : (patches, 4) int array
    shape : (height, width)

    Returns
    -------
    (height, width) float64 array, signed: negative where hiding raised the score.
    """
    total, count = np.zeros(shape), np.zeros(shape)
    for drop, (top, left, bottom, right) in zip(drops, corners):
        total[top:bottom, left:right] += drop
        count[top:bottom, left:right] += 1
    return total / count


def occlusion_maps(score, images, targets, baselines, windows, stride=1, track=iter):
    """How important each pixel is for a target's score.

    For patches p with masks m_p: importance[i] = sum_p m_p[i] (f(x) - f(x_p)) / sum_p m_p[i] with x_p = x (1 - m_p) +
    baseline m_p, for each patch size separately; then the mean over the sizes. (For one size, as Captum's Occlusion.)

    The occluded copies of all images are evaluated in full batches. Beside its arguments and its result, it needs
    memory for one batch and one number per patch.

    Parameters
    ----------
    score : callable
        (B, H, W, C) float32 -> (B, K) scores, logits or probabilities. B is at most `images_at_once(H, W)`.
    images, baselines : (N, H, W, C) arrays
    targets : (N,) int array
        Class whose score is explained.
    windows : sequence of int
        Sides of the occluded patches, in pixels.
    stride : int
        Pixels between neighbouring patches.
    track : callable
        Wraps the sequence of batches, such as a progress bar.

    Returns
    -------
    (N, H, W) float32 array, signed, in units of the score.

    Raises
    ------
    ValueError
        If a patch is larger than the image, or the stride than a patch.
    """
    targets, shape = np.asarray(targets), images.shape[1:3]
    corners = [window_corners(*shape, size, stride) for size in windows]
    corners = np.concatenate([[[0, 0, 0, 0]], *corners])  # first, nothing is hidden
    scores = np.empty(len(images) * len(corners))
    batch = images_at_once(*shape)
    for start in track(range(0, len(scores), batch)):
        which, chosen = np.divmod(np.arange(start, min(start + batch, len(scores))), len(corners))
        occluded = occlude(images[which], [baselines[n] for n in which], corners[chosen])
        scores[start : start + batch] = score(occluded)[np.arange(len(which)), targets[which]]
    scores = scores.reshape(len(images), -1)
    return average_maps(scores[:, :1] - scores[:, 1:], shape, windows, stride=stride)


def average_maps(drops, shape, windows, stride):
    """The mean of the maps of each patch size.

    Parameters
    ----------
    drops : (N, patches) float array
        As in `average_drop`, of one size after the other, each in the order of `window_corners`.
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


def most_important_patch(importance, size):
    """The patch with the highest mean importance: (H, W) array, side -> top, left, bottom, right (exclusive)."""
    size = min(size, *importance.shape)
    means = importance
    for axis in (0, 1):  # one axis after the other: in the time of two sides of a patch, not of its area
        means = np.lib.stride_tricks.sliding_window_view(means, size, axis).mean(axis=2)
    top, left = np.unravel_index(means.argmax(), means.shape)
    return int(top), int(left), int(top) + size, int(left) + size


def baseline_images(images, kind, seed=0):
    """The baseline of each image: the pixels that replace hidden ones.

    Parameters
    ----------
    images : (N, H, W, C) array
        Pixels 0-255.
    kind : {"mean", "zero", "blur", "noise"} or float
        The image's mean colour, black, the blurred image (Gaussian, sigma an eighth of its shorter side), uniform
        random pixels, or a grey of that value, 0-255.
    seed : int
        Of the noise.

    Returns
    -------
    (N, H, W, C) array, 0-255: uint8 for "blur" and "noise", else a float32 view that stores one colour per image.
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


def parse_baseline(text):
    """Parse the `kind` of `baseline_images`: mean, zero, blur, noise, or a value 0-255; else raises ValueError."""
    if text in ("mean", "zero", "blur", "noise"):
        return text
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 255:
        raise ValueError(f"{text!r} is neither mean, zero, blur, noise nor a value from 0 to 255")
    return value
