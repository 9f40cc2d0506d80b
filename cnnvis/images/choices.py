"""Which pictures, layers and filters are looked at, of all that there are: those asked for, else a fitting few."""

from dataclasses import replace

import numpy as np

from cnnvis.images import sources as data
from cnnvis.images import unreadable as skipping


def to_choose_from(pictures, size, count):
    """Pictures to look at: the user's files and the bundled samples, where the network knows their classes.

    Of a data set that the samples are not from, some of its own.

    Parameters
    ----------
    pictures : Pictures
        As the classifier sees them.
    size : (height, width)
        Of the classifier's pictures.
    count : int
        At most, of the user's files and of the others.

    Returns
    -------
    names : list of str
    images : (N, H, W, 3) uint8 array
    labels : (N,) int array
        In the classifier's classes; -1 where not known.
    """
    samples = data.load("samples", "test", size)
    groups = [pictures] if pictures.name == "images" else []
    if set(samples.classes) == set(pictures.classes):
        order = np.array([pictures.classes.index(name) for name in samples.classes])
        groups.append(replace(samples, labels=order[samples.labels], classes=pictures.classes))
    groups = groups or [pictures]
    chosen = [group.spread(count) for group in groups]
    names = [group.caption(index) for group, indices in zip(groups, chosen) for index in indices]
    images = np.concatenate([group.images[indices] for group, indices in zip(groups, chosen)])
    return names, images, np.concatenate([group.labels[indices] for group, indices in zip(groups, chosen)])


def to_explain(classifier, pictures, indices=None, target=None, wrong=False, count=4, seed=0):
    """Which pictures to explain, and for which class.

    Parameters
    ----------
    classifier : Classifier
    pictures : Pictures
    indices : sequence of int, optional
        Pictures asked for. Without any, `count` random ones that are predicted correctly, or all if none has a label.
    target : int, optional
        Class to explain, and whose pictures to choose; the predicted one of each picture if not said.
    wrong : bool
        Instead take pictures that are predicted wrongly (as `target`, if it is said), each for the predicted class
        and then for the true one.
    count, seed : int

    Returns
    -------
    indices, targets : (N,) int arrays

    Raises
    ------
    ValueError
        If no picture is as asked for.
    """
    if indices is None:
        indices = _choose(classifier, pictures, target, wrong, count, seed)
    indices = skipping.readable(pictures, indices)
    labels = pictures.labels[indices]
    if not wrong and target is not None:
        return indices, np.full(len(indices), target)
    predicted = classifier.probabilities(pictures.images[indices]).argmax(axis=1)
    if not wrong:
        return indices, predicted
    for index in indices[(labels < 0) | (labels == predicted)]:
        raise ValueError(f"picture {index} is not known to be predicted wrongly: leave out --wrong")
    return np.repeat(indices, 2), np.stack([predicted, labels], axis=1).ravel()


def _choose(classifier, pictures, target, wrong, count, seed):
    """Random pictures of known class that are predicted rightly, of the target class; or wrongly, as the target."""
    if (pictures.labels < 0).all() and not wrong:
        return np.arange(len(pictures))
    order = np.random.default_rng(seed).permutation(np.flatnonzero(pictures.labels >= 0))
    if target is not None and not wrong:
        order = order[pictures.labels[order] == target]
    chosen = []
    for start in range(0, len(order), 50):
        some = np.fromiter(pictures.readable(order[start : start + 50]), int)
        if not len(some):
            continue
        predicted = classifier.probabilities(pictures.images[some]).argmax(axis=1)
        fits = (predicted == pictures.labels[some]) != wrong
        if wrong and target is not None:
            fits &= predicted == target
        chosen += list(some[fits])
        if len(chosen) >= count:
            break
    if not chosen and pictures.bad and len(pictures.bad) == len(order):
        raise skipping.none_left(pictures)
    if not chosen:
        raise ValueError(f"no picture is predicted {'wrongly' if wrong else 'correctly'}: choose some with --indices")
    return chosen[:count]


def layers_with_filters(classifier, names=None):
    """The CONV and FC layers of these names; else every other CONV layer from the first, and the first FC layer.

    All of them if "all" is among the names. Raises ValueError if one has no filters, or none has.
    """
    if names and "all" not in names:
        layers = [classifier.layer(name) for name in dict.fromkeys(names)]
        for layer in layers:
            if layer.kind not in ("CONV", "FC") or len(layer.output.shape) not in (2, 4):
                raise ValueError(f"{layer.name} is neither a CONV nor an FC layer: it has no filters")
        return layers
    ranks = {"CONV": 4, "FC": 2}
    shown = [layer for layer in classifier.layers.values() if ranks.get(layer.kind) == len(layer.output.shape)]
    learned = [layer for layer in shown if layer.kind == "CONV" and layer.layer.trainable]  # whitening is given
    chosen = shown if names else [*learned[::2], *[layer for layer in shown if layer.kind == "FC"][:1]]
    if not chosen:
        raise ValueError("the model has neither CONV nor FC layers whose filters could be shown")
    return chosen


def filters_of(layer, asked, count, seed):
    """Indices of a layer's filters: those asked for, all if "all" is among them, or `count` random ones for None.

    Raises ValueError if the layer has no such filter.
    """
    existing = layer.linear.shape[-1]
    if asked is None:
        return np.sort(np.random.default_rng(seed).permutation(existing)[:count])
    if "all" in asked:
        return np.arange(existing)
    if max(asked) >= existing:
        raise ValueError(f"{layer.name} has no filter {max(asked)}: it has 0 to {existing - 1}")
    return np.array(list(dict.fromkeys(asked)))
