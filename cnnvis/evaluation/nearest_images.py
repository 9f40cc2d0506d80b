"""The training images most alike to each test image, cached in a file: a pass over 50,000 images takes minutes."""

import hashlib
import math
import os
from dataclasses import asdict, dataclass

import numpy as np

from cnnvis.console import complete
from cnnvis.evaluation import duplicates
from cnnvis.evaluation.neighbours import directions, nearest

END = ".nearest.npz"
VERSION = 1  # of the contents: a new one invalidates all older files
WORTH_KEEPING = 2_000_000  # pixels of training images from which on the result is cached; fewer take seconds


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
    if math.prod(training.images.shape[:3]) < WORTH_KEEPING:
        return _compute(hidden, features, test, training, k=k, track=track)
    model = checkpoint.path.name
    of_model = f"{model}.{checkpoint.digest[:16]}-"
    digest = hashlib.sha256(repr((VERSION, k, hidden.names, hidden.classifier.input_range)).encode())
    for part in (test, training):
        _add(digest, part.images)
    name = f"{of_model}{digest.hexdigest()[:16]}{END}"
    for folder in folders:
        try:
            with np.load(folder / name, allow_pickle=False) as file:
                return NearestImages(**{key: file[key] for key in NearestImages.__dataclass_fields__})
        except Exception:  # absent, or damaged: zipfile, zlib and NumPy raise different errors
            continue
    found = _compute(hidden, features, test, training, k=k, track=track)
    for folder in folders:
        try:
            with complete(folder / name) as unfinished, open(unfinished, "wb") as file:
                np.savez_compressed(file, **asdict(found))
        except OSError:  # a folder without write permission
            continue
        tell(folder / name)
        for path in folder.iterdir():  # of earlier networks of this name
            if path.name.startswith(f"{model}.") and path.name.endswith(END) and not path.name.startswith(of_model):
                path.unlink(missing_ok=True)
        break
    return found


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


def _add(digest, images):
    """Add images to a digest: their pixels, or the names, sizes and times of their files."""
    digest.update(repr(images.shape).encode())
    for source in getattr(images, "sources", [images]):
        if isinstance(source, str):
            digest.update(
                repr((source, os.stat(source).st_size, os.stat(source).st_mtime_ns)).encode("utf-8", "replace")
            )
        else:
            digest.update(np.ascontiguousarray(source))
