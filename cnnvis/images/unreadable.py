"""Skipping unreadable images, which `--skip-bad` asks for, and reporting them."""

from itertools import islice

import numpy as np

from cnnvis.console import notice

MOST_NAMED = 10  # skipped files to list


def read(dataset, indices, track=iter):
    """Read the images at these indices into memory, without the unreadable ones that may be skipped: Dataset.

    Raises ValueError if none are left.
    """
    in_memory = dataset.take(indices, track)
    if len(indices) and not len(in_memory):
        raise none_left(dataset)
    return in_memory


def readable(dataset, indices, most=None):
    """The first `most` indices of readable images, or all of them: int array. Reports the skipped images.

    Raises ValueError if none are left.
    """
    found = np.fromiter(islice(dataset.readable(indices), most), int)
    if not len(found):
        raise none_left(dataset)
    report_skipped(dataset)
    return found


def without_unreadable(dataset):
    """The dataset without skipped images, and the (M,) indices of those that remain. Reports the skipped images.

    Raises ValueError if none are left.
    """
    remaining, indices = dataset.without_bad()
    if not len(remaining):
        raise none_left(dataset)
    report_skipped(dataset)
    return remaining, indices


def report_skipped(dataset):
    """Print which images were skipped, and why the first one was."""
    if not dataset.bad:
        return
    files = dataset.skipped
    more = f" and {len(files) - MOST_NAMED:,} more" if len(files) > MOST_NAMED else ""
    notice(
        f"Skipped {len(files):,} of {len(dataset):,} images, which can't be read: "
        f"{', '.join(files[:MOST_NAMED])}{more}. The first: {dataset.bad[min(dataset.bad)]}"
    )


def none_left(dataset):
    """The error for a dataset without a single readable image."""
    why = dataset.bad[min(dataset.bad)]
    return ValueError(f"none of the {len(dataset.bad):,} images tried can be read; the first: {why}")
