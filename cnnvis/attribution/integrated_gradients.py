"""Which pixels count, by the network's own derivative: integrated gradients (Sundararajan, Taly & Yan 2017)."""

import numpy as np

from cnnvis.images.sources import pictures_at_once

STEPS = 50  # points on the way from the baseline to the picture


def integrated_gradients(gradients, images, targets, baselines, steps=STEPS, track=iter):
    """How much of a target's score each pixel brings, on the straight way from the baseline to the picture.

    (x - baseline) * integral of the score's gradient at baseline + a (x - baseline) over a from 0 to 1, summed over
    the colours. A map adds up to the score of the picture less that of the baseline, but for the error of the sum
    that stands for the integral: Gauss and Legendre's, of `steps` points.

    Parameters
    ----------
    gradients : callable
        (B, H, W, C) float32, (B,) int -> (B, H, W, C) derivatives of the targets' scores. B is at most
        `pictures_at_once(H, W)`.
    images, baselines : (N, H, W, C) arrays
    targets : (N,) int array
    steps : int
    track : callable
        Wraps the sequence of batches that are gone through; a progress bar, say.

    Returns
    -------
    (N, H, W) float32 array, signed, in units of the score.
    """
    targets = np.asarray(targets)
    nodes, weights = np.polynomial.legendre.leggauss(steps)  # on [-1, 1]
    places, shares = ((nodes + 1) / 2).astype("float32"), weights / 2
    maps = np.zeros(images.shape[:3])
    batch = pictures_at_once(*images.shape[1:3])
    for start in track(range(0, len(images) * steps, batch)):
        pictures, step = np.divmod(np.arange(start, min(start + batch, len(images) * steps)), steps)
        begin = np.asarray(baselines[pictures], "float32")
        way = images[pictures] - begin
        slopes = gradients(begin + places[step, None, None, None] * way, targets[pictures])
        np.add.at(maps, pictures, shares[step, None, None] * (way * slopes).sum(axis=-1))
    return maps.astype("float32")
