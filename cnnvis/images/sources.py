"""Images and their labels: CIFAR-10, handwritten digits, the bundled samples, folders, and the user's own files."""

import os
from itertools import chain
from pathlib import Path

import numpy as np
from PIL import Image

from cnnvis.console import notice_once, shown, some
from cnnvis.images import cifar10, folders, unreadable
from cnnvis.images.dataset import Dataset
from cnnvis.images.image_files import LazyImages, open_image, read_image, resize
from cnnvis.images.listing import files_in, take_unreadable
from cnnvis.images.unreadable import skippable

SAMPLES = Path(__file__).parents[2] / "imgs" / "samples"
NAMES = ("cifar10", "digits", "samples")


class NoImages(ValueError):
    """A folder has images, but none for training, or none for testing."""


def load(
    name: str, split: str, size: tuple[int, int] | None = (32, 32), skip_bad: bool = False, crop: bool = False
) -> Dataset:
    """Load one split of a data set.

    Parameters
    ----------
    name : str
        "cifar10", "digits", "samples", or a folder of class folders, as `folders.read` takes it.
    split : {"train", "test"}
    size : (height, width), optional
        To resize the images to. If None, the data set's own: of a folder, that of its first image.
    skip_bad : bool
        Whether to skip unreadable files of a folder: those without the suffix of an image at once, others when they
        are read, since searching for them in advance would decode every image twice.
    crop : bool
        Whether images of a folder keep their aspect ratio and lose what is too much, instead of being squeezed.

    Returns
    -------
    Dataset
        Image files of a folder are read when they are indexed, and a damaged one is an error only then.

    Raises
    ------
    Unavailable
        If CIFAR-10 is neither on this machine nor available from the network.
    NoImages
        If a folder has only images of the other split.
    ValueError, OSError
        If there is no such data set, or its files can't be used.
    """
    if name == "cifar10":
        dataset = Dataset(name, *cifar10.load(split), cifar10.CLASSES)
    elif name == "digits":
        dataset = _digits(split)
    elif name == "samples":
        dataset = _samples(split)
    elif name and Path(name).is_dir():
        return _folder(Path(name), split, size=size, skip_bad=skip_bad, crop=crop)
    else:
        raise ValueError(f"no data set or folder is called '{shown(name)}'; there are {', '.join(NAMES)}")
    return dataset.resized(size) if size else dataset


def open_files(paths, size=None, skip_bad=False, crop=False):
    """Open the user's own image files, of any mode and size.

    Parameters
    ----------
    paths : sequence of paths
        Files, or folders whose images are all opened.
    size : (height, width), optional
        To resize them to; if not given, the size of the first.
    skip_bad : bool
        As in `load`; a missing file is an error in any case.
    crop : bool
        As in `load`.

    Returns
    -------
    Dataset
        Without labels.

    Raises
    ------
    ValueError, OSError
        If there are no files, or the first can't be read.
    """
    files = []
    if "" in paths:
        raise ValueError("--images '' names no file")
    for path in map(Path, paths):
        if not path.is_dir() and not os.path.lexists(path):
            raise FileNotFoundError(f"there is no image {shown(path)}")
        files += _files(path, skip_bad) if path.is_dir() else [str(path)]
    if not files:
        raise ValueError(f"no image in {some(paths)}: class folders with images in them are for --data")
    size = size or _first_size(files, skip_bad)
    labels, bad = np.full(len(files), -1), {} if skip_bad else None
    return Dataset("images", LazyImages(files, size, crop), labels, classes=(), bad=bad)


def _files(folder, skip_bad):
    files = files_in(folder, deep=False)
    unreadable.check(take_unreadable(files), shown(folder), skip_bad)
    return [path for _, path in files]


def _first_size(files, skip_bad):
    for file in files:
        try:
            return open_image(file).size[::-1]
        except (ValueError, OSError) as error:
            if not skip_bad or file is files[-1]:
                raise skippable(error, of=0 if skip_bad else len(files)) from error


def scanned_digits(split):
    """scikit-learn's 1,797 handwritten digits as they were scanned; a fifth of them is the test set.

    Parameters
    ----------
    split : str
        "train" or "test".

    Returns
    -------
    levels : (N, 8, 8) uint8 array
        From 0 (black) to 16 (white).
    labels : (N,) int64 array
    """
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    digits = load_digits()
    train, test = train_test_split(
        np.arange(len(digits.target)), test_size=0.2, random_state=0, stratify=digits.target, shuffle=True
    )
    chosen = np.sort(train if split == "train" else test)
    return digits.images[chosen].astype("uint8"), digits.target[chosen].astype("int64")


def _digits(split):
    """The digits, resized to 32x32x3."""
    levels, labels = scanned_digits(split)
    brightness = np.rint(levels * (255 / 16)).astype("uint8")  # 0-16 -> 0-255
    images = np.stack([resize(Image.fromarray(image), (32, 32)) for image in brightness])
    return Dataset("digits", np.repeat(images[..., None], 3, axis=-1), labels, classes=tuple("0123456789"))


def _samples(split):
    if split != "test":
        raise ValueError("the 20 samples are for looking at, not for training: choose another data set")
    files = sorted(SAMPLES.glob("*.png"))
    labels = [cifar10.CLASSES.index(file.stem.split("_")[1]) for file in files]
    images = np.stack([read_image(file, (32, 32)) for file in files])
    return Dataset("samples", images, np.array(labels, dtype="int64"), classes=cifar10.CLASSES)


def _folder(folder, split, *, size, skip_bad, crop):
    name, found = shown(folder), folders.read(folder, skip_bad)
    for remark in found.remarks:
        notice_once(remark)
    files = found.files[split]
    if not any(files):
        if split == "train":
            raise NoImages(f"{name} has no training images: put them into folders {name}/train/<class>/")
        raise NoImages(f"{name} has no test images, since each class has one image: add more")
    labels = np.repeat(np.arange(len(files)), [len(paths) for paths in files])
    files, bad = list(chain(*files)), {} if skip_bad else None
    size = size or _first_size(files, skip_bad)
    return Dataset(str(folder), LazyImages(files, size, crop), labels, classes=found.classes, bad=bad)
