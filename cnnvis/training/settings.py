"""The options of train.py that determine a run, as settings by name and as the words of a command."""

import re
import shlex
import sys

SETTINGS = (
    "arch",
    "start_from",
    "input_range",
    "data",
    "image_size",
    "epochs",
    "batch_size",
    "learning_rate",
    "seed",
    "precision",
    "limit",
    "validation",
    "deterministic",
    "recipe",
    "skip_bad",
    "film",
)


def as_options(settings):
    """Settings by name as the words of a command line: list of str. False, None and empty ones are left out."""
    words = []
    for key in SETTINGS:
        value = settings.get(key)
        if value is not None and value is not False and value != []:
            values = [] if value is True else map(str, value) if isinstance(value, list | tuple) else [str(value)]
            words += [f"--{key.replace('_', '-')}", *values]
    return words


def as_command(words):
    """Words quoted for the shell of this operating system: str."""
    if sys.platform != "win32":
        return shlex.join(words)
    plain = re.compile(r"[\w.:=/\\-]+")  # to cmd and PowerShell; on Windows, no file name has a quotation mark
    return " ".join(word if plain.fullmatch(word) else f'"{word}"' for word in words)
