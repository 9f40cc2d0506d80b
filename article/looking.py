"""Looking inside: what hiding a patch does, and what single channels respond to."""

import numpy as np

from article.canvas import LETTERS, canvas, scale
from cnnvis.attribution import baseline_images
from cnnvis.plots import OUTPUTS, show_image


def hide(image, top, left, side):
    """A copy of an image with a square in its mean colour: (H, W, 3) array -> (H, W, 3) float32 array, 0-255."""
    patch = np.s_[top : top + side, left : left + side]
    hidden = image.astype("float32")
    hidden[patch] = baseline_images(image[None], "mean")[0][patch]
    return hidden


def occluded(image, hidden, words):
    """An image, and copies of it with something hidden, each with a few words below it.

    Parameters
    ----------
    image : (H, W, 3) uint8 array
    hidden : (N, H, W, 3) float array, 0-255
    words : sequence of N + 1 str
    """
    figure = canvas(2.3)
    for axes, shown, below in zip(figure.subplots(1, 1 + len(hidden)), [image, *hidden], words):
        show_image(axes, np.rint(shown).astype("uint8"))
        axes.set_xlabel(below)
    return figure


def channels(image, maps, names):
    """An image beside some channels of a layer, each with its own scale.

    Parameters
    ----------
    image : (H, W, 3) uint8 array
    maps : (N, h, w) float array
    names : sequence of N str
    """
    figure = canvas(5.5)
    grid = figure.subplots(2, 3)
    for axes, shown, name in zip(grid.flat, [image, *maps], ["image", *names]):
        show_image(axes, shown, **({} if shown.ndim == 3 else {"cmap": OUTPUTS}))
        axes.set_title(name, fontsize=LETTERS)
    scale(figure, grid, grid.flat[-1].images[0], ("zero", "the channel's highest value"))
    return figure
