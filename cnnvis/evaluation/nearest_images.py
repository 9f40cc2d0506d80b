"""The training images most alike to each test image, cached in a file: a pass over 50,000 images takes minutes."""

import math
from dataclasses import asdict, dataclass

import numpy as np

from cnnvis.checkpoints import cached
from cnnvis.evaluation import duplicates
from cnnvis.evaluation.neighbours import directions, nearest
from cnnvis.images import identifying

VERSION = 1  # of the contents: a new one invalidates all older files


@dataclass(frozen=True)
class NearestImages:
    """The nearest training images of N test images, and near-duplicates among them.

    Attributes
    ----------
    indices : (N, k) int64 array
        Of the training images as they were given, the nearest first.
    similarity : (N, k) float32 array
        Cosine in the layer before the logits, -1 to 1.
    pairs : (P, 2) int64 array
        Near-duplicates, as in `duplicates`: test image and training image, the most similar first.
    pair_similarity : (P,) float32 array
        Their cosine.
    """

    indices: np.ndarray
    similarity: np.ndarray
    pairs: np.ndarray
    pair_similarity: np.ndarray


def find(hidden, features, test, training, *, k, checkpoint, folders, track=iter, tell=print):
    """Find the nearest training images, or read them from the file that an earlier run wrote.

    Parameters
    ----------
    hidden : network.Hidden
        The layer before the logits.
    features : (N, D) float array
        What it outputs for the test images.
    test, training : Dataset
        Of the same size; `training` in memory.
    k : int
        Nearest images of each.
    checkpoint : Checkpoint
        The network's. Its `path` and `digest` are used.
    folders : sequence of Path
        Where to look for the file. It is written to the first of them that is writable.
    track : callable
        Wraps the sequence of batches.
    tell : callable
        Called with the path of a file that was written.

    Returns
    -------
    NearestImages

    Raises
    ------
    ValueError
        If a feature is not finite.
    """
    arrays = cached(
        lambda: asdict(_compute(hidden, features, test, training, k=k, track=track)),
        tuple(NearestImages.__dataclass_fields__),
        checkpoint=checkpoint,
        topic="nearest",
        network=checkpoint.digest[:16],
        contents=_contents(hidden, test.images, training.images, k=k),
        pixels=math.prod(training.images.shape[:3]),
        folders=folders,
        tell=tell,
    )
    return NearestImages(**arrays)


def _contents(hidden, *images, k):
    yield repr((VERSION, k, hidden.names, hidden.classifier.input_range)).encode()
    for each in images:
        yield repr(each.shape).encode()
        yield from identifying(each)


def _compute(hidden, features, test, training, *, k, track):
    batch = hidden.classifier.at_once
    starts = track(range(0, len(training), batch))
    blocks = (hidden.compute(training.images[start : start + batch]) for start in starts)
    indices, similarity = nearest(features, blocks, k)
    ours, theirs = duplicates.same_edges(test.images, training.images)
    cosines = np.zeros(len(ours), "float32")
    if len(ours):
        cosines = np.einsum("nd,nd->n", *map(directions, (features[ours], hidden.compute(training.images[theirs]))))
    order = np.argsort(-cosines, kind="stable")
    order = order[cosines[order] >= duplicates.ALIKE]
    pairs = np.stack([ours[order], theirs[order]], axis=1).astype("int64")
    return NearestImages(indices, similarity, pairs, np.clip(cosines[order], -1, 1))
