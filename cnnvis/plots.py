"""Arrays in, matplotlib Figures out. Scaling, colours and labels live here, and nowhere else."""

import textwrap

import numpy as np
from matplotlib import colormaps
from matplotlib.cm import ScalarMappable
from matplotlib.colors import FuncNorm, Normalize, PowerNorm
from matplotlib.figure import Figure

DPI = 110
RIGHT, WRONG, OTHER, INK = (
    "#1b7f79",
    "#c8553d",
    "#b8c0c8",
    "#22303c",
)  # told apart in grey print and by colour-blind eyes
DIVERGING = colormaps["RdBu_r"]  # red: speaks for the class; blue: against
OUTPUTS = colormaps["viridis"]  # yellow: high
MOST_CLASSES = 25  # whose names still fit along an axis
MOST_BARS = 100  # units of an FC layer in a row of bars, or a tenth of them if there are more than ten such rows


def training_curves(rows):
    """Loss and accuracy over the epochs.

    Parameters
    ----------
    rows : list of dict
        One an epoch: epoch, loss, accuracy, and val_loss and val_accuracy where there is a validation set.
    """
    figure = _figure(9, 3.6)
    epochs = [row["epoch"] for row in rows]
    for axes, key, unit in zip(figure.subplots(1, 2), ("loss", "accuracy"), ("cross-entropy", "fraction right")):
        axes.plot(epochs, [row[key] for row in rows], "o-", color=RIGHT, markersize=3, label="training (augmented)")
        if f"val_{key}" in rows[0]:
            axes.plot(epochs, [row[f"val_{key}"] for row in rows], "s-", color=WRONG, markersize=3, label="validation")
        axes.set(title=key.capitalize(), xlabel="epoch", ylabel=unit)
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.grid(alpha=0.3)
        axes.legend(frameon=False)
    return figure


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
    figure = _figure(side + 1.2, side)
    axes = figure.subplots()
    share = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    norm = PowerNorm(0.4, 0, 1)  # so that a mistake of a few percent shows
    image = axes.imshow(share, cmap="Blues", norm=norm)
    bar = figure.colorbar(
        image, ax=axes, shrink=0.8, label="share of the true class", ticks=[0, 0.01, 0.05, 0.2, 0.5, 1]
    )
    bar.ax.set_yticklabels(["0%", "1%", "5%", "20%", "50%", "100%"])
    if count <= MOST_CLASSES:
        axes.set_xticks(range(count), [_short(name) for name in classes], rotation=45, ha="right")
        axes.set_yticks(range(count), [_short(name) for name in classes])
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
    figure = _figure(max(3.1 * columns, 5), 1.75 * rows + 0.5)
    figure.suptitle(title)
    grid = figure.subplots(rows, 2 * columns, squeeze=False, width_ratios=[1, 1.1] * columns)
    for axes in grid.flat[2 * len(images) :]:
        axes.axis("off")
    top = min(top, len(classes))
    for photo, bars, image, probability, label in zip(grid.flat[::2], grid.flat[1::2], images, probabilities, labels):
        _photo(photo, image)
        photo.set_title("" if label < 0 else _short(classes[label]), fontsize=9, color=INK)
        order = np.argsort(-probability, kind="stable")[:top]
        colors = [RIGHT if c == label else WRONG if c == order[0] and label >= 0 else OTHER for c in order]
        bars.barh(range(top), probability[order], color=colors, height=0.85)
        for place, c in enumerate(order):
            bars.text(0.03, place, f"{_short(classes[c])} {probability[c]:.0%}", va="center", fontsize=8, color="black")
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
    names = [_short(classes[c]) for c in shown]
    height = max(3.6, 0.3 * max(len(shown), len(pairs)) + 1.2)
    figure = _figure(13, height)
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
            [f"{_short(classes[t])} → {_short(classes[p])}" for t, p, _ in pairs],
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
        _despine(axes)
    return figure


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
    figure = _figure(5.4 * across + 0.9, 2.1 * rows + 0.2)
    grid = figure.subplots(rows, 3 * across, squeeze=False)
    for axes in grid.flat[3 * len(images) :]:
        axes.axis("off")
    for (photo, alone, over), image, values, title in zip(grid.reshape(-1, 3), images, maps, titles):
        _photo(photo, image)
        photo.set_title(title, fontsize=9)
        _photo(alone, values, cmap=DIVERGING, norm=norm)
        _photo(over, overlay(image, values, limit))
    bar = figure.colorbar(ScalarMappable(norm, DIVERGING), ax=grid, shrink=0.9, aspect=25, pad=0.01)
    bar.set_ticks([limit * share for share in (-1, -0.5, -0.1, 0, 0.1, 0.5, 1)])
    bar.ax.set_yticklabels([f"{limit * share:.2g}" for share in (-1, -0.5, -0.1, 0, 0.1, 0.5, 1)], fontsize=8)
    bar.ax.minorticks_off()
    bar.set_label(f"red for the class, blue against\n(what hiding costs: {unit})", fontsize=8)
    return figure


def _signed_norm(limit):
    """From -limit...limit to 0...1, by a power of the distance to 0, so that small values still show their colour."""
    power = 0.75

    def spread(x):
        return np.sign(x) * np.abs(x) ** power

    def gather(x):
        return np.sign(x) * np.abs(x) ** (1 / power)

    return FuncNorm((spread, gather), -limit, limit)


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
    figure = _figure(max(1.75 * columns, 4) + 0.4, 2.25 * len(rows) + 0.6)
    figure.suptitle("What excites a filter most: its activation here, and the largest by a real picture", fontsize=9)
    grid = figure.subplots(len(rows), columns, squeeze=False)
    for axes in grid.flat:
        axes.axis("off")
    for line, (name, layer) in zip(grid, rows):
        for place, (axes, image) in enumerate(zip(line, layer["images"])):
            _photo(axes, np.full_like(image, 235) if layer["dead"][place] else image)
            axes.set_title(f"filter {layer['filters'][place]}", fontsize=8, pad=3)
            if layer["dead"][place]:
                caption = "dead: its RELU\nlets nothing pass"
            else:
                caption = f"{layer['activation'][place]:.3g}\nreal {layer['dataset_max'][place]:.3g}"
            axes.set_xlabel(caption, fontsize=8, labelpad=3)
        line[0].set_ylabel(_short(name, 16), fontsize=11)
    return figure


def layer_output(name, kind, output, scale="channel", note=""):
    """All channels of a CONV, RELU or POOL layer as tiles, or all units of an FC layer as bars.

    Parameters
    ----------
    name, kind : str
    output : (h, w, c) or (units,) float array
    scale : {"channel", "layer"}
        Whether each channel's darkest and brightest are its own, or the whole layer's.
    """
    if output.ndim == 1:
        return _unit_bars(name, kind, output, note)
    height, width, channels = output.shape
    columns = int(np.ceil(np.sqrt(channels * 1.4)))
    tiles, (low, high) = tile(output, columns, scale)
    size = float(np.clip(0.55 * columns, 4.5, 11))
    figure = _figure(size + 1.1, size * (tiles.shape[0] / tiles.shape[1]) + 0.9)
    axes = figure.subplots()
    axes.imshow(np.ma.masked_invalid(tiles), cmap=OUTPUTS, vmin=0, vmax=1, interpolation="nearest")
    axes.axis("off")
    plural = "s" if channels > 1 else ""
    axes.set_title(f"{name} ({kind}): {channels} channel{plural} of {height}×{width}{note}", fontsize=10)
    bar = figure.colorbar(ScalarMappable(Normalize(0, 1), OUTPUTS), ax=axes, shrink=0.8, aspect=25, ticks=[0, 1])
    if scale == "layer":
        bar.ax.set_yticklabels([f"{low:.3g}", f"{high:.3g}"])
        bar.set_label("output")
    else:
        bar.ax.set_yticklabels(["lowest", "highest"])
        bar.set_label("output, each channel by itself")
    return figure


def tile(output, columns, scale):
    """Channels side by side, a pixel apart, from the upper left: 0-1, NaN where there is no channel.

    (h, w, c) -> (rows * (h + 1) - 1, columns * (w + 1) - 1), (lowest, highest value)
    """
    height, width, channels = output.shape
    rows = -(-channels // columns)
    axes = (0, 1) if scale == "channel" else None
    low, high = output.min(axis=axes, keepdims=True), output.max(axis=axes, keepdims=True)
    scaled = (output - low) / np.where(high > low, high - low, 1)
    gap = max(1, round(max(height, width) / 12))
    canvas = np.full((rows, height + gap, columns, width + gap), np.nan)
    for channel in range(channels):
        row, column = divmod(channel, columns)
        canvas[row, :height, column, :width] = scaled[..., channel]
    canvas = canvas.reshape(rows * (height + gap), columns * (width + gap))
    return canvas[:-gap, :-gap], (float(output.min()), float(output.max()))


def network_outputs(image, outputs, kinds, probabilities, classes, title, most=8):
    """The whole way of one picture through the network: its layers one after the other, with some of their channels.

    Parameters
    ----------
    image : (H, W, 3) uint8 array
    outputs : dict of str to (h, w, c) or (units,) array
    kinds : dict of str to str
        "CONV", "RELU", ... of each.
    probabilities : (K,) float array
    most : int
        Channels that are drawn of a layer: those of a CONV with the largest outputs, and the same ones behind it.
    """
    columns = len(outputs) + 2
    lines = -(-columns // 12)
    per_line = -(-columns // lines)
    figure = _figure(1.15 * per_line + 0.3, lines * (1.03 * most + 0.75) + 0.3)
    figure.suptitle(title, fontsize=11)
    grid = figure.subplots(lines, per_line, squeeze=False)
    for axes in grid.flat:
        axes.axis("off")
        axes.set_anchor("N")
    _photo(grid.flat[0], image)
    grid.flat[0].set_title(f"picture\n{image.shape[0]}×{image.shape[1]}×3", fontsize=8)
    channels = np.arange(0)
    for axes, (name, output) in zip(grid.flat[1:], outputs.items()):
        axes.set_title(f"{_short(name, 14)}\n{'×'.join(map(str, output.shape))}", fontsize=8)
        if output.ndim == 1:
            axes.imshow(_column(output), cmap=OUTPUTS, vmin=0, vmax=1, interpolation="nearest", aspect="auto")
            axes.set_box_aspect(most)
            continue
        if kinds[name] == "CONV" or not len(channels) or channels.max() >= output.shape[-1]:
            channels = np.sort(np.argsort(-output.max(axis=(0, 1)), kind="stable")[:most])
        tiles, _ = tile(output[..., channels], 1, "channel")
        axes.imshow(np.ma.masked_invalid(tiles), cmap=OUTPUTS, vmin=0, vmax=1, interpolation="nearest")
    last = grid.flat[columns - 1]
    order = np.argsort(-probabilities, kind="stable")[:10]
    last.axis("on")
    last.barh(range(len(order)), probabilities[order], color=[RIGHT, *[OTHER] * (len(order) - 1)])
    for place, c in enumerate(order):
        last.text(0.03, place, f"{_short(classes[c], 10)} {probabilities[c]:.0%}", va="center", fontsize=7)
    last.set(xlim=(0, 1), ylim=(len(order) - 0.4, -0.6), xticks=[], yticks=[])
    last.set_title(f"probabilities\n{len(probabilities)}", fontsize=8)
    last.set_box_aspect(len(order) / 4)
    _despine(last)
    return figure


def _column(output):
    """Units as a narrow block of cells, 0-1, read row by row."""
    low, high = output.min(), output.max()
    wide = max(1, int(np.sqrt(len(output) / 8)))
    cells = np.ma.masked_all(-(-len(output) // wide) * wide)
    cells[: len(output)] = (output - low) / (high - low if high > low else 1)
    return cells.reshape(-1, wide)


def _unit_bars(name, kind, output, note):
    per_row = max(MOST_BARS, -(-len(output) // 10))
    rows = -(-len(output) // per_row)
    figure = _figure(10, 1.5 * rows + 1.1)
    lowest, highest = min(0.0, float(output.min())), max(0.0, float(output.max()))
    room = 0.05 * (highest - lowest or 1)
    plural = "s" if len(output) > 1 else ""
    figure.suptitle(f"{name} ({kind}): {len(output)} unit{plural}{note}", fontsize=10)
    for row, axes in enumerate(figure.subplots(rows, 1, squeeze=False)[:, 0]):
        start = row * per_row
        values = output[start : start + per_row]
        axes.bar(range(start, start + len(values)), values, color=np.where(values > 0, RIGHT, OTHER), width=0.8)
        axes.set(ylim=(lowest - room, highest + room), ylabel="output")
        axes.set_xlim(start - 1, start + min(per_row, len(output)))
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.axhline(0, color=INK, linewidth=0.5)
        _despine(axes)
    axes.set_xlabel("unit")
    return figure


def _figure(width, height):
    figure = Figure(figsize=(width, height), dpi=DPI, layout="constrained", facecolor="white")
    figure.get_layout_engine().set(w_pad=0.07, h_pad=0.07)  # inches
    return figure


def _photo(axes, image, **options):
    axes.axis("on")
    axes.imshow(image, interpolation="nearest", **options)
    axes.set(xticks=[], yticks=[])
    for spine in axes.spines.values():
        spine.set_visible(False)


def _despine(axes):
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def _short(name, width=18):
    return textwrap.shorten(str(name), width, placeholder="…") if " " in str(name) else _cut(str(name), width)


def _cut(name, width):
    return name if len(name) <= width else name[: width - 1] + "…"
