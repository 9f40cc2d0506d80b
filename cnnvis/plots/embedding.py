"""A map of images: each a point, its class in colour and shape, wrong predictions ringed, some as thumbnails."""

import numpy as np
from matplotlib import rc_context
from matplotlib.lines import Line2D
from matplotlib.offsetbox import AnnotationBbox, OffsetImage
from matplotlib.patheffects import withStroke

from cnnvis.plots.canvas import HEADING, INK, OTHER, STYLE, TEXT, WIDTH, headline, new_figure, wrapped
from cnnvis.plots.names import short_names
from cnnvis.plots.results import MOST_CLASSES, most_mistaken
from cnnvis.plots.sheets import resized

# Distinguishable with colour blindness (Tol 2021, "muted"); two classes of one colour have different marks.
COLOURS = ("#66b5dd", "#ee7733", "#117733", "#332288", "#c9b458", "#cc6677", "#44aa99", "#882255", "#555555", "#aa4499")
MARKS = "os^vDPX*<>"
SIDE = WIDTH - 0.2  # inches, of the map
THUMBNAIL, APART = 34, 1.0  # pixels of a thumbnail's side, and inches between thumbnails among many images
ABOVE = 19  # points from an image's point to the middle of its thumbnail
NAME_LETTER, NAME_LINE = 0.135, 0.26  # inches of a name on the map
LONG_NAME = 12  # letters, from which the legend has two columns instead of three
MOST_SHOWN = 60  # images, of which all have thumbnails if there is room


@rc_context(STYLE)
def embedding_map(embedding, images, labels, predicted, classes, title):
    """A map of images in two dimensions.

    Of more than `MOST_CLASSES`, those with the most wrong predictions have colours and marks, and the others are grey.

    Parameters
    ----------
    embedding : (N, 2) float array
    images : (N, H, W, 3) uint8 array
    labels, predicted : (N,) int arrays
    classes : sequence of K str
    title : str
    """
    matrix = np.zeros((len(classes),) * 2, int)
    np.add.at(matrix, (labels, predicted), 1)
    present = np.flatnonzero(matrix.sum(axis=0) + matrix.sum(axis=1))
    shown = present[most_mistaken(matrix[np.ix_(present, present)])]
    names = short_names([classes[c] for c in shown], 15)
    columns = 2 if max(map(len, names)) >= LONG_NAME else 3
    lines = -(-(len(shown) + 2) // columns)
    above = wrapped(title, WIDTH, HEADING).count("\n")
    figure = new_figure(WIDTH, SIDE + 0.28 * (lines + above) + 1.3)
    headline(figure, title)
    axes = figure.subplots()
    axes.set_anchor("N")
    axes.set(xticks=[], yticks=[], **_limits(embedding))
    axes.set_box_aspect(1)
    for spine in axes.spines.values():
        spine.set_color(OTHER)
    size = float(np.clip(4000 / len(labels), 7, 60))  # points²
    handles, wrong = [], labels != predicted
    others = ~np.isin(labels, shown)
    axes.scatter(*embedding[others & ~wrong].T, s=size / 2, color=OTHER, linewidth=0)
    axes.scatter(*embedding[others & wrong].T, s=size, color=OTHER, edgecolor="black", linewidth=0.6)
    for number, (c, name) in enumerate(zip(shown, names)):
        number = c if len(classes) <= MOST_CLASSES else number  # so that a class looks the same in every map
        color, mark = COLOURS[number % len(COLOURS)], MARKS[(number + number // len(COLOURS)) % len(MARKS)]
        points = embedding[(labels == c) & ~wrong]
        axes.scatter(*points.T, s=size, color=color, marker=mark, linewidth=0, alpha=0.8, zorder=2)
        points = embedding[(labels == c) & wrong]
        axes.scatter(*points.T, s=2 * size, color=color, marker=mark, edgecolor="black", linewidth=0.6, zorder=3)
        handles.append(Line2D([], [], color=color, marker=mark, linestyle="", markersize=8, label=_legible(name)))
    if others.any():
        text = f"{len(present) - len(shown):,} other classes"
        handles.append(Line2D([], [], color=OTHER, marker="o", linestyle="", markersize=5, label=text))
    ringed = {"color": "white", "marker": "o", "markeredgecolor": "black", "linestyle": "", "markersize": 8}
    if wrong.any():
        handles.append(Line2D([], [], label="wrong prediction", **ringed))
    above = f"{len(shown)} of {len(present):,} classes, most often mistaken" if others.any() else "true class"
    how = {"ncols": columns, "columnspacing": 1, "handletextpad": 0.2}
    legend = figure.legend(handles=handles, loc="outside lower center", fontsize=TEXT, frameon=False, **how)
    legend.set_title(above, {"size": TEXT})
    written = _name_groups(axes, embedding, labels, shown, names) if len(labels) > MOST_SHOWN else []
    _thumbnails(axes, embedding, images, wrong, written)
    return figure


def _legible(name):
    return f" {name}" if name.startswith("_") else name  # legends omit names with an underscore


def _limits(embedding):
    """A square around all points, with a margin."""
    low, high = embedding.min(axis=0), embedding.max(axis=0)
    half = 0.55 * max((high - low).max(), 1e-6)
    centre = (low + high) / 2
    return {"xlim": (centre[0] - half, centre[0] + half), "ylim": (centre[1] - half, centre[1] + half)}


def _places(axes, embedding):
    """Points in inches from the lower left corner of the map."""
    low = np.array([axes.get_xlim()[0], axes.get_ylim()[0]])
    return (embedding - low) / (axes.get_xlim()[1] - low[0]) * SIDE


def _thumbnails(axes, embedding, images, wrong, written):
    """Some images above their points, evenly spread, wrong predictions first; none covers another, or a name."""
    places, few = _places(axes, embedding), len(embedding) <= MOST_SHOWN
    apart, taken = 0.45 if few else APART, []
    for index in np.argsort(~wrong, kind="stable"):
        middle, half = places[index] + (0, ABOVE / 72), THUMBNAIL / 2 / axes.figure.dpi
        if any(_is_near(*middle, *name, half=(half, half)) for name in written):
            continue
        if all(np.abs(places[index] - other).max() >= apart for other in taken):
            taken.append(places[index])
            height, width = (-(-side * THUMBNAIL // max(images.shape[1:3])) for side in images.shape[1:3])
            small = resized(images[index], THUMBNAIL)[:height, :width]
            small = OffsetImage(small, zoom=72 / axes.figure.dpi, interpolation="nearest")
            frame = {"edgecolor": "black" if wrong[index] else "white", "linewidth": 1.2}
            how = {"xybox": (0, ABOVE), "boxcoords": "offset points", "pad": 0.05, "bboxprops": frame}
            axes.add_artist(AnnotationBbox(small, embedding[index], frameon=True, **how))


def _name_groups(axes, embedding, labels, shown, names):
    """The names of classes, each at the image nearest to their middle, unless another name is there: x, y, letters."""
    taken = []
    for c, name in zip(shown, names):
        points = embedding[labels == c]
        if not len(points):
            continue
        middle = points[np.abs(points - np.median(points, axis=0)).sum(axis=1).argmin()]  # not beside a crescent
        place = _places(axes, middle[None])[0]
        if not any(_is_near(*place, *other, half=(NAME_LETTER * len(name) / 2, NAME_LINE / 2)) for other in taken):
            taken.append((*place, len(name)))
            outline = [withStroke(linewidth=3, foreground="white")]
            how = {"ha": "center", "va": "center", "color": INK, "weight": "bold", "path_effects": outline}
            axes.text(*middle, name, fontsize=HEADING, zorder=10, **how)
    return taken


def _is_near(x, y, name_x, name_y, letters, *, half):
    """Whether something of that half width and height would cover a name; all in inches."""
    width, height = half
    return abs(x - name_x) <= NAME_LETTER * letters / 2 + width and abs(y - name_y) <= NAME_LINE / 2 + height
