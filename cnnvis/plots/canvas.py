"""Colours, text and axes that all figures share."""

import io
from textwrap import wrap

from matplotlib import colormaps, rc_context, rcParams, rcParamsDefault
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.text import Text
from PIL import Image

from cnnvis.console import shown
from cnnvis.plots.fonts import drawn, families

DPI = 110
# A phone shows a figure 360 pixels wide. Letters of 14.1 points in a figure of 6.4 inches have 11 of them then.
WIDTH, TEXT, HEADING = 6.4, 14.1, 15  # inches, points, points
LINE, LETTER = 0.24, 0.118  # inches: the height of a line of `TEXT`, and how wide a letter is on average
# `@rc_context(STYLE)` before a function that makes a figure: it looks the same whatever the user's settings are.
STYLE = {name: value for name, value in rcParamsDefault.items() if name != "backend"} | {"text.parse_math": False}
# Distinguishable in greyscale and with colour blindness.
RIGHT, WRONG, OTHER, INK = "#1b7f79", "#c8553d", "#b8c0c8", "#22303c"
# Dark blue: against the class; grey: neutral; bright orange: for it. Lightness alone distinguishes them, too.
DIVERGING = LinearSegmentedColormap.from_list("for_or_against", ("#04113f", "#1f4e9e", "#8a8f96", "#f28e1c", "#ffe08a"))
OUTPUTS = colormaps["viridis"]  # yellow: high


class StyledFigure(Figure):
    """A figure that is drawn with the settings with which it was made, and with whatever fonts its texts need."""

    def __init__(self, *args, **options):
        self._settings = {name: value for name, value in rcParams.items() if name != "backend"}
        super().__init__(*args, **options)

    def draw(self, renderer):
        with rc_context(self._settings):
            for text in self.findobj(lambda artist: isinstance(artist, Text) and not artist.get_text().isascii()):
                text.set(text=drawn(text.get_text()), family=families(text.get_text()))
            super().draw(renderer)

    def savefig(self, *args, **options):
        with rc_context(self._settings):
            super().savefig(*args, **options)

    def _repr_png_(self):
        """What a notebook shows: a PNG file of 256 colours, a third as large as one of all."""
        drawn, stored = io.BytesIO(), io.BytesIO()
        self.savefig(drawn, format="png")
        Image.open(drawn).convert("RGB").quantize(256).save(stored, "PNG", optimize=True)
        return stored.getvalue()


def new_figure(width, height):
    figure = StyledFigure(figsize=(width, height), dpi=DPI, layout="constrained", facecolor="white")
    figure.get_layout_engine().set(w_pad=0.07, h_pad=0.07)  # inches
    return figure


def headline(figure, text, fontsize=HEADING):
    """Set the title of a figure, wrapped to its width."""
    figure.suptitle(wrapped(text, figure.get_figwidth(), fontsize), fontsize=fontsize)


def wrapped(text, width, fontsize):
    """Text for a figure, wrapped to a width in inches."""
    letters = int(width * 72 / (0.6 * fontsize))
    return "\n".join(line for paragraph in text.split("\n") for line in wrap(shown(paragraph), letters))


def write_above(axes, text, fontsize=TEXT):
    """Write above axes, from their left edge on. A text wider than they are doesn't push their neighbours away."""
    axes.set_title(text, fontsize=fontsize, alpha=0)  # unseen: the layout leaves room for its height
    above = {"xycoords": "axes fraction", "textcoords": "offset points", "va": "baseline", "in_layout": False}
    axes.annotate(text, (0, 1), (0, 6), **above, fontsize=fontsize, color=INK)


def numbered(name, pages):
    """Pages by name: iterable of Figure -> dict of `name`, `name_2`, ... to Figure."""
    return {name if number == 1 else f"{name}_{number}": figure for number, figure in enumerate(pages, 1)}


def show_image(axes, image, **options):
    axes.axis("on")
    axes.imshow(image, interpolation="nearest", **options)
    axes.set(xticks=[], yticks=[])
    for spine in axes.spines.values():
        spine.set_visible(False)


def despine(axes):
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def real_minus(text):
    """Text of numbers, with a real minus for each hyphen."""
    return text.replace("-", "−")


def percent(share):
    """A share of 0-1 as a short percentage that is only 0% for 0."""
    if 0 < share < 0.0005:
        return "<0.1%"
    return f"{share:.1%}" if 0 < share < 0.0095 else f"{share:.0%}"
