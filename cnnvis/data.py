"""Pictures and their labels: CIFAR-10, handwritten digits, the bundled samples, folders, and the user's own files."""

import math
import os
import socket
import threading
import urllib.request
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

import numpy as np
from PIL import Image

from cnnvis.picture_files import LazyPictures, open_image, read_image, resize

CIFAR10_CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
CIFAR10_FILES = {"train": [f"data_batch_{i}.bin" for i in range(1, 6)], "test": ["test_batch.bin"]}
CIFAR10_RECORDS = 10_000  # pictures in a file
CIFAR10_URL = "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz"
SILENCE = 15  # seconds without an answer after which a download is given up
SAMPLES = Path(__file__).parent.parent / "imgs" / "samples"
NAMES = ("cifar10", "digits", "samples")
MOST_PIXELS = 100_000_000  # of training pictures that are looked at: all of CIFAR-10's, or 1,923 at 224x224
PIXELS_AT_ONCE = 256_000  # of the pictures that go through a network together: 250 of 32x32


class Unavailable(OSError):
    """A data set is neither on this machine nor to be had from the network."""


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
    """

    name: str
    images: np.ndarray
    labels: np.ndarray
    classes: tuple

    def __len__(self):
        return len(self.labels)

    @property
    def short_name(self):
        """The name without the way to it."""
        return Path(self.name).resolve().name

    def take(self, indices, track=iter):
        """The pictures at these places, in this order, in memory; `track` wraps the sequence of files to be read."""
        images = self.images.read(indices, track) if isinstance(self.images, LazyPictures) else self.images[indices]
        return replace(self, images=images, labels=self.labels[indices])

    def at_most(self, pixels, track=iter):
        """Every picture, or every second, every third, ..., so that there are no more pixels in all; in memory."""
        step = max(1, -(-math.prod(self.images.shape[:3]) // pixels))
        return self.take(np.arange(0, len(self), step), track)

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
        return f"{self.classes[label]} #{index}" if label >= 0 else Path(self.source(index)).name


def pictures_at_once(height, width):
    """How many pictures of that size go through a network together, so that its memory doesn't grow with their size."""
    return max(1, PIXELS_AT_ONCE // (height * width))


def load(name, split, size=None):
    """Load one split of a data set.

    Parameters
    ----------
    name : str
        "cifar10", "digits", "samples", or a folder that holds `<split>/<class>/*`.
    split : {"train", "test"}
    size : (height, width), optional
        What to bring the pictures to: 32x32 if not said.

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
        pictures = _cifar10(split)
    elif name == "digits":
        pictures = _digits(split)
    elif name == "samples":
        pictures = _samples(split)
    elif Path(name).is_dir():
        return _folder(Path(name), split, size)
    else:
        raise ValueError(f"no data set or folder is called {name!r}; there are {', '.join(NAMES)}")
    if pictures.images.shape[1:3] != tuple(size):
        pictures = replace(pictures, images=LazyPictures(pictures.images, size))
    return pictures


def open_images(paths, size=None):
    """The user's own picture files, in any mode and of any size.

    Parameters
    ----------
    paths : sequence of paths
        Files, or folders of which every file is read.
    size : (height, width), optional
        What to bring them to: the first one's own size if not said.

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
        files += _files(path) if path.is_dir() else [str(path)]
    if not files:
        raise ValueError(f"no picture in {', '.join(map(str, paths))}")
    for file in files:
        if not os.path.exists(file):
            raise FileNotFoundError(f"there is no picture {file}")
    size = size or open_image(files[0]).size[::-1]
    return Pictures("images", LazyPictures(files, size), np.full(len(files), -1), ())


def statistics(images):
    """Mean and variance of the pixels in each colour; a colour that never varies counts as varying by one level.

    (N, H, W, 3) uint8 -> two lists of 3 floats, in 0-255 and its square.
    """
    counts = [np.bincount(images[..., c].ravel(), minlength=256) for c in range(3)]
    levels = np.arange(256)
    means = [np.average(levels, weights=count) for count in counts]
    variances = [np.average((levels - mean) ** 2, weights=count) for count, mean in zip(counts, means)]
    return [float(m) for m in means], [float(v) or 1.0 for v in variances]


def _cifar10(split):
    folder = os.environ.get("CIFAR10_DIR")
    if folder:
        parts = [_cifar10_file(Path(folder) / file) for file in CIFAR10_FILES[split]]
        images, labels = (np.concatenate(arrays) for arrays in zip(*parts))
    else:
        images, labels = _cifar10_from_keras()[split == "test"]
    return Pictures("cifar10", images, labels.reshape(-1).astype("int64"), CIFAR10_CLASSES)


def _cifar10_file(path):
    """Read a file of the official binary version: records of a label, then 1,024 red, green and blue bytes."""
    if not path.is_file():
        raise FileNotFoundError(f"CIFAR10_DIR has no file {path}")
    record = 1 + 3 * 32 * 32
    size = path.stat().st_size
    if size != CIFAR10_RECORDS * record:
        raise ValueError(f"{path} has {size:,} bytes, a CIFAR-10 file has {CIFAR10_RECORDS * record:,}: copy it again")
    records = np.fromfile(path, np.uint8).reshape(-1, record)
    labels = records[:, 0]
    if labels.max() > 9:
        wrong = int(np.argmax(labels > 9))
        raise ValueError(f"{path}: record {wrong} has label {labels[wrong]}, CIFAR-10's are 0-9: copy it again")
    return np.ascontiguousarray(records[:, 1:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)), labels


def _cifar10_from_keras():
    """CIFAR-10 out of Keras's cache, or downloaded by Keras, which checks its checksum."""
    import keras

    home = Path(os.environ.get("KERAS_HOME", Path.home() / ".keras"))
    cached = home / "datasets" / "cifar-10-batches-py-target_archive"
    if not cached.exists() and not _answers(CIFAR10_URL):
        raise Unavailable(
            "CIFAR-10 is not on this machine and its server does not answer: "
            "set CIFAR10_DIR to the folder of its binary version, or connect to the internet"
        )
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(SILENCE)
    try:
        return keras.datasets.cifar10.load_data()
    except Exception as error:  # urllib, tarfile and the checksum each fail in their own way
        raise Unavailable(f"CIFAR-10 could not be downloaded: {error}") from error
    finally:
        socket.setdefaulttimeout(before)


def _answers(url):
    """Whether a server answers within `SILENCE` seconds, name resolution included, which urllib's time-out is not."""
    answers = []

    def ask():
        try:
            with urllib.request.urlopen(urllib.request.Request(url, method="HEAD"), timeout=SILENCE):
                answers.append(url)
        except OSError:
            pass

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(SILENCE)
    return bool(answers)


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


def _folder(folder, split, size):
    classes = sorted({name for part in ("train", "test") for name in _class_folders(folder / part)})
    if not classes:
        raise ValueError(f"{folder} has no classes: it needs folders {folder}/{split}/<class>/ with pictures in them")
    files = [_files(folder / split / name) for name in classes]
    if not any(files):
        raise ValueError(f"{folder / split} has no pictures: it needs them in folders {folder / split}/<class>/")
    labels = np.repeat(np.arange(len(classes)), [len(names) for names in files])
    return Pictures(str(folder), LazyPictures(list(chain(*files)), size), labels, tuple(classes))


def _class_folders(folder):
    if not folder.is_dir():
        return []
    return [path.name for path in folder.iterdir() if path.is_dir() and not path.name.startswith(".")]


def _files(folder):
    if not folder.is_dir():
        return []
    with os.scandir(folder) as entries:
        return sorted(entry.path for entry in entries if entry.is_file() and not entry.name.startswith("."))
