"""What the article's figures have in common. They are read on phones, too: few things, and large letters."""

import numpy as np
from matplotlib import rc_context
from matplotlib.patches import Rectangle

from cnnvis.plots import INK, WRONG, new_figure, real_minus, show_image

WIDTH = 6.6  # inches: shown 360 pixels wide, letters of 15 points are 11 pixels high
LETTERS = 15  # points
GREY = "gray"


def style():
    """The letters' sizes, for a `with` around the drawing of a figure."""
    sizes = dict.fromkeys(("font.size", "axes.labelsize", "figure.labelsize"), LETTERS)
    return rc_context({**sizes, "axes.titlesize": LETTERS + 1})


def canvas(height):
    return new_figure(WIDTH, height)


def number(value):
    """A number: 480, −18, 0.25, 1,217."""
    return real_minus(f"{value:,d}" if isinstance(value, int | np.integer) else f"{value:g}")


def number_grid(axes, values, cmap=None, low=0, high=255, texts=None, size=LETTERS):
    """An (h, w) array as cells with their numbers in them, white ones on dark cells; blank cells without `cmap`."""
    mapped = np.ma.masked_all(values.shape) if cmap is None else values
    drawn = axes.imshow(mapped, cmap=cmap or GREY, vmin=low, vmax=high, interpolation="nearest")
    axes.set(xticks=[], yticks=[])
    shades = drawn.to_rgba(values)[..., :3] @ [0.299, 0.587, 0.114] if cmap is not None else np.ones(values.shape)
    for (row, column), value in np.ndenumerate(values):
        ink = "white" if shades[row, column] < 0.5 else INK
        text = number(value) if texts is None else texts[row][column]
        axes.text(column, row, text, ha="center", va="center", color=ink, fontsize=size)
    for line in range(1, len(values)):
        axes.axhline(line - 0.5, color="white" if cmap else INK, linewidth=0.8)
    for line in range(1, values.shape[1]):
        axes.axvline(line - 0.5, color="white" if cmap else INK, linewidth=0.8)


def frame(axes, top, left, height, width=None, color=WRONG, outside=0.5):
    """A frame round pixels of an image, white beneath so that it shows on any colour.

    Its middle runs `outside` pixels beyond them, so that it hides none of a small image's.
    """
    corner, room = (left - 0.5 - outside, top - 0.5 - outside), 2 * outside
    for ink, thick in (("white", 4), (color, 2)):
        box = Rectangle(corner, (width or height) + room, height + room, fill=False, edgecolor=ink, linewidth=thick)
        box.set(zorder=3, clip_on=False, in_layout=False)
        axes.add_patch(box)


def show_grey(axes, grey):
    show_image(axes, grey, cmap=GREY, vmin=0, vmax=255)


def scale(figure, axes, shown, words=("negative", "0", "positive")):
    """The colours of an image in one of the axes, below all of them, and words at even places from low to high."""
    places = np.linspace(*shown.get_clim(), len(words))
    bar = figure.colorbar(shown, ax=axes, location="bottom", aspect=40, ticks=places)
    for text, side in zip(bar.ax.set_xticklabels(words), np.linspace(0, 1, len(words))):
        text.set_horizontalalignment({0: "left", 1: "right"}.get(side, "center"))


def sign(axes, text):
    """A sign of arithmetic, or a few words, in a place of its own."""
    axes.axis("off")
    axes.text(0.5, 0.5, text, ha="center", va="center", fontsize=LETTERS + 5, transform=axes.transAxes)
