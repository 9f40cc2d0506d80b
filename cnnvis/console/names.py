"""Names of files, folders and classes as they can be shown: nothing in them moves a cursor or begins a new line."""

import unicodedata


def shown(name):
    r"""A name, in which what can't be printed is written as Python writes it: a line break as \n, a byte 255 as \xff.

    Bytes of a file name that are no UTF-8 are what Python makes of them, lone surrogates. Spaces of any width stay.
    """
    return "".join(c if _has_a_place(c) else ascii(c)[1:-1].replace(r"\udc", r"\x") for c in str(name))


def _has_a_place(letter):
    return letter.isprintable() or unicodedata.category(letter) == "Zs"
