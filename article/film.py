"""A film of a training: what `basic` makes of a truck while it learns from 5,000 images (`article/trainings.py`)."""

import numpy as np

from article.canvas import LETTERS, canvas
from article.trainings import FILMED, RUNS
from cnnvis.plots import OTHER, OUTPUTS, RIGHT, despine, show_image

BARS = 5  # classes
COLUMNS = 8  # of filters


def stored():
    """The frames of the film: dict of (F, ...) arrays, F frames."""
    with np.load(RUNS / f"{FILMED}.npz") as file:
        return dict(file)


def moment(step, steps):
    """In words: how long the network has learned, with so many steps in an epoch."""
    if step == 0:
        return "before training"
    if step < steps:
        return f"after {step} step{'s' if step > 1 else ''}"
    return f"after {step // steps} epoch{'s' if step > steps else ''}"


def raster(filters):
    """(h, w, 3, N) weights as one image, each filter scaled for itself: grey is 0. (H, W, 3) float array, 0 to 1."""
    height, width, colours, count = filters.shape
    scaled = 0.5 + 0.5 * filters / np.abs(filters).max(axis=(0, 1, 2))
    framed = np.pad(scaled, ((0, 1), (0, 1), (0, 0), (0, 0)), constant_values=1)
    rows = framed.reshape(height + 1, width + 1, colours, count // COLUMNS, COLUMNS)
    return rows.transpose(3, 0, 4, 1, 2).reshape(-1, (width + 1) * COLUMNS, colours)[:-1, :-1]


def frames(image, label, classes):
    """A figure for each moment: generator of Figure.

    Parameters
    ----------
    image : (H, W, 3) uint8 array
    label : int
        Its true class.
    classes : sequence of str
    """
    film = stored()
    shown = np.sort(np.argsort(-film["probabilities"].max(axis=0), kind="stable")[:BARS])
    steps = film["step"][-1] // int((~np.isnan(film["held_out"])).sum())  # of an epoch
    for step, probabilities, maps, filters in zip(*(film[key] for key in ("step", "probabilities", "maps", "filters"))):
        figure = canvas(4.6)
        left, right = figure.subfigures(1, 2, width_ratios=(1, 1.25))
        picture, bars = left.subplots(2, 1, height_ratios=(1, 1.15))
        show_image(picture, image)
        picture.set_title(moment(step, steps))
        bars.barh(range(BARS), 100 * probabilities[shown], color=np.where(shown == label, RIGHT, OTHER))
        bars.set_yticks(range(BARS), [classes[place] for place in shown])
        bars.set(xlim=(0, 100), xticks=(0, 50, 100), ylim=(BARS - 0.5, -0.5))
        bars.xaxis.set_major_formatter("{x:.0f}%")
        despine(bars)
        above, below = right.subfigures(2, 1, height_ratios=(1.25, 1))
        above.suptitle("four feature maps of conv1", fontsize=LETTERS + 1)
        for axes, channel in zip(above.subplots(2, 2).flat, np.moveaxis(maps, -1, 0)):
            show_image(axes, channel, cmap=OUTPUTS)
        below.suptitle("its 32 filters", fontsize=LETTERS + 1)
        show_image(below.subplots(), raster(filters))
        yield figure
