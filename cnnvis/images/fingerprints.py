"""Whether a data set is what it was when a training run began."""

import hashlib
import os
import unicodedata

import numpy as np

from cnnvis.console import shown
from cnnvis.images import sources

DIGITS = 8  # of each file's hash


def fingerprint(name, skip_bad=False, before=None):
    """The fingerprint of a data set: of its images' names, sizes in bytes, classes and split, or of CIFAR-10's pixels.

    Parameters
    ----------
    name, skip_bad
        As of `sources.load`.
    before : dict, optional
        An earlier fingerprint.

    Returns
    -------
    dict of str to str
        The "digest" of everything, and "files": `DIGITS` hexadecimal digits for each file's name and size.

    Raises
    ------
    ValueError, OSError
        If the fingerprint isn't the one `before`: the message says what changed. Otherwise, as of `sources.load`.
    """
    digest, files = hashlib.sha256(), {}
    for split in ("train", "test"):
        dataset = sources.load(name, split, skip_bad=skip_bad)
        if name in sources.NAMES:
            digest.update(np.ascontiguousarray(dataset.images))
        else:
            here = {_relative(path, name): _size(path) for path in dataset.images.sources}
            files |= {file: _hash(f"{file}:{size}")[:DIGITS] for file, size in here.items()}
            digest.update(_hash(f"{split} {dataset.classes} {here}").encode())
        digest.update(dataset.labels)
    now = {"digest": digest.hexdigest(), "files": "".join(files.values())}
    if before and before.get("digest") != now["digest"]:
        raise ValueError(f"{_changes(name, files, before)}: restore them, or start anew with --overwrite")
    return now


def identifying(images):
    """What distinguishes images from others, part by part: their pixels, or the names, sizes and times of their files.

    (N, H, W, 3) array, LazyImages or StoredImages -> iterator of bytes or arrays
    """
    for source in getattr(images, "sources", [images]):
        if isinstance(source, str):
            status = os.stat(source)
            yield repr((source, status.st_size, status.st_mtime_ns)).encode("utf-8", "replace")
        else:
            yield np.ascontiguousarray(source)


def _changes(name, files, before):
    """What changed since an earlier fingerprint: str."""
    text = str(before.get("files", ""))
    known = [text[start : start + DIGITS] for start in range(0, len(text), DIGITS)]
    old = set(known)
    new = [file for file, short in files.items() if short not in old]
    gone = len(old.difference(files.values()))
    if name in sources.NAMES:
        return f"the images of {name} changed since the run began"
    what = [f"new or changed: {len(new):,}, such as {shown(new[0])}"] if new else []
    what += [f"gone or changed: {gone:,}"] if gone else []
    if not what:
        return f"the classes of {shown(name)}, or which images are for testing, changed since the run began"
    return f"{shown(name)} has {len(files):,} images, the run began with {len(known):,} ({'; '.join(what)})"


def _relative(path, folder):
    """A file's name in a folder, the same on every system."""
    return unicodedata.normalize("NFC", os.path.relpath(path, folder)).replace(os.sep, "/")


def _size(path):
    try:
        return os.path.getsize(path)
    except OSError:  # a broken link, which is an error when it is read
        return None


def _hash(text):
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
