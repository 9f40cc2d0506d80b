"""Which map to believe: all methods on the same images, with the same scores."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from cnnvis.attribution import sanity
from cnnvis.attribution.explanation import explain, heat_maps
from cnnvis.attribution.methods import METHODS, layer_for, random_maps, windows_for
from cnnvis.console import notice

if TYPE_CHECKING:  # they import TensorFlow
    from cnnvis.attribution.contrast import Contrast
    from cnnvis.network import Classifier

FLOOR = "banzhaf"  # the method whose maps of random scores are the floor: the smoothest


@dataclass(frozen=True)
class Comparison:
    """Maps of the same N images by several methods.

    Attributes
    ----------
    explanations : dict of str to Explanation
        By method, in the order of `METHODS`.
    floor : (N, H, W) float32 array
        Maps of random scores, by the method `FLOOR`.
    random_weights : dict of str to (N, H, W) float32 array
        Each method's maps of the same network with random weights; empty unless they were asked for.
    """

    explanations: dict
    floor: np.ndarray
    random_weights: dict = field(default_factory=dict)

    def __len__(self):
        return len(self.floor)

    def __getitem__(self, chosen):
        explanations, random_weights = (
            {name: each[chosen] for name, each in several.items()}
            for several in (self.explanations, self.random_weights)
        )
        return Comparison(explanations, self.floor[chosen], random_weights)

    @property
    def first(self):
        """The explanation by the first method."""
        return next(iter(self.explanations.values()))

    @property
    def faithfulness(self):
        """Insertion minus deletion of each map: dict of str to (N,) float array, -1 to 1, the higher the better."""
        return {name: each.insertion - each.deletion for name, each in self.explanations.items()}

    @property
    def of_floor(self):
        """Insertion minus deletion of the random maps: (N,) float array."""
        return self.first.random_insertion - self.first.random_deletion

    @property
    def best(self):
        """The method with the most faithful map of each image: list of str."""
        names, values = list(self.explanations), np.stack(list(self.faithfulness.values()))
        return [names[place] for place in values.argmax(axis=0)]

    @property
    def likeness(self):
        """How alike each map and the one with random weights are: dict of str to (N,) float array, -1 to 1."""
        return {
            name: sanity.likeness(self.explanations[name].importance, maps)
            for name, maps in self.random_weights.items()
        }


def compare(
    classifier: "Classifier | Contrast",
    images: np.ndarray,
    targets: np.ndarray,
    *,
    methods: Sequence[str] = tuple(METHODS),
    windows: Sequence[int] | None = None,
    stride: int | None = None,
    baseline: str | float = "mean",
    layer: str | None = None,
    score: str = "logit",
    seed: int = 0,
    track: Callable[[str], Callable] = lambda words: iter,
) -> Comparison:
    """Make maps of the same images by several methods. A notice names those that the network has no maps for.

    Parameters
    ----------
    classifier, images, targets, windows, stride, baseline, layer, score, seed, track
        As of `explain`.
    methods : sequence of str

    Returns
    -------
    Comparison

    Raises
    ------
    ValueError
        As `explain`, but with several methods not because of gradients or a CONV layer that the network lacks.
    """
    how = {"stride": stride, "baseline": baseline, "layer": layer, "score": score, "seed": seed, "track": track}
    for method in methods:
        windows_for(method, images.shape[1:3], windows, stride)
        if layer:
            layer_for(method, classifier, layer)
    explanations = {}
    for method in methods:
        try:
            explanations[method] = explain(classifier, images, targets, method=method, windows=windows, **how)
        except ValueError as error:
            if len(methods) == 1 or not METHODS[method].by_gradients:
                raise
            notice(f"{method} is left out: {error}")
    sides, step = windows_for(FLOOR, images.shape[1:3], windows, stride)
    floor = random_maps(
        FLOOR,
        images.shape[:3],
        np.random.default_rng(seed),
        windows=sides,
        stride=step,
        track=track("Making random maps"),
    )
    return Comparison(explanations=explanations, floor=floor)


def with_random_weights(classifier, compared, *, seed=0, **how):
    """The same comparison, with maps of the same network with random weights: Comparison.

    Parameters
    ----------
    classifier : Classifier or Contrast
    compared : Comparison
    seed, **how
        As of `explain`.
    """
    first = compared.first
    with sanity.random_weights(classifier, seed):
        maps = {
            method: heat_maps(classifier, first.images, first.target, method=method, seed=seed, **how)
            for method in compared.explanations
        }
    return replace(compared, random_weights=maps)
