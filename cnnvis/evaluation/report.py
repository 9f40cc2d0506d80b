"""The findings about a classifier in words: sentences, rows of a table, and a report in Markdown."""

import os
import re
from pathlib import Path
from urllib.parse import quote

import numpy as np

from cnnvis.console import print_table, say, shown, some
from cnnvis.evaluation.duplicates import ALIKE

MOST_ROWS = 25  # in a table of classes or images


def headline(scores):
    """The accuracy, in one sentence."""
    low, high = scores.interval
    words = f"{scores.right:,} of {scores.count:,} right: {scores.accuracy:.2%} (95% interval {low:.2%} to {high:.2%})"
    some = 1 < scores.topk < len(scores.confusion)  # the first is the accuracy, and all classes always have it
    return words + (f", {scores.topk_accuracy:.2%} among the {scores.topk} most probable" if some else "")


def calibration_sentence(scores):
    """The calibration, in one sentence."""
    by = scores.calibration.overconfidence
    verdict = f"{'overconfident' if by > 0 else 'underconfident'} by {abs(100 * by):.1f} points on average"
    return f"Calibration: ECE {scores.calibration.error:.3f}, Brier score {scores.brier:.3f}; {verdict}"


def suspicion(found):
    """The number of suspected label errors, in one sentence."""
    count = len(found.suspects)
    subject = "1 image is" if count == 1 else f"{count:,} images are"
    return f"{subject} confidently predicted as another class than labelled: label errors, or wrong predictions"


def space_sentences(space, dataset):
    """Near-duplicates between test and training images, and labels that may well be wrong, in sentences: list of str.

    Parameters
    ----------
    space : Space
        Or None.
    dataset : Dataset
        The test images.
    """
    if space is None or space.training is None:
        return []

    def pair(test, other):
        return f"#{dataset.number(test)} and training #{space.training.number(other)}"

    pairs, sentences = space.pairs.tolist(), []
    have = (
        "1 test image has a near-duplicate" if len(pairs) == 1 else f"{len(pairs):,} test images have near-duplicates"
    )
    how = f"the same edges, and a cosine of at least {ALIKE:g} in {shown(space.layer)}"
    sentences.append(f"{have} among the training images ({how})")
    if pairs:
        sentences[0] += f": {some([pair(*each) for each in pairs])}"
    labels = [(dataset.labels[i], space.training.labels[j]) for i, j in pairs]
    unlike = [
        f"{pair(*each)} ({dataset.classes[a]}, {dataset.classes[b]})" for each, (a, b) in zip(pairs, labels) if a != b
    ]
    if unlike:
        sentences.append(f"Near-duplicates with two labels, one of which is wrong: {some(unlike)}")
    doubtful = space.mistakes[space.doubtful]
    if len(doubtful):
        named = [f"#{dataset.number(i)} ({dataset.classes[dataset.labels[i]]})" for i in doubtful]
        count = "1 label" if len(doubtful) == 1 else f"{len(doubtful):,} labels"
        why = "the network is confident of another class, and so are the nearest training images"
        sentences.append(f"{count} may well be wrong ({why}): {some(named)}")
    return sentences


def difference(other, scores):
    """How a second network differs from the first, which has these scores, in one sentence."""
    gained = 100 * (other.scores.accuracy - scores.accuracy)
    only = [f"{len(only):,} right by {shown(name)} alone" for only, name in zip(other.comparison.only, other.names)]
    p_value = other.comparison.p_value
    verdict = "significant" if p_value < 0.05 else "not significant"
    return (
        f"{shown(other.names[1])}: {other.scores.accuracy:.2%}, {gained:+.2f} points; {', '.join(only)}; "
        f"the difference is {verdict} (McNemar's exact test, p = {p_value:.2g})"
    )


def class_columns(other=None):
    """Headings of `class_rows`, for one network or two."""
    return ("class", "precision", "recall", "F1", *(["the other's F1"] if other else []), "images")


def class_choice(scores, most):
    """Which classes are in `class_rows`, in words; "" for all of them."""
    count = len(scores.by_class)
    return f"The {most} of {count:,} classes with the lowest F1:" if count > most else ""


def class_rows(scores, classes, other=None, most=None):
    """Rows of text about all classes, or about the `most` with the lowest F1, lowest first.

    A class without images has dashes, and comes last.

    Parameters
    ----------
    scores : Scores
    classes : sequence of str
    other : OtherNetwork, optional
    most : int, optional

    Returns
    -------
    list of tuple of str
    """
    table = scores.by_class
    order = np.lexsort((table[:, 2], table[:, 3] == 0))[:most] if most and len(table) > most else range(len(table))
    rows = []
    for c in order:
        numbers = [*table[c, :3], *([other.scores.by_class[c, 2]] if other else [])]
        rows.append((classes[c], *(f"{x:.1%}" if table[c, 3] else "–" for x in numbers), f"{table[c, 3]:,.0f}"))
    return rows


def print_findings(found, dataset, other=None, space=None):
    """Print a table of the classes, of many only those with the lowest F1, and what else was found."""
    title = headline(found.scores), class_choice(found.scores, MOST_ROWS)
    rows = class_rows(found.scores, dataset.classes, other=other, most=MOST_ROWS)
    print_table("\n".join(filter(None, title)), class_columns(other), rows)
    for sentence in (calibration_sentence(found.scores), suspicion(found), *space_sentences(space, dataset)):
        say(sentence)
    if other:
        say(difference(other, found.scores))


def links(figures, folder, path):
    """Markdown that embeds figures, by their names in a folder, in a report at `path`: dict of str to str."""
    try:
        way = "".join(map(_in_link, Path(os.path.relpath(folder, path.parent)).as_posix()))
    except ValueError:  # on Windows, if it is on another drive
        way = folder.resolve().as_uri()
    return {name: f"![{name}](<{way}/{name}.png>)" for name in figures}


def _in_link(letter):
    """A character of a path, quoted if it would end the link or mean something else in it."""
    return letter if letter.isprintable() and letter not in " <>\\%#?&" else quote(os.fsencode(letter))


def markdown(name, dataset, probabilities, found, *, other=None, space=None, figures):
    """The whole report in Markdown.

    Parameters
    ----------
    name : str
        Of the network.
    dataset : Dataset
    probabilities : (N, K) float array
    found : Findings
    other : OtherNetwork, optional
    space : Space, optional
    figures : dict of str to str
        Markdown that embeds each, by name, as `links` makes it.

    Returns
    -------
    str
    """

    def drawn(*topics):
        """All pages of these figures, if there are any."""
        return [link for topic in topics for page, link in figures.items() if re.fullmatch(rf"{topic}(_\d+)?", page)]

    def rows(indices, classes):
        """Rows about images: name, label, another class, and both probabilities."""
        return [
            (dataset.source(i), names[labels[i]], names[c], *(f"{probabilities[i, k]:.1%}" for k in (c, labels[i])))
            for i, c in zip(indices[:MOST_ROWS], classes)
        ]

    names, labels = dataset.classes, dataset.labels
    parts = [f"# {_escape(name)} on {_escape(dataset.short_name)}", f"{headline(found.scores)}."]
    parts += [f"{calibration_sentence(found.scores)}.", *drawn("results"), "## Classes"]
    parts += [_table(class_columns(other), class_rows(found.scores, names, other))]
    if other:
        parts += [f"## Compared with {_escape(other.names[1])}", f"{_escape(difference(other, found.scores))}."]
        parts += drawn("results_compare", "results_only_left", "results_only_right")
    if len(found.wrong):
        pairs = [(names[t], names[p], f"{times:,}") for t, p, times in found.pairs]
        wrong = rows(found.wrong, probabilities[found.wrong[:MOST_ROWS]].argmax(axis=1))
        parts += [f"## {len(found.wrong):,} wrong predictions", *drawn("results_breakdown")]
        parts += [_table(("true class", "predicted", "images"), pairs), *drawn("results_confused")]
        parts += [f"The {len(wrong)} most confident:"]
        parts += [_table(("image", "true class", "predicted", "its probability", "the true class's"), wrong)]
        parts += drawn("results_wrong")
    if mapped := drawn("results_embedding", "results_nearest", "results_duplicates"):
        said = [f"{_escape(sentence)}." for sentence in space_sentences(space, dataset)]
        parts += ["## What the last hidden layer finds alike", *said, *mapped]
    if len(found.suspects):
        parts += [
            "## Labels that may be wrong",
            f"{suspicion(found)} (confident learning, Northcutt et al. 2021).",
        ]
        suspects = rows(found.suspects, found.seeming)
        parts += [_table(("image", "label", "seems to be", "its probability", "the label's"), suspects)]
        parts += drawn("results_labels")
    parts += ["## Right, but not confident", *drawn("results_uncertain"), "## Random images", *drawn("results_random")]
    return "\n\n".join(parts) + "\n"


def _table(columns, rows):
    lines = [columns, ["---", *["---:"] * (len(columns) - 1)]]
    lines += [map(_escape, row) for row in rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _escape(text):
    """Escape text so that Markdown shows it as it is, on one line, and turns no address into a link."""
    return re.sub(r"([\\`*_\[\]<>|&~$@]|^[-+#=]|(?<=\d)[.)](?= )|:(?=//)|(?<=www)\.)", r"\\\1", shown(text))
