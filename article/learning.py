"""How weights are found: a network so small that one can watch it, with a single weight.

It tells animals from vehicles by one number of an image, x: how much redder than blue its middle is. It answers
ŷ = 1 / (1 + exp(-A x)), the probability of an animal, and A is to be learned.
"""

import numpy as np

from article.canvas import LETTERS, canvas
from cnnvis.plots import INK, OTHER, RIGHT, WRONG, despine, show_image

ANIMALS = ("bird", "cat", "deer", "dog", "frog", "horse")
SHADES = 10  # of 255, that make one unit of x
RANGE = np.linspace(-0.5, 4, 451)  # of A, that is drawn


def warmth(images):
    """x of images: by how many tens of shades their middle quarter is redder than blue.

    (N, H, W, 3) uint8 -> (N,) float array
    """
    height, width = images.shape[1:3]
    middle = images[:, height // 4 : height - height // 4, width // 4 : width - width // 4].astype(float)
    return (middle[..., 0] - middle[..., 2]).mean(axis=(1, 2)) / SHADES


def answer(weight, x):
    """ŷ: the probability of an animal, 0 to 1."""
    return 1 / (1 + np.exp(-weight * x))


def cost(weight, x, y):
    """The mean squared error over the images."""
    return float(np.mean((y - answer(weight, x)) ** 2))


def slope(weight, x, y):
    """How much the cost grows with the weight: its derivative."""
    says = answer(weight, x)
    return float(np.mean(-2 * (y - says) * says * (1 - says) * x))


def descend(start, rate, steps, x, y):
    """Gradient descent: the weight at the start and after each step, (steps + 1,) float array."""
    weights = [start]
    for _ in range(steps):
        weights.append(weights[-1] - rate * slope(weights[-1], x, y))
    return np.array(weights)


def best(x, y):
    """The weight with the smallest cost of those that are drawn, to a hundredth."""
    return float(RANGE[np.argmin([cost(weight, x, y) for weight in RANGE])])


def residuals_that_cancel(residuals):
    """Why errors are squared: added up as they are, these cancel.

    Parameters
    ----------
    residuals : (N,) array
    """
    figure = canvas(3.4)
    ways = {"as they are": residuals, "without their signs": np.abs(residuals), "squared": residuals**2}
    for axes, (name, values) in zip(figure.subplots(1, 3, sharey=True), ways.items()):
        axes.bar(range(len(values)), values, color=np.where(values < 0, WRONG, RIGHT), width=0.6)
        axes.axhline(0, color=INK, linewidth=1)
        for place, value in enumerate(values):
            height = value + (-0.1 if value < 0 else 0.1)
            text = f"{value:g}".replace("-", "−")
            axes.text(place, height, text, ha="center", va="top" if value < 0 else "bottom")
        axes.set(title=name, xlabel=f"sum {values.sum():g}", xticks=[], yticks=[-1, 0, 1], ylim=(-1.5, 1.5))
        despine(axes)
    figure.supylabel("residual")
    return figure


def examples(images, x, y, weight):
    """Images with what the small network is given, what it should say, what it says, and by how much it is wrong.

    Parameters
    ----------
    images : (N, H, W, 3) uint8 array
    x, y : (N,) array
    weight : float
    """
    figure = canvas(3.4)
    for axes, image, given, true in zip(figure.subplots(1, len(images)), images, x, y):
        show_image(axes, image)
        axes.set_anchor("N")
        says = answer(weight, given)
        words = f"x = {given:.2f}\ny = {true:.0f}\nŷ = {says:.2f}\ny − ŷ = {true - says:.2f}".replace("= -", "= −")
        axes.set_xlabel(words, linespacing=1.4)
    return figure


def cost_curve(x, y, weights):
    """Cost against A, and where some weights stand on it.

    Parameters
    ----------
    x, y : (N,) array
    weights : sequence of float
    """
    figure = canvas(4)
    axes = figure.subplots()
    _draw_cost(axes, x, y)
    for weight in weights:
        height = cost(weight, x, y)
        axes.plot(weight, height, "o", color=WRONG, markersize=9)
        _name(axes, f"A = {weight:g}: cost {height:.3f}", weight, height)
    return figure


def minimum(x, y, weights):
    """Slopes of the cost: downwards before the minimum, none at it, upwards behind it.

    Parameters
    ----------
    x, y : (N,) array
    weights : sequence of 3 floats
        Before the minimum, at it, and behind it.
    """
    figure = canvas(4)
    axes = figure.subplots()
    _draw_cost(axes, x, y)
    axes.set_ylim(0.06, 0.3)
    for weight in weights:
        height, steep = cost(weight, x, y), slope(weight, x, y)
        along = np.array([-0.5, 0.5])
        axes.plot(weight + along, height + steep * along, color=WRONG, linewidth=2)
        axes.plot(weight, height, "o", color=WRONG, markersize=9)
        steep = 0 if abs(steep) < 5e-4 else steep
        _name(axes, f"slope {steep:.2g}", weight, height)
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
    figure = canvas(3.6)
    wide = np.linspace(-0.5, 8, 851)
    for axes, rate in zip(figure.subplots(1, len(rates), sharey=True), rates):
        path = descend(start, rate, steps, x, y)
        axes.plot(wide, [cost(weight, x, y) for weight in wide], color=OTHER, linewidth=2)
        axes.plot(path, [cost(weight, x, y) for weight in path], "o-", color=WRONG, markersize=6, linewidth=1)
        axes.set(title=f"learning rate {rate:g}", xlabel="A", ylim=(0.06, 0.4))
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
        figure = canvas(5.6)
        curve, pictures = figure.subplots(2, 1, height_ratios=(1.25, 1))
        _draw_cost(curve, x, y)
        passed = path[: step + 1]
        heights = [cost(w, x, y) for w in passed]
        curve.plot(passed, heights, "o-", color=WRONG, markersize=4, linewidth=1)
        curve.plot(weight, heights[-1], "o", color=WRONG, markersize=11)
        curve.set_title(f"step {step}: A = {weight:.2f}, cost {heights[-1]:.3f}".replace("-", "−"))
        _draw_answers(pictures, images, answer(weight, x), y)
        yield figure


def _name(axes, text, weight, height):
    """Words at a point of the curve: to the right of it, or above it if there is less room."""
    side, right = ("center", 20) if weight > RANGE.mean() else ("left", 9)
    axes.annotate(text.replace("-", "−"), (weight, height), (right, 9), textcoords="offset points", ha=side)


def _draw_cost(axes, x, y):
    axes.plot(RANGE, [cost(weight, x, y) for weight in RANGE], color=RIGHT, linewidth=2.5)
    axes.set(xlabel="A", ylabel="cost", ylim=(0, 0.45))
    despine(axes)


def _draw_answers(axes, images, says, y):
    """Animals above, vehicles below, each image at its answer from 0 to 1."""
    half = 0.05
    for image, at, true in zip(images, says, y):
        middle = 0.5 * true
        axes.imshow(image, extent=(at - half, at + half, middle, middle + 0.42), aspect="auto", interpolation="nearest")
    axes.axvline(0.5, color=INK, linewidth=1, linestyle="--")
    axes.set(xlim=(-0.05, 1.05), ylim=(-0.05, 1), xlabel="ŷ: 0 says vehicle, 1 says animal", xticks=[0, 0.5, 1])
    axes.set_yticks([0.21, 0.71], ["vehicles", "animals"], fontsize=LETTERS)
    despine(axes)
