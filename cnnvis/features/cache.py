"""What real pictures do to filters, kept in a file: looking at 50,000 of them takes minutes, reading it a moment."""

import hashlib
import math
from dataclasses import asdict

import numpy as np

from cnnvis.console.files import complete
from cnnvis.features import top_images as excitation
from cnnvis.features.top_images import Excitation

END = ".excitation.npz"
VERSION = 1  # of what is kept: a new one makes all older files useless
WORTH_KEEPING = 2_000_000  # pixels of real pictures from which on there is a file; fewer are looked at in seconds


def observe(classifier, layers, pictures, checkpoint, folders, track=iter, tell=print):
    """As `excitation.observe`, but from the file that an earlier run left, if there is one; if not, leave it.

    A file serves only the model, the pictures and the layers that it was made of: its name says which. It holds
    numbers, none of the pictures.

    Parameters
    ----------
    classifier : Classifier
    layers : sequence of Layer
        CONV or FC.
    pictures : Pictures
    checkpoint : Checkpoint
        Of which the classifier is made: its `path` and `digest` count, so that a file that has replaced it meanwhile
        doesn't.
    folders : sequence of Path
        Where such a file may be; it is written into the first of them that can be written into.
    track : callable
        Wraps the sequence of batches.
    tell : callable
        Called with the path of the file that was written.

    Returns
    -------
    dict of str to Excitation
        Of each layer.
    """
    if math.prod(pictures.images.shape[:3]) < WORTH_KEEPING:
        return _by_name(layers, excitation.observe(classifier, layers, pictures.images, pictures.labels, track))
    model = checkpoint.path.name
    of_model = f"{model}.{_fingerprint(checkpoint.digest.encode(), repr(classifier.input_range).encode())}-"
    name = f"{of_model}{_fingerprint(*_contents(layers, pictures))}{END}"
    for folder in folders:
        try:
            return _read(folder / name, layers)
        except Exception:  # absent, or damaged: zipfile, zlib and NumPy each fail in their own way
            continue
    seen = _by_name(layers, excitation.observe(classifier, layers, pictures.images, pictures.labels, track))
    for folder in folders:
        try:
            _write(folder / name, seen)
        except OSError:  # of a folder of somebody else's
            continue
        tell(folder / name)
        _sweep(folder, f"{model}.", of_model)
        break
    return seen


def _by_name(layers, seen):
    return {layer.name: of_layer for layer, of_layer in zip(layers, seen)}


def _contents(layers, pictures):
    """What was looked at, and for what, as bytes."""
    yield repr((VERSION, pictures.images.shape, [layer.name for layer in layers])).encode()
    yield np.ascontiguousarray(pictures.images)
    yield np.ascontiguousarray(pictures.labels)


def _fingerprint(*contents):
    digest = hashlib.sha256()
    for content in contents:
        digest.update(content)
    return digest.hexdigest()[:16]


def _read(path, layers):
    with np.load(path, allow_pickle=False) as file:
        return {
            layer.name: Excitation(**{key: file[f"{layer.name}/{key}"] for key in Excitation.__dataclass_fields__})
            for layer in layers
        }


def _write(path, seen):
    arrays = {f"{name}/{key}": array for name, of_layer in seen.items() for key, array in asdict(of_layer).items()}
    with complete(path) as unfinished, open(unfinished, "wb") as file:
        np.savez_compressed(file, **arrays)


def _sweep(folder, of_name, of_model):
    """Remove the files of the models that had this name before."""
    for path in folder.iterdir():
        if path.name.startswith(of_name) and path.name.endswith(END) and not path.name.startswith(of_model):
            path.unlink(missing_ok=True)
