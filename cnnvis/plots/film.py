"""A film of a training: what a network makes of one image, and its first filters, from moment to moment."""

import re

import numpy as np
from matplotlib import rc_context
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb

from cnnvis.plots.canvas import INK, OTHER, OUTPUTS, RIGHT, STYLE, WRONG, despine
from cnnvis.plots.names import short_names
from cnnvis.plots.sheets import board, resized

WIDTH, HEIGHT, MARGIN = 800, 456, 16  # pixels of a frame
SMALL, TINY = 8, 7.2  # points
PROBABILITIES = {"left": 152, "top": 62, "width": 246, "step": 19}  # pixels: where the bars of a frame are
CURVES = (64, 298, 330, 112)  # and where its curves are: left, top, width, height
POINTS = {"markersize": 2.5, "linewidth": 1}
ACCURACIES = {
    "accuracy": ("training (augmented)", {"color": RIGHT, "marker": "o", **POINTS}),
    "held_out": ("held out", {"color": WRONG, "marker": "s", **POINTS}),
}
MOST_CLASSES = 10  # bars of probabilities
BARS = "green: true class; red: a wrong one ahead"
MAPS = "each scaled for itself: yellow is high"
NAME, PERCENT = 84, 36  # pixels for a class's name and for its probability, beside its bar
MOMENTS = 6  # on the sheet
ROW = 156  # pixels of a moment there


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
    images, layer = [(MARGIN, 62, resized(film.image, 120))], _layer(film)
    below = PROBABILITIES["top"] + len(classes) * PROBABILITIES["step"] + 4
    texts = [
        (MARGIN, 187, f"true class:\n{short_names(film.classes, 14)[film.label]}", {"fontsize": SMALL}),
        (152, 44, f"probabilities{_of_how_many(film)}", {"fontsize": SMALL}),
        (152, below, BARS, {"fontsize": TINY}),
    ]
    _class_names(texts, film, classes, **PROBABILITIES)
    if len(film.channels):
        texts.append((420, 44, f"feature maps of {layer} for this image\n{MAPS}", {"fontsize": SMALL}))
        texts.append((420, 202, "\n".join([_filters_named(film), *_filters_drawn(film)]), {"fontsize": SMALL}))
    figure = board(images, texts, width=WIDTH, height=HEIGHT)
    left, top, width, height = CURVES
    axes = figure.add_axes((left / WIDTH, 1 - (top + height) / HEIGHT, width / WIDTH, height / HEIGHT))
    for name, (label, style) in ACCURACIES.items():
        if np.isfinite(_over_time(film, name)).any():
            axes.plot([], [], label=label, **style)
    axes.set(xlim=(0, _last_epoch(film)), ylim=(0, 1))
    axes.set_xlabel("epoch", fontsize=SMALL)
    axes.set_ylabel("accuracy", fontsize=SMALL)
    axes.set_yticks([0, 0.5, 1], ["0%", "50%", "100%"])
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.tick_params(labelsize=TINY)
    axes.grid(alpha=0.3)
    axes.legend(frameon=False, fontsize=SMALL, loc="lower right")
    despine(axes)
    return figure


@rc_context(STYLE)
def _frame(film, number, classes, background):
    frame, images = film.frames[number], [(0, 0, background)]
    texts = [(MARGIN, 12, moment(film, frame), {"fontsize": 13})]
    _bars(images, texts, film, frame, classes, **PROBABILITIES)
    if len(film.channels):
        _maps(images, texts, film, frame, left=420, top=78, side=84)
        _filters(images, film, frame, left=420, top=254, size=(364, 190))
    figure = board(images, texts, width=WIDTH, height=HEIGHT)
    (axes,), (left, top, width, height) = figure.axes, CURVES
    axes.autoscale(False)
    for name, (_, style) in ACCURACIES.items():
        values, steps = _over_time(film, name), np.array([each.step for each in film.frames])
        known = np.isfinite(values) & (steps <= frame.step)
        across, up = steps[known] / film.steps / _last_epoch(film), values[known]
        axes.plot(left + width * across, top + height * (1 - up), **style)
    return figure


@rc_context(STYLE)
def film_sheet(film):
    """Six moments, evenly spaced among the frames, one in a row: Figure."""
    places = np.unique(np.linspace(0, len(film.frames) - 1, MOMENTS).round().astype(int))
    frames = [film.frames[place] for place in places]
    classes, top = _classes(film, frames), 132
    name, moments = short_names(film.classes, 16)[film.label], f"{len(frames)} moment{'s' * (len(frames) > 1)}"
    images, small = [(MARGIN, MARGIN, resized(film.image, 88))], {"fontsize": SMALL}
    texts = [
        (120, 15, f"An image of class {name}, at {moments} of a training", {"fontsize": 12}),
        (120, 40, f"Bars: probabilities{_of_how_many(film)}; {BARS}.", small),
    ]
    if len(film.channels):
        scale, drawn = _filters_drawn(film)
        words = f"Feature maps of {_layer(film)}, {MAPS}; below: lowest to highest value."
        texts.append((120, 57, f"{words}\n{_filters_named(film)}, {scale};\n{drawn}.", small))
    for row, frame in enumerate(frames):
        down = top + row * ROW
        words = [moment(film, frame, short=True), *_accuracies(frame)]
        texts.append((MARGIN, down + 4, "\n".join(words), {"fontsize": SMALL, "linespacing": 1.6}))
        where = {"left": 128, "top": down, "width": 190, "step": 14}
        _class_names(texts, film, classes, **where)
        _bars(images, texts, film, frame, classes, **where)
        if len(film.channels):
            _maps(images, texts, film, frame, left=338, top=down + 4, side=72)
            _filters(images, film, frame, left=656, top=down + 4, size=(128, 132))
    return board(images, texts, width=WIDTH, height=top + len(frames) * ROW)


def moment(film, frame, short=False):
    """A moment of the training in words, such as "epoch 1, after 8 of 390 steps"."""
    step = frame.step
    if film.finished and frame is film.frames[-1]:
        return f"finished,\nafter epoch {film.finished}" if short else f"finished, after epoch {film.finished}"
    if step == 0:
        return "before training"
    if step < film.steps:
        return f"epoch 1,\nstep {step} of {film.steps}" if short else f"epoch 1, after {step} of {film.steps} steps"
    return f"epoch {step // film.steps} of {film.epochs}"


def _layer(film):
    return short_names([film.layer], 20, "layer")[0]


def _filters_named(film):
    drawn = film.frames[0].filters.shape[-1]
    count = f"{drawn} of {film.count}" if drawn < film.count else f"{drawn}"
    return f"{count} filters of {_layer(film)}{'' if film.learns else ', kept still'}"


def _filters_drawn(film):
    """Two lines."""
    drawn = f"yellow: large weights at that place, over all {film.inputs:,} inputs"
    drawn = {1: "grey is 0, white is positive", 3: "weights in colour; grey is 0"}.get(film.inputs, drawn)
    return "each scaled for itself; framed: those of the maps", drawn


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


def _class_names(texts, film, classes, *, left, top, width, step):
    names, how = short_names(film.classes, 12), {"fontsize": TINY, "va": "center", "ha": "right"}
    texts += [(left + NAME - 5, top + (row + 0.5) * step, names[each], how) for row, each in enumerate(classes)]


def _bars(images, texts, film, frame, classes, *, left, top, width, step):
    """A bar for each class beside its name, with its probability."""
    probabilities = np.nan_to_num(frame.probabilities)
    for row, each in enumerate(classes):
        color = RIGHT if each == film.label else WRONG if each == probabilities.argmax() else OTHER
        length = max(1, round(float(probabilities[each]) * (width - NAME - PERCENT)))
        images.append((left + NAME, top + row * step + 2, _square(color, step - 4, length)))
        how = {"fontsize": TINY, "va": "center"}
        texts.append((left + NAME + length + 4, top + (row + 0.5) * step, f"{probabilities[each]:.0%}", how))


def _maps(images, texts, film, frame, *, left, top, side):
    """Feature maps in a row, each above its channel and its lowest and highest value: 30 pixels."""
    for place, channel in enumerate(film.channels):
        values, begin = np.nan_to_num(frame.maps[..., place].astype("float64")), left + place * (side + 8)
        low, high = values.min(), values.max()
        images.append((begin, top, resized(_colored((values - low) / ((high - low) or 1)), side)))
        texts.append((begin, top + side + 3, f"channel {channel}\n{_short(low)} to {_short(high)}", {"fontsize": TINY}))


def _short(value):
    if value == 0 or 0.01 <= abs(value) < 1000:
        return f"{value:.2g}" if abs(value) < 100 else f"{value:.0f}"
    return re.sub(r"e([+-])0*", lambda found: "e" + found[1].strip("+"), f"{value:.0e}")  # 2e-4


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
