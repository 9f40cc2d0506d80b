"""A film of a training: what a network makes of one image, and its first filters, from moment to moment."""

import re

import numpy as np
from matplotlib import rc_context
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb

from cnnvis.plots.canvas import DPI, INK, OTHER, OUTPUTS, RIGHT, STYLE, TEXT, WRONG, despine, real_minus, wrapped
from cnnvis.plots.names import short_names
from cnnvis.plots.sheets import board, resized

# Pixels, unless they are points.
WIDTH, HEIGHT, MARGIN, LINE = 704, 880, 16, 26  # of a frame; LINE: of `TEXT`
TITLE = 16  # points
LEFT, RIGHT_COLUMN, COLUMN = MARGIN, 368, 320  # where the columns of a frame begin, and how wide they are
PROBABILITIES = {"left": LEFT, "top": 232, "width": 340, "step": 28, "name": 164, "percent": 62}
CURVES = (104, 624, 236, 180)  # left, top, width, height
MAP, CAPTION = 128, 80  # a side of a feature map; the height of what is below it
POINTS = {"markersize": 4, "linewidth": 2}
ACCURACIES = {
    "accuracy": ("training (augmented)", {"color": RIGHT, "marker": "o", **POINTS}),
    "held_out": ("held out", {"color": WRONG, "marker": "s", **POINTS}),
}
MOST_CLASSES = 10  # bars of probabilities; beside each, `name` and `percent` are room for its class and its number
BARS = "green: true class;\nred: a wrong one\nahead of it"
MOMENTS = 6  # on the sheet
ROW = 292  # of a moment there
SHEET_BARS = {"left": MARGIN, "width": 290, "step": 25, "name": 162, "percent": 60}
SHEET_MAPS, SHEET_MAP = 318, 87  # where the maps begin, and a side of one


def film_frames(film, track=iter):
    """A figure for each frame: an iterator of Figure.

    Classes, channels and filters keep their places. Every feature map and every filter is scaled for itself, in each
    frame anew: at the beginning, they would show little otherwise.

    Parameters
    ----------
    film : Film
        Of one frame at least.
    track : callable
        Wraps the sequence of frames.
    """
    classes = _classes(film, film.frames)
    background = _raster(_what_stays(film, classes))  # drawn once: text takes long
    return (_frame(film, number, classes, background) for number in track(range(len(film.frames))))


@rc_context(STYLE)
def _what_stays(film, classes):
    images, plain, beside = [(LEFT, 54, resized(film.image, 128))], {"fontsize": TEXT}, LEFT + 140
    texts = [
        (beside, 50, f"true class:\n{short_names(film.classes, 11)[film.label]}", {"fontsize": TEXT}),
        (beside, 112, BARS, plain),
        (LEFT, 200, f"probabilities{_of_how_many(film)}", plain),
    ]
    _class_names(texts, film, classes, **PROBABILITIES)
    if len(film.channels):
        (maps, _), (filters, _) = _right_column(film)
        texts += [(RIGHT_COLUMN, top, words, plain) for top, words in (maps, filters)]
    figure = board(images, texts, width=WIDTH, height=HEIGHT)
    left, top, width, height = CURVES
    axes = figure.add_axes((left / WIDTH, 1 - (top + height) / HEIGHT, width / WIDTH, height / HEIGHT))
    for name, (label, style) in ACCURACIES.items():
        if np.isfinite(_over_time(film, name)).any():
            axes.plot([], [], label=label, **style)
    axes.set(xlim=(0, _last_epoch(film)), ylim=(0, 1))
    axes.set_xlabel("epoch", fontsize=TEXT)
    axes.set_ylabel("accuracy", fontsize=TEXT)
    axes.set_yticks([0, 0.5, 1], ["0%", "50%", "100%"])
    axes.xaxis.get_major_locator().set_params(integer=True, nbins=6)
    axes.tick_params(labelsize=TEXT)
    axes.grid(alpha=0.3)
    axes.legend(
        frameon=False, fontsize=TEXT, loc="lower left", bbox_to_anchor=(-0.36, 1), labelspacing=0.2, borderpad=0
    )
    despine(axes)
    return figure


@rc_context(STYLE)
def _frame(film, number, classes, background):
    frame, images = film.frames[number], [(0, 0, background)]
    texts = [(LEFT, 10, moment(film, frame), {"fontsize": TITLE})]
    _bars(images, texts, film, frame, classes, **PROBABILITIES)
    if len(film.channels):
        (_, maps), (_, filters) = _right_column(film)
        for place, channel in enumerate(film.channels):
            left, top = RIGHT_COLUMN + place % 2 * 160, maps + place // 2 * (MAP + CAPTION)
            lowest, highest = _map(images, frame, place, left=left, top=top, side=MAP)
            words = f"channel {channel}\n{lowest}\nto {highest}"
            texts.append((left, top + MAP + 3, words, {"fontsize": TEXT}))
        _filters(images, film, frame, left=RIGHT_COLUMN, top=filters, size=(COLUMN, HEIGHT - filters - 8))
    figure = board(images, texts, width=WIDTH, height=HEIGHT)
    (axes,), (left, top, width, height) = figure.axes, CURVES
    axes.autoscale(False)
    for name, (_, style) in ACCURACIES.items():
        values, steps = _over_time(film, name), np.array([each.step for each in film.frames])
        known = np.isfinite(values) & (steps <= frame.step)
        across, up = steps[known] / film.steps / _last_epoch(film), values[known]
        axes.plot(left + width * across, top + height * (1 - up), **style)
    return figure


def _right_column(film):
    """Of the maps and of the filters: (top, words) of the text above them, and where they begin."""
    maps, filters = (wrapped(words, 1.1 * COLUMN / DPI, TEXT) for words in (_maps_drawn(film), _filters_drawn(film)))
    below = 54 + LINE * _lines(maps)
    heading = below + -(-len(film.channels) // 2) * (MAP + CAPTION) + 8
    return ((50, maps), below), ((heading, filters), heading + LINE * _lines(filters) + 8)


@rc_context(STYLE)
def film_sheet(film):
    """Six moments, evenly spaced among the frames, one in a row: Figure."""
    places = np.unique(np.linspace(0, len(film.frames) - 1, MOMENTS).round().astype(int))
    frames, beside = [film.frames[place] for place in places], MARGIN + 104
    classes, plain = _classes(film, frames), {"fontsize": TEXT}
    name, moments = short_names(film.classes, 11)[film.label], f"{len(frames)} moment{'s' * (len(frames) > 1)}"
    bars = " ".join(BARS.split("\n"))
    words = [f"Bars: probabilities{_of_how_many(film)}; {bars}."]
    if len(film.channels):
        channels = ", ".join(map(str, film.channels))
        words.append(f"Squares: {_maps_drawn(film)}; below: lowest and highest value. Channels: {channels}.")
        words.append(f"Below them: {_filters_drawn(film)}.")
    words = wrapped("\n".join(words), 1.1 * (WIDTH - beside - MARGIN) / DPI, TEXT)
    images = [(MARGIN, MARGIN, resized(film.image, 88))]
    texts = [(beside, 12, f"Class {name}, at {moments} of a training", {"fontsize": TEXT}), (beside, 44, words, plain)]
    down = max(120, 60 + LINE * _lines(words))
    for frame in frames:
        said = ": ".join(filter(None, [moment(film, frame), ", ".join(_accuracies(frame))]))
        texts.append((MARGIN, down, said, plain))
        top = down + 28
        _class_names(texts, film, classes, top=top, **SHEET_BARS)
        _bars(images, texts, film, frame, classes, top=top, **SHEET_BARS)
        if len(film.channels):
            for place in range(len(film.channels)):
                left = SHEET_MAPS + place * (SHEET_MAP + 6)
                lowest, highest = _map(images, frame, place, left=left, top=top, side=SHEET_MAP)
                texts.append((left, top + SHEET_MAP + 2, f"{lowest}\nto {highest}", plain))
            size = (WIDTH - MARGIN - SHEET_MAPS, 60)
            _filters(images, film, frame, left=SHEET_MAPS, top=top + SHEET_MAP + 2 * LINE + 10, size=size)
        down += ROW
    return board(images, texts, width=WIDTH, height=down)


def moment(film, frame):
    """A moment of the training in words, such as "epoch 1, after 8 of 390 steps"."""
    step = frame.step
    if film.finished and frame is film.frames[-1]:
        return f"finished, after epoch {film.finished}"
    if step == 0:
        return "before training"
    if step < film.steps:
        return f"epoch 1, after {step} of {film.steps} step{'s' * (film.steps > 1)}"
    return f"epoch {step // film.steps} of {film.epochs}"


def _layer(film):
    return short_names([film.layer], 20, "layer")[0]


def _maps_drawn(film):
    return f"feature maps of {_layer(film)}, each on its own scale: yellow is high"


def _filters_drawn(film):
    drawn = film.frames[0].filters.shape[-1]
    count = f"{drawn} of {film.count:,}" if drawn < film.count else f"{drawn}"
    weights = f"yellow: large weights at that place, over all {film.inputs:,} inputs"
    weights = {1: "grey: 0, white: positive", 3: "in colour; grey: 0"}.get(film.inputs, weights)
    still = "" if film.learns else ", kept still"
    return f"{count} filters of {_layer(film)}{still}, each on its own scale ({weights}); framed: those of the maps"


def _of_how_many(film):
    return f" ({MOST_CLASSES} of {len(film.classes):,} classes)" if len(film.classes) > MOST_CLASSES else ""


def _accuracies(frame):
    accuracies = {"training": frame.accuracy, "held out": frame.held_out}
    return [f"{name} {value:.1%}" for name, value in accuracies.items() if np.isfinite(value)]


def _classes(film, frames):
    """The classes that have bars, in their order: the true one, and those that were most probable at any moment."""
    highest = np.max([np.nan_to_num(frame.probabilities) for frame in frames], axis=0)
    highest[film.label] = np.inf
    return np.sort(np.argsort(-highest, kind="stable")[:MOST_CLASSES])


def _class_names(texts, film, classes, *, left, top, width, step, name, percent):
    names, how = short_names(film.classes, 11), {"fontsize": TEXT, "va": "center", "ha": "right"}
    texts += [(left + name - 6, top + (row + 0.5) * step, names[each], how) for row, each in enumerate(classes)]


def _bars(images, texts, film, frame, classes, *, left, top, width, step, name, percent):
    """A bar for each class beside its name, with its probability."""
    probabilities, how = np.nan_to_num(frame.probabilities), {"fontsize": TEXT, "va": "center"}
    for row, each in enumerate(classes):
        color = RIGHT if each == film.label else WRONG if each == probabilities.argmax() else OTHER
        length = max(1, round(float(probabilities[each]) * (width - name - percent)))
        images.append((left + name, top + row * step + 2, _square(color, step - 4, length)))
        texts.append((left + name + length + 6, top + (row + 0.5) * step, f"{probabilities[each]:.0%}", how))


def _map(images, frame, place, *, left, top, side):
    """Draw a feature map. Its lowest and its highest value in words."""
    values = np.nan_to_num(frame.maps[..., place].astype("float64"))
    low, high = values.min(), values.max()
    images.append((left, top, resized(_colored((values - low) / ((high - low) or 1)), side)))
    return _short(low), _short(high)


def _short(value):
    if value == 0 or 0.01 <= abs(value) < 1000:
        return real_minus(f"{value:.2g}" if abs(value) < 100 else f"{value:.0f}")
    return real_minus(re.sub(r"e([+-])0*", lambda found: "e" + found[1].strip("+"), f"{value:.0e}"))  # 2e−4


def _filters(images, film, frame, *, left, top, size):
    """All filters in a grid, as large as there is room; dark frames mark those of the feature maps."""
    width, height = size
    count, gap = frame.filters.shape[-1], 5
    sides = [min(width // columns, height // -(-count // columns)) - gap for columns in range(1, count + 1)]
    columns = 1 + int(np.argmax(sides))
    side = min(max(sides), 56)
    for number in range(count):
        begin, down = left + number % columns * (side + gap), top + number // columns * (side + gap)
        if number in film.channels:
            images.append((begin - 3, down - 3, _square(INK, side + 6, side + 6)))
            images.append((begin - 1, down - 1, _square("white", side + 2, side + 2)))  # a dark filter stays apart
        images.append((begin, down, resized(_filter(frame.filters[..., number], film.inputs), side)))


def _filter(weights, inputs):
    """(h, w, c) weights -> (h, w, 3) uint8 image."""
    weights = np.nan_to_num(weights.astype("float64"))
    largest = np.abs(weights).max() or 1
    if inputs in (1, 3):
        grey_is_zero = np.round(127.5 + 127.5 * weights / largest).astype("uint8")
        return np.repeat(grey_is_zero, 3 // inputs, axis=-1)
    return _colored(np.abs(weights[..., 0]) / largest)


def _square(color, height, width):
    return np.tile(np.uint8(255 * np.array(to_rgb(color))), (height, width, 1))


def _colored(values):
    return np.uint8(255 * OUTPUTS(np.nan_to_num(values))[..., :3])


def _over_time(film, name):
    return np.array([getattr(frame, name) for frame in film.frames])


def _last_epoch(film):
    return max(1, film.frames[-1].step / film.steps)


def _raster(figure):
    """A figure as an (h, w, 3) uint8 image."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3]


def _lines(text):
    return text.count("\n") + 1
