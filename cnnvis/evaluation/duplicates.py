"""Near-duplicates: images in both training and test set that show the same scene. NumPy in, NumPy out.

Two images are near-duplicates if the network takes them for alike and their edges agree. The network alone can't tell:
once trained, it puts all images of a class in about the same direction. Of CIFAR-10's test images, half have a training
image with a cosine above 0.998 in the layer before the logits of the shipped network, whatever it shows. So edges are
compared: differences of neighbours in an image of 16 x 16 grey pixels without its frame, which don't depend on
colour and contrast. Of CIFAR-10's 10,000 test images, 172 have a training image whose edges have a
cosine of at least 0.85. Of the 80 pairs from 0.86 to 0.92, 79 show the same scene to the eye; below 0.8, ships of one
outline begin to be taken for each other. The one that doesn't, framed in white, has a cosine of 0.38 in the layer
before the logits, the other 171 have at least 0.86, and of random pairs of two classes 1 % have more than 0.62.
"""

import numpy as np

from cnnvis.evaluation.neighbours import nearest

ALIKE = 0.8  # cosine in the layer before the logits, at least
SAME_EDGES = 0.85  # cosine of the edges, at least
USUAL = 0.7  # median from which on images are all so alike, as digits are, that only copies can be told from others
COPIED = 0.9999  # cosine of the edges of a copy
SIDE = 16  # pixels, to which images are reduced
AT_ONCE = 2**20  # pixels of images


def edges(images):
    """Differences of neighbouring pixels: (N, H, W, 3) uint8 -> (N, D) float32; zeros for an image of one colour."""
    reduced = images.mean(axis=-1, dtype="float32")
    for axis in (1, 2):
        length = reduced.shape[axis]
        starts = np.arange(min(SIDE, length)) * length // min(SIDE, length)
        sizes = np.diff(starts, append=length).reshape((-1, 1) if axis == 1 else (1, -1))
        reduced = np.add.reduceat(reduced, starts, axis=axis) / sizes
        if len(starts) > 4:
            reduced = reduced[:, 1:-1] if axis == 1 else reduced[:, :, 1:-1]
    found = []
    for axis in (1, 2):
        differences = np.diff(reduced, axis=axis).reshape(len(images), -1)
        found.append(differences - (differences.mean(axis=1, keepdims=True) if differences.size else 0))  # no slope
    found = np.concatenate(found, axis=1)
    return np.where(np.abs(found).max(axis=1, keepdims=True, initial=0) > 0.5, found, 0)  # rounding has no direction


def same_edges(images, others):
    """Pairs of images with the same edges: (N, H, W, 3), (M, H, W, 3) uint8 -> (P,) indices and (P,) of the others.

    An image is in one pair at most, with the one that has the most similar edges.
    """
    ours = np.concatenate([edges(part) for part in _parts(images)])
    if not len(others) or not ours.shape[1]:
        return np.zeros((2, 0), "int64")
    places, similarity = nearest(ours, map(edges, _parts(others)), k=1)
    similarity = similarity[:, 0]
    changed = similarity[similarity < COPIED]
    least = COPIED if len(changed) and np.median(changed) >= USUAL else SAME_EDGES
    found = np.flatnonzero(similarity >= least)
    return found, places[found, 0]


def _parts(images):
    step = max(1, AT_ONCE // (images.shape[1] * images.shape[2]))
    return (np.asarray(images[start : start + step]) for start in range(0, len(images), step))
