"""Suspected label errors by confident learning (Northcutt, Jiang & Chuang 2021). NumPy in, NumPy out.

The threshold of a class is its mean probability over the images labelled as this class. An image is confidently of
another class if that class reaches its threshold, which is higher for classes that the network predicts readily. This
is a guess: the network may be wrong as well, and only somebody who looks at the image can tell.
"""

import numpy as np

from cnnvis.evaluation.metrics import blocks


def thresholds(probabilities, labels):
    """Mean probability of each class over the images with its label: (N, K), (N,) -> (K,) float; inf without images."""
    classes = probabilities.shape[1]
    known = np.flatnonzero(labels >= 0)
    total = np.bincount(labels[known], probabilities[known, labels[known]], classes)
    count = np.bincount(labels[known], minlength=classes)
    return np.divide(total, count, out=np.full(classes, np.inf), where=count > 0)


def confident_classes(probabilities, least):
    """The most probable class among those that reach their thresholds: (N, K), (K,) -> (N,) int, -1 where none does."""
    classes = np.empty(len(probabilities), "int64")
    for part in blocks(*probabilities.shape):
        confident = np.where(probabilities[part] >= least, probabilities[part], -1)
        classes[part] = np.where(confident.max(axis=1) < 0, -1, confident.argmax(axis=1))
    return classes


def confident_joint(probabilities, labels):
    """Number of images by label (row) and confident class (column): (N, K), (N,) -> (K, K) int64."""
    confident = confident_classes(probabilities, thresholds(probabilities, labels))
    joint = np.zeros((probabilities.shape[1],) * 2, "int64")
    counted = (confident >= 0) & (labels >= 0)
    np.add.at(joint, (labels[counted], confident[counted]), 1)
    return joint


def suspects(probabilities, labels):
    """Images off the diagonal of the confident joint, the likeliest label error first.

    Parameters
    ----------
    probabilities : (N, K) float array
        Of a network that was not trained on these images.
    labels : (N,) int array
        -1 where the class is not known.

    Returns
    -------
    indices, classes : (M,) int arrays
        The images, sorted by the margin of their label's probability over the highest other one; and the class that
        each seems to have.
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
