"""Which pixels count: maps over pictures."""

import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.colors import FuncNorm

from cnnvis.plots.canvas import DIVERGING, new_figure, short, show_image


def importance(images, maps, titles, unit, limit=None):
    """For each picture: the photograph, its importance map, and the map over the muted photograph; one scale for all.

    Parameters
    ----------
    images : (N, H, W, 3) uint8 array
    maps : (N, H, W) float array
        Signed.
    titles : sequence of N str
    unit : str
        Of the maps.
    limit : float, optional
        The value of full colour: the largest of the maps if not said.
    """
    limit = float(np.abs(maps).max() if limit is None else limit) or 1.0
    norm = _signed_norm(limit)
    across = min(2, len(images))
    rows = -(-len(images) // across)
    figure = new_figure(5.4 * across + 0.9, 2.1 * rows + 0.2)
    grid = figure.subplots(rows, 3 * across, squeeze=False)
    for axes in grid.flat[3 * len(images) :]:
        axes.axis("off")
    for (photo, alone, over), image, values, title in zip(grid.reshape(-1, 3), images, maps, titles):
        show_image(photo, image)
        photo.set_title(short(title, 60), fontsize=9, loc="left")
        show_image(alone, values, cmap=DIVERGING, norm=norm)
        show_image(over, overlay(image, values, limit))
    bar = figure.colorbar(ScalarMappable(norm, DIVERGING), ax=grid, shrink=0.9, aspect=25, pad=0.01)
    bar.set_ticks([limit * share for share in (-1, -0.5, -0.1, 0, 0.1, 0.5, 1)])
    bar.ax.set_yticklabels([f"{limit * share:.2g}" for share in (-1, -0.5, -0.1, 0, 0.1, 0.5, 1)], fontsize=8)
    bar.ax.minorticks_off()
    bar.set_label(f"red for the class, blue against\n(what hiding costs: {unit})", fontsize=8)
    return figure


def importance_pages(name, images, maps, titles, unit, most=8):
    """Figures of `importance` with at most `most` pictures each, by name: `name`, `name_2`, ... One scale for all."""
    limit = np.abs(maps).max()
    return {
        name if not start else f"{name}_{start // most + 1}": importance(
            *(array[start : start + most] for array in (images, maps, titles)), unit, limit
        )
        for start in range(0, len(images), most)
    }


def overlay(image, values, limit):
    """An importance map over a grey, lightened photograph; the stronger a value, the less the photograph shows through.

    (H, W, 3) uint8, (H, W) signed float, the value of full colour -> (H, W, 3) float 0-1
    """
    grey = np.repeat((image / 255) @ [0.299, 0.587, 0.114], 3).reshape(image.shape)
    muted = 0.35 + 0.6 * grey
    place = _signed_norm(limit)(np.clip(values, -limit, limit))  # 0-1, 0.5 where nothing matters
    strength = 0.85 * np.abs(2 * place - 1)[..., None]
    return (1 - strength) * muted + strength * DIVERGING(place)[..., :3]


def _signed_norm(limit):
    """From -limit...limit to 0...1, by a power of the distance to 0, so that small values still show their colour."""
    power = 0.6

    def spread(x):
        return np.sign(x) * np.abs(x) ** power

    def gather(x):
        return np.sign(x) * np.abs(x) ** (1 / power)

    return FuncNorm((spread, gather), -limit, limit)
