"""The layer before the logits: what a network has made of an image before it decides on a class."""

import math
from dataclasses import dataclass

import keras

from cnnvis.console import notice
from cnnvis.network import endings, layer_kinds
from cnnvis.network.computing import Computed, numbers

MOST_VALUES = 2**27  # of all images together: 512 MB of float32


@dataclass(frozen=True)
class Hidden:
    """What the layer that gives the logits takes.

    Attributes
    ----------
    names : tuple of str
        The layers that it takes the outputs of, several if the network ends in several branches; empty if it takes the
        pixels themselves.
    values : (N, D) symbolic tensor
        These outputs side by side, feature maps averaged over space.
    classifier : Classifier
    """

    names: tuple
    values: object
    classifier: object

    def compute(self, images):
        """(N, H, W, 3) pixels 0-255 -> (N, D) float32 values."""
        return self.classifier.evaluate(("hidden", id(self.values)), lambda: self.values, images)


def hidden(classifier, images=1):
    """The layer before the logits.

    Parameters
    ----------
    classifier : Classifier
    images : int
        How many images it is to be computed for.

    Returns
    -------
    Hidden
        None, after a notice, if its output isn't one row of numbers for each image, or they fill the memory.
    """
    try:
        return _hidden(classifier, images)
    except ValueError as error:
        notice(f"No map and no nearest training images: {error}.")


def _hidden(classifier, images):
    makers = {id(x): layer for layer in classifier.layers.values() for x in keras.tree.flatten(layer.output)}
    taken = _before_the_logits(makers, classifier.output)
    if not all(len(x.shape) > 1 and x.shape[0] is None and None not in x.shape[1:] for x, _ in taken):
        raise ValueError("the layer before the logits has no row of numbers for each image")
    rows = [_rows(x, reader) for x, reader in taken]
    values = Computed(lambda *x: keras.ops.concatenate([row(y) for row, y in zip(rows, x)], axis=-1), "hidden")
    values = values(*(x for x, _ in taken))
    if images * values.shape[-1] > MOST_VALUES:
        raise ValueError(f"the layer before the logits has {values.shape[-1]:,} values, too many for {images:,} images")
    before = Hidden(
        tuple(dict.fromkeys(_name(makers, x) for x, _ in taken if _is_learned(makers, x))), values, classifier
    )
    _both(before, endings.probe_images(*classifier.size)[:2])  # refuses views of an image that make a batch
    return before


def predict(classifier, images, before=None, batch_size=None, track=iter):
    """Probabilities and the layer before the logits, in one pass.

    Parameters
    ----------
    classifier : Classifier
    images : (N, H, W, 3) array
        Pixels 0-255.
    before : Hidden, optional
    batch_size, track
        As of `Classifier.probabilities`.

    Returns
    -------
    probabilities : (N, K) float32 array
    values : (N, D) float32 array
        None without `before`.

    Raises
    ------
    ValueError
        If the network outputs NaN.
    """
    if before is None:
        return classifier.probabilities(images, batch_size, track), None
    found = _both(before, images, batch_size=batch_size, track=track)
    return numbers(found["probabilities"]), found["hidden"]


def _both(before, images, **how):
    """Probabilities and the layer before the logits: dict of two arrays."""
    both = {"probabilities": before.classifier.exit, "hidden": before.values}
    return before.classifier.evaluate(("with hidden", id(before.values)), lambda: both, images, **how)


def _before_the_logits(makers, output):
    """What the last layers with matrices of weights take, each with that layer; or the pixels: list of pairs."""
    pending, seen, taken = [output], set(), {}
    while pending:
        x = pending.pop()
        layer = makers.get(id(x))
        if layer is None or not layer.inputs:
            taken.setdefault(id(x), (x, None))
        elif _mixes(layer):
            taken.update({id(x): (x, layer) for x in layer.inputs if id(x) not in taken})
        else:
            pending.extend(x for x in reversed(layer.inputs) if id(x) not in seen)
            seen.update(map(id, layer.inputs))
    return list(taken.values())


def _mixes(layer):
    """Whether a layer's outputs are weighted sums of its inputs, so that it isn't an activation or normalisation."""
    return any(len(weight.shape) > 1 for weight in getattr(layer.layer, "weights", ())) and layer.kind != "RELU"


def _rows(x, reader):
    """A function from (N, ...) outputs to (N, D): averaged over space unless the reader has weights for each place."""
    sees_all = reader is not None and reader.kind == "CONV" and math.prod(reader.output.shape[1:-1]) == 1
    if len(x.shape) == 2 or sees_all or reader is None:
        return lambda y: keras.ops.reshape(y, (-1, math.prod(x.shape[1:])))
    return lambda y: keras.ops.mean(y, axis=tuple(range(1, len(x.shape) - 1)))


def _is_learned(makers, x):
    """Whether any layer before a tensor has a matrix of weights."""
    pending, seen = [x], set()
    while pending:
        layer = makers.get(id(pending.pop()))
        if layer is not None and layer.name not in seen:
            seen.add(layer.name)
            if _mixes(layer):
                return True
            pending.extend(layer.inputs)
    return False


def _name(makers, x):
    """The name of the layer that computes a tensor; layers that only reshape it don't count."""
    layer = makers[id(x)]
    while layer_kinds.only_reshapes(layer.layer) and id(layer.inputs[0]) in makers:
        layer = makers[id(layer.inputs[0])]
    return layer.name
