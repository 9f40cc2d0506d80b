"""SmoothGrad (Smilkov et al. 2017): gradients averaged over noisy copies of an image."""

import numpy as np

from cnnvis.images import images_at_once

COPIES = 50
NOISE = 0.15  # standard deviation, of the difference between the image's largest and smallest value


def smooth_grad(gradients, images, targets, baselines, *, seed=0, copies=COPIES, noise=NOISE, track=iter):
    """Attribute a target's score to the pixels by gradients that don't depend on fine details of the image.

    The gradient at an image fluctuates from pixel to pixel; the mean over noisy copies does so less. As in integrated
    gradients, it is multiplied by image - baseline and summed over the colour channels, so that its sign says whether
    the pixel speaks for the class, and its unit is that of the score.

    Parameters
    ----------
    gradients : callable
        (B, H, W, C) float32, (B,) int -> (B, H, W, C) gradients of the targets' scores. B is at most
        `images_at_once(H, W)`.
    images, baselines : (N, H, W, C) arrays
    targets : (N,) int array
    seed : int
        Of the noise.
    copies : int
    noise : float
    track : callable
        Wraps the sequence of batches, such as a progress bar.

    Returns
    -------
    (N, H, W) float32 array
    """
    images, targets = np.asarray(images, "float32"), np.asarray(targets)
    spread = noise * np.ptp(images, axis=(1, 2, 3), keepdims=True)
    rng, slopes = np.random.default_rng(seed), np.zeros(images.shape)
    batch = images_at_once(*images.shape[1:3])
    for start in track(range(0, len(images) * copies, batch)):
        which = np.arange(start, min(start + batch, len(images) * copies)) // copies
        noisy = images[which] + spread[which] * rng.standard_normal((len(which), *images.shape[1:]), "float32")
        np.add.at(slopes, which, gradients(noisy, targets[which]))
    return ((images - baselines) * slopes / copies).sum(axis=-1).astype("float32")
