"""Which fonts draw a text, if any do."""

import re
import unicodedata
from functools import cache

from matplotlib import font_manager, ft2font

IS_SHAPED = hasattr(ft2font, "__libraqm_version__")  # Matplotlib 3.11 joins letters, and turns Arabic round
RIGHT_TO_LEFT = r"[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff\U00010800-\U00010fff\U0001e800-\U0001efff]"
BOXES = r"last ?resort|adobe ?(not)?blank|unicode bmp fallback"  # fonts that have every character, as a box or a blank


def is_drawable(text):
    """Whether every character of a text can be drawn as a reader would write it."""
    return all(character.isspace() or family(character) for character in text)


def drawn(text):
    """A text with "…" for what can't be drawn, and marks around Arabic that keep numbers beside it in their places."""
    text = "".join(character if is_drawable(character) else "\0" for character in text)
    text = re.sub("\0(\\s*\0)*", "…", text)
    run = rf"\u200e?({RIGHT_TO_LEFT}+(?:[\s\u200c….,_-]*{RIGHT_TO_LEFT}+)*)\u200e?"
    return re.sub(run, "\u200e\\1\u200e", text) if IS_SHAPED else text


def families(text):
    """The font families that draw a text, in the order in which Matplotlib is to try them."""
    return ["DejaVu Sans", *sorted({family(character) or "DejaVu Sans" for character in text} - {"DejaVu Sans"})]


@cache
def family(character):
    """The family of a font that draws a character, or None."""
    if not IS_SHAPED and _depends_on_neighbours(character):
        return None
    own = _fonts()[0]
    return own.name if ord(character) in _characters(own.fname) else _others().get(ord(character))


def _depends_on_neighbours(character):
    """Whether its form or place does. Latin accents lie well enough over the letter before them."""
    is_mark = unicodedata.category(character) in ("Mn", "Mc")
    is_accent = unicodedata.name(character, "").startswith(("COMBINING", "VARIATION SELECTOR"))
    return bool(re.match(RIGHT_TO_LEFT, character)) or (is_mark and not is_accent)


@cache
def _fonts():
    """The upright fonts of normal weight on this machine: Matplotlib's own first, then those without serifs."""
    upright = [font for font in font_manager.fontManager.ttflist if font.style == "normal" and font.weight == 400]
    upright = [font for font in upright if not re.search(BOXES, font.name, re.IGNORECASE)]
    return sorted(upright, key=lambda font: (font.name != "DejaVu Sans", "Sans" not in font.name, font.name))


@cache
def _others():
    """The family of the first other font that has a character, by its code: dict of int to str."""
    return {code: font.name for font in reversed(_fonts()[1:]) for code in _characters(font.fname)}


def _characters(path):
    """The characters that a font has; none if Matplotlib can't read it or, as of coloured emoji, can't scale it."""
    try:
        font = ft2font.FT2Font(path)
    except (OSError, RuntimeError, NotImplementedError):
        return {}
    return font.get_charmap() if font.scalable else {}
