"""The outputs of layers."""

from math import ceil

import numpy as np
from matplotlib import rc_context
from matplotlib.cm import ScalarMappable
from matplotlib.collections import PolyCollection
from matplotlib.colors import Normalize
from PIL import Image

from cnnvis.plots.canvas import (
    INK,
    LINE,
    OTHER,
    OUTPUTS,
    RIGHT,
    STYLE,
    TEXT,
    WIDTH,
    despine,
    headline,
    new_figure,
    percent,
    real_minus,
    show_image,
    wrapped,
)
from cnnvis.plots.names import cut, short_names

MOST_LAYERS = 34  # in the overview
ACROSS = 4  # layers in a row
MOST_UNITS = 400  # bars for an FC layer in the overview
MOST_SIDE = 256  # pixels of a tile; of a larger channel, every second, third, ... row and column is drawn
MOST_BARS = 100  # units in a row of bars; a tenth of all units if that makes more than ten rows


@rc_context(STYLE)
def network_outputs(image, outputs, kinds, *, probabilities, classes, title, channels=3, most=3):
    """One image on its way through the network: all layers in order, with some channels of each.

    If there are more than 34 layers, 34 evenly spaced ones are shown, and the title says so.

    Parameters
    ----------
    image : (H, W, 3) uint8 array
    outputs : dict of str to (h, w, c) or (units,) array
    kinds : dict of str to str
        "CONV", "RELU", ... of each.
    probabilities : (K,) float array
        Drawn in their order; of more than ten, the ten highest, the highest first.
    channels : int
        Channels of the network's input; 1 and 2 mean grey.
    most : int
        Channels drawn per layer, with their numbers: those of a CONV layer with the highest outputs, and the same ones
        in the layers after it.
    """
    titles = dict(zip(outputs, short_names(outputs, 13, "layer")))
    if len(outputs) > MOST_LAYERS:
        title += f"; {MOST_LAYERS} of its {len(outputs)} layers"
        names = [list(outputs)[i] for i in np.linspace(0, len(outputs) - 1, MOST_LAYERS).astype(int)]
        outputs = {name: outputs[name] for name in names}
    columns = len(outputs) + 3  # the image, the layers, and twice as wide the probabilities
    lines = -(-columns // ACROSS)
    per_line = -(-columns // lines)
    figure = new_figure(WIDTH * per_line / ACROSS, lines * (0.97 * most + 0.85) + 1.2)
    scale = "height×width×channels; yellow is high, each channel scaled separately"
    if any(output.ndim == 3 and output.shape[-1] > most for output in outputs.values()):
        scale += f"; of many channels, the {most} highest of a CONV layer, by number"
    headline(figure, f"{title}\n{scale}")
    grid = figure.subplots(lines, per_line, squeeze=False)
    for axes in grid.flat:
        axes.axis("off")
        axes.set(xticks=[], yticks=[])  # else the layout leaves room for invisible ticks
        axes.set_anchor("N")
    show_image(grid.flat[0], image if channels > 2 else Image.fromarray(image).convert("L").convert("RGB"))
    grid.flat[0].set_title(f"image\n{image.shape[0]}×{image.shape[1]}×{channels}", fontsize=TEXT)
    drawn = np.arange(0)
    for axes, (name, output) in zip(grid.flat[1:], outputs.items()):
        axes.set_title(f"{titles[name]}\n{'×'.join(map(str, output.shape))}", fontsize=TEXT)
        if output.ndim == 1:
            _unit_column(axes, output, most)
            continue
        if kinds[name] == "CONV" or not len(drawn) or drawn.max() >= output.shape[-1]:
            drawn = np.sort(np.argsort(-output.max(axis=(0, 1)), kind="stable")[:most])
        tiles, _ = tile(output[..., drawn], 1, "channel")
        axes.imshow(np.ma.masked_invalid(tiles), cmap=OUTPUTS, vmin=0, vmax=1, interpolation="nearest")
        step = (len(tiles) + _gap(_drawn(output))) / len(drawn)
        for place, channel in enumerate(drawn):
            upper_left = {"textcoords": "offset points", "ha": "right", "va": "top"}
            axes.annotate(str(channel), (-0.5, place * step - 0.5), (-1, 0), fontsize=TEXT, **upper_left)
    last = _wide_axes(figure, grid, 1 + len(outputs))
    order = np.argsort(-probabilities, kind="stable")[:10] if len(probabilities) > 10 else np.arange(len(probabilities))
    colors = np.where(order == probabilities.argmax(), RIGHT, OTHER)
    last.barh(range(len(order)), probabilities[order], color=colors)
    names = short_names(classes, 10)
    for place, c in enumerate(order):
        last.text(0.03, place, f"{names[c]} {percent(probabilities[c])}", va="center", fontsize=TEXT)
    last.set(xlim=(0, 1), ylim=(len(order) - 0.4, -0.6), xticks=[], yticks=[])
    some = f"{len(order)} of " if len(order) < len(probabilities) else ""
    last.set_title(f"probabilities\n{some}{len(probabilities):,}", fontsize=TEXT)
    despine(last)
    return figure


def _wide_axes(figure, grid, place):
    """Axes instead of two of a grid, side by side, from a place on."""
    row, column = divmod(place, grid.shape[1])
    if column + 1 == grid.shape[1]:
        row, column = row + 1, 0
    for axes in grid[row, column : column + 2]:
        axes.remove()
    return figure.add_subplot(grid[0, 0].get_gridspec()[row, column : column + 2])


@rc_context(STYLE)
def layer_output(name, kind, output, scale="channel", note=""):
    """All channels of a CONV, RELU or POOL layer as tiles, or all units of an FC layer as bars.

    Parameters
    ----------
    name, kind : str
    output : (h, w, c) or (units,) float array
    note : str
        On the size of the output, below the title.
    scale : {"channel", "layer"}
        Whether each channel is scaled to its own lowest and highest value, or to the layer's.
    """
    if output.ndim == 1:
        return _unit_bars(name, kind, output, note=note)
    height, width, channels = output.shape
    columns = int(np.ceil(np.sqrt(channels)))
    tiles, (low, high) = tile(output, columns, scale)
    side, gap = len(_drawn(output)), _gap(_drawn(output))
    inches = (WIDTH - 1) / tiles.shape[1]  # of a pixel of the output
    plural = "s" if channels > 1 else ""
    title = f"{cut(name, 40)} ({kind}): {channels} channel{plural} of {height}×{width}\n{note}"
    title = wrapped(title, WIDTH - 1, TEXT)
    figure = new_figure(WIDTH, inches * len(tiles) + LINE * title.count("\n") + 1.9)
    axes = figure.subplots()
    axes.imshow(np.ma.masked_invalid(tiles), cmap=OUTPUTS, vmin=0, vmax=1, interpolation="nearest")
    rows = np.arange(0, -(-channels // columns), ceil(LINE / inches / (side + gap)))  # of many, text fits beside some
    axes.set_yticks(rows * (side + gap) + (side - 1) / 2, rows * columns, fontsize=TEXT)
    axes.set(xticks=[])
    axes.set_ylabel("first channel of the row", fontsize=TEXT)
    axes.tick_params(length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.set_title(title, fontsize=TEXT)
    how = {"location": "bottom", "shrink": 0.8, "aspect": 25, "ticks": [0, 1]}
    bar = figure.colorbar(ScalarMappable(Normalize(0, 1), OUTPUTS), ax=axes, **how)
    ends, words = ("lowest", "highest"), "output, each channel scaled separately"
    if scale == "layer":
        ends, words = (real_minus(f"{low:.3g}"), real_minus(f"{high:.3g}")), "output"
    bar.ax.set_xticklabels(ends, fontsize=TEXT)
    bar.set_label(words, fontsize=TEXT)
    return figure


def tile(output, columns, scale):
    """Channels as tiles from the upper left, scaled to 0-1, with NaN between and after them.

    (h, w, c) -> (rows * (h + gap) - gap, columns * (w + gap) - gap), (lowest, highest value), where h and w are at most
    `MOST_SIDE`.
    """
    axes = (0, 1) if scale == "channel" else None
    low, high = output.min(axis=axes, keepdims=True), output.max(axis=axes, keepdims=True)
    some = _drawn(output)
    height, width, channels = some.shape
    rows = -(-channels // columns)
    scaled = (some - low) / np.where(high > low, high - low, 1)
    gap = _gap(some)
    canvas = np.full((rows, height + gap, columns, width + gap), np.nan)
    for channel in range(channels):
        row, column = divmod(channel, columns)
        canvas[row, :height, column, :width] = scaled[..., channel]
    canvas = canvas.reshape(rows * (height + gap), columns * (width + gap))
    return canvas[:-gap, :-gap], (float(output.min()), float(output.max()))


def _drawn(output):
    """The rows and columns of an output that are drawn: all of them, if it isn't large."""
    step = -(-max(output.shape[:2]) // MOST_SIDE)
    return output[::step, ::step]


def _gap(output):
    """Pixels between two tiles."""
    return max(1, round(max(output.shape[:2]) / 12))


def _unit_column(axes, output, aspect):
    """Units as horizontal bars, the first at the top; of more than `MOST_UNITS`, the largest of each block."""
    edges = np.linspace(0, len(output), min(len(output), MOST_UNITS) + 1).astype(int)
    blocks = np.maximum.reduceat(output, edges[:-1])
    _bars(axes, blocks, np.arange(len(blocks)), thickness=1 if len(blocks) > 40 else 0.8, upright=False)
    axes.axvline(0, color=INK, linewidth=0.5)
    axes.set_ylim(len(blocks) - 0.5, -0.5)
    axes.set_box_aspect(aspect)
    if len(blocks) < len(output):
        axes.text(
            0.5,
            -0.01,
            f"largest of\neach {len(output) / len(blocks):.3g}",
            transform=axes.transAxes,
            fontsize=TEXT,
            ha="center",
            va="top",
        )


def _bars(axes, values, places, thickness, upright=True):
    """Bars from 0 to each value, as drawn by `Axes.bar` and `barh`, but as one artist.

    Matplotlib visits all artists several times for a layout: hundreds of bars take a second.
    """
    near, far, zero = places - thickness / 2, places + thickness / 2, np.zeros(len(values))
    corners = np.stack(
        [np.stack(corner, axis=-1) for corner in ((near, zero), (near, values), (far, values), (far, zero))]
    )
    corners = corners.swapaxes(0, 1) if upright else corners.swapaxes(0, 1)[..., ::-1]  # (bars, 4, 2)
    bars = PolyCollection(corners, facecolors=np.where(values > 0, RIGHT, OTHER), linewidths=0)
    (bars.sticky_edges.y if upright else bars.sticky_edges.x).append(0)  # no margin at 0
    axes.add_collection(bars)
    axes.autoscale_view()


def _unit_bars(name, kind, output, note):
    per_row = max(MOST_BARS, -(-len(output) // 10))
    rows = -(-len(output) // per_row)
    figure = new_figure(WIDTH, 1.6 * rows + 1.4)
    lowest, highest = min(0.0, float(output.min())), max(0.0, float(output.max()))
    room = 0.05 * (highest - lowest or 1)
    plural = "s" if len(output) > 1 else ""
    headline(figure, f"{cut(name, 40)} ({kind}): {len(output)} unit{plural}\n{note}")
    for row, axes in enumerate(figure.subplots(rows, 1, squeeze=False)[:, 0]):
        start = row * per_row
        values = output[start : start + per_row]
        _bars(axes, values, np.arange(start, start + len(values)), thickness=0.8)
        axes.set_ylim(lowest - room, highest + room)
        axes.set_ylabel("output", fontsize=TEXT)
        axes.tick_params(labelsize=TEXT)
        axes.set_xlim(start - 1, start + min(per_row, len(output)))
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.axhline(0, color=INK, linewidth=0.5)
        despine(axes)
    axes.set_xlabel("unit", fontsize=TEXT)
    return figure
