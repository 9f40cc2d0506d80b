"""Which pixels count for a prediction: maps, and how far to trust them."""

from dataclasses import dataclass, fields
from functools import partial

import numpy as np

from cnnvis.attribution import banzhaf as halves
from cnnvis.attribution import faithfulness, occlusion
from cnnvis.attribution import integrated_gradients as gradients

METHODS = ("halves", "occlusion", "gradient")
WINDOWS = {"halves": (8,), "occlusion": (5, 10, 15), "gradient": (8,)}  # sides of squares, in 32nds of the shorter side
STRIDE = 2  # from one square to the next, likewise


@dataclass(frozen=True)
class Importance:
    """Pictures, each with a map for one class; all arrays are as long.

    Attributes
    ----------
    images : (N, H, W, 3) uint8 array
    target : (N,) int array
        Class that is explained.
    baselines : (N, H, W, 3) array
        What hidden pixels show, 0-255.
    importance : (N, H, W) float32 array
        Signed, in units of the score.
    deletion, insertion, random_deletion, random_insertion : (N,) float32 arrays
        Of the maps, and of maps that the same method makes of random numbers instead of the network's.
    sections : (N, 4) int array
        The square over which a map has most: top, left, bottom, right (exclusive).
    probability, hidden_probability : (N,) float32 arrays
        Of the target, for the picture as it is and with that square hidden.
    """

    images: np.ndarray
    target: np.ndarray
    baselines: np.ndarray
    importance: np.ndarray
    deletion: np.ndarray
    insertion: np.ndarray
    random_deletion: np.ndarray
    random_insertion: np.ndarray
    sections: np.ndarray
    probability: np.ndarray
    hidden_probability: np.ndarray

    def __len__(self):
        return len(self.images)

    def __getitem__(self, chosen):
        return Importance(*(getattr(self, field.name)[chosen] for field in fields(self)))


def windows_for(method, height, width, windows=None, stride=None):
    """Sides of the squares and the stride in pixels, for pictures of that size.

    Those that aren't said are `WINDOWS` and `STRIDE`, so that a larger picture has as many squares.

    Raises ValueError if a window doesn't fit, or the stride leaves pixels out.
    """
    scale = min(height, width) / 32
    windows = sorted(windows or {max(1, round(window * scale)) for window in WINDOWS[method]})
    stride = stride or max(1, min(round(STRIDE * scale), *windows))
    for window in windows:
        occlusion.window_corners(height, width, window, stride)
    return windows, stride


def random_maps(method, shape, windows, stride, rng):
    """What a method draws of a network that answers at random: the yardstick for its maps.

    Hidden pixels that lie scattered destroy a picture faster than as many in one place do. So an order of importance
    is compared fairly only with a random one that is as smooth.

    Parameters
    ----------
    method : as in `explain`
    shape : (N, H, W)
    windows, stride : as in `windows_for`
    rng : numpy.random.Generator

    Returns
    -------
    (N, H, W) float32 array
    """
    if method == "gradient":
        return rng.normal(size=shape).astype("float32")
    if method == "halves":
        nothing, classes = np.zeros((*shape, 1), "float32"), np.zeros(shape[0], int)
        return halves.half_maps(lambda x: rng.normal(size=(len(x), 1)), nothing, classes, nothing, windows, stride)
    count = sum(len(occlusion.window_corners(*shape[1:], window, stride)) for window in windows)
    return occlusion.average_maps(rng.normal(size=(shape[0], count)), shape[1:], windows, stride)


def explain(
    classifier,
    images,
    targets,
    method="halves",
    windows=None,
    stride=None,
    baseline="mean",
    score="logit",
    seed=0,
    track=lambda words: iter,
):
    """Map the importance of each pixel, and check the maps.

    Parameters
    ----------
    classifier : Classifier
    images : (N, H, W, 3) uint8 array
    targets : (N,) int array
    method : {"halves", "occlusion", "gradient"}
        Hide half of all squares at once, or one after the other, or integrate gradients.
    windows, stride : as in `windows_for`
        The gradient's maps have only the section from them.
    baseline : as in `occlusion.baseline_images`
    score : {"logit", "probability"}
    seed : int
        Of the noise, of the halves and of the random maps.
    track : callable
        Takes words and returns a wrapper of sequences: a progress bar, say.

    Returns
    -------
    Importance
    """
    windows, stride = windows_for(method, *images.shape[1:3], windows, stride)
    baselines = occlusion.baseline_images(images, baseline, seed)
    scores = classifier.logits if score == "logit" else classifier.probabilities
    if method == "halves":
        how = windows, stride, seed, track("Hiding halves")
        maps = halves.half_maps(scores, images, targets, baselines, *how)
    elif method == "occlusion":
        maps = occlusion.occlusion_maps(scores, images, targets, baselines, windows, stride, track("Hiding sections"))
    else:
        slopes = partial(classifier.gradients, score)
        maps = gradients.integrated_gradients(slopes, images, targets, baselines, track=track("Integrating"))
    check = partial(faithfulness.deletion_insertion, classifier.probabilities, images, baselines, targets=targets)
    at_random = random_maps(method, maps.shape, windows, stride, np.random.default_rng(seed))
    sections = [occlusion.most_important_section(values, windows[len(windows) // 2]) for values in maps]
    hidden = occlusion.occlude(images, baselines, sections)
    return Importance(
        images,
        targets,
        baselines,
        maps,
        *check(importance=maps, track=track("Checking the maps")),
        *check(importance=at_random, track=track("Checking random maps")),
        np.array(sections),
        *(classifier.probabilities(x)[np.arange(len(x)), targets] for x in (images, hidden)),
    )
