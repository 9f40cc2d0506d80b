"""From the options of a script to the classifier and the pictures that they name."""

from argparse import Namespace
from dataclasses import replace
from pathlib import Path

import numpy as np

from cnnvis.console import messages as console
from cnnvis.console.names import shown
from cnnvis.evaluation.metrics import accuracy
from cnnvis.images import sources as data
from cnnvis.images import unreadable as skipping
from cnnvis.images.statistics import Statistics, picture_statistics
from cnnvis.network.classifier import Classifier
from cnnvis.network.pixel_range import INPUT_RANGES, stated_range

MOST_CLASS_BYTES = 2**22  # of a file of class names


def open_classifier(args, checkpoint, split="test"):
    """The classifier and the pictures that the options name.

    Parameters
    ----------
    args : Namespace
        Of `visualize_parser`.
    checkpoint : Checkpoint
    split : {"test", "train"}
        Of the data set, where it has that one. Of very many or very large training pictures, only some are opened.

    Returns
    -------
    classifier : Classifier
    pictures : Pictures
        In the classifier's size; their labels count in its classes.
    """
    size = tuple(checkpoint.model.inputs[0].shape[1:3])
    pictures = _open_pictures(args, checkpoint, None if None in size else size, split)
    if split == "train":
        whole, track = pictures, console.track("Reading pictures")
        pictures = skipping.read(whole, whole.at_most(data.MOST_PIXELS), track)
        skipping.tell(whole)
    count = checkpoint.model.outputs[0].shape[-1]
    pictures = _name_classes(pictures, _read_classes(args.classes) or checkpoint.metadata.get("classes"), count)
    input_range = args.input_range or checkpoint.metadata.get("input_range") or _find_range(checkpoint.model, pictures)
    if not (np.isfinite(input_range).all() and input_range[0] < input_range[1]):
        raise ValueError(f"--input-range {input_range[0]:g} {input_range[1]:g}: a smaller and a larger number, please")
    return Classifier(checkpoint.model, input_range, pictures.images.shape[1:3]), pictures


def where_untold(args, checkpoint):
    """The options, without those on pixels and classes that a model's metadata tell: of two, they mean the other."""
    told = {"input_range", "classes"} & checkpoint.metadata.keys()
    return Namespace(**vars(args) | dict.fromkeys(told))


def open_other(args, checkpoint, pictures):
    """A second classifier, to compare with the first, and the same pictures in its size.

    Parameters
    ----------
    args : Namespace
        Of `visualize_parser`.
    checkpoint : Checkpoint
    pictures : Pictures
        As the first classifier sees them.

    Returns
    -------
    classifier : Classifier
    others : Pictures
    order : (K,) int array
        Where each of the first's classes stands among the other's.

    Raises
    ------
    ValueError
        If the two don't know the same classes.
    """
    own = where_untold(args, checkpoint)
    own.data = pictures.name
    classifier, others = open_classifier(own, checkpoint)
    others = replace(others, bad=pictures.bad)
    if sorted(others.classes) != sorted(pictures.classes):
        raise ValueError(f"{checkpoint.path} tells other classes apart: {', '.join(others.classes[:10])}")
    return classifier, others, np.array([others.classes.index(name) for name in pictures.classes])


def _open_pictures(args, checkpoint, size, split):
    def load(name, split):
        if split == "train" and Path(name).is_dir() and not (Path(name) / "train").is_dir():
            console.notice(f"{shown(name)} has no folder train/: looking at its test pictures instead.")
            split = "test"
        return data.load(name, split, size, args.skip_bad)

    if args.images:
        return data.open_images(args.images, size, args.skip_bad)
    if args.data:
        return load(args.data, "test" if args.data == "samples" else split)
    try:
        return load(checkpoint.metadata.get("data", "cifar10"), split)
    except data.Unavailable as error:
        console.notice(f"{error}. Showing the 20 bundled samples instead.")
        return load("samples", "test")


def _read_classes(path):
    if path is None:
        return None
    if path.exists() and not path.is_file():
        raise ValueError(f"{shown(path)} is no file of class names")
    if path.stat().st_size > MOST_CLASS_BYTES:
        raise ValueError(f"{shown(path)} has {path.stat().st_size:,} bytes: that is no file of class names, one a line")
    try:
        names = [line.strip() for line in path.read_text(encoding="utf-8-sig").splitlines() if line.strip()]
    except UnicodeDecodeError as error:
        raise ValueError(f"{shown(path)} is not text in UTF-8") from error
    if not names or not all(map(str.isprintable, names)):
        raise ValueError(f"{shown(path)} does not name classes: it needs one a line")
    if len(set(names)) < len(names):
        twice = next(name for number, name in enumerate(names) if name in names[:number])
        raise ValueError(f"{shown(path)} names {twice!r} twice: give the two classes different names")
    return names


def _name_classes(pictures, names, count):
    """Pictures whose classes are the model's: `count` names, and labels that count in them."""
    if names and len(names) != count:
        raise ValueError(f"{len(names)} class names for a model of {count} classes")
    if not pictures.classes:
        return replace(pictures, classes=tuple(names or map(str, range(count))))
    if not names and len(pictures.classes) == count:
        return pictures
    if not names or not set(pictures.classes) <= set(names):
        if len(pictures.classes) == count and pictures.name in ("cifar10", "samples", "digits"):
            return replace(pictures, classes=tuple(names))
        raise ValueError(
            f"{pictures.name} has the classes {', '.join(pictures.classes[:10])}, "
            f"the model {', '.join(names[:10]) if names else count}: choose other --data, or say --classes"
        )
    moved = np.array([names.index(name) for name in pictures.classes])
    return replace(pictures, classes=tuple(names), labels=moved[pictures.labels])


def _find_range(model, pictures):
    """The pixel range that a model without metadata takes: what it says itself, else what it is clearly best on."""
    stated = stated_range(model)
    if stated:
        return stated
    some = np.linspace(0, len(pictures) - 1, min(len(pictures), 500)).astype(int)  # of all classes
    known = skipping.read(pictures, some)
    if (known.labels >= 0).all():
        scores = {r: accuracy(Classifier(model, r).probabilities(known.images), known.labels) for r in INPUT_RANGES}
        best, second = sorted(scores, key=scores.get, reverse=True)[:2]
        if scores[best] - scores[second] > 0.1:
            console.notice(
                f"The model seems to take pixels {best[0]} to {best[1]}: {scores[best]:.0%} of {len(known)} right, "
                f"{scores[second]:.0%} with {second[0]} to {second[1]}. Say --input-range to be sure."
            )
            return best
    raise ValueError("which pixels does this model take? Say --input-range 0 1, or -1 1, or 0 255")


def statistics(checkpoint, pictures):
    """Statistics of the training pictures, as the checkpoint's metadata tell them; else of these pictures.

    Raises ValueError if the metadata tell what can't be true.
    """
    stated = checkpoint.metadata.get("statistics")
    if stated is None:
        return picture_statistics(pictures.images)
    try:
        return Statistics.from_json(stated)
    except ValueError as error:
        raise ValueError(f"{checkpoint.path.with_suffix('.json')}: statistics are damaged: {error}") from error


def training_pictures(args):
    """Training, held-out and test pictures. The last are not looked at before the end, but must be there.

    Parameters
    ----------
    args : Namespace
        Of train.py: `data`, `limit`, `validation`, `seed` and `skip_bad`.
    """
    if args.data != "auto":
        pictures = data.load(args.data, "train", skip_bad=args.skip_bad)
    else:
        try:
            pictures = data.load("cifar10", "train")
        except data.Unavailable as error:
            console.shout(f"{error}.\n\nTraining on the 1,797 handwritten DIGITS of scikit-learn instead of CIFAR-10.")
            pictures = data.load("digits", "train")
    if len(pictures.classes) < 2:
        raise ValueError(f"{pictures.name} has one class: there is nothing to tell apart")
    test = data.load(pictures.name, "test", skip_bad=args.skip_bad)
    if args.validation >= len(pictures):
        raise ValueError(f"--validation {args.validation} leaves nothing of {len(pictures)} images to train on")
    held_out, kept = np.split(np.random.default_rng(args.seed).permutation(len(pictures)), [args.validation])
    parts = (pictures, np.sort(kept[: args.limit])), (pictures, np.sort(held_out)), (test, np.arange(len(test)))
    track = console.track("Reading pictures")
    parts = tuple(skipping.read(part, chosen, track) for part, chosen in parts)
    for whole in (pictures, test):
        skipping.tell(whole)
    return parts
