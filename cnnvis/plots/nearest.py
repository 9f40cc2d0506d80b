"""Test images, each with the training images that are most alike to a network."""

import numpy as np
from matplotlib import rc_context

from cnnvis.plots.canvas import INK, OTHER, RIGHT, STYLE, WRONG, headline, new_figure, show_image
from cnnvis.plots.names import cut


@rc_context(STYLE)
def nearest_images(images, captions, nearest, title, *, columns, across=1):
    """Images, one or some per row, each with others in the order of their similarity.

    Parameters
    ----------
    images : (N, H, W, 3) uint8 array
    captions : sequence of N str
        What is to the left of each image, with line breaks.
    nearest : sequence of N sequences of (image, class name, similarity, number, kind)
        (H, W, 3) uint8; str; float; int; and "true", "predicted" or "other": the true class of the image, the class
        that was predicted, or another one.
    title : str
    columns : int
        Others of an image, at most.
    across : int
        Images in a row.
    """
    columns, across = max(columns, 1), min(across, len(images))
    rows, ratios = -(-len(images) // across), [1.25, *[1] * (1 + columns)] * across
    figure = new_figure(max(1.45 * sum(ratios) + 0.2, 5), 1.75 * rows + 1.0)
    headline(figure, title)
    grid = figure.subplots(rows, len(ratios), squeeze=False, width_ratios=ratios)
    for axes in grid.flat:
        axes.axis("off")
    for (words, own, *beside), image, caption, others in zip(
        grid.reshape(rows * across, -1), images, captions, nearest
    ):
        words.text(1.0, 0.5, caption, ha="right", va="center", fontsize=10, color=INK)
        show_image(own, image)
        _frame(own, INK)
        for axes, (other, name, similarity, number, kind) in zip(beside, others):
            show_image(axes, other)
            mark, color = {"true": ("✓ ", RIGHT), "predicted": ("✗ ", WRONG), "other": ("", OTHER)}[kind]
            axes.set_title(f"{mark}{cut(name, 10)}\n#{number}: {_similarity(similarity)}", fontsize=9, color=INK)
            _frame(axes, color)
    return figure


def _frame(axes, color):
    for spine in axes.spines.values():
        spine.set(visible=True, color=color, linewidth=2.5)


def _similarity(cosine):
    """A cosine with as many digits as tell it from 1: 0.87, 0.9983, 1."""
    digits = 2 if cosine < 0.99 else int(np.clip(np.ceil(-np.log10(max(1 - cosine, 1e-6))) + 1, 2, 5))
    return f"{cosine:.{digits}f}"
