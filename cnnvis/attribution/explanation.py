"""Heat maps by any of the methods, and how far to trust them."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from cnnvis.attribution import effort, faithfulness, occlusion
from cnnvis.attribution.caveats import say_caveats
from cnnvis.attribution.contrast import Contrast
from cnnvis.attribution.methods import METHODS, layer_for, random_maps, windows_for

if TYPE_CHECKING:  # it imports TensorFlow
    from cnnvis.network import Classifier


@dataclass(frozen=True)
class Explanation:
    """N images, each with a heat map for one class.

    Attributes
    ----------
    images : (N, H, W, 3) uint8 array
    target : (N,) int array
        The class explained.
    baselines : (N, H, W, 3) array
        Pixels that replace hidden ones, 0-255.
    importance : (N, H, W) float32 array
        The heat maps: signed, in units of the score.
    deletion, insertion, random_deletion, random_insertion : (N,) float32 arrays
        Scores of the maps, 0-1, and of maps that the same method makes from random scores instead of the network's.
    patches : (N, 4) int array
        The most important patch of each map: top, left, bottom, right (exclusive).
    probability, hidden_probability : (N,) float32 arrays
        Of the target, for the whole image and with that patch hidden.
    seconds : (N,) float array
        For the map itself, without its checks: all maps took as long in turn.
    """

    images: np.ndarray
    target: np.ndarray
    baselines: np.ndarray
    importance: np.ndarray
    deletion: np.ndarray
    insertion: np.ndarray
    random_deletion: np.ndarray
    random_insertion: np.ndarray
    patches: np.ndarray
    probability: np.ndarray
    hidden_probability: np.ndarray
    seconds: np.ndarray

    def __len__(self):
        return len(self.images)

    def __getitem__(self, chosen):
        return Explanation(*(getattr(self, field.name)[chosen] for field in fields(self)))

    @property
    def in_order(self):
        """Whether each map puts the pixels in an order, without which its scores mean nothing: (N,) bool array."""
        return faithfulness.in_order(self.importance)

    def arrays(self):
        """All arrays but the seconds by their names in files: dict."""
        names = {field.name: field.name for field in fields(self)} | {"patches": "sections"}
        del names["seconds"]
        return {stored: getattr(self, name) for name, stored in names.items()}


def explain(
    classifier: "Classifier | Contrast",
    images: np.ndarray,
    targets: np.ndarray | None = None,
    *,
    method: str = "banzhaf",
    windows: Sequence[int] | None = None,
    stride: int | None = None,
    baseline: str | float = "mean",
    layer: str | None = None,
    score: str = "logit",
    seed: int = 0,
    forecast: bool = True,
    track: Callable[[str], Callable] = lambda words: iter,
) -> Explanation:
    """Make a heat map of each image for one class, and check the maps.

    Parameters
    ----------
    classifier : Classifier or Contrast
        With a `Contrast`, the question is why this class rather than another.
    images : (N, H, W, 3) uint8 array
    targets : (N,) int array, optional
        Classes to explain; the predicted ones if not given.
    method : {"banzhaf", "occlusion", "gradcam", "gradients", "smoothgrad"}
        Hide half of the patches at once, hide one after the other, weight feature maps, integrate gradients, or average
        them over noisy copies.
    windows, stride : as in `windows_for`
        The last three methods use them only to choose the most important patch.
    baseline : as in `occlusion.baseline_images`
    layer : as in `layer_for`
    score : {"logit", "probability"}
    seed : int
        Of the noise, the masks and the random maps.
    forecast : bool
        Whether a notice says if it takes long.
    track : callable
        Takes a title and returns a function that wraps a sequence, such as a progress bar.

    Returns
    -------
    Explanation

    Raises
    ------
    ValueError
        If a patch is larger than the image, or the stride than a patch; if there is no such layer, or no gradient.
    """
    if targets is None:
        targets = classifier.probabilities(images).argmax(axis=1)
    targets = np.asarray(targets)
    windows, stride = windows_for(method, images.shape[1:3], windows, stride=stride)
    layer = layer_for(method, classifier, layer)
    if forecast:
        effort.say_if_long(classifier, images, [method], windows=windows, stride=stride)
    baselines = occlusion.baseline_images(images, baseline, seed)
    how = {"windows": windows, "stride": stride, "baseline": baseline, "layer": layer, "score": score, "seed": seed}
    began = time.perf_counter()
    maps = heat_maps(classifier, images, targets, method=method, track=track, **how)
    seconds = time.perf_counter() - began
    grid = classifier.layers[layer].output.shape[1:3] if layer else None
    about = {"images": images, "baselines": baselines, "score": score, "layer": layer, "grid": grid}
    say_caveats(maps, method, **about)
    check = partial(faithfulness.deletion_insertion, classifier.probabilities, images, baselines, targets=targets)
    at_random = random_maps(
        method,
        maps.shape,
        np.random.default_rng(seed),
        windows=windows,
        stride=stride,
        grid=grid,
        track=track(effort.RANDOM),
    )
    deletion, insertion = check(importance=maps, track=track(effort.CHECKING))
    random_deletion, random_insertion = check(importance=at_random, track=track(effort.CHECKING_RANDOM))
    patches = [occlusion.most_important_patch(values, windows[len(windows) // 2]) for values in maps]
    hidden = occlusion.occlude(images, baselines, patches)
    probability, hidden_probability = (
        classifier.probabilities(x)[np.arange(len(x)), targets] for x in (images, hidden)
    )
    return Explanation(
        images=images,
        target=targets,
        baselines=baselines,
        importance=maps,
        deletion=deletion,
        insertion=insertion,
        random_deletion=random_deletion,
        random_insertion=random_insertion,
        patches=np.array(patches),
        probability=probability,
        hidden_probability=hidden_probability,
        seconds=np.full(len(images), seconds / len(images)),
    )


def heat_maps(
    classifier,
    images,
    targets,
    *,
    method="banzhaf",
    windows=None,
    stride=None,
    baseline="mean",
    layer=None,
    score="logit",
    seed=0,
    track=lambda words: iter,
):
    """The heat maps of `explain` alone: (N, H, W) float32 array."""
    windows, stride = windows_for(method, images.shape[1:3], windows, stride=stride)
    baselines = occlusion.baseline_images(images, baseline, seed)
    maps = METHODS[method].maps(
        classifier,
        images,
        targets,
        baselines=baselines,
        windows=windows,
        stride=stride,
        layer=layer_for(method, classifier, layer),
        score=score,
        seed=seed,
        track=track,
    )
    if not METHODS[method].of_layer:  # of an image that is its own baseline, no more than rounding errors
        maps[[np.array_equal(*pair) for pair in zip(images, baselines)]] = 0
    return maps


def titles(explained, labels, classes, *, both=False, against=None):
    """A title for each map: the class explained, its probability, and the true class: list of str.

    With `against`, the probability is that of the class if only it and the other were possible.

    Parameters
    ----------
    explained : Explanation
    labels : (N,) int array
        -1 where the class is unknown.
    classes : sequence of str
    both : bool
        Whether each image is explained twice, for the predicted and for the true class.
    against : int, optional
        The class that a `Contrast` compares with.
    """
    rather, of = ("", "") if against is None else (f" rather than {classes[against]}:", " of the two")
    found = []
    for target, label, probability in zip(explained.target, labels, explained.probability):
        true = f" (true: {classes[label]})" if label not in (-1, target) else " (true)" if both else ""
        found.append(f"{classes[target]}{rather} {probability:.0%}{of}{true}")
    return found
