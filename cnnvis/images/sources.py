"""Pictures and their labels: CIFAR-10, handwritten digits, the bundled samples, folders, and the user's own files."""

import math
import os
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

import numpy as np
from PIL import Image

from cnnvis.console.names import shown
from cnnvis.images import cifar10
from cnnvis.images.cifar10 import CLASSES as CIFAR10_CLASSES
from cnnvis.images.cifar10 import Unavailable  # noqa: F401 - data.load raises it
from cnnvis.images.image_files import LazyPictures, open_image, read_image, resize

SAMPLES = Path(__file__).parents[2] / "imgs" / "samples"
NAMES = ("cifar10", "digits", "samples")
MOST_PIXELS = 100_000_000  # of training pictures that are looked at: all of CIFAR-10's, or 1,923 at 224x224
PIXELS_AT_ONCE = 256_000  # of the pictures that go through a network together: 250 of 32x32


@dataclass(frozen=True)
class Pictures:
    """Pictures of one size with their labels.

    Attributes
    ----------
    name : str
        The data set's name, the folder's path, or "images" for single files.
    images : (N, H, W, 3) uint8 array, or LazyPictures
        Those of files are read where they are looked at.
    labels : (N,) int64 array
        Index into `classes`; -1 where it is not known.
    classes : tuple of str
        Empty where there are no labels.
    bad : dict of int to str, optional
        Which pictures were found to be unreadable, and why. Without it, to read one that is unreadable is an error.
    numbers : (N,) int64 array, optional
        The place that each had before unreadable ones were left out.
    """

    name: str
    images: np.ndarray
    labels: np.ndarray
    classes: tuple
    bad: dict | None = None
    numbers: np.ndarray | None = None

    def __len__(self):
        return len(self.labels)

    @property
    def short_name(self):
        """The name without the way to it."""
        return Path(self.name).resolve().name

    def take(self, indices, track=iter):
        """The pictures at these places, in this order, in memory; `track` wraps the sequence of files to be read.

        Those that are found to be unreadable are left out, and noted in `bad`.
        """
        if not isinstance(self.images, LazyPictures):
            return replace(self, images=self.images[indices], labels=self.labels[indices])
        images = self.streamed.read(indices, track)
        if self.bad:
            good = np.array([index not in self.bad for index in np.asarray(indices).tolist()], dtype=bool)
            images, indices = images[good], np.asarray(indices)[good]
        return replace(self, images=images, labels=self.labels[indices], bad=None)

    def at_most(self, pixels):
        """Indices of every picture, or every second, every third, ..., so that there are no more pixels in all."""
        step = max(1, -(-math.prod(self.images.shape[:3]) // pixels))
        return np.arange(0, len(self), step)

    @property
    def streamed(self):
        """The images, to be gone through once: one that is found to be unreadable is black, and noted in `bad`."""
        return self.images if self.bad is None else LazyPictures(self.images.sources, self.images.shape[1:3], self.bad)

    def readable(self, indices):
        """Yield those of the indices whose pictures can be read; where unreadable ones are an error, without a look."""
        images = self.streamed
        for index in indices:
            if self.bad is not None:
                images.read(index)
            if not self.bad or int(index) not in self.bad:
                yield index

    def without_bad(self):
        """The same without the pictures in `bad`, and the places (M,) of those that stay."""
        stay = np.setdiff1d(np.arange(len(self)), list(self.bad or ()))
        images = self.images
        if self.bad:
            images = LazyPictures([images.sources[place] for place in stay], images.shape[1:3])
        return replace(self, images=images, labels=self.labels[stay], bad=None, numbers=stay), stay

    def number(self, index):
        """The place of a picture among all of its data set, unreadable ones too."""
        return index if self.numbers is None else int(self.numbers[index])

    def spread(self, count):
        """So many of the pictures at most, from beginning to end: (M,) int array of places."""
        return np.linspace(0, len(self) - 1, min(count, len(self))).astype(int)

    def source(self, index):
        """The file that a picture is from, or its number if it is from none."""
        source = self.images.sources[index] if isinstance(self.images, LazyPictures) else index
        return source if isinstance(source, str) else f"#{index}"

    def caption(self, index):
        """What to write over a picture: its class and number, or the name of its file where the class isn't known."""
        label = self.labels[index]
        return f"{self.classes[label]} #{self.number(index)}" if label >= 0 else Path(self.source(index)).name


def pictures_at_once(height, width):
    """How many pictures of that size go through a network together, so that its memory doesn't grow with their size."""
    return max(1, PIXELS_AT_ONCE // (height * width))


def load(name, split, size=None, skip_bad=False):
    """Load one split of a data set.

    Parameters
    ----------
    name : str
        "cifar10", "digits", "samples", or a folder that holds `<split>/<class>/*`.
    split : {"train", "test"}
    size : (height, width), optional
        What to bring the pictures to: 32x32 if not said.
    skip_bad : bool
        Whether unreadable files of a folder are to be left out where they are met. Nothing looks for them beforehand:
        a folder of a million pictures would be decoded twice.

    Returns
    -------
    Pictures
        Those of a folder are read where they are looked at, and only then refused if they are broken.

    Raises
    ------
    Unavailable
        If CIFAR-10 is neither on this machine nor to be had from the network.
    ValueError, OSError
        If what is there can't be used: one sentence that says what is wrong.
    """
    size = size or (32, 32)
    if name == "cifar10":
        pictures = Pictures(name, *cifar10.load(split), CIFAR10_CLASSES)
    elif name == "digits":
        pictures = _digits(split)
    elif name == "samples":
        pictures = _samples(split)
    elif Path(name).is_dir():
        return _folder(Path(name), split, size, skip_bad)
    else:
        raise ValueError(f"no data set or folder is called '{shown(name)}'; there are {', '.join(NAMES)}")
    if pictures.images.shape[1:3] != tuple(size):
        pictures = replace(pictures, images=LazyPictures(pictures.images, size))
    return pictures


def open_images(paths, size=None, skip_bad=False):
    """The user's own picture files, in any mode and of any size.

    Parameters
    ----------
    paths : sequence of paths
        Files, or folders of which every file is read.
    size : (height, width), optional
        What to bring them to: the first one's own size if not said.
    skip_bad : bool
        As of `load`; a file that is named and isn't there is an error anyway.

    Returns
    -------
    Pictures
        Without labels.

    Raises
    ------
    ValueError, OSError
        If there are none, or the first can't be read.
    """
    files = []
    if "" in paths:
        raise ValueError("--images '' names no file")
    for path in map(Path, paths):
        if not path.is_dir() and not os.path.lexists(path):
            raise FileNotFoundError(f"there is no picture {shown(path)}")
        files += _files(path) if path.is_dir() else [str(path)]
    if not files:
        raise ValueError(f"no picture in {', '.join(map(shown, paths))}")
    size = size or _first_size(files, skip_bad)
    bad = {} if skip_bad else None
    return Pictures("images", LazyPictures(files, size), np.full(len(files), -1), (), bad)


def _first_size(files, skip_bad):
    for file in files:
        try:
            return open_image(file).size[::-1]
        except (ValueError, OSError):
            if not skip_bad or file is files[-1]:
                raise


def statistics(images):
    """Mean and variance of the pixels in each colour; a colour that never varies counts as varying by one level.

    (N, H, W, 3) uint8 -> two lists of 3 floats, in 0-255 and its square.
    """
    counts = [np.bincount(images[..., c].ravel(), minlength=256) for c in range(3)]
    levels = np.arange(256)
    means = [np.average(levels, weights=count) for count in counts]
    variances = [np.average((levels - mean) ** 2, weights=count) for count, mean in zip(counts, means)]
    return [float(m) for m in means], [float(v) or 1.0 for v in variances]


def _digits(split):
    """The 1,797 handwritten digits that scikit-learn bundles, brought from 8x8 to 32x32x3; a fifth is for testing."""
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
    return Pictures("digits", np.repeat(images[..., None], 3, axis=-1), labels, tuple("0123456789"))


def _samples(split):
    if split != "test":
        raise ValueError("the twenty samples are for looking at, not for training: choose another data set")
    files = sorted(SAMPLES.glob("*.png"))
    labels = [CIFAR10_CLASSES.index(file.stem.split("_")[1]) for file in files]
    images = np.stack([read_image(file, (32, 32)) for file in files])
    return Pictures("samples", images, np.array(labels, dtype="int64"), CIFAR10_CLASSES)


def _folder(folder, split, size, skip_bad):
    name = shown(folder)
    classes = sorted({name for part in ("train", "test") for name in _class_folders(folder / part)})
    if not classes:
        raise ValueError(f"{name} has no classes: it needs folders {name}/{split}/<class>/ with pictures in them")
    for label in classes:
        if not label.isprintable():
            raise ValueError(f"a class of {name} has a name that can't be shown, '{shown(label)}': rename its folder")
    files = [_files(folder / split / name) for name in classes]
    if not any(files):
        raise ValueError(f"{name}/{split} has no pictures: it needs them in folders {name}/{split}/<class>/")
    labels = np.repeat(np.arange(len(classes)), [len(names) for names in files])
    bad = {} if skip_bad else None
    return Pictures(str(folder), LazyPictures(list(chain(*files)), size), labels, tuple(classes), bad)


def _class_folders(folder):
    if not folder.is_dir():
        return []
    paths = [path for path in folder.iterdir() if not path.name.startswith(".")]
    for path in paths:
        if path.is_symlink() and not path.exists():
            raise FileNotFoundError(f"{shown(path)} is a link that leads nowhere: mend or remove it")
    return [path.name for path in paths if path.is_dir()]


def _files(folder):
    """What is in a folder and no folder itself, sorted; links that lead nowhere too, which to read is an error."""
    if not folder.is_dir():
        return []
    with os.scandir(folder) as entries:
        return sorted(entry.path for entry in entries if not entry.name.startswith(".") and not _is_folder(entry))


def _is_folder(entry):
    try:
        return entry.is_dir()
    except OSError:  # of a link in a circle
        return False
