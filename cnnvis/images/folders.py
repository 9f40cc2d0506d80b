"""Folders of class folders: which images they hold, of which classes, and which of them are for training."""

import hashlib
import re
import unicodedata
from dataclasses import dataclass

from cnnvis.console import shown, some
from cnnvis.images import unreadable
from cnnvis.images.classes import compared
from cnnvis.images.listing import files_in, images_in, subfolders, take_unreadable

PARTS = {"train": "train", "training": "train", "test": "test", "testing": "test"}
PARTS |= dict.fromkeys(("val", "valid", "validation"), "val")
ONE_IN = 5  # images of a class is a test image, unless the folder says which are
DEEPEST = 10  # folders around a data set
MOST_NAMED = 3  # files or classes in a sentence


@dataclass(frozen=True)
class Folder:
    """What a folder of class folders holds.

    Attributes
    ----------
    classes : tuple of str
        Sorted, in Unicode's form NFC.
    files : dict of {"train", "test"} to list of list of str
        The image files of each class, sorted by name.
    remarks : list of str
        Sentences about what a user might not expect.
    """

    classes: tuple
    files: dict
    remarks: list


def read(folder, skip_bad=False):
    """List the images of `folder/train/<class>/*` and `folder/test/<class>/*`, or of `folder/<class>/*`.

    Files whose suffix is that of an image are not opened. Where no folder has the test images, `split` chooses them.

    Parameters
    ----------
    folder : Path
    skip_bad : bool
        Whether other files in class folders are reported instead of being an error.

    Returns
    -------
    Folder

    Raises
    ------
    ValueError, OSError
        If there are no class folders with images in them, there are other files in them, or a folder can't be read.
    """
    name, remarks = shown(folder), []
    parts = _parts(folder, remarks)
    if not parts:
        _check_depth(folder)
    places = parts or {"train": folder}
    found = {part: _class_files(place) for part, place in places.items()}
    if any(found.get("test", {}).values()):
        if found.pop("val", None):
            remarks.append(f"{name}: {places['val'].name}/ is not used, since {places['test'].name}/ is for testing.")
    elif any(found.get("val", {}).values()):
        found["test"] = found.pop("val")
        remarks.append(f"{name}: the images in {places['val'].name}/ are the test images.")
    others = {}
    for files in (files for classes in found.values() for files in classes.values()):
        others |= take_unreadable(files)
    unreadable.check(others, name, skip_bad)
    train, test = _same_classes(found.get("train", {}), found.get("test", {}), name, remarks)
    if not any((*train.values(), *test.values())):
        raise _nothing(folder)
    if not any(test.values()):
        train, test = _divided(train, name, f" in {places['train'].name}/" if parts else "", remarks)
    classes = _classes(train, test, name, remarks)
    _remark_on_places({folder, *places.values()}, [*train.values(), *test.values()], name, remarks)
    files = {"train": train, "test": test}
    files = {part: [[path for _, path in of.get(label, ())] for label in classes] for part, of in files.items()}
    return Folder(tuple(classes), files, remarks)


def split(label, files):
    """Choose the test images of a class by their names, the same ones on every system: one in five, at least one.

    These are the first in the order of the SHA-256 of "<class>/<name>" in UTF-8. A class of one image has none.

    Parameters
    ----------
    label : str
        The class, in Unicode's form NFC.
    files : list of (name, path)
        Sorted. The name is relative to the class folder, in NFC, with "/" between folders.

    Returns
    -------
    train, test : list of (name, path)
    """

    def place(file):
        return hashlib.sha256(f"{label}/{file[0]}".encode("utf-8", "surrogatepass")).digest(), file

    count = max(1, len(files) // ONE_IN) if len(files) > 1 else 0
    chosen = set(sorted(files, key=place)[:count])
    return [file for file in files if file not in chosen], [file for file in files if file in chosen]


def _parts(folder, remarks):
    """The folders of training, test and validation images, as far as there are any: dict of part to Path."""
    parts, others = {}, []
    for each in subfolders(folder):
        part = PARTS.get(each.name.lower())
        if not part or not subfolders(each):
            others.append(f"{each.name}/")
        elif part in parts:
            raise ValueError(f"{shown(folder)} has both {parts[part].name}/ and {each.name}/: rename or remove one")
        else:
            parts[part] = each
    if others and not parts and all(each[:-1].lower() in PARTS for each in others):
        some_others = f"{shown(folder)}/{shown(others[0])}"
        raise ValueError(f"{some_others} has no class folders: sort its images into {some_others}<class>/")
    if not parts:
        _check_names(folder)
    if not parts or (others and parts.keys() == {"val"}):  # classes may be called valid and invalid
        return {}
    if others:
        kept = " and ".join(f"{part.name}/" for part in parts.values())
        remarks.append(f"{shown(folder)}: {some(others, MOST_NAMED)} beside {kept} is not used.")
    return parts


def _check_names(folder):
    """Raise ValueError if folders of class folders are called as `PARTS` are, but not exactly: train_set, seg_test."""
    alike = [each for each in subfolders(folder) if PARTS.keys() & set(re.split("[^a-z]+", each.name.lower()))]
    alike = [f"{each.name}/" for each in alike if subfolders(each) and not images_in(each)]
    if len(alike) > 1:
        raise ValueError(f"{shown(folder)} has {some(alike, MOST_NAMED)}: rename them to train/ and test/")


def _check_depth(folder):
    """Raise ValueError if all class folders are in a folder of this folder, as where an archive was unpacked."""
    inner = folder
    for _ in range(DEEPEST):
        within = [each for each in subfolders(inner) if files_in(each)]
        if len(within) != 1 or images_in(inner):
            break
        inner = within[0]
    if inner != folder and len(within) > 1 and not images_in(inner):
        raise ValueError(f"all classes of {shown(folder)} are in one folder: say --data {shown(inner)}")


def _class_files(folder):
    """The files of each class folder: dict of class to list of (name, path)."""
    classes = {}
    for path in subfolders(folder):
        classes.setdefault(unicodedata.normalize("NFC", path.name), []).extend(files_in(path))
    return classes


def _same_classes(train, test, name, remarks):
    """Merge classes whose names differ by case only; the name is that of the training images."""
    labels, merged = {}, ({}, {})
    for classes, into in zip((train, test), merged):
        for label, files in sorted(classes.items()):
            same = labels.setdefault(compared(label), label)
            if same != label:
                remarks.append(f"{name}: {label} is the same class as {same}.")
            into[same] = sorted(into.get(same, []) + files)
    return merged


def _divided(files, name, where, remarks):
    train, test = {}, {}
    for label in files:
        train[label], test[label] = split(label, files[label])
    count, whole = sum(map(len, test.values())), sum(map(len, files.values()))
    if count:
        missing = "test images" if where else "train/ and test/"
        are = "are the test images" if count > 1 else "is the test image"
        remarks.append(f"{name} has no {missing}: {count:,} of its {whole:,} images{where}, chosen by name, {are}.")
    return train, test


def _classes(train, test, name, remarks):
    """The classes in use, sorted: without those that have no images, or none to learn from."""
    classes = sorted(train.keys() | test.keys())
    empty = [label for label in classes if not train.get(label) and not test.get(label)]
    unknown = [label for label in classes if test.get(label) and not train.get(label)] if any(train.values()) else []
    untested = [label for label in classes if train.get(label) and not test.get(label)] if any(test.values()) else []
    if unknown and len(unknown + untested + empty) == len(classes):
        kinds = f"training images of {some(untested, MOST_NAMED)}, but test images of {some(unknown, MOST_NAMED)}"
        raise ValueError(f"{name} has {kinds}: give the folders of a class the same name")
    for labels, what in (
        (empty, "no images: left out"),
        (unknown, "no training images: left out of testing"),
        (untested, "no test images: used for training only"),
    ):
        if labels:
            remarks.append(f"{name}: {some(labels, MOST_NAMED)} {'have' if len(labels) > 1 else 'has'} {what}.")
    for label in classes:
        if not label.isprintable():
            raise ValueError(f"a class of {name} has an unprintable name, '{shown(label)}': rename its folder")
    return [label for label in classes if label not in empty and label not in unknown]


def _remark_on_places(places, files, name, remarks):
    """Say which images lie above the class folders, and that those below them are used."""
    loose = [path for place in sorted(places) for path in images_in(place)]
    if loose:
        remarks.append(f"{name}: images outside the class folders are left out: {some(loose, MOST_NAMED)}.")
    deep = next((path for of in files for inner, path in of if "/" in inner), None)
    if deep:
        remarks.append(f"{name}: images in folders of a class folder belong to the class, such as {shown(deep)}.")


def _nothing(folder):
    """The error for a folder without images in class folders."""
    name = shown(folder)
    if images_in(folder):
        return ValueError(f"{name} has images but no class folders: say --images {name}, or sort them into folders")
    return ValueError(f"{name} has no images: it needs them in folders {name}/<class>/")
