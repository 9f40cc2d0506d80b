"""Class names: reading them from a file, comparing them, and finding a class by name or index."""

import re
import unicodedata

from cnnvis.console import shown

MOST_CLASS_BYTES = 2**22  # of a file of class names


def class_names(path):
    """Read class names from a text file with one per line, numbered or not; None for None.

    Numbers are as Teachable Machine writes them: "0 cat" in the first line, "1 dog" in the second, and so on.

    Raises ValueError or OSError if the file is no list of distinct names.
    """
    if path is None:
        return None
    if path.exists() and not path.is_file():
        raise ValueError(f"{shown(path)} is not a file of class names")
    if path.stat().st_size > MOST_CLASS_BYTES:
        raise ValueError(f"{shown(path)} has {path.stat().st_size:,} bytes, too many for a file of class names")
    try:
        names = [line.strip() for line in path.read_text(encoding="utf-8-sig").splitlines() if line.strip()]
    except UnicodeDecodeError as error:
        raise ValueError(f"{shown(path)} is not text in UTF-8") from error
    if not names or not all(map(str.isprintable, names)):
        raise ValueError(f"{shown(path)} does not name classes: write one per line")
    numbered = [re.match(rf"{number}\s+(.+)", name) for number, name in enumerate(names)]
    if all(numbered):
        names = [found[1] for found in numbered]
    if len(set(names)) < len(names):
        twice = next(name for number, name in enumerate(names) if name in names[:number])
        raise ValueError(f"{shown(path)} names {twice!r} twice: give the two classes different names")
    return names


def compared(name):
    """A class name as it is compared: systems differ in case, and in how they compose accents."""
    return unicodedata.normalize("NFC", name.lower())


def class_indices(names, known):
    """The index of each class among the `known` ones: list of int, or None if there is one that isn't known.

    Names are the same if they are `compared`, unless two known ones would be.
    """
    exact, alike = ({of(name): index for index, name in enumerate(known)} for of in (str, compared))
    if len(alike) < len(known):
        alike = {}
    found = [exact.get(name, alike.get(compared(name))) for name in names]
    return None if None in found else found


def class_index(text, classes):
    """The index of a class given by name or index; None for None. A name takes precedence over an index.

    Raises ValueError, which lists the classes, if there is no such class.
    """
    if text is None or text in classes:
        return None if text is None else classes.index(text)
    if text.isdecimal() and int(text) < len(classes):
        return int(text)
    some = ", ".join(classes[:20]) + (", …" if len(classes) > 20 else "")
    raise ValueError(f"no class is called {text!r}; there are {some}")
