"""Test images, each with the training images that are most alike to a network."""

import numpy as np
from matplotlib import rc_context

from cnnvis.plots.canvas import (
    HEADING,
    INK,
    LETTER,
    LINE,
    OTHER,
    RIGHT,
    STYLE,
    TEXT,
    WIDTH,
    WRONG,
    headline,
    new_figure,
    show_image,
    wrapped,
    write_above,
)
from cnnvis.plots.names import cut


@rc_context(STYLE)
def nearest_images(images, captions, nearest, title, *, columns, across=1):
    """Images, one or some per row, each with others in the order of their similarity.

    Parameters
    ----------
    images : (N, H, W, 3) uint8 array
    captions : sequence of N str
        What is above each image.
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
    width = max(WIDTH, 1.04 * (1 + columns) * across)
    rows, side = -(-len(images) // across), width / (1 + columns) / across
    captions = [wrapped(caption, width / across, TEXT) for caption in captions]
    lines = 1 + max(caption.count("\n") for caption in captions)
    above = 0.27 * (1 + wrapped(title, width, HEADING).count("\n")) + 0.1
    digits = _digits([similarity for others in nearest for _, _, similarity, _, _ in others])
    figure = new_figure(width, (side + LINE * (3 + lines) + 0.1) * rows + above)
    headline(figure, title)
    grid = figure.subplots(rows, (1 + columns) * across, squeeze=False)
    for axes in grid.flat:
        axes.axis("off")
    for (own, *beside), image, caption, others in zip(grid.reshape(rows * across, -1), images, captions, nearest):
        show_image(own, image)
        _frame(own, INK)
        write_above(own, caption)
        for axes, (other, name, similarity, number, kind) in zip(beside, others):
            show_image(axes, other)
            mark, color = {"true": ("✓", RIGHT), "predicted": ("✗", WRONG), "other": ("", OTHER)}[kind]
            cosine = "\N{THIN SPACE}".join(filter(None, [mark, f"{similarity:.{digits}f}"]))
            words = f"{cut(name, min(14, int(side / LETTER)))}\n#{number}\n{cosine}"
            axes.set_xlabel(words, fontsize=TEXT, color=INK)
            _frame(axes, color)
    return figure


def _frame(axes, color):
    for spine in axes.spines.values():
        spine.set(visible=True, color=color, linewidth=2.5)


def _digits(cosines):
    """Digits after the point with which the largest cosine can be told from 1: 2 to 5."""
    return int(np.clip(np.ceil(-np.log10(max(1 - max(cosines, default=0), 1e-6))) + 1, 2, 5))
