"""What layers do, and what a whole network does."""

import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize

from article.canvas import LETTERS, canvas, frame, number, number_grid, scale
from cnnvis.plots import DIVERGING, INK, OTHER, OUTPUTS, RIGHT, despine, real_minus, show_image

SHOWN = 3  # channels of a layer that are drawn


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
    grid[0, 0].set_title("a unit sees …", fontsize=LETTERS)
    grid[0, (len(rows[0][2]) + 1) // 2].set_title("… filters respond to", fontsize=LETTERS, loc="left")
    return figure


def whole_network(image, outputs, probabilities, classes):
    """An image's way through the network: three channels of each layer, and what comes out in the end.

    Parameters
    ----------
    image : (H, W, 3) uint8 array
    outputs : dict of str to (h, w, c) or (units,) array
        By the names of the layers.
    probabilities : (K,) array
    classes : sequence of str
    """
    panels = [("image", image[None], image.shape)]
    panels += [(name, _strongest(output), output.shape) for name, output in outputs.items()]
    rows = -(-(len(panels) + 1) // 2)
    figure = canvas(1.45 * rows)
    parts = list(figure.subfigures(rows, 2).flat)
    if len(parts) > len(panels) + 1:
        beside = parts[-1].subplots()
        beside.axis("off")
        scale(parts[-1], beside, ScalarMappable(Normalize(0, 1), OUTPUTS), ("low", "high"))
    for part, (name, maps, shape) in zip(parts, panels):
        part.suptitle(f"{name}  {'×'.join(map(str, shape))}", fontsize=LETTERS)
        if len(shape) == 1:
            _bars(part.subplots(), maps)
        else:
            for axes, channel in zip(part.subplots(1, SHOWN), [*maps, *[None] * (SHOWN - len(maps))]):
                axes.axis("off")
                if channel is not None:
                    show_image(axes, channel, **({} if channel.ndim == 3 else {"cmap": OUTPUTS, "vmin": maps.min()}))
                    axes.images[0].set_clim(maps.min(), maps.max())
    last = parts[len(panels)]
    last.suptitle(f"probabilities  {len(probabilities)}", fontsize=LETTERS)
    axes = last.subplots()
    order = np.argsort(-probabilities, kind="stable")[:3]
    axes.barh(range(3), probabilities[order], color=[RIGHT, *[OTHER] * 2])
    for place, c in enumerate(order):
        inside = probabilities[c] > 0.5
        words = f"{classes[c]} {probabilities[c]:.1%}"
        axes.text(0.02 + (not inside) * probabilities[c], place, words, va="center", color="white" if inside else INK)
    axes.set(xlim=(0, 1), ylim=(2.6, -0.6))
    axes.axis("off")
    return figure


def _strongest(output):
    """The channels with the largest values, first ones first: (h, w, c) -> (SHOWN, h, w); a vector stays as it is."""
    if output.ndim == 1:
        return output
    chosen = np.sort(np.argsort(-output.max(axis=(0, 1)), kind="stable")[:SHOWN])
    return np.moveaxis(output[..., chosen], -1, 0)


def _bars(axes, values):
    axes.bar(np.arange(len(values)), values, width=1, color=np.where(values > 0, RIGHT, OTHER))
    axes.axhline(0, color=INK, linewidth=0.5)
    axes.set_xlim(-0.5, len(values) - 0.5)
    axes.axis("off")


ACTIVATIONS = {
    "RELU": lambda x: np.maximum(x, 0),
    "logistic": lambda x: 1 / (1 + np.exp(-x)),
    "tanh": np.tanh,
    "leaky RELU": lambda x: np.where(x > 0, x, 0.1 * x),
}


def activations():
    """Activation functions: what goes in against what comes out."""
    figure = canvas(5.2)
    x = np.linspace(-4, 4, 401)
    grid = figure.subplots(2, 2, sharex=True, sharey=True).flat
    for axes, (name, function) in zip(grid, ACTIVATIONS.items()):
        axes.plot(x, function(x), color=RIGHT, linewidth=2.5)
        axes.axhline(0, color=INK, linewidth=0.6)
        axes.axvline(0, color=INK, linewidth=0.6)
        axes.set(title=name, ylim=(-1.3, 3), xticks=[-4, 0, 4], yticks=[-1, 0, 1, 2, 3])
        despine(axes)
    figure.supxlabel("what goes in")
    figure.supylabel("what comes out")
    return figure


def before_and_after_relu(image, before, after):
    """An image, one channel of a CONV layer for it, and the same channel after RELU.

    Parameters
    ----------
    image : (H, W, 3) uint8 array
    before, after : (h, w) float array
    """
    figure = canvas(3.2)
    original, left, right = figure.subplots(1, 3)
    show_image(original, image)
    original.set_title("image")
    limit = np.abs(before).max()
    for axes, values, title in ((left, before, "before RELU"), (right, after, "after RELU")):
        show_image(axes, values, cmap=DIVERGING, vmin=-limit, vmax=limit)
        axes.set_title(title)
    scale(figure, [original, left, right], left.images[0])
    return figure


POOLS = {"max": np.max, "mean": np.mean, "min": np.min}


def pooled(values, how):
    """2×2 blocks of an (h, w) array, each as one number: (h/2, w/2) array."""
    height, width = values.shape
    return how(values.reshape(height // 2, 2, width // 2, 2), axis=(1, 3))


def pooling(values):
    """Blocks of 2×2 values become one: the largest, the mean, or the smallest.

    Parameters
    ----------
    values : (4, 4) float array
    """
    figure = canvas(5.6)
    grid = figure.subplot_mosaic([["before"] * 3, [*POOLS]], height_ratios=(1.7, 1))
    low, high = values.min(), values.max()

    def draw(axes, numbers):
        number_grid(axes, numbers, OUTPUTS, low, high, [[_tenths(n) for n in row] for row in numbers], LETTERS + 2)

    draw(grid["before"], values)
    grid["before"].set_title("4×4 values of one channel")
    for row in range(2):
        for column in range(2):
            frame(grid["before"], 2 * row, 2 * column, 2, color=INK, outside=0)
    for name, how in POOLS.items():
        draw(grid[name], pooled(values, how))
        grid[name].set_title(f"{name} POOL")
    return figure


FEATURES = {"fur": 2, "ears": 1, "wheels": 0, "doors": 1}
WEIGHTS = {"dog": (1, 1, -1, -1), "cat": (0, 2, -1, -1), "truck": (-1, -1, 2, 1)}


def softmax(logits):
    """Probabilities that add up to 1: (K,) -> (K,) array."""
    powers = np.exp(logits)
    return powers / powers.sum()


def worked_fc():
    """An FC layer in numbers: four features times the weights of three classes, and what softmax makes of the sums."""
    features, weights = np.array([list(FEATURES.values())]), np.array(list(WEIGHTS.values()))
    logits = weights @ features[0]
    figure = canvas(4.1)
    top, bottom = figure.subfigures(2, 1, height_ratios=(1, 2.1))
    inputs = top.subplots(1, 2, width_ratios=(4, 3.6))
    number_grid(inputs[0], features, OUTPUTS, 0, 3, size=LETTERS + 2)
    inputs[0].set_xticks(range(len(FEATURES)), list(FEATURES), fontsize=LETTERS - 1)
    inputs[0].xaxis.tick_top()
    inputs[0].tick_params(length=0)
    inputs[0].set_ylabel("features", rotation=0, ha="right", va="center")
    inputs[1].axis("off")
    columns = bottom.subplots(1, 4, width_ratios=(4, 1.2, 1.2, 1.2))
    number_grid(columns[0], weights, DIVERGING, -2, 2, size=LETTERS + 2)
    columns[0].set_yticks(range(len(WEIGHTS)), list(WEIGHTS))
    columns[0].tick_params(length=0)
    shown = {"logit": [number(int(z)) for z in logits], "$e^z$": [f"{np.exp(z):.2f}" for z in logits]}
    shown["ŷ"] = [f"{p:.0%}" for p in softmax(logits)]
    columns[0].set_title("weights")
    for axes, (title, texts) in zip(columns[1:], shown.items()):
        number_grid(axes, np.zeros((3, 1)), texts=[[text] for text in texts], size=LETTERS + 1)
        axes.set_title(title)
    return figure


def _tenths(value):
    return real_minus(f"{value:.1f}")
