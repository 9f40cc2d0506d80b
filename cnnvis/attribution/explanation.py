"""Heat maps by any of the methods, and how far to trust them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from cnnvis.attribution import banzhaf, faithfulness, integrated_gradients, occlusion
from cnnvis.console import duration, notice

if TYPE_CHECKING:  # it imports TensorFlow
    from cnnvis.network import Classifier

LONG = 10  # seconds, from which it is said how long explaining takes
STRIDE = 2  # between neighbouring patches, in 1/32 of the side of the image


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

    def __len__(self):
        return len(self.images)

    def __getitem__(self, chosen):
        return Explanation(*(getattr(self, field.name)[chosen] for field in fields(self)))

    def arrays(self):
        """All arrays by their names in files: dict."""
        return {"sections" if name == "patches" else name: array for name, array in vars(self).items()}


def windows_for(method, size, windows=None, stride=None):
    """Sides of the patches and the stride in pixels, for images of (height, width).

    The defaults, those of the method and `STRIDE`, scale with the image. Raises ValueError if a patch is larger than
    the image, or the stride than a patch.
    """
    scale = min(size) / 32
    windows = sorted(windows or {max(1, round(window * scale)) for window in METHODS[method].windows})
    stride = stride or max(1, min(round(STRIDE * scale), *windows))
    for window in windows:
        occlusion.window_corners(*size, window, stride)
    return windows, stride


def _banzhaf(classifier, images, targets, *, score, track, **options):
    scores = _scores(classifier, score)
    return banzhaf.banzhaf_maps(scores, images, targets, track=track("Hiding half of the patches"), **options)


def _occlusion(classifier, images, targets, *, score, seed, track, **options):
    scores = _scores(classifier, score)
    return occlusion.occlusion_maps(scores, images, targets, track=track("Hiding patches"), **options)


def _gradients(classifier, images, targets, *, baselines, windows, stride, score, seed, track):
    of_pixels, track = partial(classifier.gradients, score), track("Integrating gradients")
    return integrated_gradients.integrated_gradients(of_pixels, images, targets, baselines=baselines, track=track)


def _banzhaf_passes(shape, windows, stride):
    return len(banzhaf.Masks(shape, windows, stride, rng=np.random.default_rng()))


def _occlusion_passes(shape, windows, stride):
    return 1 + sum(len(occlusion.window_corners(*shape, window, stride)) for window in windows)


def _gradients_passes(shape, windows, stride):
    return 3 * integrated_gradients.STEPS  # a pass back takes as long as two


def _random_banzhaf(shape, windows, stride, rng, track):
    nothing, classes = np.zeros((*shape, 1), "float32"), np.zeros(shape[0], int)
    how = {"baselines": nothing, "windows": windows, "stride": stride, "track": track}
    return banzhaf.banzhaf_maps(lambda x: rng.normal(size=(len(x), 1)), nothing, classes, **how)


def _random_occlusion(shape, windows, stride, rng, track):
    count = sum(len(occlusion.window_corners(*shape[1:], window, stride)) for window in windows)
    return occlusion.average_maps(rng.normal(size=(shape[0], count)), shape[1:], windows, stride=stride)


def _random_gradients(shape, windows, stride, rng, track):
    return rng.normal(size=shape).astype("float32")


def _scores(classifier, score):
    return classifier.logits if score == "logit" else classifier.probabilities


class Method(NamedTuple):
    """A method of attribution.

    Hiding scattered pixels destroys an image faster than hiding as many in one place, so that the random map to compare
    with must be as smooth as the method's own.
    """

    maps: Callable  # (classifier, images, targets, *, baselines, windows, stride, score, seed, track) -> (N, H, W)
    random_maps: Callable  # ((N, H, W), windows, stride, rng, track) -> (N, H, W), of random scores
    windows: tuple  # sides of patches by default, in 1/32 of the image's
    passes: Callable = lambda shape, windows, stride: 0  # through the network for an image of (H, W)


METHODS = {
    "banzhaf": Method(_banzhaf, _random_banzhaf, windows=(8,), passes=_banzhaf_passes),
    "occlusion": Method(_occlusion, _random_occlusion, windows=(5, 10, 15), passes=_occlusion_passes),
    "gradients": Method(_gradients, _random_gradients, windows=(8,), passes=_gradients_passes),
}


def check_method(name):
    """The name itself. ValueError if no method is called so."""
    if name not in METHODS:
        raise ValueError(f"no method is called {name!r}: choose {', '.join(METHODS)}")
    return name


def random_maps(method, shape, windows, stride, rng, track=iter):
    """A method's maps of random scores, to compare its maps with.

    Parameters
    ----------
    method : str
        One of `METHODS`.
    shape : (N, H, W)
    windows, stride : as in `windows_for`
    rng : numpy.random.Generator
    track : callable
        Wraps the sequence of batches, such as a progress bar, where there are any.

    Returns
    -------
    (N, H, W) float32 array
    """
    return METHODS[method].random_maps(shape, windows, stride=stride, rng=rng, track=track)


def explain(
    classifier: "Classifier",
    images: np.ndarray,
    targets: np.ndarray | None = None,
    *,
    method: str = "banzhaf",
    windows: Sequence[int] | None = None,
    stride: int | None = None,
    baseline: str | float = "mean",
    score: str = "logit",
    seed: int = 0,
    track: Callable[[str], Callable] = lambda words: iter,
) -> Explanation:
    """Make a heat map of each image for one class, and check the maps. A notice says if it takes long.

    Parameters
    ----------
    classifier : Classifier
    images : (N, H, W, 3) uint8 array
    targets : (N,) int array, optional
        Classes to explain; the predicted ones if not given.
    method : {"banzhaf", "occlusion", "gradients"}
        Hide half of the patches at once, hide one after the other, or integrate gradients.
    windows, stride : as in `windows_for`
        Integrated gradients use them only to choose the most important patch.
    baseline : as in `occlusion.baseline_images`
    score : {"logit", "probability"}
    seed : int
        Of the noise, the masks and the random maps.
    track : callable
        Takes a title and returns a function that wraps a sequence, such as a progress bar.

    Returns
    -------
    Explanation

    Raises
    ------
    ValueError
        If a patch is larger than the image, or the stride than a patch.
    """
    if targets is None:
        targets = classifier.probabilities(images).argmax(axis=1)
    windows, stride = windows_for(method, images.shape[1:3], windows, stride=stride)
    passes = METHODS[method].passes(images.shape[1:3], windows, stride) + 4 * (faithfulness.STEPS + 1)
    if (seconds := classifier.cost.seconds(passes * len(images))) > LONG:
        notice(f"Explaining takes about {duration(seconds)}: {passes:,} passes through the network for each map.")
    baselines = occlusion.baseline_images(images, baseline, seed)
    how = {"windows": windows, "stride": stride, "score": score, "seed": seed, "track": track}
    maps = METHODS[method].maps(classifier, images, targets, baselines=baselines, **how)
    if not maps.any(axis=(1, 2)).all():
        notice(f"A map is 0 everywhere, as its {score} doesn't change: try another --score, --window or --baseline.")
    check = partial(faithfulness.deletion_insertion, classifier.probabilities, images, baselines, targets=targets)
    rng, bar = np.random.default_rng(seed), track("Making random maps")
    at_random = random_maps(method, maps.shape, windows, stride=stride, rng=rng, track=bar)
    deletion, insertion = check(importance=maps, track=track("Checking the maps"))
    random_deletion, random_insertion = check(importance=at_random, track=track("Checking random maps"))
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
    )


def titles(explained, labels, classes, both=False):
    """A title for each map: the class explained, its probability, and the true class: list of str.

    Parameters
    ----------
    explained : Explanation
    labels : (N,) int array
        -1 where the class is unknown.
    classes : sequence of str
    both : bool
        Whether each image is explained twice, for the predicted and for the true class.
    """
    found = []
    for target, label, probability in zip(explained.target, labels, explained.probability):
        true = f" (true: {classes[label]})" if label not in (-1, target) else " (true)" if both else ""
        found.append(f"{classes[target]} {probability:.0%}{true}")
    return found
