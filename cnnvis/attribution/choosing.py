"""Which images to explain, and for which class."""

import numpy as np

from cnnvis.console import shown
from cnnvis.images import none_left, readable


def to_explain(classifier, dataset, indices=None, target=None, *, against=None, wrong=False, count=4, seed=0):
    """Which images to explain, and for which class.

    Parameters
    ----------
    classifier : Classifier
    dataset : Dataset
    indices : sequence of int, optional
        `count` random correctly predicted images if not given, or all if none has a label.
    target : int, optional
        Class to explain, and whose images to choose; the predicted class of each image if not given.
    against : int, optional
        A class that no image may be explained for, since it is to be compared with; none of these is chosen.
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
        If there are no such images, or one is explained for the class `against`.
    """
    if target is not None and target == against:
        raise ValueError(f"--class and --against are both {shown(dataset.classes[target])}: choose two classes")
    if indices is None:
        indices = _choose(classifier, dataset, target, against=against, wrong=wrong, count=count, seed=seed)
    indices = readable(dataset, indices)
    labels = dataset.labels[indices]
    if wrong or target is None:
        predicted = classifier.probabilities(dataset.images[indices]).argmax(axis=1)
        targets = predicted
    else:
        targets = np.full(len(indices), target)
    if wrong:
        for index in indices[(labels < 0) | (labels == predicted)]:
            raise ValueError(f"image {index} is not known to be predicted wrongly: leave out --wrong")
        indices, targets = np.repeat(indices, 2), np.stack([predicted, labels], axis=1).ravel()
    for index in indices[targets == against]:
        name = shown(dataset.classes[against])
        raise ValueError(f"--against {name}: image {index} is explained as {name} itself: choose another --class")
    return indices, targets


def _choose(classifier, dataset, target, *, against, wrong, count, seed):
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
        if against is not None:
            fits &= (predicted != against) & (dataset.labels[some] != against)
        chosen += list(some[fits])
        if len(chosen) >= count:
            break
    if not chosen and dataset.bad and len(dataset.bad) == len(order):
        raise none_left(dataset)
    if not chosen:
        which = _described(dataset.classes, target, against=against, wrong=wrong)
        raise ValueError(f"no image{which}: choose some with --indices")
    return chosen[:count]


def _described(classes, target, *, against, wrong):
    """The images that `_choose` looks for, in words that follow "no image"."""
    if target is None:
        which = f" is predicted {'wrongly' if wrong else 'correctly'}"
    else:
        name = shown(classes[target])
        which = f" is predicted wrongly as {name}" if wrong else f" of class {name} is predicted correctly"
    if against is not None and (wrong or target is None):
        which += f", leaving out {shown(classes[against])} (--against)"
    return which
