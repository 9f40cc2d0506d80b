"""Grad-CAM (Selvaraju et al. 2017): which places of a layer's feature maps speak for the class?"""

import numpy as np
from PIL import Image

from cnnvis.images import images_at_once


def grad_cam(feature_gradients, images, targets, track=iter):
    """Attribute a target's score to the places of feature maps.

    Each map A_k of the layer is weighted with the mean over space of the score's gradient with respect to it, and the
    weighted maps are added up. Nothing is cut off at 0: places that speak against the class are negative.

    Parameters
    ----------
    feature_gradients : callable
        (B, H, W, C) images, (B,) int -> pairs of (b, h, w, c) feature maps and gradients of the targets' scores with
        respect to them, batch by batch.
    images : (N, H, W, C) array
    targets : (N,) int array
    track : callable
        Wraps the sequence of batches, such as a progress bar.

    Returns
    -------
    (N, H, W) float32 array
        Signed, enlarged bilinearly from (h, w).
    """
    maps, size = [], images.shape[1:3]
    batch = images_at_once(*size)
    for start in track(range(0, len(images), batch)):
        part = slice(start, start + batch)
        for features, gradients in feature_gradients(images[part], targets[part]):
            weights = gradients.mean(axis=(1, 2))
            maps += [enlarged(values, size) for values in np.einsum("nhwc,nc->nhw", features, weights)]
    return np.stack(maps)


def enlarged(values, size):
    """(h, w) float32 array -> (height, width) of `size`, interpolated bilinearly."""
    height, width = size
    return np.asarray(Image.fromarray(values).resize((width, height), Image.Resampling.BILINEAR))
