"""CIFAR-10: from the files of its binary version, from Keras's cache, or downloaded."""

import os
import socket
import threading
import urllib.request
from pathlib import Path

import numpy as np

from cnnvis.console.names import shown

CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
FILES = {"train": [f"data_batch_{i}.bin" for i in range(1, 6)], "test": ["test_batch.bin"]}
RECORDS = 10_000  # pictures in a file
URL = "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz"
SILENCE = 15  # seconds without an answer after which a download is given up


class Unavailable(OSError):
    """CIFAR-10 is neither on this machine nor to be had from the network."""


def load(split):
    """The pictures of one split, in the order of the files.

    Parameters
    ----------
    split : {"train", "test"}

    Returns
    -------
    images : (N, 32, 32, 3) uint8 array
    labels : (N,) int64 array
        Index into `CLASSES`.

    Raises
    ------
    Unavailable
        If it is neither on this machine nor to be had from the network.
    ValueError, OSError
        If the files of `CIFAR10_DIR` can't be used: one sentence that says what is wrong.
    """
    folder = os.environ.get("CIFAR10_DIR")
    if folder:
        count = RECORDS * len(FILES[split])
        images, labels = np.empty((count, 32, 32, 3), np.uint8), np.empty(count, np.uint8)
        for number, file in enumerate(FILES[split]):
            part = slice(number * RECORDS, (number + 1) * RECORDS)
            images[part], labels[part] = read(Path(folder) / file)
    else:
        images, labels = _from_keras()[split == "test"]
    return images, labels.reshape(-1).astype("int64")


def read(path):
    """Read a file of the official binary version: records of a label, then 1,024 red, green and blue bytes.

    Path -> (N, 32, 32, 3) uint8 pictures, (N,) uint8 labels
    """
    if not path.is_file():
        raise FileNotFoundError(f"CIFAR10_DIR has no file {shown(path)}")
    record = 1 + 3 * 32 * 32
    size = path.stat().st_size
    if size != RECORDS * record:
        raise ValueError(f"{shown(path)} has {size:,} bytes, a CIFAR-10 file has {RECORDS * record:,}: copy it again")
    records = np.fromfile(path, np.uint8).reshape(-1, record)
    labels = records[:, 0]
    if labels.max() > 9:
        wrong = int(np.argmax(labels > 9))
        raise ValueError(f"{shown(path)}: record {wrong} has label {labels[wrong]}, CIFAR-10's are 0-9: copy it again")
    images = np.empty((RECORDS, 32 * 32, 3), np.uint8)
    for color, plane in enumerate(records[:, 1:].reshape(-1, 3, 32 * 32).swapaxes(0, 1)):
        images[..., color] = plane  # colour by colour, which NumPy does three times as fast as a transposed copy
    return images.reshape(-1, 32, 32, 3), labels


def _from_keras():
    """CIFAR-10 out of Keras's cache, or downloaded by Keras, which checks its checksum."""
    import keras

    home = Path(os.environ.get("KERAS_HOME", Path.home() / ".keras"))
    cached = home / "datasets" / "cifar-10-batches-py-target_archive"
    if not cached.exists() and not _answers(URL):
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
