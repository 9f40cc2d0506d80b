"""CIFAR-10: from the files of its binary version, from Keras's cache, or downloaded."""

import os
import socket
import threading
import urllib.request
from pathlib import Path

import numpy as np

from cnnvis import processor
from cnnvis.console import shown

CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
FILES = {"train": [f"data_batch_{i}.bin" for i in range(1, 6)], "test": ["test_batch.bin"]}
RECORDS = 10_000  # images per file
URL = "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz"
TIMEOUT = 15  # seconds without an answer before a download is abandoned


class Unavailable(OSError):
    """CIFAR-10 is neither on this machine nor available from the network."""


def load(split):
    """Load the images of one split, in the order of the files.

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
        If CIFAR-10 is neither on this machine nor available from the network.
    ValueError, OSError
        If a file in `CIFAR10_DIR` is missing or damaged.
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
    """Read a file of the official binary version. A record is a label and 1,024 red, 1,024 green and 1,024 blue bytes.

    Path -> (N, 32, 32, 3) uint8 images, (N,) uint8 labels
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
        images[..., color] = plane  # colour by colour: three times as fast as a transposed copy
    return images.reshape(-1, 32, 32, 3), labels


def _from_keras():
    """CIFAR-10 from Keras's cache, or downloaded by Keras, which verifies its checksum."""
    import keras

    if not _is_cached() and not _answers(URL):
        raise Unavailable(
            "CIFAR-10 is not on this machine and its server does not answer: "
            "set CIFAR10_DIR to the folder of its binary version, or connect to the internet"
        )
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(TIMEOUT)
    try:
        return keras.datasets.cifar10.load_data()
    except Exception as error:  # urllib, tarfile and the checksum raise different errors
        raise Unavailable(f"CIFAR-10 could not be downloaded: {error}") from error
    finally:
        socket.setdefaulttimeout(before)


def check_available():
    """Download CIFAR-10 if it isn't on this machine. Raises Unavailable if that fails."""
    if not os.environ.get("CIFAR10_DIR") and not _is_cached():
        _from_keras()


def _is_cached():
    return (processor.keras_folder() / "datasets" / "cifar-10-batches-py-target_archive").exists()


def _answers(url):
    """Whether a server answers within `TIMEOUT` seconds. Unlike urllib's timeout, this includes name resolution."""
    answers = []

    def ask():
        try:
            with urllib.request.urlopen(urllib.request.Request(url, method="HEAD"), timeout=TIMEOUT):
                answers.append(url)
        except OSError:
            pass

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(TIMEOUT)
    return bool(answers)
