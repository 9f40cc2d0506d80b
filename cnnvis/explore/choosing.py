"""Which images a reader can choose from."""

from dataclasses import replace

import numpy as np

from cnnvis.images import load


def to_choose_from(dataset, size, count):
    """The user's files, and the bundled samples if the network has their classes; otherwise images of the data set.

    Parameters
    ----------
    dataset : Dataset
        In the classifier's size and classes.
    size : (height, width)
        Of the classifier's input, in pixels.
    count : int
        At most, of the user's files and of the samples each.

    Returns
    -------
    names : list of str
    images : (N, H, W, 3) uint8 array
    labels : (N,) int array
        In the classifier's classes; -1 if unknown.
    """
    samples = load("samples", "test", size)
    groups = [dataset] if dataset.name == "images" else []
    if set(samples.classes) == set(dataset.classes):
        order = np.array([dataset.classes.index(name) for name in samples.classes])
        groups.append(replace(samples, labels=order[samples.labels], classes=dataset.classes))
    groups = groups or [dataset]
    chosen = [group.spread(count) for group in groups]
    names = [group.caption(index) for group, indices in zip(groups, chosen) for index in indices]
    images = np.concatenate([group.images[indices] for group, indices in zip(groups, chosen)])
    return names, images, np.concatenate([group.labels[indices] for group, indices in zip(groups, chosen)])
