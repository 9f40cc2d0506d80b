"""Which images a script looks at: the user's files, a data set, or what the network was trained on."""

from functools import partial
from pathlib import Path

import numpy as np

from cnnvis.console import notice, shout, shown, track
from cnnvis.images import cifar10, sources, unreadable
from cnnvis.images.cifar10 import Unavailable

MOST_PIXELS = 100_000_000  # of the training images in memory: all of CIFAR-10, or 1,992 images of 224x224


def choose(files=None, name=None, trained_on="cifar10", *, split="test", size=None, skip_bad=False):
    """Choose the images to look at.

    Parameters
    ----------
    files : sequence of paths, optional
        Image files, or folders of them.
    name : str, optional
        A data set or folder; ignored if there are `files`.
    trained_on : str
        The data set to use if neither is given. If it is CIFAR-10 and unavailable, a notice says so, and the bundled
        samples replace it.
    split : {"test", "train"}
        Of the data set. The samples, and some folders, have test images only; those are used instead. Training images
        are read into memory: `MOST_PIXELS` at most, evenly spaced.
    size : (height, width), optional
        To resize the images to; see `sources.load`.
    skip_bad : bool
        Whether to skip unreadable files when they are read.

    Returns
    -------
    Dataset

    Raises
    ------
    ValueError, OSError
        If there are no such images, or they can't be read.
    """
    load = partial(_load, split=split, size=size, skip_bad=skip_bad)
    if files:
        dataset = sources.open_files(files, size, skip_bad)
    elif name:
        dataset = load(name)
    else:
        try:
            dataset = load(trained_on)
        except Unavailable as error:
            notice(f"{error}. Showing the 20 bundled samples instead.")
            dataset = load("samples")
    if split == "test":
        return dataset
    in_memory = unreadable.read(dataset, dataset.at_most(MOST_PIXELS), track("Reading images"))
    unreadable.report_skipped(dataset)
    return in_memory


def _load(name, split, size, skip_bad):
    if split == "train" and name == "samples":
        split = "test"
    if split == "train" and Path(name).is_dir() and not (Path(name) / "train").is_dir():
        notice(f"{shown(name)} has no folder train/: using its test images instead.")
        split = "test"
    return sources.load(name, split, size=size, skip_bad=skip_bad)


def available(name):
    """The data set for a name: for "auto", CIFAR-10 or, if it is unavailable, the digits, with a framed notice."""
    if name != "auto":
        return name
    try:
        cifar10.check_available()
    except Unavailable as error:
        shout(f"{error}.\n\nTraining on the 1,797 handwritten DIGITS of scikit-learn instead of CIFAR-10.")
        return "digits"
    return "cifar10"


def for_training(name, *, limit=None, validation=0, seed=0, skip_bad=False):
    """Load training, held-out and test images; the last are for after training, but must not be missing then.

    Parameters
    ----------
    name : str
        A data set or folder.
    limit : int, optional
        Maximum number of training images.
    validation : int
        Number of training images to hold out.
    seed : int
        Of the choice of held-out images.
    skip_bad : bool
        Whether to skip unreadable files.

    Returns
    -------
    training, held_out, test : Dataset
        In memory.

    Raises
    ------
    ValueError, OSError
        If there are fewer than two classes, no images left for training, or unreadable ones.
    """
    dataset = sources.load(name, "train", skip_bad=skip_bad)
    if len(dataset.classes) < 2:
        raise ValueError(f"{dataset.name} has one class: training needs at least two")
    test = sources.load(dataset.name, "test", skip_bad=skip_bad)
    if validation >= len(dataset):
        raise ValueError(f"--validation {validation} leaves none of the {len(dataset)} images to train on")
    held_out, kept = np.split(np.random.default_rng(seed).permutation(len(dataset)), [validation])
    parts = (dataset, np.sort(kept[:limit])), (dataset, np.sort(held_out)), (test, np.arange(len(test)))
    parts = tuple(unreadable.read(part, chosen, track("Reading images")) for part, chosen in parts)
    for whole in (dataset, test):
        unreadable.report_skipped(whole)
    return parts
