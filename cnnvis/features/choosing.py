"""Which layers and filters to show: those asked for, or a few by default."""

import numpy as np


def choose_filters(classifier, layers=None, filters=None, *, num=4, seed=0):
    """Layers, and filters of each, to show.

    Parameters
    ----------
    classifier : Classifier
    layers : sequence of str, optional
        As of `layers_with_filters`.
    filters : sequence of int or "all", optional
        As of `filters_of`, for each layer.
    num : int
        Filters of each layer where none are given.
    seed : int

    Returns
    -------
    dict of str to (F,) int array
    """
    chosen = enumerate(layers_with_filters(classifier, layers))
    return {layer.name: filters_of(layer, filters, count=num, seed=[seed, number]) for number, layer in chosen}


def layers_with_filters(classifier, names=None):
    """The CONV and FC layers of these names; by default every other CONV layer and the first FC layer.

    All of them if "all" is among the names. Raises ValueError if a layer, or the model, has no filters.
    """
    if names and "all" not in names:
        layers = [classifier.layer(name) for name in dict.fromkeys(names)]
        for layer in layers:
            if layer.kind not in ("CONV", "FC") or len(layer.output.shape) not in (2, 4):
                raise ValueError(f"{layer.name} is neither a CONV nor an FC layer: it has no filters")
        return layers
    ranks = {"CONV": 4, "FC": 2}
    ranked = (layer for layer in classifier.layers.values() if layer.kind in ranks)
    shown = [layer for layer in ranked if len(layer.output.shape) == ranks[layer.kind]]
    learned = [layer for layer in shown if layer.kind == "CONV" and layer.layer.trainable]  # whitening is not learned
    chosen = shown if names else [*learned[::2], *[layer for layer in shown if layer.kind == "FC"][:1]]
    if not chosen:
        raise ValueError("the model has neither CONV nor FC layers, so there are no filters to show")
    return chosen


def filters_of(layer, asked, count, seed):
    """Indices of a layer's filters: those asked for, all if "all" is among them, `count` random ones if None.

    Raises ValueError if the layer has no such filter.
    """
    existing = layer.linear.shape[-1]
    if asked is None:
        return np.sort(np.random.default_rng(seed).permutation(existing)[:count])
    if "all" in asked:
        return np.arange(existing)
    if max(asked) >= existing:
        raise ValueError(f"{layer.name} has no filter {max(asked)}: it has 0 to {existing - 1}")
    return np.array(list(dict.fromkeys(asked)))
