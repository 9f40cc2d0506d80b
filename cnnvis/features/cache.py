"""Responses of filters to real images, cached in a file: computing them on 50,000 images takes minutes."""

import math
from dataclasses import asdict

import numpy as np

from cnnvis.checkpoints import cached, short_digest
from cnnvis.features import top_images
from cnnvis.features.choosing import layers_with_filters
from cnnvis.features.top_images import FilterResponses
from cnnvis.images import identifying

VERSION = 1  # of the contents: a new one invalidates all older files


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

    def compute():
        seen = top_images.observe(classifier, layers, dataset.images, labels=dataset.labels, track=track)
        of_layers = zip(layers, map(asdict, seen))
        return {f"{layer.name}/{key}": array for layer, found in of_layers for key, array in found.items()}

    fields = tuple(FilterResponses.__dataclass_fields__)
    arrays = cached(
        compute,
        [f"{layer.name}/{key}" for layer in layers for key in fields],
        checkpoint=checkpoint,
        topic="top_images",
        network=short_digest(checkpoint.digest.encode(), repr(classifier.input_range).encode()),
        contents=_contents(layers, dataset),
        pixels=math.prod(dataset.images.shape[:3]),
        folders=folders,
        tell=tell,
    )
    return {layer.name: FilterResponses(**{key: arrays[f"{layer.name}/{key}"] for key in fields}) for layer in layers}


def _contents(layers, dataset):
    yield repr((VERSION, dataset.images.shape, [layer.name for layer in layers])).encode()
    yield from identifying(dataset.images)
    yield np.ascontiguousarray(dataset.labels)
