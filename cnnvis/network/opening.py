"""From a model file, or a checkpoint, to a classifier that takes pixels 0-255."""

import math
from pathlib import Path

from cnnvis import checkpoints
from cnnvis.checkpoints import image_shape
from cnnvis.console import PREPROCESSINGS, duration, notice, track
from cnnvis.images import read
from cnnvis.network.classifier import Classifier
from cnnvis.network.pixel_range import INPUT_RANGES, stated_range

LONG = 2  # seconds, from which it is said how long an image takes
MOST_TRIED = 200  # images on which pixel ranges are tried
CLEARLY = 4  # standard errors of an accuracy of 50 % by which one pixel range must be better than the others


def load(
    path: str | Path | None = None,
    input_range: tuple[float, float] | str | None = None,
    size: tuple[int, int] | None = None,
) -> Classifier:
    """Load a network and take it apart.

    Parameters
    ----------
    path : path, "deep" or "basic", optional
        As of `checkpoints.load`.
    input_range : (low, high), "caffe" or "torch", optional
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


def take_apart(checkpoint, dataset=None, input_range=None, size=None, option="--input-range"):
    """Make a classifier of a loaded checkpoint.

    Parameters
    ----------
    checkpoint : Checkpoint
    dataset : Dataset, optional
        In the network's size and classes. If nothing else states the pixel range, it is the one on which the model is
        clearly most accurate on these images.
    input_range : (low, high), "caffe" or "torch", optional
        As in `load`; overrides the metadata.
    size : (height, width), optional
        Of the images, for a model that takes any size; the data set's if there is one.
    option : str
        The script's option for `input_range`, for messages.

    Returns
    -------
    Classifier

    Raises
    ------
    ValueError
        If the range is unknown or empty, or not for the channels that the model takes.
    """
    pixels = input_range or checkpoint.input_range or _found_range(checkpoint, dataset, option)
    classifier = Classifier(checkpoint.model, pixels, dataset.images.shape[1:3] if dataset else size)
    if classifier.notice:
        notice(classifier.notice)
    if (seconds := classifier.cost.seconds(1)) > LONG:
        notice(f"Computing an image once takes about {duration(seconds)}.")
    return classifier


def _found_range(checkpoint, dataset, option):
    """The pixel range that a model's first layers state, or else the one on which it is clearly most accurate.

    A notice says which it is, and why. Raises ValueError if there is none.
    """
    name = checkpoint.path.name
    stated = stated_range(checkpoint.model)
    if stated:
        notice(f"The pixel range of {name} is {_in_words(stated)}: its first layers say so.")
        return stated
    ranges = (*INPUT_RANGES, *(PREPROCESSINGS if image_shape(checkpoint.model)[2] == 3 else ()))
    some = read(dataset, dataset.spread(MOST_TRIED)) if dataset else None
    if some and (some.labels >= 0).all():
        scores = {tried: _accuracy(checkpoint.model, tried, some) for tried in track("Trying pixel ranges")(ranges)}
        best = max(scores, key=scores.get)
        others = scores.keys() if best in PREPROCESSINGS else INPUT_RANGES  # (-1, 1) and torch are alike
        second = max((other for other in others if other != best), key=scores.get)
        if scores[best] - scores[second] > CLEARLY * 0.5 / math.sqrt(len(some)):
            notice(
                f"The pixel range of {name} seems to be {_in_words(best)}: {scores[best]:.0%} of {len(some)} are "
                f"right, {scores[second]:.0%} with {_in_words(second)}. Give {option} to be sure."
            )
            return best
    *choices, last = (_in_words(known).replace("to ", "") for known in ranges)
    raise ValueError(f"the pixel range of {name} is unknown: give {option} {', '.join(choices)} or {last}")


def _accuracy(model, pixels, dataset):
    classifier = Classifier(model, pixels, dataset.images.shape[1:3])
    try:
        return (classifier.probabilities(dataset.images).argmax(axis=1) == dataset.labels).mean()
    except ValueError:  # NaN, as of the square roots of pixels -1 to 1
        return 0.0


def _in_words(pixels):
    return pixels if pixels in PREPROCESSINGS else "{:g} to {:g}".format(*pixels)
