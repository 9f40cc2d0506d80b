"""How weights are found: a network so small that one can watch it, with a single weight.

It tells animals from vehicles by one number of an image, x: how much redder than blue its middle is. Its output is
ŷ = A·x; the truth y is 1 for an animal and −1 for a vehicle, and A is to be learned.
"""

import numpy as np

from article.canvas import LETTERS, canvas
from cnnvis.plots import INK, OTHER, RIGHT, WRONG, despine, real_minus, show_image

ANIMALS = ("bird", "cat", "deer", "dog", "frog", "horse")
SHADES = 40  # of 255, that make one unit of x
RANGE = np.linspace(-0.8, 2.6, 341)  # of A, that is drawn


def warmth(images):
    """x of images: by how many times 40 shades their middle quarter is redder than blue.

    (N, H, W, 3) uint8 -> (N,) float array
    """
    height, width = images.shape[1:3]
    middle = images[:, height // 4 : height - height // 4, width // 4 : width - width // 4].astype(float)
    return (middle[..., 0] - middle[..., 2]).mean(axis=(1, 2)) / SHADES


def cost(weight, x, y):
    """The mean squared error over the images."""
    return float(np.mean((y - weight * x) ** 2))


def slope(weight, x, y):
    """How much the cost grows with the weight: its derivative."""
    return float(np.mean(-2 * x * (y - weight * x)))


def descend(start, rate, steps, x, y):
    """Gradient descent: the weight at the start and after each step, (steps + 1,) float array."""
    weights = [start]
    for _ in range(steps):
        weights.append(weights[-1] - rate * slope(weights[-1], x, y))
    return np.array(weights)


def best(x, y):
    """The weight with the smallest cost."""
    return float(np.mean(x * y) / np.mean(x * x))


def residuals(values):
    """Why errors are squared: added up as they are, residuals of both signs cancel.

    Parameters
    ----------
    values : (N,) array
        From −1 to 1.
    """
    figure = canvas(3.3)
    ways = {"as they are": values, "without signs": np.abs(values), "squared": values**2}
    for axes, (name, bars) in zip(figure.subplots(1, 3, sharey=True), ways.items()):
        axes.bar(range(len(bars)), bars, color=np.where(bars < 0, WRONG, RIGHT), width=0.6)
        axes.axhline(0, color=INK, linewidth=1)
        for place, value in enumerate(bars):
            height = value + (-0.1 if value < 0 else 0.1)
            axes.text(place, height, real_minus(f"{value:.3g}"), ha="center", va="top" if value < 0 else "bottom")
        axes.set(title=name, xticks=[], yticks=[-1, 0, 1], ylim=(-1.5, 1.5))
        axes.set_xlabel(real_minus(f"sum {bars.sum():.3g}"))
        despine(axes)
    figure.supylabel("residual")
    return figure


def examples(images, x, y, weight):
    """Images with x, the truth, the output of the small network, and the residual.

    Parameters
    ----------
    images : (N, H, W, 3) uint8 array
    x, y : (N,) array
    weight : float
    """
    figure = canvas(3.2)
    for axes, image, given, true in zip(figure.subplots(1, len(images)), images, x, y):
        show_image(axes, image)
        axes.set_anchor("N")
        output = weight * given
        words = f"x = {given:.2f}\ny = {true:.0f}\nŷ = {output:.2f}\ny − ŷ = {true - output:.2f}"
        axes.set_xlabel(real_minus(words), linespacing=1.4)
    return figure


def cost_curve(x, y, weights):
    """Cost against A, and where some weights stand on it.

    Parameters
    ----------
    x, y : (N,) array
    weights : sequence of float
    """
    figure = canvas(3.9)
    axes = figure.subplots()
    _draw_cost(axes, x, y)
    for weight in weights:
        height = cost(weight, x, y)
        axes.plot(weight, height, "o", color=WRONG, markersize=9)
        _name(axes, f"A = {weight:.3g}\ncost {height:.2f}", weight, height)
    return figure


def minimum(x, y, weights):
    """Slopes of the cost: downhill before the minimum, none at it, uphill behind it.

    Parameters
    ----------
    x, y : (N,) array
    weights : sequence of float
    """
    figure = canvas(3.9)
    axes = figure.subplots()
    _draw_cost(axes, x, y)
    for weight in weights:
        height, steep = cost(weight, x, y), slope(weight, x, y)
        along = np.array([-0.4, 0.4])
        axes.plot(weight + along, height + steep * along, color=WRONG, linewidth=2)
        axes.plot(weight, height, "o", color=WRONG, markersize=9)
        steep = 0 if abs(steep) < 5e-3 else steep
        _name(axes, f"slope {steep:.2f}" if steep else "slope 0", weight, height)
    return figure


def two_valleys(weight):
    """A made-up cost with two valleys."""
    return 0.25 * (weight**2 - 1) ** 2 + 0.12 * weight + 0.3


def local_minimum():
    """A cost with a local minimum beside the global one."""
    figure = canvas(3)
    axes = figure.subplots()
    along = np.linspace(-1.75, 1.75, 351)
    heights = two_valleys(along)
    axes.plot(along, heights, color=RIGHT, linewidth=2.5)
    for half, name in ((along < 0, "global minimum"), (along > 0, "local minimum")):
        place = along[half][heights[half].argmin()]
        axes.plot(place, two_valleys(place), "o", color=WRONG, markersize=9)
        axes.annotate(name, (place, two_valleys(place)), (0, -12), textcoords="offset points", ha="center", va="top")
    axes.set(xlabel="A", ylabel="cost", xticks=[], yticks=[], ylim=(-0.15, 1))
    despine(axes)
    return figure


def learning_rates(x, y, rates, start, steps):
    """The same descent with steps that are too small, right, and too large.

    Parameters
    ----------
    x, y : (N,) array
    rates : sequence of 3 floats
    start : float
    steps : int
    """
    figure = canvas(3.2)
    wide = np.linspace(-2.2, 4, 621)
    for axes, rate in zip(figure.subplots(1, len(rates), sharey=True), rates):
        path = descend(start, rate, steps, x, y)
        axes.plot(wide, [cost(weight, x, y) for weight in wide], color=OTHER, linewidth=2)
        axes.plot(path, [cost(weight, x, y) for weight in path], "o-", color=WRONG, markersize=6, linewidth=1)
        axes.set(title=f"rate {rate:g}", xlabel="A", xlim=(wide[0], wide[-1]), ylim=(0, 5))
        despine(axes)
    figure.supylabel("cost")
    return figure


def descent_frames(images, x, y, path):
    """Gradient descent on the twenty images, a Figure a step: the cost, and the images where their answers stand.

    Parameters
    ----------
    images : (N, H, W, 3) uint8 array
    x, y : (N,) array
    path : (S,) array
        The weight at the start and after each step.
    """
    for step, weight in enumerate(path):
        figure = canvas(5.4)
        curve, line = figure.subplots(2, 1, height_ratios=(1.25, 1))
        _draw_cost(curve, x, y)
        passed = path[: step + 1]
        heights = [cost(w, x, y) for w in passed]
        curve.plot(passed, heights, "o-", color=WRONG, markersize=4, linewidth=1)
        curve.plot(weight, heights[-1], "o", color=WRONG, markersize=11)
        curve.set_title(real_minus(f"step {step}: A = {weight:.2f}, cost {heights[-1]:.3f}"))
        _draw_outputs(line, images, weight * x, y)
        yield figure


def _name(axes, text, weight, height):
    """Words at a point of the curve: within the valley, or below its floor."""
    places = {"left": (12, 2), "center": (0, -12), "right": (-12, 2)}
    side = "left" if weight <= 0 else "center" if weight < 1.5 else "right"
    level = "top" if side == "center" else "bottom"
    axes.annotate(real_minus(text), (weight, height), places[side], textcoords="offset points", ha=side, va=level)


def _draw_cost(axes, x, y):
    axes.plot(RANGE, [cost(weight, x, y) for weight in RANGE], color=RIGHT, linewidth=2.5)
    axes.set(xlabel="A", ylabel="cost", ylim=(-0.1, 2.6))
    despine(axes)


def _draw_outputs(axes, images, outputs, y):
    """Animals above, vehicles below, each image at its output."""
    half = 0.15
    for image, at, true in zip(images, outputs, y):
        low = 0.5 * (true > 0)
        axes.imshow(image, extent=(at - half, at + half, low, low + 0.42), aspect="auto", interpolation="nearest")
    axes.axvline(0, color=INK, linewidth=1, linestyle="--")
    axes.set(xlim=(-1.4, 1.8), ylim=(-0.05, 1), xlabel="ŷ: negative says vehicle, positive says animal")
    axes.set_xticks([-1, 0, 1])
    axes.set_yticks([0.21, 0.71], ["vehicles", "animals"], fontsize=LETTERS)
    despine(axes)
