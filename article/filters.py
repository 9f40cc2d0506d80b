"""What a filter does: nine pixels times nine weights, everywhere in the image."""

import numpy as np

from article.canvas import GREY, LETTERS, canvas, frame, number, number_grid, scale, show_grey, sign
from article.pixels import COLOURS
from cnnvis.plots import DIVERGING, INK, RIGHT, show_image

VERTICAL = np.array([[-1, 2, -1]] * 3)  # bright lines from top to bottom, darker on both sides
HORIZONTAL = VERTICAL.T
REDDISH = np.stack([np.full((3, 3), weight) for weight in (2, -1, -1)], axis=-1)  # red, and neither green nor blue


def respond(image, weights, bias=0):
    """The output of a filter at each place: the sum of pixels times weights, plus a bias.

    Parameters
    ----------
    image : (H, W) or (H, W, 3) array
    weights : (h, w) or (h, w, 3) array
    bias : number

    Returns
    -------
    (H - h + 1, W - w + 1) array
    """
    windows = np.lib.stride_tricks.sliding_window_view(image.astype(int), weights.shape)
    axes = tuple(range(-weights.ndim, 0))
    return (windows * weights).sum(axis=axes).reshape(windows.shape[:2]) + bias


def show_output(axes, output):
    limit = np.abs(output).max()
    show_image(axes, output, cmap=DIVERGING, vmin=-limit, vmax=limit)


def applied(grey, weights, bias, top, left):
    """An image with the nine pixels under a filter, the filter, and its output, and the place of that output.

    Parameters
    ----------
    grey : (H, W) int array
    weights : (3, 3) int array
    bias : int
    top, left : int
        Of the nine pixels.
    """
    figure = canvas(3.9)
    before, filter_, after = figure.subplots(1, 3, width_ratios=(3, 1.9, 3))
    output = respond(grey, weights, bias)
    show_grey(before, grey)
    frame(before, top, left, 3)
    before.set_title(f"image\n{_size(grey)}")
    number_grid(filter_, weights, DIVERGING, -2, 2)
    filter_.set_title("filter\n3×3")
    filter_.set_xlabel(f"bias {number(bias)}")
    show_output(after, output)
    frame(after, top, left, 1)
    after.set_title(f"output\n{_size(output)}")
    scale(figure, [before, filter_, after], after.images[0])
    return figure


def worked(pixels, weights, bias):
    """One step of filtering in numbers.

    Parameters
    ----------
    pixels, weights : (3, 3) int array
    bias : int
    """
    figure = canvas(3)
    pixel, times, weight, equals, product = figure.subplots(1, 5, width_ratios=(4, 0.6, 4, 0.6, 4))
    products = pixels * weights
    number_grid(pixel, pixels, GREY, size=LETTERS + 1)
    number_grid(weight, weights, DIVERGING, -2, 2, size=LETTERS + 1)
    number_grid(product, products, size=LETTERS + 1)
    for axes, text in ((pixel, "nine pixels"), (weight, "nine weights"), (product, "nine products")):
        axes.set_title(text)
    sign(times, "×")
    sign(equals, "=")
    total = int(products.sum())
    words = f"sum {number(total)}  {_plus(bias)} bias  =  {number(total + bias)}"
    figure.supxlabel(words, fontsize=LETTERS + 2, color=INK)
    return figure


def worked_in_colour(pixels, weights, bias):
    """One step of a filter over three colours, in numbers.

    Parameters
    ----------
    pixels, weights : (3, 3, 3) int array
    bias : int
    """
    figure = canvas(6.4)
    grid = figure.subplots(3, 5, width_ratios=(3, 0.6, 3, 0.6, 2))
    sums = (pixels * weights).sum(axis=(0, 1))
    for row, (name, shades), color in zip(grid, COLOURS.items(), range(3)):
        number_grid(row[0], pixels[..., color], shades)
        number_grid(row[2], weights[..., color], DIVERGING, -2, 2)
        row[0].set_ylabel(name)
        for place, text in ((1, "×"), (3, "="), (4, number(int(sums[color])))):
            sign(row[place], text)
    grid[0, 0].set_title("3×3×3 pixels")
    grid[0, 2].set_title("3×3×3 weights")
    grid[0, 4].set_title("sums")
    whole = " ".join([number(int(sums[0])), *[_plus(int(part)) for part in sums[1:]]])
    words = f"{whole}   {_plus(bias)} bias   =   {number(int(sums.sum()) + bias)}"
    figure.supxlabel(words, fontsize=LETTERS + 1, color=INK)
    return figure


def reddish(image, output, top, left):
    """A colour image, and where a filter over its three colours responds.

    Parameters
    ----------
    image : (H, W, 3) uint8 array
    output : (H - 2, W - 2) int array
    top, left : int
        Of the pixels that are worked out.
    """
    figure = canvas(4.7)
    before, after = figure.subplots(1, 2)
    show_image(before, image)
    frame(before, top, left, 3)
    before.set_title(f"image\n{_size(image)}")
    show_output(after, output)
    frame(after, top, left, 1)
    after.set_title(f"output\n{_size(output)}")
    scale(figure, [before, after], after.images[0])
    return figure


def lines(grey):
    """The same image under a filter for vertical lines and one for horizontal lines.

    Parameters
    ----------
    grey : (H, W) int array
    """
    figure = canvas(3.2)
    outputs = [respond(grey, weights) for weights in (VERTICAL, HORIZONTAL)]
    limit = max(np.abs(output).max() for output in outputs)
    before, *after = figure.subplots(1, 3)
    show_grey(before, grey)
    before.set_title("image")
    for axes, output, name in zip(after, outputs, ("vertical", "horizontal")):
        show_image(axes, output, cmap=DIVERGING, vmin=-limit, vmax=limit)
        axes.set_title(name)
    scale(figure, [before, *after], after[0].images[0])
    return figure


def sliding_frames(grey, weights, bias, places):
    """The filter on its way over the image: a Figure for each number of places that it has been at.

    Parameters
    ----------
    grey : (H, W) int array
    weights : (h, w) int array
    bias : int
    places : sequence of int
        How many places, row by row, are done.
    """
    output = respond(grey, weights, bias)
    limit = np.abs(output).max()
    for done in places:
        figure = canvas(3.6)
        before, after = figure.subplots(1, 2)
        row, column = divmod(done - 1, output.shape[1])
        show_grey(before, grey)
        frame(before, row, column, len(weights))
        before.set_title(_size(grey))
        so_far = np.where(np.arange(output.size).reshape(output.shape) < done, output, np.nan)
        after.set_facecolor("#eef0f2")
        show_image(after, so_far, cmap=DIVERGING, vmin=-limit, vmax=limit)
        frame(after, row, column, 1)
        after.set_title(f"place {done} of {output.size}")
        yield figure


def slide_stops(rows, columns):
    """Places at which the animation stops: each of the first row, every third of two more, then each second row's end.

    int, int -> list of int, in rising order, the last place too
    """
    first = range(1, columns + 1)
    next_two = range(columns + 3, 3 * columns + 1, 3)
    rest = range(5 * columns, rows * columns + 1, 2 * columns)
    return sorted({*first, *next_two, *rest, rows * columns})


def strides_and_padding():
    """Where a 3×3 filter fits into 7×7 pixels: alone, with a padded border, and in steps of two."""
    figure = canvas(3)
    for axes, (title, padding, stride) in zip(
        figure.subplots(1, 3), (("no padding", 0, 1), ("padding 1", 1, 1), ("stride 2", 0, 2))
    ):
        side = 7 + 2 * padding
        values = np.full((side, side, 3), 235, "uint8")
        values[padding : side - padding, padding : side - padding] = 184, 192, 200
        show_image(axes, values)
        for line in range(1, side):
            axes.axhline(line - 0.5, color="white", linewidth=1)
            axes.axvline(line - 0.5, color="white", linewidth=1)
        starts = range(0, side - 2, stride)
        for row in starts:
            for column in starts:
                axes.plot(column + 1, row + 1, "o", color=RIGHT, markersize=5)
        frame(axes, 0, 0, 3, outside=0)
        axes.set_title(title, fontsize=LETTERS)
        axes.set_xlabel(f"7×7 → {len(starts)}×{len(starts)}")
    return figure


def _size(image):
    return "×".join(map(str, image.shape))


def _plus(value):
    return f"{'−' if value < 0 else '+'} {number(abs(value))}"
