"""How accurate a network is, and where it fails."""

import numpy as np
from matplotlib import rc_context
from matplotlib.colors import PowerNorm

from cnnvis.plots.canvas import (
    INK,
    OTHER,
    RIGHT,
    STYLE,
    TEXT,
    WIDTH,
    WRONG,
    despine,
    headline,
    new_figure,
    real_minus,
    wrapped,
)
from cnnvis.plots.names import short_names

MOST_CLASSES = 25  # whose names fit along an axis
SHARES = (0, 0.01, 0.05, 0.2, 0.5, 1)  # marked on the scale of the confusion matrix


@rc_context(STYLE)
def page(scores, classes, title):
    """Confusion matrix, reliability diagram, and precision and recall by class, on one page.

    If there are more than 25 classes, those with the most wrong predictions are shown, and the page says so.

    Parameters
    ----------
    scores : Scores
    classes : sequence of K str
    """
    shown = most_mistaken(scores.confusion)
    side = float(np.clip(1.6 + 0.48 * len(shown), WIDTH, 13))
    below = max(3.6, 0.28 * len(shown) + 1.1)
    figure = new_figure(side, side + 1.8 + 4.3 + below)
    headline(figure, title)
    above, middle, beneath = figure.subfigures(3, 1, height_ratios=[side + 1.2, 4.3, below])
    _confusion(above, scores.confusion, shown, classes=classes, side=side)
    reliability, by_class = middle.subplots(), beneath.subplots()
    _reliability(reliability, scores.calibration, scores.brier)
    precision, recall = _defined(scores, 0), _defined(scores, 1)
    _by_class(by_class, {"precision": precision, "recall": recall}, shown, classes=classes)
    return figure


def most_mistaken(matrix, most=MOST_CLASSES):
    """The classes with the most false negatives and positives, in order of index: (K, K) int -> (M,) int."""
    mistakes = matrix.sum(axis=0) + matrix.sum(axis=1) - 2 * np.diag(matrix)
    return np.sort(np.argsort(-mistakes, kind="stable")[:most])


def _confusion(figure, matrix, shown, classes, side):
    """Confusion matrix, in percent of the true class and in counts; predictions of classes not shown are summed up."""
    total = matrix.sum(axis=1, keepdims=True)[shown]
    cells = matrix[np.ix_(shown, shown)]
    classes = short_names(classes, 12)
    names = [classes[c] for c in shown]
    across = list(names)
    if len(shown) < len(classes):
        cells = np.hstack([cells, total - cells.sum(axis=1, keepdims=True)])
        across.append(f"{len(classes) - len(shown):,} others")
    share = cells / np.maximum(total, 1)
    axes = figure.subplots()
    norm = PowerNorm(0.4, 0, 1)  # makes a few percent visible
    drawn = axes.imshow(share, cmap="Blues", norm=norm)
    how = {"location": "bottom", "shrink": 0.8, "aspect": 30, "ticks": SHARES}
    bar = figure.colorbar(drawn, ax=axes, **how)
    bar.set_label("share of the true class", fontsize=TEXT)
    bar.ax.set_xticklabels([f"{mark:.0%}" for mark in SHARES], fontsize=TEXT)
    axes.set_xticks(range(len(across)), across, rotation=45, ha="right", fontsize=TEXT)
    axes.set_yticks(range(len(names)), names, fontsize=TEXT)
    size, apart = (TEXT, 8) if len(shown) <= 12 else (9, 5)
    number = "{:,}".format if len(shown) <= 6 or size < TEXT else _short
    for i, j in np.ndindex(cells.shape):
        if cells[i, j]:
            color = "white" if norm(share[i, j]) > 0.6 else INK
            for text, up in ((number(cells[i, j]), apart), (_percent(share[i, j]), -apart)):
                how = {"textcoords": "offset points", "ha": "center", "va": "center", "color": color}
                axes.annotate(text, (j, i), (0, up), fontsize=size, **how)
    axes.set_xlabel("predicted class", fontsize=TEXT)
    axes.set_ylabel("true class", fontsize=TEXT)
    some = f": the {len(shown)} classes of {len(classes):,} with the most wrong" if len(shown) < len(classes) else ""
    title = f"Confusion{some}\nimages, and below % of the true class"
    axes.set_title(wrapped(title, 0.75 * side, TEXT), fontsize=TEXT)


def _short(count):
    """A count in at most three digits: a cell has no room for more."""
    for size, unit in ((1e6, "M"), (1e3, "k")):
        if count >= 0.9995 * size:
            return f"{count / size:.2g}{unit}" if count < 99.5 * size else f"{count / size:.0f}{unit}"
    return f"{count}"


def _percent(share):
    """A share of 0-1 as a percentage, without its sign, for which a cell has no room."""
    return f"{100 * share:.1f}" if share < 0.0995 else f"{100 * share:.0f}"


def _reliability(axes, calibration, brier):
    """Reliability diagram: accuracy over confidence; grey bars are the number of predictions."""
    edges = np.linspace(0, 1, len(calibration.count) + 1)
    most = calibration.count.max()
    axes.bar(
        edges[:-1],
        calibration.count / most,
        np.diff(edges),
        align="edge",
        color=OTHER,
        alpha=0.5,
        edgecolor="white",
        label=f"images (up to {most:,})",
    )
    axes.plot([0, 1], [0, 1], color=INK, linewidth=0.8, linestyle="--", label="perfectly calibrated")
    some = calibration.count > 0
    axes.plot(
        calibration.confidence[some], calibration.accuracy[some], "o-", color=RIGHT, markersize=4, label="this network"
    )
    verdict = "over" if calibration.overconfidence > 0 else "under"
    title = f"Calibration: {verdict}confident on average\nECE {calibration.error:.3f}, Brier score {brier:.3f}"
    axes.set_title(title, fontsize=TEXT)
    axes.set(xlim=(0, 1), ylim=(-0.02, 1.02))
    axes.set_xlabel("probability of the predicted class", fontsize=TEXT)
    axes.set_ylabel("accuracy", fontsize=TEXT)
    axes.tick_params(labelsize=TEXT)
    _legend_below(axes)
    despine(axes)


def _defined(scores, column):
    """A column of scores by class, NaN for classes without images."""
    return np.where(scores.by_class[:, 3] > 0, scores.by_class[:, column], np.nan)


def _by_class(axes, scores, shown, classes):
    """Scores of classes, 0-1, as dots: {name: (K,) float array}, at most two."""
    places = np.arange(len(shown))
    first, *_, last = (np.asarray(values)[shown] for values in scores.values())
    axes.hlines(places, np.minimum(first, last), np.maximum(first, last), color=OTHER, linewidth=2)
    for (name, values), color, marker in zip(scores.items(), (WRONG, RIGHT), "so"):
        axes.plot(np.asarray(values)[shown], places, marker, color=color, markersize=5, label=name)
    classes = short_names(classes)
    axes.set_yticks(places, [classes[c] for c in shown], fontsize=TEXT)
    axes.set_ylim(len(shown) - 0.5, -0.5)
    axes.grid(axis="x", alpha=0.3)
    axes.margins(x=0.08)
    low, high = axes.get_xlim()
    axes.set_xlim(max(-0.02, min(low, 0.9)), min(1.02, max(high, 0.1)))  # sensible where all are 0 or 1, too
    axes.xaxis.set_major_formatter(lambda share, _: f"{share:.3g}" if share < 1.001 else "")
    axes.tick_params(axis="x", labelsize=TEXT)
    axes.set_title(" and ".join(scores) + " by class", fontsize=TEXT)
    _legend_below(axes)
    despine(axes)


def _legend_below(axes):
    """Where it covers nothing."""
    how = {"ncols": 2, "frameon": False, "columnspacing": 1}
    axes.figure.legend(fontsize=TEXT, loc="outside lower center", **how)


@rc_context(STYLE)
def breakdown(matrix, pairs, classes):
    """Wrong predictions by true class, by predicted class, and the most confused pairs.

    Parameters
    ----------
    matrix : (K, K) int array
    pairs : list of (true class, predicted class, times)
    classes : sequence of K str
    """
    mistakes = matrix - np.diag(np.diag(matrix))
    shown, classes = most_mistaken(matrix), short_names(classes, 13)
    names = [classes[c] for c in shown]
    rows = [len(shown), len(shown), len(pairs)]
    heights = [max(2.6, 0.28 * each + 1.2) for each in rows]
    figure = new_figure(WIDTH, sum(heights) + 0.5)
    title = f"{mistakes.sum():,} wrong predictions of {matrix.sum():,}"
    if len(shown) < len(classes):
        title += f"; the {len(shown)} classes of {len(classes):,} with the most"
    headline(figure, title)
    by_true, by_predicted, by_pair = figure.subplots(3, 1, height_ratios=heights)
    bars = [
        (by_true, names, mistakes.sum(axis=1)[shown], "by true class: missed", WRONG),
        (by_predicted, names, mistakes.sum(axis=0)[shown], "by predicted class: predicted instead", OTHER),
        (
            by_pair,
            [f"{classes[t]} → {classes[p]}" for t, p, _ in pairs],
            [times for *_, times in pairs],
            "most confused: true → predicted",
            RIGHT,
        ),
    ]
    for axes, labels, values, heading, color in bars:
        drawn = axes.barh(range(len(values)), values, color=color)
        axes.bar_label(drawn, padding=2, fontsize=TEXT)
        axes.set_yticks(range(len(values)), labels, fontsize=TEXT)
        axes.invert_yaxis()
        axes.margins(x=0.12)
        axes.set_title(heading, fontsize=TEXT, loc="right")  # where there is room for it beside long names
        axes.set_xlabel("wrong predictions", loc="right", fontsize=TEXT)
        axes.tick_params(axis="x", labelsize=TEXT)
        axes.xaxis.get_major_locator().set_params(integer=True)
        despine(axes)
    return figure


@rc_context(STYLE)
def comparison(compared, scores, classes, names):
    """Two networks side by side: accuracy with its 95% interval, the images each gets right, and recall by class.

    Parameters
    ----------
    compared : Comparison
    scores : pair of Scores
    classes : sequence of K str
    names : pair of str
    """
    shown, sides = most_mistaken(scores[0].confusion + scores[1].confusion), ("first", "second")
    significant, often = ("significant", "rarely") if compared.p_value < 0.05 else ("not significant", "often")
    title = f"The difference is {significant}: equally good networks {often} differ as much"
    title += f" (McNemar's exact test, p = {real_minus(f'{compared.p_value:.2g}')})"
    heights = [2.2, 2.5, max(3.6, 0.28 * len(shown) + 1.5)]
    figure = new_figure(WIDTH, sum(heights) + 1)
    headline(figure, title)
    overall, where, by_class = figure.subplots(3, 1, height_ratios=heights)
    for place, (network, name, color, marker) in enumerate(zip(scores, _ends(names), (WRONG, RIGHT), "so")):
        overall.plot(network.interval, [place, place], color=color, linewidth=2)
        overall.plot(network.accuracy, place, marker, color=color)
        words = f"{sides[place]}, {name}: {network.accuracy:.2%}"
        beside = overall.get_yaxis_transform()
        overall.text(0.02, place - 0.2, words, va="bottom", transform=beside, fontsize=TEXT)
    overall.set(ylim=(1.3, -0.8), yticks=[])
    overall.margins(x=0.08)
    overall.set_title("accuracy, with its 95% interval", fontsize=TEXT)
    overall.xaxis.set_major_formatter(lambda share, _: f"{share:.3g}" if share < 1.001 else "")
    counts = [compared.both, *map(len, compared.only), compared.neither]
    drawn = where.barh(range(4), counts, color=[OTHER, WRONG, RIGHT, INK])
    where.bar_label(drawn, [f"{count:,}" for count in counts], padding=2, fontsize=TEXT)
    where.set_yticks(range(4), ["both", *(f"only the {side}" for side in sides), "neither"], fontsize=TEXT)
    where.invert_yaxis()
    where.margins(x=0.15)
    where.set_title("images predicted correctly by", fontsize=TEXT)
    _by_class(by_class, dict(zip(sides, (_defined(network, 1) for network in scores))), shown, classes=classes)
    some = f" ({len(shown)} of {len(classes):,}: those with the most wrong)" if len(shown) < len(classes) else ""
    by_class.set_title(wrapped(f"recall by class{some}", 0.75 * WIDTH, TEXT), fontsize=TEXT)
    for axes in (overall, where):
        axes.tick_params(axis="x", labelsize=TEXT)
        despine(axes)
    return figure


def _ends(names, width=18):
    """The ends of long names, as paths differ there."""
    return short_names([name if len(name) <= width else "…" + name[1 - width :] for name in names], width, "network")
