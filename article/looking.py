"""Looking inside: what hiding a patch does, and what single channels respond to."""

from article.canvas import LETTERS, canvas
from cnnvis.plots import OUTPUTS, show_image

GREY_LEVEL = 128


def hide(image, top, left, side):
    """A copy of an image with a grey square on it: (H, W, 3) -> (H, W, 3) uint8 array."""
    image = image.copy()
    image[top : top + side, left : left + side] = GREY_LEVEL
    return image


def occluded(image, hidden, words):
    """An image, and copies of it with something hidden, each with a few words below it.

    Parameters
    ----------
    image : (H, W, 3) uint8 array
    hidden : (N, H, W, 3) uint8 array
    words : sequence of N + 1 str
    """
    figure = canvas(2.3)
    for axes, shown, below in zip(figure.subplots(1, 1 + len(hidden)), [image, *hidden], words):
        show_image(axes, shown)
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
    figure = canvas(4.9)
    for axes, shown, name in zip(figure.subplots(2, 3).flat, [image, *maps], ["image", *names]):
        show_image(axes, shown, **({} if shown.ndim == 3 else {"cmap": OUTPUTS}))
        axes.set_title(name, fontsize=LETTERS)
    return figure
