"""How well a network does and where it fails."""

import numpy as np
from matplotlib.colors import PowerNorm

from cnnvis.plots.canvas import INK, OTHER, RIGHT, WRONG, despine, new_figure, short, show_image

MOST_CLASSES = 25  # whose names still fit along an axis


def confusion(matrix, classes, accuracy, interval):
    """Confusion matrix: rows are true classes in percent, each cell with its count.

    Parameters
    ----------
    matrix : (K, K) int array
    classes : sequence of K str
    accuracy : float
    interval : (low, high)
    """
    count = len(classes)
    side = float(np.clip(2.5 + 0.55 * count, 5, 14))
    figure = new_figure(side + 1.2, side)
    axes = figure.subplots()
    share = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    norm = PowerNorm(0.4, 0, 1)  # so that a mistake of a few percent shows
    image = axes.imshow(share, cmap="Blues", norm=norm)
    bar = figure.colorbar(
        image, ax=axes, shrink=0.8, label="share of the true class", ticks=[0, 0.01, 0.05, 0.2, 0.5, 1]
    )
    bar.ax.set_yticklabels(["0%", "1%", "5%", "20%", "50%", "100%"])
    if count <= MOST_CLASSES:
        axes.set_xticks(range(count), [short(name) for name in classes], rotation=45, ha="right")
        axes.set_yticks(range(count), [short(name) for name in classes])
        for i, j in np.ndindex(matrix.shape):
            if matrix[i, j]:
                color = "white" if norm(share[i, j]) > 0.6 else INK
                axes.text(j, i, f"{matrix[i, j]}", ha="center", va="center", color=color, fontsize=8)
    axes.set(xlabel="predicted class", ylabel="true class")
    axes.set_title(f"{accuracy:.2%} right (95% interval {interval[0]:.2%} to {interval[1]:.2%}), n = {matrix.sum():,}")
    return figure


def gallery(images, probabilities, labels, classes, title, top=3):
    """Pictures, each with its most probable classes as bars; green is the true class, red a wrong prediction.

    Parameters
    ----------
    images : (N, H, W, 3) uint8 array
    probabilities : (N, K) float array
    labels : (N,) int array
        -1 where the class is not known.
    classes : sequence of K str
    """
    columns = min(4, len(images))
    rows = -(-len(images) // columns)
    figure = new_figure(max(3.1 * columns, 5), 1.75 * rows + 0.5)
    figure.suptitle(title)
    grid = figure.subplots(rows, 2 * columns, squeeze=False, width_ratios=[1, 1.1] * columns)
    for axes in grid.flat[2 * len(images) :]:
        axes.axis("off")
    top = min(top, len(classes))
    for photo, bars, image, probability, label in zip(grid.flat[::2], grid.flat[1::2], images, probabilities, labels):
        show_image(photo, image)
        photo.set_title("" if label < 0 else short(classes[label]), fontsize=9, color=INK)
        order = np.argsort(-probability, kind="stable")[:top]
        colors = [RIGHT if c == label else WRONG if c == order[0] and label >= 0 else OTHER for c in order]
        bars.barh(range(top), probability[order], color=colors, height=0.85)
        for place, c in enumerate(order):
            bars.text(0.03, place, f"{short(classes[c])} {probability[c]:.0%}", va="center", fontsize=8, color="black")
        bars.set(xlim=(0, 1), ylim=(top - 0.4, -0.6), xticks=[], yticks=[])
        bars.set_box_aspect(1)
        for spine in bars.spines.values():
            spine.set_visible(False)
    return figure


def breakdown(matrix, pairs, classes):
    """Where the wrong predictions come from: by true class, by predicted class, and the most confused pairs.

    Parameters
    ----------
    matrix : (K, K) int array
    pairs : list of (true class, predicted class, times)
    classes : sequence of K str
    """
    mistakes = matrix - np.diag(np.diag(matrix))
    shown = np.argsort(-(mistakes.sum(0) + mistakes.sum(1)), kind="stable")[:MOST_CLASSES]
    shown = np.sort(shown)
    names = [short(classes[c]) for c in shown]
    height = max(3.6, 0.3 * max(len(shown), len(pairs)) + 1.2)
    figure = new_figure(13, height)
    title = f"{mistakes.sum():,} wrong predictions of {matrix.sum():,}"
    if len(shown) < len(classes):
        title += f"; the {len(shown)} classes of {len(classes)} with the most"
    figure.suptitle(title)
    by_true, by_predicted, by_pair = figure.subplots(1, 3)
    bars = [
        (by_true, names, mistakes.sum(axis=1)[shown], "by true class: missed", WRONG),
        (by_predicted, names, mistakes.sum(axis=0)[shown], "by predicted class: seen instead", OTHER),
        (
            by_pair,
            [f"{short(classes[t])} → {short(classes[p])}" for t, p, _ in pairs],
            [times for *_, times in pairs],
            "most confused: true → predicted",
            RIGHT,
        ),
    ]
    for axes, labels, values, heading, color in bars:
        drawn = axes.barh(range(len(values)), values, color=color)
        axes.bar_label(drawn, padding=2, fontsize=8)
        axes.set_yticks(range(len(values)), labels)
        axes.invert_yaxis()
        axes.margins(x=0.12)
        axes.set_title(heading, fontsize=10)
        axes.set_xlabel("wrong predictions")
        axes.xaxis.get_major_locator().set_params(integer=True)
        despine(axes)
    return figure
