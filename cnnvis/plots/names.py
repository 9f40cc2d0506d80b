"""Names in figures: short enough, distinct, and only such as can be drawn."""

import unicodedata
from collections import Counter
from itertools import accumulate, dropwhile

from cnnvis.console import shown
from cnnvis.plots.fonts import drawn, is_drawable


def short_names(names, width=18, kind="class"):
    """The names, each as short as it has to be, and distinct from the others.

    Parameters
    ----------
    names : sequence of str
    width : int
        Letters, at most; a Chinese character counts as two.
    kind : str
        "class 3" stands for the fourth name if it can't be drawn.

    Returns
    -------
    list of str
        Of two names that look alike, each ends in its index, in brackets.
    """
    names = legible(names, kind)
    texts = [cut(name, width) for name in names]
    looks = [" ".join(text.split()) for text in texts]
    times, ends = Counter(looks), [f" ({index})" for index in range(len(names))]
    return [
        drawn(text if times[look] == 1 else cut(name, width - len(end)) + end)
        for text, look, name, end in zip(texts, looks, names, ends)
    ]


def legible(names, kind="class", indices=None):
    """The names; one that is blank, or that no font draws, is replaced by its index, as in "class 3"."""
    indices = range(len(names)) if indices is None else indices
    return [
        name if name.strip() and is_drawable(shown(name)) else f"{kind} {index}" for name, index in zip(names, indices)
    ]


def cut(name, width):
    """A name of at most `width` letters, without its middle if it is longer."""
    name = shown(unicodedata.normalize("NFC", name))
    if sum(map(_width, name)) <= width:
        return name
    head, tail = _begin(name, width // 2), _begin(name[::-1], (width - 1) // 2)[::-1]
    tail = dropwhile(lambda character: character.isspace() or not _width(character), tail)
    return f"{head.rstrip()}…{''.join(tail)}"


def _begin(text, width):
    return text[: sum(total <= width for total in accumulate(map(_width, text)))]


def _width(character):
    """In letters: 2 for a Chinese character, 0 for an accent that stands over the letter before it."""
    if unicodedata.category(character) in ("Mn", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
