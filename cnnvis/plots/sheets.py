"""Many filters at once: a layer's on sheets, all layers' in an atlas, and a few that grow."""

import numpy as np
from matplotlib.figure import Figure
from PIL import Image

from cnnvis.plots.canvas import DPI, INK, WRONG, short

MARGIN, HEADING, LINE, GAP = 16, 34, 15, 6  # pixels; LINE: of small letters
SMALL = 7  # points, of the letters under a picture
SIDE, PATCH_SIDE = 96, 30  # pixels of a picture on a sheet, and of the real patches beside it
SHEET_COLUMNS, SHEET_ROWS = 8, 14
ATLAS_SIDE, ATLAS_COLUMNS, ATLAS_ROWS = 32, 32, 120
DEAD = 235  # grey of what is not drawn


def filter_sheets(name, layer_name, layer, classes=()):
    """All that is shown of a layer, on as many sheets as it takes: dict of `name`, `name_2`, ... to Figure.

    Each filter has the picture made for it, three real patches, its number, the activation of the picture and of the
    best real one, and its favourite class.

    Parameters
    ----------
    name, layer_name : str
    layer : dict of str to array
        As in `filter_pictures`.
    classes : sequence of str
    """
    count, most = len(layer["filters"]), SHEET_COLUMNS * SHEET_ROWS
    heading = f"{short(layer_name, 40)}: {_tally(layer)}"
    starts = range(0, count, most)
    return {
        name if not start else f"{name}_{page}": _sheet(
            heading + (f" (sheet {page} of {len(starts)})" if count > most else ""),
            {key: array[start : start + most] for key, array in layer.items()},
            classes,
        )
        for page, start in enumerate(starts, 1)
    }


def _sheet(heading, layer, classes):
    pictures, texts = [], [(MARGIN, MARGIN, heading, {"fontsize": 10})]
    wide, high = SIDE + PATCH_SIDE + 5 * GAP, SIDE + 2 * LINE + GAP
    for place in range(len(layer["filters"])):
        row, column = divmod(place, SHEET_COLUMNS)
        left, top = MARGIN + column * wide, HEADING + MARGIN // 2 + row * high
        dead, made, real = (layer[key][place] for key in ("dead", "activation", "dataset_max"))
        pictures.append((left, top, np.full((SIDE, SIDE, 3), DEAD, "uint8")))
        if dead:
            texts.append((left + SIDE // 2, top + SIDE // 2, "dead", {"fontsize": 8, "ha": "center", "va": "center"}))
        else:
            pictures.append((left, top, resized(layer["images"][place], SIDE)))
        for number, patch in enumerate(layer["patches"][place][:3]):
            down = top + number * (SIDE + 3) // 3
            pictures.append((left + SIDE + GAP, down, resized(patch, PATCH_SIDE)))
        numbers = f"{layer['filters'][place]}:" if dead else f"{layer['filters'][place]}: {made:.2g}"
        small = {"fontsize": SMALL, "color": INK if dead or made >= real else WRONG}
        texts.append((left, top + SIDE + 3, f"{numbers} (real {real:.2g})", small))
        favourite = layer["favourite"][place]
        if favourite >= 0 and not dead:
            loves = f"{short(classes[favourite], 16)} {layer['selectivity'][place]:.0%}"
            texts.append((left, top + SIDE + 3 + LINE, loves, small))
    columns, rows = min(len(layer["filters"]), SHEET_COLUMNS), -(-len(layer["filters"]) // SHEET_COLUMNS)
    return _board(2 * MARGIN + max(columns, 4) * wide, HEADING + MARGIN + rows * high, pictures, texts)


def filter_atlas(name, layers):
    """The pictures of all filters of several layers, as small as can be: dict of `name`, `name_2`, ... to Figure."""
    rows = [
        (layer_name, start, layer)
        for layer_name, layer in layers.items()
        for start in range(0, len(layer["filters"]), ATLAS_COLUMNS)
    ]
    return {
        name if not start else f"{name}_{start // ATLAS_ROWS + 1}": _atlas_page(rows[start : start + ATLAS_ROWS])
        for start in range(0, len(rows), ATLAS_ROWS)
    }


def _atlas_page(rows):
    pictures, texts, top, step = [], [], MARGIN, ATLAS_SIDE + 2
    for number, (layer_name, start, layer) in enumerate(rows):
        if not start or not number:
            texts.append((MARGIN, top, f"{short(layer_name, 40)}: {_tally(layer)}", {"fontsize": 9}))
            top += 2 * LINE - GAP
        for column, place in enumerate(range(start, min(start + ATLAS_COLUMNS, len(layer["filters"])))):
            image = np.full((1, 1, 3), DEAD, "uint8") if layer["dead"][place] else layer["images"][place]
            pictures.append((MARGIN + column * step, top, resized(image, ATLAS_SIDE)))
        last = start + ATLAS_COLUMNS >= len(layer["filters"])
        top += step + (2 * GAP if last else 0)
    return _board(2 * MARGIN + ATLAS_COLUMNS * step, top + MARGIN, pictures, texts)


def growth_frames(layers, most=4):
    """How pictures grow: a Figure for each of the steps; a row a layer, of its first filters that are not dead.

    Parameters
    ----------
    layers : dict of str to dict
        Of each layer `filters` (F,), `dead` (F,), `growth` (S, F, H, W, 3) uint8 and `growth_activation` (S, F), all
        of them after `growth_steps` (S,).
    most : int
        Filters of a layer.
    """
    shown = {name: np.flatnonzero(~layer["dead"])[:most] for name, layer in layers.items()}
    columns = max(map(len, shown.values()))
    steps = next(iter(layers.values()))["growth_steps"]
    wide, high = SIDE + 2 * GAP, SIDE + 2 * LINE + GAP
    frames = []
    for number, step in enumerate(steps):
        pictures, texts = [], [(MARGIN, MARGIN, f"step {step} of {max(steps)}", {"fontsize": 10})]
        for row, (name, places) in enumerate(shown.items()):
            for column, place in enumerate(places):
                left, top = MARGIN + column * wide, HEADING + MARGIN // 2 + row * high
                pictures.append((left, top, resized(layers[name]["growth"][number, place], SIDE)))
                label = f"{short(name, 10)}, filter {layers[name]['filters'][place]}"
                label += f"\n{layers[name]['growth_activation'][number, place]:.3g}"
                texts.append((left, top + SIDE + 3, label, {"fontsize": SMALL}))
        frames.append(
            _board(2 * MARGIN + max(columns, 1) * wide, HEADING + MARGIN + len(shown) * high, pictures, texts)
        )
    return frames


def resized(image, side):
    """An (h, w, 3) uint8 picture within a square of `side` pixels, the rest white: larger pixels, or means of them."""
    height, width = (max(1, round(length * side / max(image.shape[:2]))) for length in image.shape[:2])
    how = Image.Resampling.BOX if height < image.shape[0] else Image.Resampling.NEAREST
    square = np.full((side, side, 3), 255, "uint8")
    square[:height, :width] = np.asarray(Image.fromarray(image).resize((width, height), how))
    return square


def _tally(layer):
    alive = ~layer["dead"]
    above = (layer["activation"] >= layer["dataset_max"])[alive].sum()
    count = len(alive)
    dead = f", {count - alive.sum()} dead" if not alive.all() else ""
    return f"{count} filter{'s' * (count > 1)}, {above} of {alive.sum()} above every real picture{dead}"


def _board(width, height, pictures, texts):
    """A figure of that many pixels with pictures, (left, top, array), and texts, (left, top, text, options), on it."""
    canvas = np.full((height, width, 3), 255, "uint8")
    for left, top, picture in pictures:
        canvas[top : top + picture.shape[0], left : left + picture.shape[1]] = picture
    figure = Figure(figsize=(width / DPI, height / DPI), dpi=DPI)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.axis("off")
    axes.imshow(canvas, extent=(0, width, height, 0), interpolation="nearest", aspect="auto")
    for left, top, text, options in texts:
        axes.text(left, top, text, **{"va": "top", **options})
    return figure
