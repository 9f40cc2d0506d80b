"""Images of one size with their labels."""

import math
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from cnnvis.console import shown
from cnnvis.images.classes import class_indices
from cnnvis.images.image_files import LazyImages

PIXELS_AT_ONCE = 256_000  # per batch of images: 250 images of 32x32


@dataclass(frozen=True)
class Dataset:
    """Images of one size with their labels.

    Attributes
    ----------
    name : str
        The data set's name, the folder's path, or "images" for single files.
    images : (N, H, W, 3) uint8 array, LazyImages or StoredImages
        The last two are read from files when indexed.
    labels : (N,) int64 array
        Index into `classes`; -1 if unknown.
    classes : tuple of str
        Empty if there are no labels.
    bad : dict of int to str, optional
        Indices of the unreadable images found so far, and why each is unreadable. If None, they raise an error.
    numbers : (N,) int64 array, optional
        The index of each image before unreadable ones were removed.
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
        """The name without leading folders."""
        return Path(self.name).resolve().name

    def take(self, indices, track=iter):
        """The images at these indices, in this order, in memory; `track` wraps the sequence of files to read.

        Unreadable images are left out, and added to `bad`.
        """
        if not isinstance(self.images, LazyImages):
            return replace(self, images=self.images[indices], labels=self.labels[indices])
        images = self.streamed.read(indices, track)
        if self.bad:
            good = np.array([index not in self.bad for index in np.asarray(indices).tolist()], dtype=bool)
            images, indices = images[good], np.asarray(indices)[good]
        return replace(self, images=images, labels=self.labels[indices], bad=None)

    def resized(self, size):
        """The dataset with its images resized to (height, width)."""
        if self.images.shape[1:3] == tuple(size):
            return self
        lazy = isinstance(self.images, LazyImages)
        return replace(self, images=self.images.changed(size=size) if lazy else LazyImages(self.images, size))

    def at_most(self, pixels):
        """Indices of all images, or of every second, third, ... image, so that they have at most `pixels` in total."""
        step = max(1, -(-math.prod(self.images.shape[:3]) // pixels))
        return np.arange(0, len(self), step)

    @property
    def streamed(self):
        """The images for one pass: if bad images may be skipped, an unreadable one becomes black and joins `bad`."""
        return self.images if self.bad is None else self.images.changed(bad=self.bad)

    def readable(self, indices):
        """Yield the indices of readable images. If unreadable images are an error, nothing is checked here."""
        images = self.streamed
        for index in indices:
            if self.bad is not None:
                images.read(index)
            if not self.bad or int(index) not in self.bad:
                yield index

    def without_bad(self):
        """The dataset without the images in `bad`, and the (M,) indices of those that remain."""
        kept = np.setdiff1d(np.arange(len(self)), list(self.bad or ()))
        images = self.images
        if self.bad:
            images = images.changed(sources=[images.sources[index] for index in kept])
        return replace(self, images=images, labels=self.labels[kept], bad=None, numbers=kept), kept

    @property
    def skipped(self):
        """The unreadable files found so far: list of str."""
        return [shown(self.source(index)) for index in sorted(self.bad or ())]

    def number(self, index):
        """An image's index in the whole data set, unreadable images included."""
        return index if self.numbers is None else int(self.numbers[index])

    def spread(self, count):
        """At most `count` evenly spaced indices, from the first image to the last: (M,) int array."""
        return np.linspace(0, len(self) - 1, min(count, len(self))).astype(int)

    def source(self, index):
        """An image's file, or its number if it has none."""
        source = self.images.sources[index] if isinstance(self.images, LazyImages) else index
        return source if isinstance(source, str) else f"#{index}"

    def check(self, indices):
        """Return the indices (None for None); ValueError if one of them is too large."""
        for index in indices or ():
            if index >= len(self):
                raise ValueError(f"there is no image {index}: there are 0 to {len(self) - 1}")
        return indices

    def in_classes(self, names, count):
        """The dataset with labels that are indices into a network's classes.

        Parameters
        ----------
        names : sequence of str, optional
            Names of the network's classes; if not given, those of this dataset.
        count : int
            How many classes the network has.

        Raises
        ------
        ValueError
            If the network lacks one of this dataset's classes, or the number of names isn't `count`.
        """
        if names and len(names) != count:
            raise ValueError(f"{len(names)} class names for a model of {count} classes")
        if not self.classes:
            return replace(self, classes=tuple(names or map(str, range(count))))
        if not names and len(self.classes) == count:
            return self
        moved = class_indices(self.classes, names or ())
        if moved is None:
            if len(self.classes) == count and self.name in ("cifar10", "samples", "digits"):
                return replace(self, classes=tuple(names))
            raise ValueError(
                f"{self.name} has the classes {_listed(self.classes)}; "
                f"the model has {_listed(names) if names else count}: choose other --data, or give --classes"
            )
        return replace(self, classes=tuple(names), labels=np.array(moved)[self.labels])

    def caption(self, index):
        """A title for an image: its class and number, or the name of its file if the class is unknown."""
        label = self.labels[index]
        return f"{self.classes[label]} #{self.number(index)}" if label >= 0 else Path(self.source(index)).name


def images_at_once(height, width):
    """How many images of this size to give to a network at once, so that memory doesn't depend on their size."""
    return max(1, PIXELS_AT_ONCE // (height * width))


def _listed(names, most=10):
    """Class names in words, the first of them if there are many."""
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
