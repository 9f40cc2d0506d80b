"""Heat maps over images."""

from math import ceil, floor, log10

import numpy as np
from matplotlib import rc_context
from matplotlib.cm import ScalarMappable
from matplotlib.colors import FuncNorm
from matplotlib.patches import Rectangle

from cnnvis.plots.canvas import (
    DIVERGING,
    HEADING,
    INK,
    LINE,
    RIGHT,
    STYLE,
    TEXT,
    WIDTH,
    headline,
    new_figure,
    numbered,
    real_minus,
    show_image,
    wrapped,
    write_above,
)
from cnnvis.plots.names import cut

RANDOM = "random"  # the name of random maps
COMPARED = (  # what the scores are means of
    "{} while the most important pixels are hidden (deletion: lower is better) or shown (insertion: higher)\n"
    "best: largest insertion − deletion"
)
SANITY = (
    "Below each map is that of the same network with random weights. "
    "The closer their correlation is to 1 or −1, the less the map depends on what the network has learned"
)
ACROSS = 3  # maps in a row, beside the image
LONGEST = 100  # letters of a title
LONGEST_MARK = 6  # letters of seven marks on the scale; of longer ones, there are three


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
    titles = [wrapped(cut(title, LONGEST), 0.8 * WIDTH, HEADING) for title in titles]  # there are wide letters
    words = wrapped(f"dark: against the class; bright: for it ({unit})", WIDTH, TEXT)
    more = sum(text.count("\n") for text in (*titles, words))
    figure = new_figure(WIDTH, 2.75 * len(explained) + 1.1 + 0.28 * more)
    grid = figure.subplots(len(explained), 3, squeeze=False)
    for n, (panels, title) in enumerate(zip(grid, titles)):
        original, alone, over = panels
        image, values = explained.images[n], explained.importance[n]
        show_image(original, image)
        write_above(original, title, HEADING)
        show_image(alone, values, cmap=DIVERGING, norm=norm)
        show_image(over, overlay(image, values, limit))
        captions = f"{explained.probability[n]:.0%}", _sameness(values), ""
        if explained.in_order[n]:
            for axes in (original, over):
                frame(axes, explained.patches[n])
            captions = (
                f"{explained.probability[n]:.0%}; {explained.hidden_probability[n]:.0%} without\nthe patch",
                f"deletion {explained.deletion[n]:.2f}\n(random {explained.random_deletion[n]:.2f})",
                f"insertion {explained.insertion[n]:.2f}\n(random {explained.random_insertion[n]:.2f})",
            )
        for axes, caption in zip(panels, captions):
            axes.set_xlabel(caption, fontsize=TEXT, labelpad=3)
    ticks = [limit * share for share in (-1, -0.5, -0.1, 0, 0.1, 0.5, 1)]
    _scale(figure, grid, norm, ticks, words)
    for axes in grid.flat:
        axes.set_anchor("N")  # in any room left over, which the layout would take for room for the title
    return figure


@rc_context(STYLE)
def method_comparison(compared, titles, probability):
    """Each image with the map of every method over it, and a random map: some rows an image.

    Each map has a scale of its own. The most faithful map of an image is marked; one that is the same everywhere has no
    scores.

    Parameters
    ----------
    compared : Comparison
    titles : sequence of str
        One per image.
    probability : str
        What the scores are means of.
    """
    maps = {name: each.importance for name, each in compared.explanations.items()} | {RANDOM: compared.floor}
    figure, grid = _grid(compared.first.images, titles, {name: [each] for name, each in maps.items()}, lines=3)
    headline(figure, COMPARED.format(probability.capitalize()))
    for name, column in zip(maps, grid[:, 0].T):
        if name != RANDOM:
            seconds = compared.explanations[name].seconds.mean()
            column[0].set_title(f"{name}\n{seconds:.2g} s a map", fontsize=TEXT)
            found = compared.explanations[name].deletion, compared.explanations[name].insertion
        else:
            found = compared.first.random_deletion, compared.first.random_insertion
        for n, (axes, deletion, insertion) in enumerate(zip(column, *found)):
            best = name == compared.best[n]
            scores = f"deletion {deletion:.2f}\ninsertion {insertion:.2f}" + "\nbest" * best
            axes.set_xlabel(_sameness(maps[name][n]) or scores, fontsize=TEXT, fontweight="bold" if best else "normal")
            if best:
                _mark(axes)
    return figure


@rc_context(STYLE)
def sanity_maps(compared, titles):
    """Maps of the trained network, and under them those of the same network with random weights.

    Parameters
    ----------
    compared : Comparison
        With maps of random weights.
    titles : sequence of str
        One per image.
    """
    maps = {name: [each.importance, compared.random_weights[name]] for name, each in compared.explanations.items()}
    figure, grid = _grid(compared.first.images, titles, maps, lines=2, rows=("", "random\nweights"))
    headline(figure, SANITY)
    for place, (name, pairs) in enumerate(maps.items()):
        for below, likeness, *pair in zip(grid[..., place], compared.likeness[name], *pairs):
            sameness = [_sameness(values) for values in pair]
            captions = sameness if any(sameness) else ("", real_minus(f"correlation\n{likeness:.2f}"))
            for axes, caption in zip(below, captions):
                axes.set_xlabel(caption, fontsize=TEXT)
    return figure


def _sameness(values):
    """What to say of a map that is the same everywhere; "" of any other."""
    if np.ptp(values) > 0:
        return ""
    return "the same\neverywhere" if values.any() else "0 everywhere"


def _grid(images, titles, maps, *, lines, rows=("",)):
    """A figure with each image, and beside it maps over it, `ACROSS` in a row; the maps' axes: (N, R, M) array.

    Parameters
    ----------
    images : (N, H, W, 3) uint8 array
    titles : sequence of N str
    maps : dict of M names to sequences of R (N, H, W) arrays
        The first of each above the second.
    lines : int
        Of text under a map.
    rows : sequence of R str
        What is to the left of the maps.
    """
    count, across, titles = (
        len(images),
        min(ACROSS, max(2, len(maps))),
        [wrapped(cut(each, LONGEST), 1.4, TEXT) for each in titles],
    )
    deep = -(-len(maps) // across)
    above = max(lines, *(1 + title.count("\n") for title in titles))
    height = LINE * (above - lines) + deep * (1.9 + LINE * lines + 1.6 * (len(rows) - 1))
    figure = new_figure((1 + across) * WIDTH / (1 + ACROSS), height * count + 2.35)
    grid = figure.subplots(count * deep * len(rows), 1 + across, squeeze=False)
    for axes in grid.flat:
        axes.axis("off")
    grid = grid.reshape(count, deep, len(rows), 1 + across)
    for beside, image, title in zip(grid[..., 0], images, titles):
        for axes, words in zip(beside.flat, deep * tuple(rows)):
            axes.text(1, 0.5, words, transform=axes.transAxes, ha="right", va="center", fontsize=TEXT, color=INK)
        show_image(beside[0, 0], image)
        beside[0, 0].set_xlabel(title, fontsize=TEXT)
    every = grid.ravel().tolist()
    grid = np.moveaxis(grid[..., 1:], 1, 2).reshape(count, len(rows), -1)[..., : len(maps)]
    for place, (name, layers) in enumerate(maps.items()):
        for row, layer in enumerate(layers):
            for axes, image, values in zip(grid[:, row, place], images, layer):
                show_image(axes, overlay(image, values, np.abs(values).max() or 1.0))
                if not row:
                    axes.set_title(name, fontsize=TEXT)
    words = "dark: against the class; bright: for it\n(1: the map's largest value)"
    _scale(figure, every, _signed_norm(1.0), (-1, -0.5, -0.1, 0, 0.1, 0.5, 1), words)
    return figure, grid


def _scale(figure, axes, norm, ticks, words):
    """The colour bar of maps, below them."""
    how = {"location": "bottom", "shrink": 0.9, "aspect": 30, "pad": 0.01}
    how["fraction"] = 0.4 / figure.get_figheight()  # the usual one moves the words over the edge of a high figure
    bar = figure.colorbar(ScalarMappable(norm, DIVERGING), ax=axes, **how)
    labels = [real_minus(f"{tick:.3g}") for tick in ticks]
    some = slice(None, None, 3 if max(map(len, labels)) > LONGEST_MARK else 1)
    bar.set_ticks(ticks[some], labels=labels[some], fontsize=TEXT)
    bar.ax.minorticks_off()
    bar.set_label(words, fontsize=TEXT)


def _mark(axes):
    for spine in axes.spines.values():
        spine.set(visible=True, color=RIGHT, linewidth=3)


def heat_map_pages(name, explained, titles, *, unit, most=8):
    """Pages of `heat_maps` with at most `most` images each, on one scale: dict of `name`, `name_2`, ... to Figure."""
    scale = {"unit": unit, "limit": np.abs(explained.importance).max()}
    parts = (slice(start, start + most) for start in range(0, len(explained), most))
    return numbered(name, (heat_maps(explained[part], titles[part], **scale) for part in parts))


def importance_pages(compared, titles, *, unit, most, probability="probability"):
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
    probability : str
        What the scores of several methods are means of.
    """
    if len(compared.explanations) == 1:
        figures = heat_map_pages("pixel_importance", compared.first, titles, unit=unit, most=most)
    else:
        figures = _pages("pixel_importance", method_comparison, compared, titles, most=most, probability=probability)
    if compared.random_weights:
        figures |= _pages("pixel_importance_sanity", sanity_maps, compared, titles, most=most)
    return figures


def _pages(name, draw, compared, titles, *, most, **how):
    parts = (slice(start, start + most) for start in range(0, len(titles), most))
    return numbered(name, (draw(compared[part], titles[part], **how) for part in parts))


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
