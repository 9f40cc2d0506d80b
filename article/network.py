"""What layers do, and what a whole network does."""

import numpy as np
from matplotlib.patches import Rectangle

from article.canvas import LETTERS, canvas, frame, number_grid
from cnnvis.plots import DIVERGING, INK, OTHER, OUTPUTS, RIGHT, WRONG, despine, show_image

STACKED = 3  # channels of a layer that are drawn
PER_ROW = 5


def features(image, rows):
    """What layers look for: the receptive field of a unit of each, and images made for some of its filters.

    Parameters
    ----------
    image : (H, W, 3) uint8 array
    rows : list of (str, (top, left, bottom, right), (F, H, W, 3) uint8 array)
        A layer's name, the receptive field of its middle unit (exclusive), and the images.
    """
    figure = canvas(1.5 * len(rows) + 0.4)
    grid = figure.subplots(len(rows), 1 + len(rows[0][2]))
    for line, (name, (top, left, bottom, right), made) in zip(grid, rows):
        show_image(line[0], image)
        frame(line[0], top, left, bottom - top, right - left)
        line[0].set_ylabel(f"{name}\n{bottom - top}×{right - left}")
        for axes, picture in zip(line[1:], made):
            show_image(axes, picture)
    grid[0, 0].set_title("a cell sees …", fontsize=LETTERS)
    grid[0, (len(rows[0][2]) + 1) // 2].set_title("… and filters look for", fontsize=LETTERS, loc="left")
    return figure


def whole_network(image, outputs, probabilities, classes):
    """An image's way through the network: some channels of each layer, and what comes out in the end.

    Parameters
    ----------
    image : (H, W, 3) uint8 array
    outputs : dict of str to (h, w, c) or (units,) array
        Layers' names, with the layer's kind after a colon where it isn't in the name.
    probabilities : (K,) array
    classes : sequence of str
    """
    count = len(outputs) + 2
    rows = -(-count // PER_ROW)
    figure = canvas(1.95 * rows)
    grid = list(figure.subplots(rows, PER_ROW).flat)
    for axes in grid:
        axes.axis("off")
    show_image(grid[0], image)
    grid[0].set_title(f"picture\n{'×'.join(map(str, image.shape))}", fontsize=13)
    for axes, (name, output) in zip(grid[1:], outputs.items()):
        axes.set_title(f"{name}\n{'×'.join(map(str, output.shape))}", fontsize=13)
        if output.ndim == 1:
            places = np.arange(len(output))
            axes.barh(places, output, height=1, color=np.where(output > 0, RIGHT, OTHER))
            axes.axvline(0, color=INK, linewidth=0.5)
            axes.set(ylim=(len(output) - 0.5, -0.5), box_aspect=1)
        else:
            _stack(axes, output)
    last = grid[count - 1]
    order = np.argsort(-probabilities, kind="stable")[:4]
    last.barh(range(4), probabilities[order], color=[RIGHT, *[OTHER] * 3])
    for place, c in enumerate(order):
        last.text(0.03, place, f"{classes[c]} {probabilities[c]:.0%}", va="center", fontsize=10)
    last.set(xlim=(0, 1), ylim=(3.6, -0.6), box_aspect=1)
    last.set_title(f"probabilities\n{len(probabilities)}", fontsize=13)
    return figure


def _stack(axes, output):
    """The channels with the largest outputs, one before the other."""
    height, width, _ = output.shape
    strongest = np.argsort(-output.max(axis=(0, 1)), kind="stable")[:STACKED]
    apart = 0.16
    for depth in range(len(strongest) - 1, -1, -1):
        x, y = depth * apart, depth * apart
        channel = output[..., strongest[depth]]
        extent = x, x + 1, y, y + height / width
        axes.imshow(channel, cmap=OUTPUTS, interpolation="nearest", extent=extent, zorder=-2 * depth)
        edge = Rectangle((x, y), 1, height / width, fill=False, edgecolor="white", linewidth=1.5, zorder=1 - 2 * depth)
        axes.add_patch(edge)
    room = 1 + (STACKED - 1) * apart
    axes.set(xlim=(0, room), ylim=(0, room))


ACTIVATIONS = {
    "RELU": lambda x: np.maximum(x, 0),
    "logistic": lambda x: 1 / (1 + np.exp(-x)),
    "tanh": np.tanh,
    "leaky RELU": lambda x: np.where(x > 0, x, 0.1 * x),
}


def activations():
    """Activation functions: what goes in against what comes out."""
    figure = canvas(3.1)
    x = np.linspace(-4, 4, 401)
    for axes, (name, function) in zip(figure.subplots(1, len(ACTIVATIONS), sharey=True), ACTIVATIONS.items()):
        axes.plot(x, function(x), color=RIGHT, linewidth=2.5)
        axes.axhline(0, color=INK, linewidth=0.6)
        axes.axvline(0, color=INK, linewidth=0.6)
        axes.set(title=name, ylim=(-1.3, 3), xticks=[-4, 0, 4], yticks=[-1, 0, 1, 2, 3])
        despine(axes)
    figure.supxlabel("what goes in")
    figure.supylabel("what comes out")
    return figure


def before_and_after_relu(image, before, after):
    """An image, a channel of a CONV layer that looked at it, and the same behind RELU.

    Parameters
    ----------
    image : (H, W, 3) uint8 array
    before, after : (h, w) float array
    """
    figure = canvas(3.05)
    picture, left, right = figure.subplots(1, 3)
    show_image(picture, image)
    picture.set_title("picture")
    limit = np.abs(before).max()
    for axes, values, title in ((left, before, "before RELU"), (right, after, "after RELU")):
        show_image(axes, values, cmap=DIVERGING, vmin=-limit, vmax=limit)
        axes.set_title(title)
    return figure


POOLS = {"max": np.max, "mean": np.mean, "min": np.min}


def pooled(values, how):
    """2×2 blocks of an (h, w) array, each as one number: (h/2, w/2) array."""
    height, width = values.shape
    return how(values.reshape(height // 2, 2, width // 2, 2), axis=(1, 3))


def pooling(values):
    """Two by two cells become one: the largest, the mean, or the smallest.

    Parameters
    ----------
    values : (4, 4) float array
    """
    figure = canvas(6.4)
    grid = figure.subplot_mosaic([["before"] * 3, [*POOLS]], height_ratios=(1.7, 1))
    low, high = values.min(), values.max()

    def draw(axes, numbers):
        number_grid(axes, numbers, OUTPUTS, low, high, [[_tenths(n) for n in row] for row in numbers], LETTERS + 2)

    draw(grid["before"], values)
    grid["before"].set_title("sixteen cells after RELU")
    for row in range(2):
        for column in range(2):
            frame(grid["before"], 2 * row, 2 * column, 2, color=INK)
    for name, how in POOLS.items():
        draw(grid[name], pooled(values, how))
        grid[name].set_title(f"2×2 {name} POOL")
    return figure


def _tenths(value):
    return f"{value:.1f}".replace("-", "−")


def answers(images, probabilities, labels, classes, most=5):
    """Images and the classes that the network finds most probable.

    Parameters
    ----------
    images : (N, H, W, 3) uint8 array
    probabilities : (N, K) array
    labels : (N,) int array
    classes : sequence of str
    most : int
        Classes that are named.
    """
    figure = canvas(1.8 * len(images))
    grid = figure.subplots(len(images), 2, width_ratios=(1, 3.2))
    for (picture, bars), image, chances, label in zip(grid, images, probabilities, labels):
        show_image(picture, image)
        order = np.argsort(-chances, kind="stable")[:most]
        right = RIGHT if order[0] == label else WRONG
        bars.barh(range(most), chances[order], color=[right, *[OTHER] * (most - 1)])
        for place, c in enumerate(order):
            bars.text(chances[c] + 0.01, place, f"{chances[c]:.1%}", va="center")
        bars.set(xlim=(0, 1), ylim=(most - 0.4, -0.6), xticks=[])
        bars.set_yticks(range(most), [classes[c] for c in order])
        despine(bars)
    return figure
