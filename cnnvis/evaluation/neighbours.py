"""The training images that a network takes for most alike: exact nearest neighbours by the cosine. NumPy in, NumPy out.

The cosine of the angle between two rows of features, the values of the layer before the logits, doesn't depend on how
strongly the layer responds; for a layer after its ReLU it is 0 (nothing in common) to 1 (the same direction).
"""

import numpy as np

VALUES_AT_ONCE = 2**22  # similarities in memory: 16 MB of float32, and some copies of them


def directions(features):
    """Rows of length 1 in the directions of the rows: (N, D) -> (N, D) float32; rows of zeros stay zeros.

    Raises ValueError if a value is not finite.
    """
    rows = np.array(features, "float32")
    largest = np.abs(rows).max(axis=1, keepdims=True, initial=0)
    if not np.isfinite(largest).all():
        raise ValueError("the layer before the logits outputs values that are not finite")
    rows /= np.where(largest > 0, largest, 1)  # squares of large values would overflow
    lengths = np.sqrt(np.einsum("nd,nd->n", rows, rows))[:, None]
    rows /= np.where(lengths > 0, lengths, 1)
    return rows


def nearest(queries, blocks, k=5):
    """The k most similar rows to each query, by the cosine.

    Parameters
    ----------
    queries : (N, D) float array
    blocks : iterable of (B, D) float arrays
        The rows to search, in their order, a part at a time: all of them need not fit into memory.
    k : int

    Returns
    -------
    indices : (N, k) int64 array
        Places of the rows in all blocks; fewer columns if there are fewer rows.
    similarity : (N, k) float32 array
        Their cosines, -1 to 1, in descending order; 0 for rows of zeros.

    Raises
    ------
    ValueError
        If a value is not finite.
    """
    queries, count = directions(queries), 0
    indices = np.zeros((len(queries), 0), "int64")
    similarity = np.zeros((len(queries), 0), "float32")
    step = max(1, VALUES_AT_ONCE // max(1, len(queries)))
    for block in blocks:
        rows = directions(block)
        for start in range(0, len(rows), step):
            cosines = queries @ rows[start : start + step].T  # (N, b)
            indices, similarity = _merged(indices, similarity, cosines, first=count + start, k=k)
        count += len(rows)
    return indices, np.clip(similarity, -1, 1)


def _merged(indices, similarity, cosines, first, k):
    """The best of those so far and of new ones, whose indices begin at `first`: the changed arrays."""
    width = min(k, similarity.shape[1] + cosines.shape[1])
    added = width - similarity.shape[1]
    indices = np.pad(indices, ((0, 0), (0, added)))
    similarity = np.pad(similarity, ((0, 0), (0, added)), constant_values=-np.inf)
    rows = np.flatnonzero(cosines.max(axis=1, initial=-np.inf) > similarity[:, -1])  # after some blocks, few of them
    both = np.concatenate([similarity[rows], cosines[rows]], axis=1)
    best = np.argpartition(-both, width - 1, axis=1)[:, :width]
    best = np.take_along_axis(best, np.argsort(-np.take_along_axis(both, best, 1), axis=1, kind="stable"), 1)
    old = np.take_along_axis(indices[rows], np.minimum(best, width - 1), 1)
    indices[rows] = np.where(best < width, old, first + best - width)
    similarity[rows] = np.take_along_axis(both, best, 1)
    return indices, similarity
