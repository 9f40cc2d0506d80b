"""Images beside a network's predictions."""

import numpy as np
from matplotlib import rc_context

from cnnvis.plots.canvas import (
    INK,
    LETTER,
    LINE,
    OTHER,
    RIGHT,
    STYLE,
    TEXT,
    WIDTH,
    WRONG,
    headline,
    new_figure,
    numbered,
    percent,
    show_image,
    wrapped,
    write_above,
)
from cnnvis.plots.names import cut, short_names


def gallery_pages(name, images, probabilities, labels, classes, captions, title, top=3, most=24):
    """Pages of `gallery` with at most `most` images each: dict of `name`, `name_2`, ... to Figure."""
    pages = []
    for start in range(0, len(images), most):
        some = slice(start, start + most)
        bars = [network[some] for network in probabilities]
        what = {"labels": labels[some], "classes": classes, "captions": captions[some], "title": title, "top": top}
        pages.append(gallery(images[some], bars, **what))
    return numbered(name, pages)


@rc_context(STYLE)
def gallery(images, probabilities, labels, classes, captions, title, top=3):
    """Images, each with its most probable classes as bars; green is the true class, red a wrong prediction.

    Parameters
    ----------
    images : (N, H, W, 3) uint8 array
    probabilities : sequence of (N, K) float arrays
        Of each network; their bars are side by side.
    labels : (N,) int array
        -1 where the class is unknown.
    classes, captions : sequences of K and N str
    """
    across = 1 + len(probabilities)
    columns = min(2 if across == 2 else 1, len(images))
    rows = -(-len(images) // columns)
    names = short_names(classes, 10)
    captions = [wrapped(each, WIDTH / columns, TEXT) for each in short_names(captions, 20 * across, "image")]
    lines = 1 + max(caption.count("\n") for caption in captions)
    figure = new_figure(WIDTH, (max(1.25, 0.27 * top) + LINE * lines + 0.15) * rows + 0.8)
    headline(figure, title)
    ratios = [1, *[1.55] * len(probabilities)] * columns
    grid = figure.subplots(rows, across * columns, squeeze=False, width_ratios=ratios)
    for axes in grid.flat[across * len(images) :]:
        axes.axis("off")
    for number, (shown, *bars) in enumerate(grid.reshape(-1, across)[: len(images)]):
        show_image(shown, images[number])
        shown.set_anchor("NW")
        write_above(shown, captions[number])
        for axes, network in zip(bars, probabilities):
            _probability_bars(axes, network[number], labels[number], names=names, top=top)
    return figure


@rc_context(STYLE)
def confused_pairs(images, probabilities, labels, classes, pairs, title):
    """Examples of the pairs of classes that are confused most often, one pair per row.

    Parameters
    ----------
    images : sequence of (N, H, W, 3) uint8 arrays
        Of each pair.
    probabilities : sequence of (N,) float arrays
        Of the predicted class.
    labels : sequence of N str
        Titles of the images.
    pairs : list of (true class, predicted class, times)
    """
    columns, classes = max(3, *map(len, images)), short_names(classes, 13)
    letters = int(WIDTH / columns / LETTER)
    figure = new_figure(WIDTH, (WIDTH / columns + 3 * LINE + 0.1) * len(pairs) + 1)
    headline(figure, title)
    grid = figure.subplots(len(pairs), columns, squeeze=False)
    for axes in grid.flat:
        axes.axis("off")
    for line, (true, predicted, times), some, certain, names in zip(grid, pairs, images, probabilities, labels):
        write_above(line[0], f"{classes[true]} → {classes[predicted]}, {times:,} time{'s' * (times != 1)}")
        for axes, image, probability, name in zip(line, some, certain, names):
            show_image(axes, image)
            words = f"{cut(name, letters)}\n{percent(probability)}"
            axes.set_xlabel(words, fontsize=TEXT, color=INK)
    return figure


def _probability_bars(axes, probability, label, names, top):
    order = np.argsort(-probability, kind="stable")[:top]
    colors = [RIGHT if c == label else WRONG if c == order[0] and label >= 0 else OTHER for c in order]
    axes.barh(range(len(order)), probability[order], color=colors, height=0.85)
    for place, c in enumerate(order):
        axes.text(0.03, place, f"{names[c]} {percent(probability[c])}", va="center", fontsize=TEXT, color="black")
    axes.set(xlim=(0, 1), ylim=(len(order) - 0.4, -0.6), xticks=[], yticks=[])
    for spine in axes.spines.values():
        spine.set_visible(False)
