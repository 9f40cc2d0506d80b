"""What excites filters most: the pictures made for them and the real ones put together, with their numbers."""

import numpy as np

from cnnvis.features import ascent
from cnnvis.features import top_images as excitation
from cnnvis.network.receptive_field import receptive_fields

FRAMES = 32  # of a picture's growth, at most


def examine(classifier, layer, filters, seen, images, statistics, steps, growing=False, track=iter, **how):
    """The pictures that excite filters of a layer most, made and real.

    Parameters
    ----------
    classifier : Classifier
    layer : Layer
    filters : (F,) int array
    seen : Excitation
        Of all filters of the layer.
    images : (N, H, W, 3) uint8 array
        The real pictures that were seen.
    statistics : Statistics
    steps : int
        Of the ascent.
    growing : bool
        Whether to take down how the pictures grow.
    track : callable
    how : `size`, `seed`, `objective` and `without` of `ascent.growth`

    Returns
    -------
    dict of str to array
        `images` (F, H, W, 3) uint8, grey where the filter is dead; `filters`, `activation`, `dataset_max`, `dead`,
        `selectivity` and `favourite` (F,); `patches` (F, P, h, w, 3) uint8 and `patch_activation` (F, P); if they
        grow, `growth` (S, F, H, W, 3) uint8 and `growth_activation` (S, F) after `growth_steps` (S,).
    """
    seen, stops = seen.of(filters), frame_steps(steps) if growing else np.array([steps])
    growth = np.stack([ascent.grey_images(len(filters), how.get("size") or classifier.size)] * len(stops))
    if not seen.dead.all():
        growth[:, ~seen.dead] = ascent.growth(
            classifier, layer, filters[~seen.dead], statistics, stops, track=track, **how
        )
    objective = how.get("objective", "channel")
    activation = ascent.activations(classifier, layer, growth.reshape(-1, *growth.shape[2:]), objective)
    activation = activation.reshape(*growth.shape[:2], -1)[:, np.arange(len(filters)), filters]
    grown = {"growth": growth, "growth_activation": activation, "growth_steps": stops} if growing else {}
    return grown | {
        "images": growth[-1],
        "filters": filters,
        "activation": activation[-1],
        "dataset_max": seen.largest if objective == "channel" else seen.peaks[0],
        "dead": seen.dead,
        "patches": excitation.patches(images, seen, receptive_fields(classifier, layer)).swapaxes(0, 1),
        "patch_activation": seen.peaks.T,
        "selectivity": seen.selectivity,
        "favourite": seen.favourite,
    }


def frame_steps(steps):
    """Steps of the ascent to show, (S,) int array from 0 on: more of the first ones, in which more happens."""
    return np.unique(np.rint(steps * np.linspace(0, 1, FRAMES) ** 2).astype(int))
