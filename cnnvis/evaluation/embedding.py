"""A map of images: the layer before the logits in two dimensions, so that what is alike to a network lies together."""

import io
from contextlib import contextmanager, redirect_stdout

import numpy as np

from cnnvis.evaluation.neighbours import directions, nearest

FEW = 100  # images, fewer of which have too few neighbours for t-SNE
MOST = 10_000  # images that t-SNE moves, which takes 20 s of a core; others are put beside their neighbours
DIMENSIONS = 30  # kept by PCA before t-SNE: ten classes have about nine directions
# Perplexity 30 and angle 0.5 take 1.6 times as long for CIFAR-10, where the ten nearest points are of the same
# class as often: 91.6 %.
PERPLEXITY = 15  # about how many neighbours count
ANGLE = 0.8  # from which distant points are summed up
STEPS = 500
WATCHED = 50  # steps, after which scikit-learn prints how far it is, its only sign of life
SPREAD = 1e-5  # of directions that are the same but for rounding


def embed(features, seed=0, track=iter):
    """Put images into a plane so that those with similar features are close.

    t-SNE (van der Maaten & Hinton 2008) of the directions of the features, after PCA; of fewer than `FEW` images, PCA
    alone. It runs in one thread: the order in which several add up numbers would change the map.

    Parameters
    ----------
    features : (N, D) float array
    seed : int
    track : callable
        Wraps a sequence of parts of the steps of t-SNE.

    Returns
    -------
    embedding : (N, 2) float32 array
        Finite; all zeros if the features are the same for all images.
    method : {"t-SNE", "PCA"}

    Raises
    ------
    ValueError
        If a value is not finite.
    """
    from threadpoolctl import threadpool_limits  # comes with scikit-learn

    rows = directions(features)
    with threadpool_limits(1):
        if len(rows) <= MOST:
            return _embedded(rows, seed, track)
        chosen = np.linspace(0, len(rows) - 1, MOST).astype(int)
        embedding, method = _embedded(rows[chosen], seed, track)
        return embedding[nearest(rows, [rows[chosen]], k=1)[0][:, 0]], method


def _embedded(rows, seed, track):
    from sklearn.decomposition import PCA
    from sklearn.manifold import TSNE

    plane = np.zeros((len(rows), 2), "float32")
    if len(rows) < 2 or (rows.max(axis=0) - rows.min(axis=0)).max() < SPREAD:
        return plane, "PCA"
    reduced = PCA(min(DIMENSIONS, *rows.shape), random_state=seed).fit_transform(rows)
    plane[:, : reduced.shape[1]] = reduced[:, :2]
    if len(rows) < FEW or reduced.shape[1] < 2:
        return plane, "PCA"
    how = {"perplexity": PERPLEXITY, "angle": ANGLE, "max_iter": STEPS, "random_state": seed}
    with _watched(track):
        moved = TSNE(init="pca", n_jobs=1, verbose=2, **how).fit_transform(reduced)
    return (moved.astype("float32"), "t-SNE") if np.isfinite(moved).all() else (plane, "PCA")


@contextmanager
def _watched(track):
    """Track t-SNE by what it prints, which isn't shown."""
    steps = iter(track(range(STEPS // WATCHED)))
    next(steps)
    with redirect_stdout(_Listener(steps)):
        yield
    for _ in steps:
        pass


class _Listener(io.TextIOBase):
    """Takes a step for each line about iterations, but the last: the sequence ends only when t-SNE does."""

    def __init__(self, steps):
        self.steps, self.left = steps, STEPS // WATCHED - 1

    def write(self, text):
        if "Iteration" in text and self.left:
            self.left -= 1
            next(self.steps)
        return len(text)
