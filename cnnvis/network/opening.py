"""From a model file, or a checkpoint, to a classifier that takes pixels 0-255."""

from pathlib import Path

import numpy as np

from cnnvis import checkpoints
from cnnvis.console import notice
from cnnvis.images import read
from cnnvis.network.classifier import Classifier
from cnnvis.network.pixel_range import INPUT_RANGES, stated_range

UNKNOWN_RANGE = "this model's pixel range is unknown: give --input-range 0 1, -1 1 or 0 255"


def load(
    path: str | Path | None = None,
    input_range: tuple[float, float] | None = None,
    size: tuple[int, int] | None = None,
) -> Classifier:
    """Load a network and take it apart.

    Parameters
    ----------
    path : path, "deep" or "basic", optional
        As of `checkpoints.load`.
    input_range : (low, high), optional
        The pixel range that the model takes; from its metadata or its layers if not given.
    size : (height, width), optional
        Of the images, for a model that takes any size.

    Returns
    -------
    Classifier

    Raises
    ------
    ValueError, OSError
        If the file is not an image classifier, or the range is unknown.
    """
    return take_apart(checkpoints.load(path), input_range=input_range, size=size)


def take_apart(checkpoint, dataset=None, input_range=None, size=None):
    """Make a classifier of a loaded checkpoint.

    Parameters
    ----------
    checkpoint : Checkpoint
    dataset : Dataset, optional
        In the network's size and classes. If nothing else states the pixel range, it is the one on which the model is
        clearly most accurate on these images.
    input_range : (low, high), optional
        As in `load`; overrides the metadata.
    size : (height, width), optional
        Of the images, for a model that takes any size; the data set's if there is one.

    Returns
    -------
    Classifier

    Raises
    ------
    ValueError
        If the range is unknown or empty.
    """
    model = checkpoint.model
    known = input_range or checkpoint.input_range or stated_range(model)
    low, high = known or _best_range(model, dataset)
    if not (np.isfinite([low, high]).all() and low < high):
        raise ValueError(f"--input-range {low:g} {high:g} is not a range: give a smaller and a larger number")
    classifier = Classifier(model, (low, high), dataset.images.shape[1:3] if dataset else size)
    if classifier.notice:
        notice(classifier.notice)
    return classifier


def _best_range(model, dataset):
    """The pixel range on which a model is clearly most accurate; raises ValueError if there is none."""
    if not dataset:
        raise ValueError(UNKNOWN_RANGE)
    some = read(dataset, dataset.spread(500))
    if (some.labels >= 0).all():
        predicted = {r: Classifier(model, r).probabilities(some.images).argmax(axis=1) for r in INPUT_RANGES}
        scores = {r: (classes == some.labels).mean() for r, classes in predicted.items()}
        best, second = sorted(scores, key=scores.get, reverse=True)[:2]
        if scores[best] - scores[second] > 0.1:
            notice(
                f"The model seems to take pixels {best[0]} to {best[1]}: {scores[best]:.0%} of {len(some)} are right, "
                f"{scores[second]:.0%} with {second[0]} to {second[1]}. Give --input-range to be sure."
            )
            return best
    raise ValueError(UNKNOWN_RANGE)
