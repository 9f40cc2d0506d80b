"""Notices about heat maps that show less than they seem to."""

import numpy as np

from cnnvis.attribution.faithfulness import in_order
from cnnvis.attribution.methods import METHODS
from cnnvis.console import notice

COARSE = 4  # places from one side of a layer to the other: with fewer, its map is coarse


def say_caveats(maps, method, *, images, baselines, score, layer=None, grid=None):
    """Say where maps are 0 or the same everywhere, or coarse, and what to choose instead.

    Parameters
    ----------
    maps : (N, H, W) array
    method : str
        One of `METHODS`.
    images, baselines : (N, H, W, 3) arrays
    score : {"logit", "probability"}
    layer : str, optional
        Whose feature maps the method explains by.
    grid : (h, w), optional
        Of these feature maps.
    """
    empty = ~maps.any(axis=(1, 2))
    nothing_hidden = np.zeros(len(maps), bool)
    if not METHODS[method].of_layer:
        nothing_hidden[empty] = [np.array_equal(images[n], baselines[n]) for n in np.flatnonzero(empty)]
    if nothing_hidden.any():
        other = "zero" if images[nothing_hidden].any(axis=(1, 2, 3)).all() else "noise"
        cause = "as the image is the same as its baseline"
        notice(f"A map by {method} is 0 everywhere, {cause}: choose --baseline {other}.")
    if (empty & ~nothing_hidden).any():
        notice(f"A map by {method} is 0 everywhere, {_why_empty(method, score, layer)}.")
    if (~empty & ~in_order(maps)).any():
        notice(f"A map by {method} is the same everywhere, {_why_constant(method, layer, grid)}.")
    elif grid and min(grid) < COARSE and in_order(maps).any():
        places = f"{layer} has only {_places(grid)} places"
        notice(f"{places}, so the map by {method} is coarse: an earlier --layer may have more.")


def _why_empty(method, score, layer):
    if layer:
        return f"as the feature maps of {layer} are, or their gradients: choose another --layer or --score"
    patches = "" if METHODS[method].by_gradients else ", --window"
    return f"as the {score} doesn't change: choose another --score{patches} or --baseline"


def _why_constant(method, layer, grid):
    if layer and np.prod(grid) == 1:
        return f"as {layer} has 1x1 places: choose an earlier --layer"
    if layer:
        return f"as no place of {layer} counts more than another: choose another --layer"
    if METHODS[method].by_gradients:
        return "as no pixel counts more than another: choose another --baseline or --method"
    return "as no patch counts more than another: choose a smaller --window"


def _places(grid):
    return "x".join(map(str, grid))
