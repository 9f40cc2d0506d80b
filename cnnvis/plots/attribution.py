"""Heat maps over images."""

from math import ceil, floor, log10

import numpy as np
from matplotlib import rc_context
from matplotlib.cm import ScalarMappable
from matplotlib.colors import FuncNorm
from matplotlib.patches import Rectangle

from cnnvis.plots.canvas import DIVERGING, RIGHT, STYLE, new_figure, numbered, show_image, wrapped
from cnnvis.plots.names import cut

RANDOM = "random"  # the column of random maps


@rc_context(STYLE)
def heat_maps(explained, titles, unit, limit=None):
    """Each image beside its heat map, and both overlaid; one scale for all.

    Parameters
    ----------
    explained : Explanation
    titles : sequence of str
        One per image.
    unit : str
        Of the maps.
    limit : float, optional
        The value drawn in full colour, rounded up to two digits; the largest magnitude of the maps if not given.
    """
    limit = _round_up(np.abs(explained.importance).max() if limit is None else limit) or 1.0
    norm = _signed_norm(limit)
    across = 1 if len(explained) <= 4 else 2
    rows = -(-len(explained) // across)
    figure = new_figure(5.4 * across + 0.9, 2.35 * rows + 0.2)
    grid = figure.subplots(rows, 3 * across, squeeze=False)
    for axes in grid.flat[3 * len(explained) :]:
        axes.axis("off")
    for n, (panels, title) in enumerate(zip(grid.reshape(-1, 3), titles)):
        original, alone, over = panels
        image, values = explained.images[n], explained.importance[n]
        show_image(original, image)
        original.set_title(cut(title, 60), fontsize=11, loc="left")
        show_image(alone, values, cmap=DIVERGING, norm=norm)
        show_image(over, overlay(image, values, limit))
        for axes in (original, over):
            frame(axes, explained.patches[n])
        captions = (
            f"{explained.probability[n]:.0%}; {explained.hidden_probability[n]:.0%} without\nthe patch",
            f"deletion {explained.deletion[n]:.2f}\n(random {explained.random_deletion[n]:.2f})",
            f"insertion {explained.insertion[n]:.2f}\n(random {explained.random_insertion[n]:.2f})",
        )
        for axes, caption in zip(panels, captions):
            axes.set_xlabel(caption, fontsize=9, labelpad=3)
    bar = figure.colorbar(ScalarMappable(norm, DIVERGING), ax=grid, shrink=0.9, aspect=13 * rows, pad=0.01)
    ticks = [limit * share for share in (-1, -0.5, -0.1, 0, 0.1, 0.5, 1)]
    bar.set_ticks(ticks, labels=[f"{tick:.3g}" for tick in ticks], fontsize=9)
    bar.ax.minorticks_off()
    bar.set_label(f"bright: for the class\ndark: against it\n({unit})", fontsize=9)
    return figure


@rc_context(STYLE)
def method_comparison(compared, titles):
    """Each image with the map of every method over it, and a random map: one row an image, one column a method.

    Each map has a scale of its own. The most faithful map of an image is marked.

    Parameters
    ----------
    compared : Comparison
    titles : sequence of str
        One per image.
    """
    maps = {name: each.importance for name, each in compared.explanations.items()} | {RANDOM: compared.floor}
    figure, grid = _grid(compared.first.images, titles, maps, lines=3)
    for name, column in zip(maps, grid.T[1:]):
        if name != RANDOM:
            seconds = compared.explanations[name].seconds.mean()
            column[0].set_title(f"{name}\n{seconds:.2g} s a map", fontsize=10)
            found = compared.explanations[name].deletion, compared.explanations[name].insertion
        else:
            found = compared.first.random_deletion, compared.first.random_insertion
        for n, (axes, deletion, insertion) in enumerate(zip(column, *found)):
            best = name == compared.best[n]
            axes.set_xlabel(
                f"deletion {deletion:.2f}\ninsertion {insertion:.2f}" + "\nbest" * best,
                fontsize=9,
                fontweight="bold" if best else "normal",
            )
            if best:
                _mark(axes)
    return figure


@rc_context(STYLE)
def sanity_maps(compared, titles):
    """Maps of the trained network, and under them those of the same network with random weights: two rows an image.

    Parameters
    ----------
    compared : Comparison
        With maps of random weights.
    titles : sequence of str
        One per image.
    """
    images = compared.first.images
    maps = {
        name: np.stack([each.importance, compared.random_weights[name]], axis=1).reshape(-1, *images.shape[1:3])
        for name, each in compared.explanations.items()
    }
    rows = [text for title in titles for text in (title, "random weights")]
    figure, grid = _grid(np.repeat(images, 2, axis=0), rows, maps, lines=1)
    for column, likeness in zip(grid.T[1:], compared.likeness.values()):
        for axes, value in zip(column[1::2], likeness):
            axes.set_xlabel(f"correlation {value:.2f}", fontsize=9)
    return figure


def _grid(images, titles, maps, *, lines):
    """A figure with images in the first column and maps over them in the others; the axes: (N, 1 + M) array.

    `lines` is how many are under the maps.
    """
    titles = [wrapped(cut(title, 48), 1.1, 9) for title in titles]
    lines = max(lines, *(1 + title.count("\n") for title in titles))
    figure = new_figure(1.55 * (1 + len(maps)) + 0.9, (1.6 + 0.17 * lines) * len(images) + 0.6)
    grid = figure.subplots(len(images), 1 + len(maps), squeeze=False)
    for axes, image, title in zip(grid[:, 0], images, titles):
        show_image(axes, image)
        axes.set_xlabel(title, fontsize=9)
    for (name, values), column in zip(maps.items(), grid.T[1:]):
        column[0].set_title(name, fontsize=10)
        for axes, image, each in zip(column, images, values):
            show_image(axes, overlay(image, each, np.abs(each).max() or 1.0))
    bar = figure.colorbar(ScalarMappable(_signed_norm(1.0), DIVERGING), ax=grid, shrink=0.9, aspect=30, pad=0.01)
    bar.set_ticks([-1, -0.1, 0, 0.1, 1], labels=["-1", "-0.1", "0", "0.1", "1"], fontsize=9)
    bar.ax.minorticks_off()
    bar.set_label("bright: for the class\ndark: against it\n(1: the map's largest value)", fontsize=9)
    return figure, grid


def _mark(axes):
    for spine in axes.spines.values():
        spine.set(visible=True, color=RIGHT, linewidth=3)


def heat_map_pages(name, explained, titles, *, unit, most=8):
    """Pages of `heat_maps` with at most `most` images each, on one scale: dict of `name`, `name_2`, ... to Figure."""
    scale = {"unit": unit, "limit": np.abs(explained.importance).max()}
    parts = (slice(start, start + most) for start in range(0, len(explained), most))
    return numbered(name, (heat_maps(explained[part], titles[part], **scale) for part in parts))


def importance_pages(compared, titles, *, unit, most):
    """Pages with all maps: dict of name to Figure.

    One method has pages of `heat_maps`, several have pages of `method_comparison`; and if there are any with random
    weights, pages of `sanity_maps`.

    Parameters
    ----------
    compared : Comparison
    titles : sequence of str
    unit : str
        Of the maps.
    most : int
        Images on a page.
    """
    if len(compared.explanations) == 1:
        figures = heat_map_pages("pixel_importance", compared.first, titles, unit=unit, most=most)
    else:
        figures = _pages("pixel_importance", method_comparison, compared, titles, most=most)
    if compared.random_weights:
        figures |= _pages("pixel_importance_sanity", sanity_maps, compared, titles, most=most)
    return figures


def _pages(name, draw, compared, titles, *, most):
    parts = (slice(start, start + most) for start in range(0, len(titles), most))
    return numbered(name, (draw(compared[part], titles[part]) for part in parts))


def frame(axes, patch):
    """Draw a frame, visible on dark and on light, around a patch: top, left, bottom, right (exclusive)."""
    top, left, bottom, right = patch
    place = {"xy": (left - 0.5, top - 0.5), "width": right - left, "height": bottom - top, "fill": False}
    axes.add_patch(Rectangle(**place, edgecolor="white", linewidth=2.4))
    axes.add_patch(Rectangle(**place, edgecolor="black", linewidth=1))


def overlay(image, values, limit):
    """A heat map over the image in light grey; the larger a value, the less of the image shows through.

    (H, W, 3) uint8, (H, W) signed float, the value drawn in full colour -> (H, W, 3) float 0-1
    """
    grey = np.repeat((image / 255) @ [0.299, 0.587, 0.114], 3).reshape(image.shape)
    muted = 0.3 + 0.45 * grey
    place = _signed_norm(limit)(np.clip(values, -limit, limit))  # 0-1; 0.5 for a value of 0
    strength = 0.85 * np.abs(2 * place - 1)[..., None]
    return (1 - strength) * muted + strength * DIVERGING(place)[..., :3]


def _round_up(limit):
    """Round a positive number up to two digits; 0 stays 0."""
    if not limit:
        return 0.0
    digit = floor(log10(limit)) - 1
    return float(f"{ceil(round(limit / 10**digit, 6))}e{digit}")


def _signed_norm(limit):
    """Scale -limit...limit to 0...1 by a power of the magnitude, so that small values are visible."""
    power = 0.6

    def spread(x):
        return np.sign(x) * np.abs(x) ** power

    def gather(x):
        return np.sign(x) * np.abs(x) ** (1 / power)

    return FuncNorm((spread, gather), -limit, limit)
