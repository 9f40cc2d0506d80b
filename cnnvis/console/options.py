"""Options that the scripts share, and types of options."""

import argparse
import contextlib
import io
import math
from pathlib import Path

from cnnvis.console.names import shown

MORE = "(--help tells more)"  # at the end of a message about options
PREPROCESSINGS = ("caffe", "torch")  # of pixels for networks that were trained on ImageNet


def parser(description, epilog=None):
    """An argument parser with the options of every script."""
    options = _Parser(description=description, epilog=epilog, formatter_class=_Help)
    options.add_argument("--seed", type=natural, default=0, help="seed of all random choices: same seed, same output")
    options.add_argument("--debug", action="store_true", help="show the traceback of an error")
    return options


class _Parser(argparse.ArgumentParser):
    """Reports a mistake in one line."""

    def error(self, message):
        self.exit(2, f"{self.prog}: {shown(' '.join(message.split()))} {MORE}\n")


class _Help(argparse.ArgumentDefaultsHelpFormatter):
    """Shows an option's default unless there is none or the help text mentions it."""

    def _get_help_string(self, action):
        is_complete = str(action.default) in ("None", "False", "[]") or "(default" in action.help
        return action.help if is_complete else super()._get_help_string(action)


def visualize_parser(description, epilog=None, file=None):
    """An argument parser with the options of every visualize script; `file` is the only output of some."""
    options = parser(description, epilog)
    group = options.add_argument_group("input")
    group.add_argument(
        "--model",
        type=Path,
        metavar="PATH",
        help="an image classifier: a .keras file, a .h5 file of Keras 2 or 3, or one of the included deep and basic "
        "(default: your newest in models/stashed/, else deep)",
    )
    group.add_argument(
        "--data",
        metavar="NAME",
        help="cifar10, digits, samples, or a folder DIR with images in DIR/test/<class>/ or DIR/<class>/ "
        "(default: the model's training data)",
    )
    group.add_argument("--images", nargs="+", metavar="PATH", help="your own image files instead, of any size")
    side = "shorter side of the images in pixels, for a network that takes any size (default: the first image's, or "
    side += "less if that is large; a notice says so)"
    group.add_argument("--image-size", type=positive, metavar="N", help=side)
    skip_bad(group.add_argument)
    group.add_argument("--classes", type=Path, metavar="FILE", help="class names, one per line (default: the model's)")
    input_range(group.add_argument, "--input-range", "the model expects (default: detected if possible)")
    group = options.add_argument_group("output")
    if file:
        group.add_argument("--out", type=Path, default=file, metavar="FILE", help="output file")
        return options
    group.add_argument("--out", type=Path, default=Path("outputs"), metavar="DIR", help="folder for figures and arrays")
    group.add_argument("--show", action="store_true", help="also open the figures in windows")
    return options


def skip_bad(add):
    """Add the option `--skip-bad`; `add` is a group's `add_argument`."""
    add(
        "--skip-bad",
        action="store_true",
        help="skip files that can't be read as images, and list them, instead of stopping at the first. Only the files "
        "that are needed are checked, and each image keeps its number",
    )


def input_range(add, option, whose):
    """Add an option whose value is that of `pixel_range`; `add` is a group's `add_argument`."""
    about = f"pixel range that {whose}; caffe and torch are modes of Keras's preprocess_input"
    add(option, nargs="+", action=_PixelRange, metavar=("LOW|caffe|torch", "HIGH"), help=about)


class _PixelRange(argparse.Action):
    def __call__(self, parser, args, words, option=None):
        try:
            setattr(args, self.dest, pixel_range(words))
        except ValueError as error:
            raise argparse.ArgumentError(self, str(error)) from None


def pixel_range(values):
    """The pixels that a network takes.

    Parameters
    ----------
    values : str or sequence
        "caffe", "torch", or the lowest and the highest value; each may be text.

    Returns
    -------
    "caffe", "torch" or (float, float)

    Raises
    ------
    ValueError
        If it is none of these, or the second number isn't larger than the first.
    """
    words = [values] if isinstance(values, str) else list(values)
    if len(words) == 1 and words[0] in PREPROCESSINGS:
        return words[0]
    with contextlib.suppress(ValueError, TypeError):
        low, high = map(float, words)
        if -math.inf < low < high < math.inf:
            return low, high
    given = " ".join(map(str, words))
    raise ValueError(f"{given} is not a pixel range: give a smaller and a larger number, or caffe or torch")


def natural(text):
    """A whole number, 0 or more."""
    return _integer(text, 0)


def positive(text):
    """A whole number, 1 or more."""
    return _integer(text, 1)


def above_zero(text):
    """A number larger than 0."""
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number above 0")
    return number


def natural_or_all(text):
    """A whole number, 0 or more, or "all"."""
    return text if text == "all" else natural(text)


def checked(parse):
    """The type of an option whose text `parse` turns into a value; its ValueError becomes argparse's message."""

    def read(text):
        try:
            return parse(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return read


def _integer(text, least):
    try:
        number = int(text)
    except ValueError:
        number = None
    if number is None or not least <= number < 2**31:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from {least} to {2**31 - 1}")
    return number


def settings(args, *names):
    """The named options: dict of str to value."""
    return {name: getattr(args, name) for name in names}


def restore(args, parser, began, names, source):
    """Restore the options of an interrupted run. An option given again must have the same value.

    Parameters
    ----------
    args : Namespace
        From `parser`; changed in place.
    parser : argparse.ArgumentParser
    began : list of str
        The command line that started the run.
    names : sequence of str
        Options to restore.
    source : Path
        The file that the command line was read from, for messages.

    Raises
    ------
    ValueError
        If `began` is not a valid command line, or an option differs.
    """
    said = io.StringIO()
    try:
        with contextlib.redirect_stderr(said):
            before = parser.parse_args(began)
    except SystemExit:
        reason = said.getvalue().strip().removeprefix(f"{parser.prog}: ").removesuffix(f" {MORE}")
        raise ValueError(
            f"{source} is damaged or from another version ({reason}): start anew with --overwrite"
        ) from None
    for name in names:
        given, value = getattr(args, name), getattr(before, name)
        if given not in (value, parser.get_default(name)):
            raise ValueError(f"the run {args.name!r} was started with {name} {value}, not {given}: omit that option")
        setattr(args, name, value)
