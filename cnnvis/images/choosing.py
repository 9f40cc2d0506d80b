"""Which images a script looks at: the user's files, a data set, or what the network was trained on."""

import math
from dataclasses import replace
from functools import partial

import numpy as np

from cnnvis.console import notice, shout, shown, some, track
from cnnvis.images import cifar10, sources, unreadable
from cnnvis.images.cifar10 import Unavailable
from cnnvis.images.stored import store

MOST_PIXELS = 100_000_000  # of the training images in memory: all of CIFAR-10, or 1,992 images of 224x224
MOST_IN_MEMORY = 2**29  # bytes of all images for training: more are decoded into a file
FEW = 10  # training images of a class
SMALL = 1000  # training images of a folder, of which fewer are held out by default:
ONE_IN = 5  # images of a class
MOST_BY_DEFAULT = 2**19  # pixels of an image for a network that takes any size: 724x724, or 627x836


def choose(
    files=None,
    name=None,
    trained_on="cifar10",
    *,
    split="test",
    size=None,
    image_size=None,
    most=MOST_BY_DEFAULT,
    skip_bad=False,
    crop=False,
):
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
        Of the data set. The samples, and some folders, have images of one split only; those are used instead. Training
        images are read into memory: `MOST_PIXELS` at most, evenly spaced.
    size : (height, width), optional
        Of the images that the network takes; None, or None for a side, if it takes any.
    image_size : int, optional
        The shorter side of the images in pixels, for a network that takes any size. If not given, files keep the size
        of the first, but have at most `most` pixels; a notice says so.
    most : int
    skip_bad : bool
        Whether to skip unreadable files when they are read.
    crop : bool
        Whether the user's images keep their aspect ratio, as in `sources.load`.

    Returns
    -------
    Dataset

    Raises
    ------
    ValueError, OSError
        If there are no such images, they can't be read, or the network takes none of that `image_size`.
    """
    taken = tuple(size or (None, None))
    if image_size and taken != (None, None):
        sides = "×".join("any" if side is None else str(side) for side in taken)
        raise ValueError(f"the network takes images of {sides} pixels (height×width): leave out --image-size")
    given = None if None in taken else taken
    how = {"size": given, "skip_bad": skip_bad, "crop": crop}
    load = partial(_load, split=split, **how)
    if files:
        dataset = sources.open_files(files, **how)
    elif name:
        dataset = load(name)
    else:
        try:
            dataset = load(trained_on)
        except Unavailable as error:
            notice(f"{error}. Showing the 20 bundled samples instead.")
            dataset = load("samples")
    if not given:
        dataset = _fitted(dataset, taken, image_size, most=most)
    if split == "test":
        return dataset
    in_memory = unreadable.read(dataset, dataset.at_most(MOST_PIXELS), track("Reading images"))
    unreadable.report_skipped(dataset)
    return in_memory


def training_images(test, skip_bad=False):
    """The training images of the data set whose test images are given.

    Parameters
    ----------
    test : Dataset
        In the network's size and classes.
    skip_bad : bool

    Returns
    -------
    Dataset
        In memory, in the same size and classes: `MOST_PIXELS` at most, evenly spaced. `numbers` are their indices in
        the training set.

    Raises
    ------
    ValueError, OSError
        If there are none, or they can't be read.
    """
    name = test.name
    if name in ("images", "samples"):
        raise ValueError(f"the {len(test)} {shown(name)} have no training set")
    how = {"size": test.images.shape[1:3], "crop": getattr(test.images, "crop", False), "skip_bad": skip_bad}
    dataset = sources.load(name, "train", **how).in_classes(test.classes, len(test.classes))
    files = (
        {file for file in getattr(part.images, "sources", ()) if isinstance(file, str)} for part in (dataset, test)
    )
    if set.intersection(*files):
        raise ValueError(f"the images of {shown(name)} are the training images themselves")
    chosen = dataset.at_most(MOST_PIXELS)
    in_memory = unreadable.read(dataset, chosen, track("Reading training images"))
    unreadable.report_skipped(dataset)
    return replace(in_memory, numbers=np.setdiff1d(chosen, list(dataset.bad or ())))


def _load(name, split, **how):
    if split == "train" and name == "samples":
        split = "test"
    try:
        return sources.load(name, split, **how)
    except sources.NoImages:
        others = "test" if split == "train" else "train"
        kinds = {"train": "training", "test": "test"}
        notice(f"{shown(name)} has no {kinds[split]} images: using its {kinds[others]} images instead.")
        return sources.load(name, others, **how)


def _fitted(dataset, taken, image_size, most):
    """The dataset in a size that the network takes. If it holds the user's images, a notice says which."""
    own = dataset.images.shape[1:3]
    size = fitting_size(own, taken, image_size, most=most)
    if image_size and math.prod(size) > MOST_PIXELS:
        side = int(image_size * math.sqrt(MOST_PIXELS / math.prod(size)))
        raise ValueError(f"--image-size {image_size} needs too much memory: choose {side} or smaller")
    if dataset.name not in sources.NAMES:
        text = "Images are computed at {}×{} pixels (height×width)".format(*size)
        text += ", the size of the first" if size == own else "; the first has {}×{}".format(*own)
        if taken == (None, None) and not image_size:
            text += ". --image-size N makes the shorter side N; smaller is quicker"
        notice(f"{text}.")
    return dataset.resized(size)


def fitting_size(own, taken=(None, None), image_size=None, most=MOST_BY_DEFAULT):
    """The size at which a network computes images, with their aspect ratio where it takes any: (height, width).

    Parameters
    ----------
    own : (height, width)
        Of the images.
    taken : (height, width)
        Of the images that the network takes; None for a side of any length.
    image_size : int, optional
        The shorter side; if not given, the image's own, but at most `most` pixels in all.
    most : int
    """
    if image_size:
        scale = image_size / min(own)
    else:
        shrink = min(1, math.sqrt(most / math.prod(own)))
        scale = next((side / length for side, length in zip(taken, own) if side), shrink)
    return tuple(side or max(1, round(length * scale)) for side, length in zip(taken, own))


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


def for_training(name, *, size=(32, 32), limit=None, validation=None, seed=0, skip_bad=False, folder=None):
    """Load training, held-out and test images; the last are for after training, but must not be missing then.

    Parameters
    ----------
    name : str
        A data set or folder. Images of a folder keep their aspect ratio, and are cropped.
    size : (height, width)
        To resize the images to.
    limit : int, optional
        Maximum number of training images.
    validation : int, optional
        Number of training images to hold out. By default, if a folder has fewer than `SMALL`, these are one in
        `ONE_IN` of each class; otherwise, none.
    seed : int
        Of the choice of held-out images.
    skip_bad : bool
        Whether to skip unreadable files.
    folder : path, optional
        For a file of all images that exists until they are no longer used, if they take more than `MOST_IN_MEMORY`.

    Returns
    -------
    training, held_out, test : Dataset
        In memory, or in that file.

    Raises
    ------
    ValueError, OSError
        If there are fewer than two classes, no images left for training, or unreadable ones; or the disk is too full.
    """
    how = {"size": size, "skip_bad": skip_bad, "crop": True}
    dataset = sources.load(name, "train", **how)
    if len(dataset.classes) < 2:
        raise ValueError(f"{shown(name)} has one class, {shown(dataset.classes[0])}: training needs at least two")
    test = sources.load(dataset.name, "test", **how)
    held_out, kept = _held_out(dataset, validation, seed)
    parts = (dataset, np.sort(kept[:limit])), (dataset, np.sort(held_out)), (test, np.arange(len(test)))
    whole = sum(len(chosen) for _, chosen in parts) * math.prod(dataset.images.shape[1:])
    read = unreadable.read
    if whole > MOST_IN_MEMORY:
        notice(f"The images take {whole / 1e9:.1f} GB: they are decoded into a file, which training reads.")
        read = partial(store, folder=folder)
    parts = tuple(read(part, chosen, track=track("Reading images")) for part, chosen in parts)
    for each in (dataset, test):
        unreadable.report_skipped(each)
    if validation is None and len(held_out):
        are = f"{len(held_out)} of {len(dataset)} training images are" if len(held_out) > 1 else "one training image is"
        notice(f"{shown(name)}: {are} held out, to see when to stop; --validation 0 trains on all.")
    if name not in sources.NAMES and limit is None:
        _remark_on_small_classes(dataset.classes, np.concatenate([part.labels for part in parts[:2]]))
    return parts


def _held_out(dataset, count, seed):
    """The indices of held-out images, and of the others, in random order."""
    order = np.random.default_rng(seed).permutation(len(dataset))
    if count is None and (dataset.name in sources.NAMES or len(dataset) >= SMALL):
        count = 0
    if count is not None:
        if count >= len(dataset):
            raise ValueError(f"--validation {count} leaves none of the {len(dataset)} images to train on")
        return np.split(order, [count])
    of_classes = (np.flatnonzero(dataset.labels[order] == label) for label in range(len(dataset.classes)))
    places = np.concatenate([of_class[: len(of_class) // ONE_IN] for of_class in of_classes])
    return order[places], np.delete(order, places)


def _remark_on_small_classes(classes, labels):
    counts = zip(classes, np.bincount(labels, minlength=len(classes)))
    small = [f"{name} ({count})" for name, count in counts if count < FEW]
    if small:
        notice(f"Fewer than {FEW} training images of {some(small)}: the network will hardly learn them, so add more.")
