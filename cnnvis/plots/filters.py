"""What filters look for."""

import textwrap

import numpy as np

from cnnvis.plots.canvas import new_figure, short, show_image


def filter_pages(name, layers, classes=(), most=24):
    """Figures of `filter_pictures` with at most `most` filters each, by name: `name`, `name_2`, ..."""
    columns = min(4, max(len(layer["filters"]) for layer in layers.values()))
    rows = [
        (layer_name, {key: array[start : start + columns] for key, array in layer.items()})
        for layer_name, layer in layers.items()
        for start in range(0, len(layer["filters"]), columns)
    ]
    most //= columns
    return {
        name if not start else f"{name}_{start // most + 1}": filter_pictures(
            rows[start : start + most], columns, classes
        )
        for start in range(0, len(rows), most)
    }


def filter_pictures(rows, columns, classes=()):
    """What excites filters most, in rows: the picture made for each, and the real patches; the dead are labelled.

    Parameters
    ----------
    rows : list of (str, dict)
        A layer's name, and of some of its filters: `images` (F, H, W, 3) and `patches` (F, P, h, w, 3) uint8, and
        `filters`, `activation`, `dataset_max`, `dead`, `selectivity` and `favourite`, all (F,).
    columns : int
        Filters in a row at most.
    classes : sequence of str
        Names of the classes that `favourite` counts.
    """
    width = 2.9 * columns + 0.5
    heading = "What excites a filter most: the picture made for it, and the nine parts of real pictures"
    lines = textwrap.wrap(heading, int(10 * width))
    figure = new_figure(width, 2.1 * len(rows) + 0.4 + 0.2 * len(lines))
    figure.suptitle("\n".join(lines), fontsize=11)
    grid = figure.subplots(len(rows), 2 * columns, squeeze=False)
    for axes in grid.flat:
        axes.axis("off")
    for line, (name, layer) in zip(grid, rows):
        for place, (made, real) in enumerate(line.reshape(-1, 2)[: len(layer["filters"])]):
            image, dead = layer["images"][place], layer["dead"][place]
            show_image(made, np.full_like(image, 235) if dead else image)
            show_image(real, mosaic(layer["patches"][place]))
            made.set_title(f"filter {layer['filters'][place]}", fontsize=10, pad=3)
            activation, largest = layer["activation"][place], layer["dataset_max"][place]
            said = "dead: its RELU\nlets nothing pass" if dead else f"{activation:.3g}{_ratio(activation, largest)}"
            made.set_xlabel(said, fontsize=10, labelpad=3)
            favourite, selectivity = layer["favourite"][place], layer["selectivity"][place]
            loves = f"\n{short(classes[favourite], 10)}: {selectivity:.0%}" if favourite >= 0 and not dead else ""
            real.set_xlabel(f"real: {largest:.3g}{loves}", fontsize=10, labelpad=3)
        line[0].set_ylabel(short(name, 16), fontsize=13)
    return figure


def _ratio(activation, largest):
    """How many times the largest real one an activation is, in brackets; nothing where that says nothing."""
    if min(activation, largest) <= 0:
        return ""
    return f" ({activation / largest:.2g}×)" if activation < 100 * largest else " (>100×)"


def mosaic(patches):
    """(P, h, w, 3) uint8 patches as one picture, three in a row, a white line between: (H, W, 3) uint8."""
    count, height, width, _ = patches.shape
    rows, columns = -(-count // 3), min(3, count)
    whole = np.full((rows * (height + 1) - 1, columns * (width + 1) - 1, 3), 255, "uint8")
    for number, patch in enumerate(patches):
        top, left = number // 3 * (height + 1), number % 3 * (width + 1)
        whole[top : top + height, left : left + width] = patch
    return whole
