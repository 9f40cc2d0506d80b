"""Images beside a network's predictions."""

import numpy as np
from matplotlib import rc_context

from cnnvis.plots.canvas import (
    INK,
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
    width = 3.2 if across == 2 else 2.2 * across - 0.4
    figure = new_figure(max(width * columns, 5), 1.75 * rows + 0.8)
    headline(figure, title)
    ratios = [1, *[1.25] * len(probabilities)] * columns
    grid = figure.subplots(rows, across * columns, squeeze=False, width_ratios=ratios)
    for axes in grid.flat[across * len(images) :]:
        axes.axis("off")
    names, captions = short_names(classes, 12), short_names(captions, 14 * across, "image")
    for number, (shown, *bars) in enumerate(grid.reshape(-1, across)[: len(images)]):
        show_image(shown, images[number])
        caption = shown.set_title(captions[number], fontsize=TEXT, color=INK, loc="left")
        caption.set_in_layout(False)  # it has room above the bars
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
    columns, classes = max(3, *map(len, images)), short_names(classes)
    figure = new_figure(WIDTH, (WIDTH / columns + 0.65) * len(pairs) + 0.9)
    headline(figure, title)
    grid = figure.subplots(len(pairs), columns, squeeze=False)
    for axes in grid.flat:
        axes.axis("off")
    for line, (true, predicted, times), some, certain, names in zip(grid, pairs, images, probabilities, labels):
        text = f"{classes[true]} → {classes[predicted]}, {times:,} time{'s' * (times != 1)}"
        line[0].set_title(" ", fontsize=TEXT)
        above = {"xycoords": "axes fraction", "textcoords": "offset points", "fontsize": TEXT, "color": INK}
        line[0].annotate(text, (0, 1), (0, 5), **above).set_in_layout(False)  # it has room above the other images
        for axes, image, probability, name in zip(line, some, certain, names):
            show_image(axes, image)
            axes.set_xlabel(f"{cut(name, 14)}\n{percent(probability)}", fontsize=TEXT, color=INK)
    return figure


def _probability_bars(axes, probability, label, names, top):
    order = np.argsort(-probability, kind="stable")[:top]
    colors = [RIGHT if c == label else WRONG if c == order[0] and label >= 0 else OTHER for c in order]
    axes.barh(range(len(order)), probability[order], color=colors, height=0.85)
    for place, c in enumerate(order):
        axes.text(0.03, place, f"{names[c]} {percent(probability[c])}", va="center", fontsize=TEXT, color="black")
    axes.set(xlim=(0, 1), ylim=(len(order) - 0.4, -0.6), xticks=[], yticks=[])
    axes.set_box_aspect(0.8)
    for spine in axes.spines.values():
        spine.set_visible(False)
