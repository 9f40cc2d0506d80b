"""Integrated gradients (Sundararajan, Taly & Yan 2017)."""

import numpy as np

from cnnvis.images import images_at_once

STEPS = 50  # points between the baseline and the image


def integrated_gradients(gradients, images, targets, baselines, steps=STEPS, track=iter):
    """Attribute the difference in a target's score between an image and its baseline to the pixels.

    (x - baseline) * integral of the score's gradient at baseline + a (x - baseline) over a from 0 to 1, summed over
    the colour channels. The integral is a Gauss-Legendre sum of `steps` points; but for its error, a map adds up to the
    score of the image minus that of the baseline.

    Parameters
    ----------
    gradients : callable
        (B, H, W, C) float32, (B,) int -> (B, H, W, C) gradients of the targets' scores. B is at most
        `images_at_once(H, W)`.
    images, baselines : (N, H, W, C) arrays
    targets : (N,) int array
    steps : int
    track : callable
        Wraps the sequence of batches, such as a progress bar.

    Returns
    -------
    (N, H, W) float32 array, signed, in units of the score.
    """
    targets = np.asarray(targets)
    nodes, weights = np.polynomial.legendre.leggauss(steps)  # on [-1, 1]
    places, shares = ((nodes + 1) / 2).astype("float32"), weights / 2
    maps = np.zeros(images.shape[:3])
    batch = images_at_once(*images.shape[1:3])
    for start in track(range(0, len(images) * steps, batch)):
        which, step = np.divmod(np.arange(start, min(start + batch, len(images) * steps)), steps)
        begin = np.asarray(baselines[which], "float32")
        way = images[which] - begin
        slopes = gradients(begin + places[step, None, None, None] * way, targets[which])
        np.add.at(maps, which, shares[step, None, None] * (way * slopes).sum(axis=-1))
    return maps.astype("float32")
