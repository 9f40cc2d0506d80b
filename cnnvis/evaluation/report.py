"""What is found about a classifier, in words: rows for a table, and a report in Markdown."""

import os
import re
from pathlib import Path
from urllib.parse import quote

import numpy as np

from cnnvis.console.names import shown

MOST_ROWS = 25  # of a table of pictures


def headline(scores):
    """How good the classifier is, in one sentence."""
    low, high = scores.interval
    words = f"{scores.right:,} of {scores.count:,} right: {scores.accuracy:.2%} (95% interval {low:.2%} to {high:.2%})"
    some = 1 < scores.topk < len(scores.confusion)  # all of them are no feat
    return words + (f", {scores.topk_accuracy:.2%} among the {scores.topk} most probable" if some else "")


def calibration(scores):
    """How far the classifier's probabilities can be believed, in one sentence."""
    by = scores.calibration.overconfidence
    claims = f"it claims {abs(100 * by):.1f} points too {'much' if by > 0 else 'little'} on average"
    return f"Calibration: ECE {scores.calibration.error:.3f}, Brier score {scores.brier:.3f}; {claims}"


def suspicion(found):
    """How many labels may be wrong, in one sentence."""
    count = len(found.suspects)
    pictures = "1 picture is" if count == 1 else f"{count:,} pictures are"
    return f"{pictures} confidently of another class than labelled: wrong labels, or mistakes; a guess"


def difference(rival, scores):
    """How a second classifier differs from the first, of the given scores, in one sentence."""
    gained = 100 * (rival.scores.accuracy - scores.accuracy)
    only = [f"{len(only):,} right by {shown(name)} alone" for only, name in zip(rival.comparison.only, rival.names)]
    p_value = rival.comparison.p_value
    verdict = "more than" if p_value < 0.05 else "no more than"
    return (
        f"{shown(rival.names[1])}: {rival.scores.accuracy:.2%}, {gained:+.2f} points; {', '.join(only)}; "
        f"McNemar's exact test p = {p_value:.2g}, so they differ {verdict} chance explains"
    )


def class_columns(rival=None):
    """Headings of `class_rows`, for one network or two."""
    return ("class", "precision", "recall", "F1", *(["its rival's F1"] if rival else []), "pictures")


def class_choice(scores, most):
    """Which classes `class_rows` gives, in words; "" if all of them."""
    count = len(scores.by_class)
    return f"The {most} of {count:,} classes with the lowest F1:" if count > most else ""


def class_rows(scores, classes, rival=None, most=None):
    """Rows of text on each class, or on the `most` with the lowest F1, lowest first; without pictures, last: dashes.

    Scores, (K,) str, Rival or None, int or None -> list of tuples of str
    """
    table = scores.by_class
    order = np.lexsort((table[:, 2], table[:, 3] == 0))[:most] if most and len(table) > most else range(len(table))
    rows = []
    for c in order:
        numbers = [*table[c, :3], *([rival.scores.by_class[c, 2]] if rival else [])]
        rows.append((classes[c], *(f"{x:.1%}" if table[c, 3] else "–" for x in numbers), f"{table[c, 3]:,.0f}"))
    return rows


def links(figures, folder, path):
    """How a report at `path` shows the figures of these names, which are in a folder: dict of str to Markdown."""
    try:
        way = "".join(map(_in_link, Path(os.path.relpath(folder, path.parent)).as_posix()))
    except ValueError:  # on Windows, of another drive
        way = folder.resolve().as_uri()
    return {name: f"![{name}](<{way}/{name}.png>)" for name in figures}


def _in_link(letter):
    """What stands for a letter of a path in a link: itself, unless that would end the link or mean something else."""
    return letter if letter.isprintable() and letter not in " <>\\%#?&" else quote(os.fsencode(letter))


def markdown(name, pictures, probabilities, found, rival, figures):
    """The whole report.

    Parameters
    ----------
    name : str
        Of the network.
    pictures : Pictures
    probabilities : (N, K) float array
    found : Findings
    rival : Rival or None
    figures : dict of str to str
        Links to them, by name.

    Returns
    -------
    str
    """

    def drawn(*topics):
        """Links to all pages of these figures, if there are any."""
        return [link for topic in topics for page, link in figures.items() if re.fullmatch(rf"{topic}(_\d+)?", page)]

    def rows(indices, classes):
        """Of pictures: which, its label, another class, and both probabilities."""
        return [
            (pictures.source(i), names[labels[i]], names[c], *(f"{probabilities[i, k]:.1%}" for k in (c, labels[i])))
            for i, c in zip(indices[:MOST_ROWS], classes)
        ]

    names, labels = pictures.classes, pictures.labels
    parts = [f"# {_escape(name)} on {_escape(pictures.short_name)}", f"{headline(found.scores)}."]
    parts += [f"{calibration(found.scores)}.", *drawn("results"), "## Classes"]
    parts += [_table(class_columns(rival), class_rows(found.scores, names, rival))]
    if rival:
        parts += [f"## Beside {_escape(rival.names[1])}", f"{_escape(difference(rival, found.scores))}."]
        parts += drawn("results_compare", "results_only_left", "results_only_right")
    if len(found.wrong):
        pairs = [(names[t], names[p], f"{times:,}") for t, p, times in found.pairs]
        wrong = rows(found.wrong, probabilities[found.wrong[:MOST_ROWS]].argmax(axis=1))
        parts += [f"## {len(found.wrong):,} wrong predictions", *drawn("results_breakdown")]
        parts += [_table(("true class", "taken for", "times"), pairs), *drawn("results_confused")]
        parts += [f"The surest {len(wrong)}:"]
        parts += [_table(("picture", "true class", "predicted", "its probability", "the true one's"), wrong)]
        parts += drawn("results_wrong")
    if len(found.suspects):
        parts += [
            "## Labels that may be wrong: a guess",
            f"{suspicion(found)} (confident learning, Northcutt et al. 2021).",
        ]
        suspects = rows(found.suspects, found.seeming)
        parts += [_table(("picture", "label", "seems to be", "its probability", "the label's"), suspects)]
        parts += drawn("results_labels")
    parts += ["## Right, but hardly", *drawn("results_uncertain"), "## Random pictures", *drawn("results_random")]
    return "\n\n".join(parts) + "\n"


def _table(columns, rows):
    lines = [columns, ["---", *["---:"] * (len(columns) - 1)]]
    lines += [map(_escape, row) for row in rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _escape(text):
    """Text that Markdown shows as it is, on one line; addresses become no links."""
    return re.sub(r"([\\`*_\[\]<>|&~$@]|^[-+#=]|(?<=\d)[.)](?= )|:(?=//)|(?<=www)\.)", r"\\\1", shown(text))
