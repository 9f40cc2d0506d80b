"""Which labels of a data set may be wrong? Confident learning (Northcutt, Jiang & Chuang 2021). NumPy in, NumPy out.

A class's threshold is how probable it is, on average, where the label says it. A picture is confidently of another
class if that class reaches its own threshold: classes that the network likes to see need more to be believed. That is a
guess: the network may as well be wrong itself, and only somebody who looks at the picture can tell.
"""

import numpy as np

from cnnvis.evaluation.metrics import blocks


def thresholds(probabilities, labels):
    """Mean probability of each class over the pictures labelled so: (N, K), (N,) -> (K,) float; inf without any."""
    classes = probabilities.shape[1]
    known = np.flatnonzero(labels >= 0)
    total = np.bincount(labels[known], probabilities[known, labels[known]], classes)
    count = np.bincount(labels[known], minlength=classes)
    return np.divide(total, count, out=np.full(classes, np.inf), where=count > 0)


def confident_classes(probabilities, least):
    """The most probable class of those that reach their thresholds: (N, K), (K,) -> (N,) int, -1 where none does."""
    classes = np.empty(len(probabilities), "int64")
    for part in blocks(*probabilities.shape):
        confident = np.where(probabilities[part] >= least, probabilities[part], -1)
        classes[part] = np.where(confident.max(axis=1) < 0, -1, confident.argmax(axis=1))
    return classes


def confident_joint(probabilities, labels):
    """How often pictures labelled as a class (row) are confidently of one (column): (N, K), (N,) -> (K, K) int64."""
    confident = confident_classes(probabilities, thresholds(probabilities, labels))
    joint = np.zeros((probabilities.shape[1],) * 2, "int64")
    counted = (confident >= 0) & (labels >= 0)
    np.add.at(joint, (labels[counted], confident[counted]), 1)
    return joint


def suspects(probabilities, labels):
    """Pictures off the diagonal of the confident joint, the likeliest wrong label first.

    Parameters
    ----------
    probabilities : (N, K) float array
        Of a network that was not trained on these pictures.
    labels : (N,) int array
        -1 where the class is not known.

    Returns
    -------
    indices, classes : (M,) int arrays
        The pictures, by the margin of the label's probability over the highest other one, smallest first; and what
        each seems to be.
    """
    confident = confident_classes(probabilities, thresholds(probabilities, labels))
    indices = np.flatnonzero((confident >= 0) & (labels >= 0) & (confident != labels))
    own = probabilities[indices, labels[indices]].astype(float)
    other = np.empty(len(indices))
    for part in blocks(len(indices), probabilities.shape[1]):
        some = probabilities[indices[part]]
        some[np.arange(len(some)), labels[indices[part]]] = -1
        other[part] = some.max(axis=1)
    order = np.argsort(own - other, kind="stable")
    return indices[order], confident[indices[order]]
