"""Which images to explain, and for which class."""

import numpy as np

from cnnvis.images import none_left, readable


def to_explain(classifier, dataset, indices=None, target=None, wrong=False, count=4, seed=0):
    """Which images to explain, and for which class.

    Parameters
    ----------
    classifier : Classifier
    dataset : Dataset
    indices : sequence of int, optional
        `count` random correctly predicted images if not given, or all if none has a label.
    target : int, optional
        Class to explain, and whose images to choose; the predicted class of each image if not given.
    wrong : bool
        Choose wrongly predicted images instead (predicted as `target`, if given), each explained for the predicted and
        then for the true class.
    count, seed : int

    Returns
    -------
    indices, targets : (N,) int arrays

    Raises
    ------
    ValueError
        If there are no such images.
    """
    if indices is None:
        indices = _choose(classifier, dataset, target, wrong=wrong, count=count, seed=seed)
    indices = readable(dataset, indices)
    labels = dataset.labels[indices]
    if not wrong and target is not None:
        return indices, np.full(len(indices), target)
    predicted = classifier.probabilities(dataset.images[indices]).argmax(axis=1)
    if not wrong:
        return indices, predicted
    for index in indices[(labels < 0) | (labels == predicted)]:
        raise ValueError(f"image {index} is not known to be predicted wrongly: leave out --wrong")
    return np.repeat(indices, 2), np.stack([predicted, labels], axis=1).ravel()


def _choose(classifier, dataset, target, *, wrong, count, seed):
    """Random labelled images of the target class that are predicted correctly, or wrongly as the target class."""
    if (dataset.labels < 0).all() and not wrong:
        return np.arange(len(dataset))
    order = np.random.default_rng(seed).permutation(np.flatnonzero(dataset.labels >= 0))
    if target is not None and not wrong:
        order = order[dataset.labels[order] == target]
    chosen = []
    for start in range(0, len(order), 50):
        some = np.fromiter(dataset.readable(order[start : start + 50]), int)
        if not len(some):
            continue
        predicted = classifier.probabilities(dataset.images[some]).argmax(axis=1)
        fits = (predicted == dataset.labels[some]) != wrong
        if wrong and target is not None:
            fits &= predicted == target
        chosen += list(some[fits])
        if len(chosen) >= count:
            break
    if not chosen and dataset.bad and len(dataset.bad) == len(order):
        raise none_left(dataset)
    if not chosen:
        raise ValueError(f"no image is predicted {'wrongly' if wrong else 'correctly'}: choose some with --indices")
    return chosen[:count]
