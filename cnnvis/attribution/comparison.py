"""Which map to believe: all methods on the same images, with the same scores."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from cnnvis.attribution import effort, sanity
from cnnvis.attribution.explanation import explain, heat_maps
from cnnvis.attribution.methods import METHODS, layer_for, random_maps, windows_for
from cnnvis.console import notice

if TYPE_CHECKING:  # they import TensorFlow
    from cnnvis.attribution.contrast import Contrast
    from cnnvis.network import Classifier

FLOOR = "banzhaf"  # the method whose maps of random scores are the floor: the smoothest
LEAST_LEAD = 0.005  # over random maps: less is rounded off where it is shown


@dataclass(frozen=True)
class Comparison:
    """Maps of the same N images by several methods.

    Attributes
    ----------
    explanations : dict of str to Explanation
        By method, in the order of `METHODS`.
    floor : (N, H, W) float32 array
        Maps of random scores, by the method `FLOOR`; None if there is only one method.
    random_weights : dict of str to (N, H, W) float32 array
        Each method's maps of the same network with random weights; empty unless they were asked for.
    """

    explanations: dict
    floor: np.ndarray | None = None
    random_weights: dict = field(default_factory=dict)

    def __len__(self):
        return len(self.first.deletion)

    def __getitem__(self, chosen):
        explanations, random_weights = (
            {name: each[chosen] for name, each in several.items()}
            for several in (self.explanations, self.random_weights)
        )
        return Comparison(explanations, None if self.floor is None else self.floor[chosen], random_weights)

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
        """The method with the most faithful map of each image; "" if a random one is as faithful: list of str.

        Maps that are the same everywhere don't compete.
        """
        names, values = list(self.explanations), np.stack(list(self.faithfulness.values()))
        values[~np.stack([each.in_order for each in self.explanations.values()])] = -np.inf
        better = values.max(axis=0) > self.of_floor + LEAST_LEAD
        return [names[place] if some else "" for place, some in zip(values.argmax(axis=0), better)]

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
    random_weights: bool = False,
    track: Callable[[str], Callable] = lambda words: iter,
    bar: Callable = effort.no_bar,
    **how,
) -> Comparison:
    """Make maps of the same images by several methods. Notices say how long it takes, and what has to be left out.

    Parameters
    ----------
    classifier, images, targets, **how
        As of `explain`.
    methods : sequence of str
    random_weights : bool
        Whether to make maps of the same network with random weights, too.
    track : callable
        As of `explain`, for one method.
    bar : callable
        Such as `console.bar`, for more than that: one bar for everything.

    Returns
    -------
    Comparison

    Raises
    ------
    ValueError
        As `explain`, but with several methods not because of gradients or a CONV layer that the network lacks.
    """
    size, patches = images.shape[1:3], {key: how.get(key) for key in ("windows", "stride")}
    of_maps = {method: effort.passes(method, size, **patches) for method in methods}
    if layer := how.get("layer"):
        for method in methods:
            layer_for(method, classifier, layer)
    effort.say_if_long(classifier, images, methods, **patches, random_weights=random_weights)
    alone, explanations = len(methods) == 1 and not random_weights, {}
    with effort.OneBar(effort.no_bar if alone else bar, of_maps, random_weights=random_weights) as one_bar:
        for method in methods:
            what = {"method": method, **how}
            try:
                if len(methods) > 1 and METHODS[method].by_gradients:
                    heat_maps(classifier, images[:1], targets[:1], **what)  # compiles: that isn't in its `seconds`
                what["track"] = track if alone else one_bar.track(method)
                explanations[method] = explain(classifier, images, targets, forecast=False, **what)
            except ValueError as error:
                if len(methods) == 1 or not METHODS[method].by_gradients:
                    raise
                cause = str(error).split(": choose")[0]  # which method is chosen already
                notice(f"{method} is left out: {cause}.")
        compared = Comparison(explanations)
        if len(methods) > 1:
            sides, step = windows_for(FLOOR, size, **patches)
            rng = np.random.default_rng(how.get("seed", 0))
            compared = replace(compared, floor=random_maps(FLOOR, images.shape[:3], rng, windows=sides, stride=step))
        return _with_random_weights(classifier, compared, one_bar, **how) if random_weights else compared


def _with_random_weights(classifier, compared, one_bar, *, seed=0, **how):
    """The same comparison, with maps of the same network with random weights, if they are numbers: Comparison."""
    from cnnvis.network import NotANumber  # it imports TensorFlow

    first, maps = compared.first, {}
    try:
        with sanity.random_weights(classifier, seed):
            classifier.probabilities(first.images)  # gradients of NaN count as 0
            for method in compared.explanations:
                how |= {"method": method, "seed": seed, "track": one_bar.track(method, random_weights=True)}
                maps[method] = heat_maps(classifier, first.images, first.target, **how)
                if not np.isfinite(maps[method]).all():
                    raise NotANumber
    except NotANumber:
        notice("No maps of random weights: the network outputs NaN with them; another --seed may help.")
        return compared
    return replace(compared, random_weights=maps)
