"""Many filters at once: sheets of one layer, an atlas of several, and frames of the ascent."""

import numpy as np
from matplotlib import rc_context
from PIL import Image

from cnnvis.plots.canvas import DPI, INK, STYLE, WRONG, StyledFigure, numbered, real_minus
from cnnvis.plots.names import cut, short_names

MARGIN, HEADING, LINE, GAP = 16, 34, 15, 6  # pixels; LINE: of small text
SMALL = 7  # points, of the text under an image of a sheet
FRAME_TEXT, FRAME_LINE, FEWEST_COLUMNS = 10, 19, 3  # of the ascent: points, pixels, images
SIDE, PATCH_SIDE = 96, 30  # pixels, of an image on a sheet and of the real patches beside it
SHEET_COLUMNS, SHEET_ROWS = 8, 14
LEGEND = "number: activation by the image (real: by the best real one; red: that is higher), and the favourite class"
ATLAS_SIDE, ATLAS_COLUMNS, ATLAS_ROWS = 32, 32, 120
DEAD = 235  # grey of dead filters


def filter_sheets(name, layer_name, layer, classes=()):
    """All filters of a layer, on as many sheets as needed: dict of `name`, `name_2`, ... to Figure.

    Each filter has its optimised image, its top three patches, its number, the activation by the image and by the best
    real one, and the class to which it responds most strongly.

    Parameters
    ----------
    name, layer_name : str
    layer : FilterImages
    classes : sequence of str
    """
    count, most = len(layer.filters), SHEET_COLUMNS * SHEET_ROWS
    heading = f"{cut(layer_name, 40)}: {_tally(layer)}"
    pages, names = [], short_names(classes, 16)
    for start in range(0, count, most):
        which = f" (sheet {len(pages) + 1} of {-(-count // most)})" if count > most else ""
        pages.append(_sheet(heading + which, layer[start : start + most], names))
    return numbered(name, pages)


def _sheet(heading, layer, names):
    images, texts = [], [(MARGIN, MARGIN, heading, {"fontsize": 10}), (MARGIN, HEADING, LEGEND, {"fontsize": 8})]
    wide, high, above = SIDE + PATCH_SIDE + 5 * GAP, SIDE + 2 * LINE + GAP, HEADING + LINE + MARGIN // 2
    for place in range(len(layer.filters)):
        row, column = divmod(place, SHEET_COLUMNS)
        left, top = MARGIN + column * wide, above + row * high
        dead, made, real = (array[place] for array in (layer.dead, layer.activation, layer.dataset_max))
        images.append((left, top, np.full((SIDE, SIDE, 3), DEAD, "uint8")))
        if dead:
            texts.append((left + SIDE // 2, top + SIDE // 2, "dead", {"fontsize": 8, "ha": "center", "va": "center"}))
        else:
            images.append((left, top, resized(layer.images[place], SIDE)))
        for number, patch in enumerate(layer.patches[place][:3]):
            down = top + number * (SIDE + 3) // 3
            images.append((left + SIDE + GAP, down, resized(patch, PATCH_SIDE)))
        numbers = f"{layer.filters[place]}:" if dead else f"{layer.filters[place]}: {real_minus(f'{made:.2g}')}"
        small = {"fontsize": SMALL, "color": INK if dead or made >= real else WRONG}
        texts.append((left, top + SIDE + 3, f"{numbers} (real {real_minus(f'{real:.2g}')})", small))
        favourite = layer.favourite[place]
        if favourite >= 0 and not dead:
            liked = f"{names[favourite]} {layer.selectivity[place]:.0%}"
            texts.append((left, top + SIDE + 3 + LINE, liked, small))
    columns, rows = min(len(layer.filters), SHEET_COLUMNS), -(-len(layer.filters) // SHEET_COLUMNS)
    return board(images, texts, width=2 * MARGIN + max(columns, 4) * wide, height=above + rows * high + MARGIN // 2)


def filter_atlas(name, layers):
    """Thumbnails of the optimised images of all filters of several layers: dict of `name`, `name_2`, ... to Figure."""
    rows = [
        (layer_name, start, layer)
        for layer_name, layer in zip(short_names(layers, 40, "layer"), layers.values())
        for start in range(0, len(layer.filters), ATLAS_COLUMNS)
    ]
    return numbered(name, (_atlas_page(rows[start : start + ATLAS_ROWS]) for start in range(0, len(rows), ATLAS_ROWS)))


def _atlas_page(rows):
    images, texts, top, step = [], [], MARGIN, ATLAS_SIDE + 2
    for number, (layer_name, start, layer) in enumerate(rows):
        if not start or not number:
            texts.append((MARGIN, top, f"{layer_name}: {_tally(layer)}", {"fontsize": 9}))
            top += 2 * LINE - GAP
        for column, place in enumerate(range(start, min(start + ATLAS_COLUMNS, len(layer.filters)))):
            image = np.full((1, 1, 3), DEAD, "uint8") if layer.dead[place] else layer.images[place]
            images.append((MARGIN + column * step, top, resized(image, ATLAS_SIDE)))
        last = start + ATLAS_COLUMNS >= len(layer.filters)
        top += step + (2 * GAP if last else 0)
    return board(images, texts, width=2 * MARGIN + ATLAS_COLUMNS * step, height=top + MARGIN)


def ascent_frames(layers, most=4):
    """Images during the ascent: a list of one Figure per step, with one row per layer, of filters that aren't dead.

    Parameters
    ----------
    layers : dict of str to FilterImages
        With frames.
    most : int
        Filters per layer.
    """
    shown = {name: np.flatnonzero(~layer.dead)[:most] for name, layer in layers.items()}
    columns, names = max(map(len, shown.values())), short_names(shown, 30, "layer")
    steps = next(iter(layers.values())).frame_steps
    wide, high, line, font = SIDE + 2 * GAP, SIDE + 4 * FRAME_LINE, FRAME_LINE, {"fontsize": FRAME_TEXT}
    frames = []
    for number, step in enumerate(steps):
        images, texts = [], [(MARGIN, MARGIN, f"step {step} of {max(steps)}", font | {"fontweight": "bold"})]
        for row, (title, name, places) in enumerate(zip(names, shown, shown.values())):
            above = MARGIN + 2 * line + row * high
            texts.append((MARGIN, above, title if len(places) else f"{title}: all dead", font))
            for column, place in enumerate(places):
                left, top = MARGIN + column * wide, above + line
                images.append((left, top, resized(layers[name].frames[number, place], SIDE)))
                activation = layers[name].frame_activation[number, place]
                label = f"filter {layers[name].filters[place]}\n{real_minus(f'{activation:.3g}')}"
                texts.append((left, top + SIDE + 3, label, font))
        width = 2 * MARGIN + max(columns, FEWEST_COLUMNS) * wide
        frames.append(board(images, texts, width=width, height=2 * MARGIN + line + len(shown) * high))
    return frames


def resized(image, side):
    """Scale an (h, w, 3) uint8 image to a white square of `side` pixels: repeat pixels, or average them."""
    height, width = (max(1, round(length * side / max(image.shape[:2]))) for length in image.shape[:2])
    how = Image.Resampling.BOX if height < image.shape[0] else Image.Resampling.NEAREST
    square = np.full((side, side, 3), 255, "uint8")
    square[:height, :width] = np.asarray(Image.fromarray(image).resize((width, height), how))
    return square


def _tally(layer):
    alive = ~layer.dead
    above = (layer.activation >= layer.dataset_max)[alive].sum()
    count = len(alive)
    dead = f", {count - alive.sum()} dead" if not alive.all() else ""
    return f"{count} filter{'s' * (count > 1)}, {above} of {alive.sum()} above every real image{dead}"


@rc_context(STYLE)
def board(images, texts, *, width, height):
    """A figure of width x height pixels with images (left, top, array) and texts (left, top, text, options) on it."""
    canvas = np.full((height, width, 3), 255, "uint8")
    for left, top, image in images:
        canvas[top : top + image.shape[0], left : left + image.shape[1]] = image
    figure = StyledFigure(figsize=(width / DPI, height / DPI), dpi=DPI)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.axis("off")
    axes.imshow(canvas, extent=(0, width, height, 0), interpolation="nearest", aspect="auto")
    for left, top, text, options in texts:
        axes.text(left, top, text, **{"va": "top", **options})
    return figure
