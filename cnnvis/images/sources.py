"""Images and their labels: CIFAR-10, handwritten digits, the bundled samples, folders, and the user's own files."""

import os
from dataclasses import replace
from itertools import chain
from pathlib import Path

import numpy as np
from PIL import Image

from cnnvis.console import shown
from cnnvis.images import cifar10
from cnnvis.images.dataset import Dataset
from cnnvis.images.image_files import LazyImages, open_image, read_image, resize

SAMPLES = Path(__file__).parents[2] / "imgs" / "samples"
NAMES = ("cifar10", "digits", "samples")


def load(name: str, split: str, size: tuple[int, int] | None = None, skip_bad: bool = False) -> Dataset:
    """Load one split of a data set.

    Parameters
    ----------
    name : str
        "cifar10", "digits", "samples", or a folder that holds `<split>/<class>/*`.
    split : {"train", "test"}
    size : (height, width), optional
        To resize the images to; 32x32 if not given.
    skip_bad : bool
        Whether to skip unreadable files of a folder when they are read. They aren't searched for in advance, since that
        would decode every image twice.

    Returns
    -------
    Dataset
        Image files of a folder are read when they are indexed, and a damaged one is an error only then.

    Raises
    ------
    Unavailable
        If CIFAR-10 is neither on this machine nor available from the network.
    ValueError, OSError
        If there is no such data set, or its files can't be used.
    """
    size = size or (32, 32)
    if name == "cifar10":
        dataset = Dataset(name, *cifar10.load(split), cifar10.CLASSES)
    elif name == "digits":
        dataset = _digits(split)
    elif name == "samples":
        dataset = _samples(split)
    elif Path(name).is_dir():
        return _folder(Path(name), split, size=size, skip_bad=skip_bad)
    else:
        raise ValueError(f"no data set or folder is called '{shown(name)}'; there are {', '.join(NAMES)}")
    if dataset.images.shape[1:3] != tuple(size):
        dataset = replace(dataset, images=LazyImages(dataset.images, size))
    return dataset


def open_files(paths, size=None, skip_bad=False):
    """Open the user's own image files, of any mode and size.

    Parameters
    ----------
    paths : sequence of paths
        Files, or folders whose files are all opened.
    size : (height, width), optional
        To resize them to; if not given, the size of the first.
    skip_bad : bool
        As in `load`; a missing file is an error in any case.

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
        files += _files(path) if path.is_dir() else [str(path)]
    if not files:
        raise ValueError(f"no image in {', '.join(map(shown, paths))}")
    size = size or _first_size(files, skip_bad)
    labels, bad = np.full(len(files), -1), {} if skip_bad else None
    return Dataset("images", LazyImages(files, size), labels, classes=(), bad=bad)


def _first_size(files, skip_bad):
    for file in files:
        try:
            return open_image(file).size[::-1]
        except (ValueError, OSError):
            if not skip_bad or file is files[-1]:
                raise


def _digits(split):
    """scikit-learn's 1,797 handwritten digits, resized from 8x8 to 32x32x3; a fifth of them is the test set."""
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    digits = load_digits()
    train, test = train_test_split(
        np.arange(len(digits.target)), test_size=0.2, random_state=0, stratify=digits.target, shuffle=True
    )
    chosen = np.sort(train if split == "train" else test)
    levels = np.rint(digits.images[chosen] * (255 / 16)).astype("uint8")  # 0-16 -> 0-255
    images = np.stack([resize(Image.fromarray(image), (32, 32)) for image in levels])
    labels = digits.target[chosen].astype("int64")
    return Dataset("digits", np.repeat(images[..., None], 3, axis=-1), labels, classes=tuple("0123456789"))


def _samples(split):
    if split != "test":
        raise ValueError("the 20 samples are for looking at, not for training: choose another data set")
    files = sorted(SAMPLES.glob("*.png"))
    labels = [cifar10.CLASSES.index(file.stem.split("_")[1]) for file in files]
    images = np.stack([read_image(file, (32, 32)) for file in files])
    return Dataset("samples", images, np.array(labels, dtype="int64"), classes=cifar10.CLASSES)


def _folder(folder, split, size, skip_bad):
    name = shown(folder)
    classes = sorted({name for part in ("train", "test") for name in _class_folders(folder / part)})
    if not classes:
        raise ValueError(f"{name} has no classes: it needs folders {name}/{split}/<class>/ with images in them")
    for label in classes:
        if not label.isprintable():
            raise ValueError(f"a class of {name} has an unprintable name, '{shown(label)}': rename its folder")
    files = [_files(folder / split / name) for name in classes]
    if not any(files):
        raise ValueError(f"{name}/{split} has no images: it needs them in folders {name}/{split}/<class>/")
    labels = np.repeat(np.arange(len(classes)), [len(names) for names in files])
    bad = {} if skip_bad else None
    return Dataset(str(folder), LazyImages(list(chain(*files)), size), labels, classes=tuple(classes), bad=bad)


def _class_folders(folder):
    if not folder.is_dir():
        return []
    paths = [path for path in folder.iterdir() if not path.name.startswith(".")]
    for path in paths:
        if path.is_symlink() and not path.exists():
            raise FileNotFoundError(f"{shown(path)} is a broken link: fix or remove it")
    return [path.name for path in paths if path.is_dir()]


def _files(folder):
    """The files in a folder, sorted. Broken links are included: reading them raises an error."""
    if not folder.is_dir():
        return []
    with os.scandir(folder) as entries:
        return sorted(entry.path for entry in entries if not entry.name.startswith(".") and not _is_folder(entry))


def _is_folder(entry):
    try:
        return entry.is_dir()
    except OSError:  # a circular link
        return False
