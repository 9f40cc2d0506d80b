"""What filters respond to."""

import numpy as np
from matplotlib import rc_context

from cnnvis.plots.canvas import HEADING, STYLE, TEXT, WIDTH, headline, new_figure, numbered, real_minus, show_image
from cnnvis.plots.names import short_names

COLUMNS = 2  # filters in a row, each with its real patches


def filter_pages(name, layers, classes=(), most=24):
    """Pages of `filter_images` with at most `most` filters each: dict of `name`, `name_2`, ... to Figure."""
    columns = min(COLUMNS, max(len(layer.filters) for layer in layers.values()))
    rows = [
        (layer_name, layer[start : start + columns])
        for layer_name, layer in zip(short_names(layers, 16, "layer"), layers.values())
        for start in range(0, len(layer.filters), columns)
    ]
    most //= columns
    parts = (rows[start : start + most] for start in range(0, len(rows), most))
    return numbered(name, (filter_images(part, columns, classes) for part in parts))


@rc_context(STYLE)
def filter_images(rows, columns, classes=()):
    """Filters in rows, each with its optimised image and its top patches; dead ones are labelled.

    Parameters
    ----------
    rows : list of (str, FilterImages)
        A layer's name and some of its filters.
    columns : int
        Filters in a row, at most.
    classes : sequence of str
        Names by class index.
    """
    figure = new_figure(WIDTH * columns / COLUMNS, 2.5 * len(rows) + 1.1)
    headline(
        figure, "What activates a filter most: the image optimised for it, and the top nine patches of real images"
    )
    grid = figure.subplots(len(rows), 2 * columns, squeeze=False)
    for axes in grid.flat:
        axes.axis("off")
    names = short_names(classes, 10)
    for line, (name, layer) in zip(grid, rows):
        for place, (made, real) in enumerate(line.reshape(-1, 2)[: len(layer.filters)]):
            image, dead = layer.images[place], layer.dead[place]
            show_image(made, np.full_like(image, 235) if dead else image)
            show_image(real, mosaic(layer.patches[place]))
            made.set_title(f"filter {layer.filters[place]}", fontsize=TEXT, pad=3)
            activation, largest = layer.activation[place], layer.dataset_max[place]
            strength = f"{real_minus(f'{activation:.3g}')}\n{_ratio(activation, largest)}"
            label = "dead: its ReLU\nis always 0" if dead else strength
            made.set_xlabel(label, fontsize=TEXT, labelpad=3)
            favourite, selectivity = layer.favourite[place], layer.selectivity[place]
            liked = f"\n{names[favourite]}\n{selectivity:.0%}" if favourite >= 0 and not dead else ""
            real.set_xlabel(f"real: {real_minus(f'{largest:.3g}')}{liked}", fontsize=TEXT, labelpad=3)
        line[0].set_ylabel(name, fontsize=HEADING)
    return figure


def _ratio(activation, largest):
    """The ratio of an activation to the largest by a real image, in brackets; "" if one isn't positive."""
    if min(activation, largest) <= 0:
        return ""
    return f"({activation / largest:.2g}×)" if activation < 100 * largest else "(>100×)"


def mosaic(patches):
    """(P, h, w, 3) uint8 patches as one image, three in a row, separated by white lines: (H, W, 3) uint8."""
    count, height, width, _ = patches.shape
    rows, columns = -(-count // 3), min(3, count)
    whole = np.full((rows * (height + 1) - 1, columns * (width + 1) - 1, 3), 255, "uint8")
    for number, patch in enumerate(patches):
        top, left = number // 3 * (height + 1), number % 3 * (width + 1)
        whole[top : top + height, left : left + width] = patch
    return whole
