"""Which files and folders are in a folder, without those that systems and programs put there."""

import heapq
import os
import unicodedata
from pathlib import Path

from PIL import Image

from cnnvis.console import shown
from cnnvis.images.image_files import FORMATS, open_image

# Names that begin with a dot are passed over as well.
PASSED_OVER = {"__macosx", "thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r", "@eadir", "$recycle.bin"}


def files_in(folder, deep=True):
    """List the files in a folder, and in its subfolders if `deep`.

    Every folder is read once, however many links lead to it. Broken links are included: reading them is an error.

    Parameters
    ----------
    folder : path
    deep : bool

    Returns
    -------
    list of (name, path), sorted
        The name is relative to the folder, in Unicode's form NFC, with "/" between folders. The path is as on the disk.

    Raises
    ------
    OSError
        If a folder can't be read.
    """
    found, to_do = [], [(False, "", os.fspath(folder))]
    above = *Path(os.path.abspath(folder)).parents, *Path(os.path.realpath(folder)).parents
    seen = set(map(os.path.realpath, above))
    while to_do:
        _, prefix, path = heapq.heappop(to_do)  # links come after folders
        real = os.path.realpath(path)
        if real in seen:
            continue
        seen.add(real)
        for entry in _entries(path):
            name = prefix + unicodedata.normalize("NFC", entry.name)
            if not _is_folder(entry):
                found.append((name, entry.path))
            elif deep:
                heapq.heappush(to_do, (entry.is_symlink(), f"{name}/", entry.path))
    return sorted(found)


def subfolders(folder):
    """The folders in a folder, sorted: list of Path. Raises FileNotFoundError if there is a broken link beside them."""
    entries = _entries(folder)
    for entry in entries:
        if entry.is_symlink() and not os.path.exists(entry.path):
            raise FileNotFoundError(f"{shown(entry.path)} is a broken link: fix or remove it")
    return [Path(entry.path) for entry in sorted(entries, key=lambda each: each.name) if _is_folder(entry)]


def images_in(folder):
    """The paths of the files in a folder that have the suffix of an image: list of str."""
    return [path for _, path in files_in(folder, deep=False) if has_image_suffix(path)]


def has_image_suffix(path):
    """Whether the suffix of a file is that of an image."""
    Image.init()
    return Image.EXTENSION.get(Path(path).suffix.lower()) in FORMATS


def take_unreadable(files):
    """Remove the files that are no images by suffix and content from a list of (name, path): dict of path to reason."""
    others = {path: why for _, path in files if (why := _why_unreadable(path))}
    files[:] = [file for file in files if file[1] not in others]
    return others


def _why_unreadable(path):
    if not Path(path).suffix or has_image_suffix(path):
        return None
    try:
        open_image(path)
    except (ValueError, OSError) as error:
        return str(error)
    return None


def _entries(folder):
    try:
        with os.scandir(folder) as entries:
            return [each for each in entries if not each.name.startswith(".") and each.name.lower() not in PASSED_OVER]
    except OSError as error:
        what = f"the folder {shown(folder)} can't be read ({error.strerror or error})"
        raise type(error)(f"{what}: make it readable, or remove it") from error


def _is_folder(entry):
    try:
        return entry.is_dir()
    except OSError:  # a circular link
        return False
