"""Responses of filters to real images, cached in a file: computing them on 50,000 images takes minutes."""

import hashlib
import math
from dataclasses import asdict

import numpy as np

from cnnvis.console import complete
from cnnvis.features import top_images
from cnnvis.features.choosing import layers_with_filters
from cnnvis.features.top_images import FilterResponses

END = ".top_images.npz"
VERSION = 1  # of the contents: a new one invalidates all older files
WORTH_KEEPING = 2_000_000  # pixels of real images from which on they are cached; fewer take seconds


def observe(classifier, layers, dataset, checkpoint, folders, *, track=iter, tell=print):
    """As `top_images.observe`, but cached in a file.

    All CONV and FC layers are observed together with those asked for, so that one file serves any choice of layers.
    The name of the file identifies the model, the images and the layers. It contains numbers only, no images.

    Parameters
    ----------
    classifier : Classifier
    layers : sequence of Layer
        CONV or FC.
    dataset : Dataset
    checkpoint : Checkpoint
        The classifier's. Its `path` and `digest` are used, so a model file that was replaced since then doesn't count.
    folders : sequence of Path
        Where to look for the file. It is written to the first of them that is writable.
    track : callable
        Wraps the sequence of batches.
    tell : callable
        Called with the path of a file that was written.

    Returns
    -------
    dict of str to FilterResponses
        Of each layer.
    """
    layers = {layer.name: layer for layer in [*layers_with_filters(classifier, ["all"]), *layers]}.values()
    if math.prod(dataset.images.shape[:3]) < WORTH_KEEPING:
        return _compute(classifier, layers, dataset, track)
    model = checkpoint.path.name
    of_model = f"{model}.{_fingerprint(checkpoint.digest.encode(), repr(classifier.input_range).encode())}-"
    name = f"{of_model}{_fingerprint(*_contents(layers, dataset))}{END}"
    for folder in folders:
        try:
            return _read(folder / name, layers)
        except Exception:  # absent, or damaged: zipfile, zlib and NumPy raise different errors
            continue
    seen = _compute(classifier, layers, dataset, track)
    for folder in folders:
        try:
            _write(folder / name, seen)
        except OSError:  # a folder without write permission
            continue
        tell(folder / name)
        _sweep(folder, f"{model}.", of_model)
        break
    return seen


def _compute(classifier, layers, dataset, track):
    seen = top_images.observe(classifier, layers, dataset.images, labels=dataset.labels, track=track)
    return {layer.name: of_layer for layer, of_layer in zip(layers, seen)}


def _contents(layers, dataset):
    """All that the responses depend on besides the model, as bytes."""
    yield repr((VERSION, dataset.images.shape, [layer.name for layer in layers])).encode()
    yield np.ascontiguousarray(dataset.images)
    yield np.ascontiguousarray(dataset.labels)


def _fingerprint(*contents):
    digest = hashlib.sha256()
    for content in contents:
        digest.update(content)
    return digest.hexdigest()[:16]


def _read(path, layers):
    with np.load(path, allow_pickle=False) as file:
        return {
            layer.name: FilterResponses(
                **{key: file[f"{layer.name}/{key}"] for key in FilterResponses.__dataclass_fields__}
            )
            for layer in layers
        }


def _write(path, seen):
    arrays = {f"{name}/{key}": array for name, of_layer in seen.items() for key, array in asdict(of_layer).items()}
    with complete(path) as unfinished, open(unfinished, "wb") as file:
        np.savez_compressed(file, **arrays)


def _sweep(folder, of_name, of_model):
    """Remove the files of earlier models of this name."""
    for path in folder.iterdir():
        if path.name.startswith(of_name) and path.name.endswith(END) and not path.name.startswith(of_model):
            path.unlink(missing_ok=True)
