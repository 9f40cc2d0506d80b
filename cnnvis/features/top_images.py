"""What real pictures do to filters: the most they give, where, and for which class; in one pass over the data."""

from dataclasses import dataclass, replace

import keras
import numpy as np
from PIL import Image

from cnnvis.images.sources import pictures_at_once
from cnnvis.network.classifier import compiled

PATCHES = 9  # that are kept of each filter
PATCH_SIDE = 64  # pixels at most; larger patches are reduced, so that those of a whole layer fit into memory


@dataclass(frozen=True)
class Excitation:
    """Of all filters of a layer, before their RELU unless it says otherwise.

    Attributes
    ----------
    largest : (F,) float32 array
        The most that a picture gives, averaged over space (CONV) or the unit's own (FC).
    dead : (F,) bool array
        Whether the input of the RELU behind the filter is never positive, anywhere in any picture, so that nothing of
        it ever passes; False where no RELU follows.
    peaks : (P, F) float32 array
        The highest values anywhere, of the `PATCHES` pictures that have the highest, or of all if there are fewer.
    pictures : (P, F) int64 array
        Which pictures these are.
    cells : (P, F, 2) int64 array
        Row and column of the layer's output where they are; 0 in an FC layer.
    class_means : (K, F) float32 array
        What passes the RELU, averaged over space and over the pictures of each class; NaN for a class without pictures.
    """

    largest: np.ndarray
    dead: np.ndarray
    peaks: np.ndarray
    pictures: np.ndarray
    cells: np.ndarray
    class_means: np.ndarray

    def of(self, filters):
        """The same of some filters only."""
        return replace(
            self,
            largest=self.largest[filters],
            dead=self.dead[filters],
            peaks=self.peaks[:, filters],
            pictures=self.pictures[:, filters],
            cells=self.cells[:, filters],
            class_means=self.class_means[:, filters],
        )

    @property
    def favourite(self):
        """The class that each filter lets most pass of: (F,) int64 array, -1 where no class is known."""
        if np.isnan(self.class_means).all():
            return np.full(self.class_means.shape[1], -1)
        return np.nanargmax(self.class_means, axis=0)

    @property
    def selectivity(self):
        """How far each filter is for one class alone: (F,) float32 array, 0 (for all alike) to 1 (Morcos et al. 2018).

        (m - o) / (m + o) with m of the class that lets most pass and o the mean of the others; 0 where nothing passes.
        """
        known = self.class_means[~np.isnan(self.class_means).any(axis=1)]
        if len(known) < 2:
            return np.zeros(self.class_means.shape[1], "float32")
        most = known.max(axis=0)
        others = (known.sum(axis=0) - most) / (len(known) - 1)
        return np.divide(most - others, most + others, out=np.zeros_like(most), where=most + others > 0)


def observe(classifier, layers, images, labels, track=iter):
    """Look at what pictures do to the filters of several layers, in one pass; memory doesn't grow with the pictures.

    Parameters
    ----------
    classifier : Classifier
    layers : sequence of Layer
        CONV or FC.
    images : (N, H, W, 3) array
        Pixels 0-255.
    labels : (N,) int array
        -1 where the class is not known.
    track : callable
        Wraps the sequence of batches.

    Returns
    -------
    list of Excitation, one a layer
    """
    run = compiled(classifier.model_to({layer.name: _summary(classifier, layer) for layer in layers}))
    seen = {layer.name: _Seen(layer.linear.shape[-1], classifier.classes) for layer in layers}
    batch = pictures_at_once(*images.shape[1:3])
    for start in track(range(0, len(images), batch)):
        chosen = slice(start, start + batch)
        for name, summary in run(images[chosen]).items():
            seen[name].add(start, labels[chosen], **summary)
    return [seen[layer.name].excitation(layer) for layer in layers]


def _summary(classifier, layer):
    """Symbolic numbers of each picture: dict of str to (N, F) tensors."""
    x, relu_input = layer.linear, classifier.relu_input(layer)
    passed = keras.ops.relu(x if relu_input is None else relu_input)
    summary = {"mean": _over_space(x, "mean"), "peak": _over_space(x, "max"), "passed": _over_space(passed, "mean")}
    if len(x.shape) == 4:
        cells = keras.ops.reshape(x, (-1, x.shape[1] * x.shape[2], x.shape[3]))
        summary["cell"] = keras.ops.argmax(cells, axis=1)
    if relu_input is not None:
        summary["input"] = _over_space(relu_input, "max")
    return summary


def _over_space(x, what):
    return getattr(keras.ops, what)(x, axis=(1, 2)) if len(x.shape) == 4 else x


def patches(images, seen, fields):
    """The parts of the pictures that excite each filter most.

    Parameters
    ----------
    images : (N, H, W, 3) uint8 array
        Those that were observed.
    seen : Excitation
    fields : pair of receptive_field.Field, or None
        What the layer's cells see; all, if None.

    Returns
    -------
    (P, F, h, w, 3) uint8 array
        As large as the receptive field, or as the picture along an axis where the field is larger; no side is longer
        than `PATCH_SIDE`. What a cell at the border sees beyond the picture is grey.
    """
    shape = images.shape[1:3]
    sizes = shape if fields is None else [min(field.size, length) for field, length in zip(fields, shape)]
    shrink = min(1, PATCH_SIDE / max(sizes))
    small = [max(1, round(size * shrink)) for size in sizes]
    cut = np.empty((*seen.pictures.shape, *small, 3), "uint8")
    for place in np.ndindex(seen.pictures.shape):
        image = images[seen.pictures[place]]
        patch = image if fields is None else _patch(image, seen.cells[place], fields, sizes)
        cut[place] = patch if shrink == 1 else Image.fromarray(patch).resize(small[::-1], Image.Resampling.BOX)
    return cut


def _patch(image, cell, fields, sizes):
    """What a cell sees of an (H, W, 3) picture."""
    patch, inside, within = np.full((*sizes, 3), 128, "uint8"), [], []
    for field, index, size, length in zip(fields, cell, sizes, image.shape):
        first = field.start + index * field.stride if size == field.size else 0
        inside.append(slice(max(first, 0), min(first + size, length)))
        within.append(slice(max(-first, 0), max(-first, 0) + inside[-1].stop - inside[-1].start))
    patch[tuple(within)] = image[tuple(inside)]
    return patch


class _Seen:
    """What is kept of the pictures seen so far."""

    def __init__(self, filters, classes):
        self.largest = np.full(filters, -np.inf, "float32")
        self.input = np.full(filters, -np.inf, "float32")
        self.passed, self.count = np.zeros((classes, filters)), np.zeros(classes)
        self.best = np.empty((3, 0, filters))  # peak, picture, cell

    def add(self, start, labels, mean, peak, passed, cell=None, input=None):
        self.largest = np.maximum(self.largest, mean.max(axis=0))
        self.input = np.maximum(self.input, np.inf if input is None else input.max(axis=0))
        known = labels >= 0
        np.add.at(self.passed, labels[known], passed[known])
        np.add.at(self.count, labels[known], 1)
        pictures = np.broadcast_to(start + np.arange(len(peak))[:, None], peak.shape)
        more = np.stack([peak, pictures, np.zeros_like(peak) if cell is None else cell])
        best = np.concatenate([self.best, more], axis=1)
        order = np.argsort(-best[0], axis=0, kind="stable")[:PATCHES]
        self.best = np.take_along_axis(best, order[None], axis=1)

    def excitation(self, layer):
        width = layer.linear.shape[2] if len(layer.linear.shape) == 4 else 1
        peaks, pictures, cells = self.best
        with np.errstate(invalid="ignore"):
            class_means = self.passed / self.count[:, None]
        return Excitation(
            self.largest,
            self.input <= 0,
            peaks.astype("float32"),
            pictures.astype("int64"),
            np.stack(np.divmod(cells.astype("int64"), width), axis=-1),
            class_means.astype("float32"),
        )
