"""Images that don't fit into memory: decoded once into a file, and read from there."""

import os
import shutil
import tempfile
from dataclasses import replace

import numpy as np

from cnnvis.console import shown
from cnnvis.images.unreadable import none_left

AT_ONCE = 2**25  # bytes of images that are decoded before they are written


class StoredImages:
    """Images of one size as an (N, H, W, 3) uint8 array in a file, from which they are read when indexed.

    The file has no name, and is gone when it is closed, even by a crash. It is mapped anew for each reading: the pages
    of a mapping that is kept count as memory of the process.

    Parameters
    ----------
    file : file
        With the bytes of all images.
    shape : (N, H, W, 3)
    """

    dtype = np.dtype("uint8")

    def __init__(self, file, shape):
        self.file, self.shape = file, shape

    def __len__(self):
        return self.shape[0]

    def __getitem__(self, key):
        return np.array(np.asarray(np.memmap(self.file, self.dtype, "r", shape=self.shape))[key])


def store(dataset, indices, folder, track=iter):
    """Decode the images at these indices into a file, without the unreadable ones that may be skipped.

    Parameters
    ----------
    dataset : Dataset
    indices : (M,) int array
    folder : path, optional
        For the file; if there is no such folder, the system's for temporary files, which may itself be in memory.
    track : callable
        Wraps the sequence of parts that are decoded one after the other.

    Returns
    -------
    Dataset
        With StoredImages.

    Raises
    ------
    OSError
        If the disk is too full.
    ValueError
        If no image can be read, or one can't that may not be skipped.
    """
    size = dataset.images.shape[1:]
    folder = folder if folder and os.path.isdir(folder) else tempfile.gettempdir()
    whole, free = len(indices) * int(np.prod(size)), shutil.disk_usage(folder).free
    if whole > free:
        raise OSError(
            f"{len(indices):,} images of {size[0]}x{size[1]} need {whole / 1e9:.1f} GB, of which {shown(folder)} has "
            f"{free / 1e9:.1f} GB free: make room, or choose another --out, a smaller --image-size or --limit"
        )
    file, labels = tempfile.TemporaryFile(dir=folder), []  # noqa: SIM115 - StoredImages reads it
    parts = np.array_split(indices, max(1, -(-whole // AT_ONCE)))
    for chosen in track(parts):
        part = dataset.take(chosen)
        file.write(part.images)
        labels.append(part.labels)
    file.flush()
    labels = np.concatenate(labels)
    if len(indices) and not len(labels):
        raise none_left(dataset)
    return replace(dataset, images=StoredImages(file, (len(labels), *size)), labels=labels, bad=None)
