"""What filters respond to: optimised images beside the top patches of real images, and how strongly."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np

from cnnvis.features import ascent, cache, choosing, objectives, top_images
from cnnvis.features.ascent import Ascent
from cnnvis.images import Dataset, Statistics, image_statistics
from cnnvis.network import Classifier, receptive_fields

FRAMES = 32  # kept of an ascent, at most


@dataclass(frozen=True)
class FilterImages:
    """Optimised images and top patches of F filters of one layer.

    Attributes
    ----------
    images : (F, H, W, 3) uint8 array
        Optimised for each filter; grey if it is dead.
    filters : (F,) int array
        Their indices in the layer.
    activation : (F,) float32 array
        Of the optimised images, before the ReLU: averaged over space, or the unit's (FC, or `objectives.neuron`).
    dataset_max : (F,) float32 array
        The largest such activation by a real image.
    dead : (F,) bool array
        Whether the ReLU behind the filter is 0 everywhere in all real images.
    patches : (F, P, h, w, 3) uint8 array
        Top patches of real images.
    patch_activation : (F, P) float32 array
        The activation of the unit whose receptive field the patch is.
    selectivity : (F,) float32 array
        For one class, 0-1; see `FilterResponses.selectivity`.
    favourite : (F,) int64 array
        The class to which it responds most strongly, -1 if no class is known.
    frames : (S, F, H, W, 3) uint8 array, optional
        The images during the ascent.
    frame_activation : (S, F) float32 array, optional
    frame_steps : (S,) int array, optional
        Steps after which the frames were taken.
    """

    images: np.ndarray
    filters: np.ndarray
    activation: np.ndarray
    dataset_max: np.ndarray
    dead: np.ndarray
    patches: np.ndarray
    patch_activation: np.ndarray
    selectivity: np.ndarray
    favourite: np.ndarray
    frames: np.ndarray | None = None
    frame_activation: np.ndarray | None = None
    frame_steps: np.ndarray | None = None

    def __len__(self):
        return len(self.filters)

    def __getitem__(self, chosen):
        """Some of the filters, without frames."""
        kept = {field.name: getattr(self, field.name) for field in fields(self)}
        return FilterImages(**{name: array[chosen] for name, array in kept.items() if not name.startswith("frame")})

    @property
    def above_real(self):
        """How many filters, not counting dead ones, the optimised images activate at least as much as any real one."""
        return int((self.activation >= self.dataset_max)[~self.dead].sum())

    def arrays(self):
        """All arrays by name: dict."""
        return {name: array for name, array in vars(self).items() if array is not None}


def visualize(
    classifier: Classifier,
    layer: str,
    filters: Sequence[int] | str | None = None,
    *,
    dataset: Dataset,
    statistics: Statistics | None = None,
    num: int = 4,
    **ascent,
) -> FilterImages:
    """Show what filters of a layer respond to: an optimised image and the top patches of each.

    Parameters
    ----------
    classifier : Classifier
    layer : str
        Name of a CONV or FC layer.
    filters : sequence of int, or "all", optional
        `num` random ones if not given.
    dataset : Dataset
        Real images, in the network's size and classes; the network evaluates all of them once.
    statistics : Statistics, optional
        Of real images; the data set's if not given.
    num : int
    **ascent
        Fields of `Ascent`: `steps`, `size`, `seed`, …

    Returns
    -------
    FilterImages

    Raises
    ------
    ValueError
        If there is no such layer or filter.
    """
    (layer,) = choosing.layers_with_filters(classifier, [layer])
    how = Ascent(**ascent)
    chosen = choosing.filters_of(layer, ["all"] if filters == "all" else filters, count=num, seed=how.seed)
    (responses,) = top_images.observe(classifier, [layer], dataset.images, labels=dataset.labels)
    statistics = statistics or image_statistics(dataset.images)
    return examine(
        classifier, layer, chosen, responses=responses, images=dataset.images, statistics=statistics, how=how
    )


def visualize_layers(
    classifier, filters, dataset, *, checkpoint, folders, how, frames=False, track=lambda words: iter, tell=print
):
    """Show what filters of several layers respond to, layer by layer; `cache.observe` keeps the responses in a file.

    Parameters
    ----------
    classifier : Classifier
    filters : dict of str to (F,) int array
        Of each layer, as `choose_filters` gives them.
    dataset : Dataset
        Real images, in the network's size and classes.
    checkpoint : Checkpoint
        Of the classifier. Its statistics are those of real images; the data set's if it has none.
    folders : sequence of Path
        As of `cache.observe`.
    how : Ascent
    frames : bool
        Whether to keep images of the ascent.
    track : callable
        Takes words and returns a wrapper of sequences.
    tell : callable
        As of `cache.observe`.

    Yields
    ------
    str, FilterImages
        Name of a layer, and its filters.
    """
    layers = [classifier.layer(name) for name in filters]
    about = {"checkpoint": checkpoint, "folders": folders, "track": track("Looking at real images"), "tell": tell}
    responses = cache.observe(classifier, layers, dataset, **about)
    statistics = checkpoint.statistics or image_statistics(dataset.images)
    real = {"images": dataset.images, "statistics": statistics}
    for layer in layers:
        seen, progress = responses[layer.name], track(layer.name)
        chosen = filters[layer.name]
        yield (
            layer.name,
            examine(classifier, layer, chosen, responses=seen, **real, how=how, frames=frames, track=progress),
        )


def examine(classifier, layer, filters, responses, images, statistics, how, *, frames=False, track=iter):
    """As `visualize`, where the responses to real images are already known.

    Parameters
    ----------
    classifier : Classifier
    layer : Layer
    filters : (F,) int array
    responses : FilterResponses
        Of all filters of the layer.
    images : (N, H, W, 3) uint8 array
        The real images that were observed.
    statistics : Statistics
    how : Ascent
    frames : bool
        Whether to keep images of the ascent.
    track : callable
        Wraps the sequence of steps.

    Returns
    -------
    FilterImages
    """
    responses, stops = responses.of(filters), frame_steps(how.steps) if frames else np.array([how.steps])
    height, width = (how.size, how.size) if how.size else classifier.size
    made = np.full((len(stops), len(filters), height, width, 3), 128, dtype="uint8")  # grey for dead filters
    alive = ~responses.dead
    if alive.any():
        made[:, alive] = ascent.ascend(
            classifier, layer, filters[alive], statistics=statistics, ascent=how, stops=stops, track=track
        )
    reached = objectives.activations(classifier, layer, made.reshape(-1, height, width, 3), objective=how.objective)
    reached = reached.reshape(*made.shape[:2], -1)[:, np.arange(len(filters)), filters]
    found = FilterImages(
        images=made[-1],
        filters=filters,
        activation=reached[-1],
        dataset_max=responses.largest if how.objective is objectives.channel else responses.peaks[0],
        dead=responses.dead,
        patches=top_images.patches(images, responses, receptive_fields(classifier, layer)).swapaxes(0, 1),
        patch_activation=responses.peaks.T,
        selectivity=responses.selectivity,
        favourite=responses.favourite,
    )
    return replace(found, frames=made, frame_activation=reached, frame_steps=stops) if frames else found


def frame_steps(steps):
    """Steps of which to keep the images: (S,) int array from 0 on, denser at first, when they change fastest."""
    return np.unique(np.rint(steps * np.linspace(0, 1, FRAMES) ** 2).astype(int))
