"""Skipping unreadable images, which `--skip-bad` asks for, and reporting them."""

from itertools import islice

import numpy as np

from cnnvis.console import notice, notice_once, some

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
    notice(
        f"Skipped {len(files):,} of {len(dataset):,} images, which can't be read: {some(files, MOST_NAMED)}. "
        f"The first: {dataset.bad[min(dataset.bad)]}"
    )


def check(others, folder, skip_bad):
    """Report files of a folder, a dict of path to reason, that are no images. ValueError unless `skip_bad`."""
    if not others:
        return
    count, why = f"{len(others):,} file{'s'[: len(others) > 1]} of {folder}", next(iter(others.values()))
    if skip_bad:
        notice_once(f"Skipped {count} that can't be read as images: {some(others, MOST_NAMED)}. The first: {why}")
    elif len(others) == 1:
        raise ValueError(f"{why} (--skip-bad skips such files)")
    else:
        advice = "can't be read as images: remove them, or say --skip-bad"
        raise ValueError(f"{count} {advice}. They are {some(others)}. The first: {why}")


def skippable(error, of):
    """The error for one of so many files, with what to do."""
    return type(error)(f"{error} (--skip-bad skips such files)" if of > 1 else str(error))


def none_left(dataset):
    """The error for a dataset without a single readable image."""
    why = dataset.bad[min(dataset.bad)]
    return ValueError(f"none of the {len(dataset.bad):,} images tried can be read; the first: {why}")
