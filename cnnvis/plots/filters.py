"""What filters look for."""

import textwrap

import numpy as np

from cnnvis.plots.canvas import new_figure, short, show_image


def filter_pages(name, layers, columns=8, most=12):
    """Figures of `filter_pictures` with at most `most` rows of filters each, by name: `name`, `name_2`, ..."""
    columns = min(columns, max(len(layer["filters"]) for layer in layers.values()))
    rows = [
        (layer_name, {key: array[start : start + columns] for key, array in layer.items()})
        for layer_name, layer in layers.items()
        for start in range(0, len(layer["filters"]), columns)
    ]
    return {
        name if not start else f"{name}_{start // most + 1}": filter_pictures(rows[start : start + most], columns)
        for start in range(0, len(rows), most)
    }


def filter_pictures(rows, columns):
    """The pictures that excite filters most, in rows; a dead filter is labelled, not drawn.

    Parameters
    ----------
    rows : list of (str, dict)
        A layer's name, and of some of its filters: `images` (F, H, W, 3) uint8, and `filters`, `activation`,
        `dataset_max` and `dead`, all (F,).
    columns : int
        Filters in a row at most.
    """
    figure = new_figure(max(1.75 * columns, 4) + 0.4, 2.25 * len(rows) + 0.6)
    heading = "What excites a filter most: its activation here, and the largest by a real picture"
    figure.suptitle(textwrap.fill(heading, int(12 * figure.get_figwidth())), fontsize=9)
    grid = figure.subplots(len(rows), columns, squeeze=False)
    for axes in grid.flat:
        axes.axis("off")
    for line, (name, layer) in zip(grid, rows):
        for place, (axes, image) in enumerate(zip(line, layer["images"])):
            show_image(axes, np.full_like(image, 235) if layer["dead"][place] else image)
            axes.set_title(f"filter {layer['filters'][place]}", fontsize=8, pad=3)
            if layer["dead"][place]:
                caption = "dead: its RELU\nlets nothing pass"
            else:
                caption = f"{layer['activation'][place]:.3g}\nreal {layer['dataset_max'][place]:.3g}"
            axes.set_xlabel(caption, fontsize=8, labelpad=3)
        line[0].set_ylabel(short(name, 16), fontsize=11)
    return figure
