"""How one channel of a CONV layer is computed: the filter's weights beside its input and output."""

import numpy as np
from matplotlib import rc_context
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize

from cnnvis.plots.canvas import (
    DIVERGING,
    OUTPUTS,
    STYLE,
    TEXT,
    WIDTH,
    headline,
    new_figure,
    real_minus,
    show_image,
    wrapped,
)
from cnnvis.plots.names import cut


@rc_context(STYLE)
def channel_terms(terms, name, channel, most=3):
    """The input channels with the largest contributions, the weights for each, its contribution, and the sum of all.

    Parameters
    ----------
    terms : ChannelTerms
    name : str
        Of the layer.
    channel : int
    most : int
        Number of input channels, at most.
    """
    shown, which = terms.most(most)
    count, known = len(which), terms.weights.shape[-1]
    figure = new_figure(WIDTH, 6.4)
    every = f"all {count} input channels" if count > 1 else "its only input channel"
    some = f"the {count} of {known} input channels with the largest contributions" if count < known else every
    height, width = terms.weights.shape[:2]
    headline(figure, f"{cut(name, 40)}, channel {channel}: its {height}×{width} filter, {some}")
    grid = figure.subplots(3, count + 1, squeeze=False, width_ratios=[*[1] * count, 1.2])
    weight, part = (float(np.abs(values).max()) or 1.0 for values in (terms.weights, terms.parts))
    for column, number in enumerate(which):
        above, middle, below = grid[:, column]
        show_image(above, shown.inputs[..., column], cmap=OUTPUTS)
        show_image(middle, shown.weights[..., column], cmap=DIVERGING, vmin=-weight, vmax=weight)
        show_image(below, shown.parts[..., column], cmap=DIVERGING, vmin=-part, vmax=part)
        above.set_title(f"input {number}{_if_uniform(shown.inputs[..., column])}", fontsize=TEXT)
    for axes, words in zip(grid[:, 0], ("input, scaled\nseparately", "weights", "contribution")):
        axes.set_ylabel(words, fontsize=TEXT)
    for axes in grid[:, -1]:
        axes.axis("off")
    show_image(grid[2, -1], terms.output, cmap=OUTPUTS)
    how = f"output: sum of all {known}" if count < known else "output: the sum"
    how += real_minus(f",\n{terms.bias:+.2g} (bias)") if terms.bias else ""
    how += f",\nthen {cut(terms.activation, 12)}" if terms.activation != "linear" else ""
    above = {"xycoords": "axes fraction", "textcoords": "offset points", "ha": "center", "va": "bottom"}
    grid[2, -1].annotate(wrapped(how, 1.5, TEXT), (0.5, 1), (0, 6), **above, fontsize=TEXT, in_layout=False)
    for row, limit in ((1, weight), (2, part)):
        scale = ScalarMappable(Normalize(-limit, limit), DIVERGING)
        bar = figure.colorbar(scale, ax=grid[row], shrink=0.8, aspect=12, ticks=[-limit, 0, limit])
        bar.ax.set_yticklabels([real_minus(f"{value:.2g}") for value in (-limit, 0, limit)], fontsize=TEXT)
    low, high = terms.output.min(), terms.output.max()
    scale = f"{low:.2g} everywhere" if low == high else f"dark: {low:.2g}\nyellow: {high:.2g}"
    grid[2, -1].set_xlabel(real_minus(scale), fontsize=TEXT)
    return figure


def _if_uniform(channel):
    low, high = channel.min(), channel.max()
    return real_minus(f":\nall {low:.2g}") if low == high else ""
