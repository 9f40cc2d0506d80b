"""The palette, and what every figure is drawn with."""

from textwrap import wrap

from matplotlib import colormaps
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from cnnvis.console.names import shown

DPI = 110
RIGHT, WRONG, OTHER, INK = (
    "#1b7f79",
    "#c8553d",
    "#b8c0c8",
    "#22303c",
)  # told apart in grey print and by colour-blind eyes
# Blue, dark: speaks against the class; grey: says nothing; orange, bright: speaks for it. Lightness alone tells, too.
DIVERGING = LinearSegmentedColormap.from_list("for_or_against", ("#04113f", "#1f4e9e", "#8a8f96", "#f28e1c", "#ffe08a"))
OUTPUTS = colormaps["viridis"]  # yellow: high


def new_figure(width, height):
    figure = Figure(figsize=(width, height), dpi=DPI, layout="constrained", facecolor="white")
    figure.get_layout_engine().set(w_pad=0.07, h_pad=0.07)  # inches
    return figure


def headline(figure, text, fontsize=11):
    """A title above all of a figure, on as many lines as its width makes necessary."""
    figure.suptitle(wrapped(text, figure.get_figwidth(), fontsize), fontsize=fontsize)


def wrapped(text, width, fontsize):
    """Text for a figure, on as many lines as a width of so many inches makes necessary."""
    letters = int(width * 72 / (0.6 * fontsize))
    return "\n".join(plain(line) for paragraph in text.split("\n") for line in wrap(shown(paragraph), letters))


def show_image(axes, image, **options):
    axes.axis("on")
    axes.imshow(image, interpolation="nearest", **options)
    axes.set(xticks=[], yticks=[])
    for spine in axes.spines.values():
        spine.set_visible(False)


def despine(axes):
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def plain(text):
    """A line of text for a figure, in which a dollar sign is one and begins no formula."""
    return shown(text).replace("$", r"\$")


def percent(share):
    """A share of 0-1 in a few letters, of which none is a zero that isn't one."""
    if 0 < share < 0.0005:
        return "<0.1%"
    return f"{share:.1%}" if 0 < share < 0.0095 else f"{share:.0%}"


def short(name, width=18, end=0):
    """A name of at most `width` letters for a figure, of which the last `end` are kept."""
    return plain(cut(name, width, end))


def cut(name, width, end=0):
    """The same, not yet for a figure."""
    name = shown(name)
    return name if len(name) <= width else name[: width - end - 1].rstrip() + "…" + name[len(name) - end :]
