"""The real images that activate filters most: how strongly, where, and of which class; in one pass over the data."""

from dataclasses import dataclass, replace

import keras
import numpy as np
from PIL import Image

from cnnvis.network import Computed, compiled, relu_input

PATCHES = 9  # kept for each filter
PATCH_SIDE = 64  # pixels; larger patches are scaled down, so that those of a whole layer fit into memory


@dataclass(frozen=True)
class FilterResponses:
    """Responses of all filters of a layer to real images, before the ReLU unless stated otherwise.

    Attributes
    ----------
    largest : (F,) float32 array
        The largest activation by an image, averaged over space (CONV) or the unit's own (FC).
    dead : (F,) bool array
        Whether the input of the ReLU behind the filter is never positive, in any image; False if no ReLU follows.
    peaks : (P, F) float32 array
        The highest activations, one per image, in the `PATCHES` top images (or in all, if fewer); in descending order.
    images : (P, F) int64 array
        Indices of the top images.
    places : (P, F, 2) int64 array
        Row and column of the peak in the feature map; 0 in an FC layer.
    class_means : (K, F) float32 array
        Activation after the ReLU, averaged over space and the images of each class; NaN for a class without images.
    """

    largest: np.ndarray
    dead: np.ndarray
    peaks: np.ndarray
    images: np.ndarray
    places: np.ndarray
    class_means: np.ndarray

    def of(self, filters):
        """The responses of some filters only."""
        return replace(
            self,
            largest=self.largest[filters],
            dead=self.dead[filters],
            peaks=self.peaks[:, filters],
            images=self.images[:, filters],
            places=self.places[:, filters],
            class_means=self.class_means[:, filters],
        )

    @property
    def favourite(self):
        """The class to which each filter responds most strongly: (F,) int64 array, -1 if no class is known."""
        if np.isnan(self.class_means).all():
            return np.full(self.class_means.shape[1], -1)
        return np.nanargmax(self.class_means, axis=0)

    @property
    def selectivity(self):
        """Class selectivity (Morcos et al. 2018): (F,) float32 array from 0 (all classes alike) to 1 (one class only).

        (m - o) / (m + o), where m is the largest class mean and o the average of the others; 0 if both are 0.
        """
        known = self.class_means[~np.isnan(self.class_means).any(axis=1)]
        if len(known) < 2:
            return np.zeros(self.class_means.shape[1], "float32")
        most = known.max(axis=0)
        others = (known.sum(axis=0) - most) / (len(known) - 1)
        return np.divide(most - others, most + others, out=np.zeros_like(most), where=most + others > 0)


def observe(classifier, layers, images, labels, track=iter):
    """Responses of the filters of several layers to images, in one pass, in memory independent of the number of images.

    Parameters
    ----------
    classifier : Classifier
    layers : sequence of Layer
        CONV or FC.
    images : (N, H, W, 3) array
        Pixels 0-255.
    labels : (N,) int array
        -1 where the class is unknown.
    track : callable
        Wraps the sequence of batches.

    Returns
    -------
    list of FilterResponses, one per layer
    """
    run = compiled(classifier.model_to({layer.name: _summary(classifier, layer) for layer in layers}))
    seen = {layer.name: _Seen(layer.linear.shape[-1], classifier.classes) for layer in layers}
    batch = classifier.at_once
    for start in track(range(0, len(images), batch)):
        chosen = slice(start, start + batch)
        for name, summary in run(images[chosen]).items():
            seen[name].add(start, labels[chosen], **summary)
    return [seen[layer.name].responses(layer) for layer in layers]


def _summary(classifier, layer):
    """Symbolic responses to each image: dict of str to (N, F) tensors."""
    x, before_relu = layer.linear, relu_input(classifier, layer)

    def summarize(x, before_relu=None):
        passed = keras.ops.relu(x if before_relu is None else before_relu)
        summary = {"mean": _over_space(x, "mean"), "peak": _over_space(x, "max"), "passed": _over_space(passed, "mean")}
        if len(x.shape) == 4:
            flat = keras.ops.reshape(x, (-1, x.shape[1] * x.shape[2], x.shape[3]))
            summary["place"] = keras.ops.argmax(flat, axis=1)
        if before_relu is not None:
            summary["input"] = _over_space(before_relu, "max")
        return summary

    return Computed(summarize, f"summary_of_{layer.name}")(*[x] if before_relu is None else [x, before_relu])


def _over_space(x, what):
    return getattr(keras.ops, what)(x, axis=(1, 2)) if len(x.shape) == 4 else x


def patches(images, seen, fields):
    """The top patches of each filter: the receptive fields of the most active units.

    Parameters
    ----------
    images : (N, H, W, 3) uint8 array
        Those that were observed.
    seen : FilterResponses
    fields : pair of receptive_field.Field, or None
        Receptive fields of the layer; the whole image if None.

    Returns
    -------
    (P, F, h, w, 3) uint8 array
        As large as the receptive field, or as the image along an axis where the field is larger; scaled down to
        `PATCH_SIDE`. Padding is grey.
    """
    shape = images.shape[1:3]
    sizes = shape if fields is None else [min(field.size, length) for field, length in zip(fields, shape)]
    shrink = min(1, PATCH_SIDE / max(sizes))
    small = [max(1, round(size * shrink)) for size in sizes]
    cut = np.empty((*seen.images.shape, *small, 3), "uint8")
    for place in np.ndindex(seen.images.shape):
        image = images[seen.images[place]]
        patch = image if fields is None else _patch(image, seen.places[place], fields, sizes)
        cut[place] = patch if shrink == 1 else Image.fromarray(patch).resize(small[::-1], Image.Resampling.BOX)
    return cut


def _patch(image, unit, fields, sizes):
    """The receptive field of the unit at (row, column), cut from an (H, W, 3) image."""
    patch, inside, within = np.full((*sizes, 3), 128, "uint8"), [], []
    for field, index, size, length in zip(fields, unit, sizes, image.shape):
        first = field.start + index * field.stride if size == field.size else 0
        inside.append(slice(max(first, 0), min(first + size, length)))
        within.append(slice(max(-first, 0), max(-first, 0) + inside[-1].stop - inside[-1].start))
    patch[tuple(within)] = image[tuple(inside)]
    return patch


class _Seen:
    """Responses to the images seen so far."""

    def __init__(self, filters, classes):
        self.largest = np.full(filters, -np.inf, "float32")
        self.input = np.full(filters, -np.inf, "float32")
        self.passed, self.count = np.zeros((classes, filters)), np.zeros(classes)
        self.best = np.empty((3, 0, filters))  # peak, image, place

    def add(self, start, labels, mean, peak, passed, place=None, input=None):
        self.largest = np.maximum(self.largest, mean.max(axis=0))
        self.input = np.maximum(self.input, np.inf if input is None else input.max(axis=0))
        known = labels >= 0
        np.add.at(self.passed, labels[known], passed[known])
        np.add.at(self.count, labels[known], 1)
        images = np.broadcast_to(start + np.arange(len(peak))[:, None], peak.shape)
        more = np.stack([peak, images, np.zeros_like(peak) if place is None else place])
        best = np.concatenate([self.best, more], axis=1)
        order = np.argsort(-best[0], axis=0, kind="stable")[:PATCHES]
        self.best = np.take_along_axis(best, order[None], axis=1)

    def responses(self, layer):
        width = layer.linear.shape[2] if len(layer.linear.shape) == 4 else 1
        peaks, images, places = self.best
        with np.errstate(invalid="ignore"):
            class_means = self.passed / self.count[:, None]
        return FilterResponses(
            largest=self.largest,
            dead=self.input <= 0,
            peaks=peaks.astype("float32"),
            images=images.astype("int64"),
            places=np.stack(np.divmod(places.astype("int64"), width), axis=-1),
            class_means=class_means.astype("float32"),
        )
