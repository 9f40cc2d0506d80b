"""Names of files, folders and classes, made printable: they can't move the cursor or start a new line."""

import unicodedata


def shown(name):
    r"""A name whose unprintable characters are escaped as in Python: a line break as \n, a byte 255 as \xff.

    Bytes of a file name that aren't UTF-8 arrive as Python's lone surrogates. Spaces of any width stay, and so do the
    joiners of Persian letters and of emoji.
    """
    return "".join(c if _is_printable(c) else ascii(c)[1:-1].replace(r"\udc", r"\x") for c in str(name))


def some(names, most=3):
    """The first names, and how many more there are: "a, b, c and 2 more"."""
    names = list(map(shown, names))
    return ", ".join(names[:most]) + (f" and {len(names) - most:,} more" if len(names) > most else "")


def _is_printable(character):
    return character.isprintable() or unicodedata.category(character) == "Zs" or character in "\u200c\u200d"
