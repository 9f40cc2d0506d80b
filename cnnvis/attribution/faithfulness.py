"""How faithful is a heat map? Deletion and insertion scores (RISE, Petsiuk et al. 2018), for any predict callable."""

import numpy as np

from cnnvis.images import images_at_once

STEPS = 32  # of the curve, which has one point more


def pixel_order(importance):
    """Pixels from the most to the least important: (H, W) float array -> (H*W,) int array; ties in reading order."""
    return np.argsort(-np.asarray(importance).ravel(), kind="stable")


def in_order(maps):
    """Whether each map puts the pixels in an order: one that is the same everywhere doesn't. (N, H, W) -> (N,) bool"""
    return np.ptp(maps, axis=(1, 2)) > 0


def curve_images(start, end, order, steps=STEPS, points=slice(None)):
    """Images from `start` to `end`, with more and more pixels replaced, in that order.

    Image j has int(linspace(0, H*W, steps + 1))[j] pixels replaced.

    (H, W, C), (H, W, C), (H*W,) -> (steps + 1, H, W, C), or some of them: (len(points), H, W, C)
    """
    pixels = start.shape[0] * start.shape[1]
    replaced = np.linspace(0, pixels, steps + 1).astype(int)[points]
    rank = np.empty(pixels, int)
    rank[order] = np.arange(pixels)
    flipped = (rank < replaced[:, None]).reshape(len(replaced), *start.shape[:2], 1)
    return np.where(flipped, end, start)


def area(curve):
    """Area under a curve over evenly spaced points of [0, 1], by the trapezoidal rule."""
    curve = np.asarray(curve, dtype=float)
    return float((curve[1:] + curve[:-1]).mean() / 2)


def deletion_insertion(predict, images, baselines, importance, targets, steps=STEPS, track=iter):
    """Area under the curve of the target's probability, as pixels are hidden or shown, the most important first.

    Parameters
    ----------
    predict : callable
        (B, H, W, C) float32 -> (B, K) probabilities. B is at most `images_at_once(H, W)`.
    images, baselines : (N, H, W, C) arrays
        Deletion goes from the image to its baseline, insertion from the baseline to the image.
    importance : (N, H, W) float array
    targets : (N,) int array

    Returns
    -------
    deletion, insertion : (N,) float32 arrays, 0-1
        Low deletion and high insertion scores are good.
    """
    curves = np.empty((2, len(images), steps + 1))
    batch = images_at_once(*images.shape[1:3])
    parts = [(n, way, first) for n in range(len(images)) for way in (0, 1) for first in range(0, steps + 1, batch)]
    for n, way, first in track(parts):
        if not way and not first:
            order = pixel_order(importance[n])
            ends = np.asarray(images[n], "float32"), np.asarray(baselines[n], "float32")
        points = slice(first, first + batch)
        between = curve_images(*(ends[::-1] if way else ends), order, steps=steps, points=points)
        curves[way, n, points] = predict(between)[:, targets[n]]
    deletion, insertion = ([area(curve) for curve in curves[way]] for way in (0, 1))
    return np.array(deletion, "float32"), np.array(insertion, "float32")
