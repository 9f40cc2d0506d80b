"""What a machine sees."""

import numpy as np
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.patches import Rectangle

from article.canvas import GREY, canvas, frame, number_grid, show_grey
from cnnvis.plots import INK, show_image

LUMINANCE = (0.299, 0.587, 0.114)  # of red, green and blue: ITU-R 601
COLOURS = {
    name: LinearSegmentedColormap.from_list(name, ("black", shade))
    for name, shade in (("red", "#ff5a4d"), ("green", "#4fd167"), ("blue", "#6aa0ff"))
}


def grey_levels(image):
    """(..., 3) uint8 -> (...) int array, 0-255: how bright each pixel is."""
    return np.rint(image @ np.array(LUMINANCE)).astype(int)


def pixel_numbers(grey, top, left, side):
    """A grey image, and the numbers of a square section of it.

    Parameters
    ----------
    grey : (H, W) int array
        0-255.
    top, left, side : int
        Of the section, in pixels.
    """
    figure = canvas(3.8)
    shown, numbers = figure.subplots(1, 2, width_ratios=(3, 4))
    show_grey(shown, grey)
    frame(shown, top, left, side)
    shown.set_title("what we see")
    number_grid(numbers, grey[top : top + side, left : left + side], GREY)
    numbers.set_title("what a machine sees")
    return figure


def colour_planes(image, top, left, side):
    """The numbers of a section in red, green and blue, and in grey.

    Parameters
    ----------
    image : (H, W, 3) uint8 array
    top, left, side : int
        Of the section, in pixels.
    """
    figure = canvas(7)
    section = image[top : top + side, left : left + side]
    panels = figure.subplots(2, 2).flat
    for axes, (name, shades), plane in zip(panels, COLOURS.items(), np.moveaxis(section, -1, 0)):
        number_grid(axes, plane.astype(int), shades)
        axes.set_title(name)
    number_grid(panels[3], grey_levels(section), GREY)
    panels[3].set_title("grey: a mixture of the three")
    return figure


def image_block(image):
    """A colour image as a block of numbers: its three planes one behind the other.

    Parameters
    ----------
    image : (H, W, 3) uint8 array
    """
    figure = canvas(3.9)
    shown, block = figure.subplots(1, 2, width_ratios=(1, 1.35))
    show_image(shown, image)
    shown.set_title("a colour image")
    height, width, _ = image.shape
    apart = 0.22 * width
    for depth in (2, 1, 0):
        x, y = depth * apart, -depth * apart
        shades = list(COLOURS.values())[depth]
        extent = x, x + width, y + height, y
        block.imshow(image[..., depth], cmap=shades, vmin=0, vmax=255, extent=extent, zorder=-2 * depth)
        edge = Rectangle((x, y), width, height, fill=False, edgecolor="white", linewidth=2, zorder=1 - 2 * depth)
        block.add_patch(edge)
        block.text(x + width + 1, y + height - 1.5, list(COLOURS)[depth], color=INK)
    block.text(-1, height / 2, f"{height}", ha="right", va="center")
    block.text(width / 2, height + 1, f"{width}", ha="center", va="top")
    block.text(apart - 1, -apart - 1, "3", ha="right", va="bottom")
    block.set(xlim=(-5, width + 2 * apart + 10), ylim=(height + 5, -2 * apart - 2))
    block.axis("off")
    block.set_title(f"a block of {height}×{width}×3 numbers")
    return figure


def samples(images, names):
    """Small images with their names.

    Parameters
    ----------
    images : (N, H, W, 3) uint8 array
    names : sequence of str
    """
    columns = 5
    figure = canvas(1.6 * -(-len(images) // columns))
    grid = figure.subplots(-(-len(images) // columns), columns, squeeze=False)
    for axes in grid.flat:
        axes.axis("off")
    for axes, image, name in zip(grid.flat, images, names):
        show_image(axes, image)
        axes.set_title(name)
    return figure
