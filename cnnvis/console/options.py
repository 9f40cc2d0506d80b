"""What the scripts share at the command line: options, and reporting errors."""

import argparse
import gc
import os
import re
import sys
from contextlib import contextmanager, nullcontext
from functools import partial
from pathlib import Path

from cnnvis.console import interrupts
from cnnvis.console.names import shown
from cnnvis.training import recipes


def parser(description, epilog=None):
    """An argument parser with the options that every script has."""
    options = _Parser(description=description, epilog=epilog, formatter_class=_Help)
    options.add_argument("--seed", type=natural, default=0, help="of all random choices: same seed, same output")
    options.add_argument("--debug", action="store_true", help="show where an error came from")
    return options


class _Parser(argparse.ArgumentParser):
    """Reports a wrong option in one line."""

    def error(self, message):
        self.exit(2, f"{self.prog}: {shown(' '.join(message.split()))} (--help tells more)\n")


class _Help(argparse.ArgumentDefaultsHelpFormatter):
    """Shows the defaults, where there is one and the help doesn't tell it itself."""

    def _get_help_string(self, action):
        told = action.default in (None, False) or "(default" in action.help
        return action.help if told else super()._get_help_string(action)


def visualize_parser(description, epilog=None, file=None):
    """An argument parser with the options that every visualize script has; of one that writes one file, its path."""
    options = parser(description, epilog)
    group = options.add_argument_group("what is looked at")
    group.add_argument(
        "--model",
        type=Path,
        metavar="PATH",
        help="an image classifier: .keras, or .h5 of Keras 2 or 3; or deep or basic, which are included (default: your "
        "newest in models/stashed/, else deep)",
    )
    group.add_argument(
        "--data",
        metavar="NAME",
        help="cifar10, digits, samples, or a folder DIR with pictures in DIR/test/<class>/ "
        "(default: what the model was trained on)",
    )
    group.add_argument("--images", nargs="+", metavar="PATH", help="own picture files instead, of any size")
    skip_bad(group)
    group.add_argument("--classes", type=Path, metavar="FILE", help="class names, one a line (default: the model's)")
    group.add_argument(
        "--input-range",
        nargs=2,
        type=float,
        metavar=("LOW", "HIGH"),
        help="pixel range that the model takes, for one of somebody else's (default: found out if possible)",
    )
    group = options.add_argument_group("where it goes")
    if file:
        group.add_argument("--out", type=Path, default=file, metavar="FILE", help="the file that is written")
        return options
    group.add_argument("--out", type=Path, default=Path("outputs"), metavar="DIR", help="folder of pictures and arrays")
    group.add_argument("--show", action="store_true", help="open the pictures in windows too")
    return options


def skip_bad(group):
    """The option that lets unreadable files pass."""
    group.add_argument(
        "--skip-bad",
        action="store_true",
        help="leave out files that can't be read as pictures, and say which, rather than stop at the first. They are "
        "found where they are met: only those that are looked at, and each picture keeps its number",
    )


def natural(text):
    """A whole number, 0 or more."""
    return _whole(text, 0)


def positive(text):
    """A whole number, 1 or more."""
    return _whole(text, 1)


def above_zero(text):
    """A number larger than 0."""
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number above 0")
    return number


def recipe_value(name):
    """The type of an option that stands for the entry `name` of a recipe."""
    return lambda text: _read(partial(recipes.parse, name), text)


def recipe_change(text):
    """NAME=VALUE, as a recipe can take it."""
    _read(recipes.parse_change, text)
    return text


def _read(parse, text):
    try:
        return parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def baseline(text):
    """What hidden pixels show: mean, zero, blur, noise, or a value 0-255."""
    if text in ("mean", "zero", "blur", "noise"):
        return text
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 255:
        raise argparse.ArgumentTypeError(f"{text!r} is neither mean, zero, blur, noise nor a value from 0 to 255")
    return value


def filter_choice(text):
    """A filter's index, or "all"."""
    return text if text == "all" else natural(text)


def class_index(text, classes):
    """Which of the classes a name or an index means; None for None. A name goes before an index."""
    if text is None or text in classes:
        return None if text is None else classes.index(text)
    if text.isdecimal() and int(text) < len(classes):
        return int(text)
    shown = ", ".join(classes[:20]) + (", …" if len(classes) > 20 else "")
    raise ValueError(f"no class is called {text!r}; there are {shown}")


def check_indices(indices, count):
    """The indices themselves (None for None), if there are that many pictures."""
    for index in indices or ():
        if index >= count:
            raise ValueError(f"there is no picture {index}: there are 0 to {count - 1}")
    return indices


def _whole(text, least):
    try:
        number = int(text)
    except ValueError:
        number = None
    if number is None or not least <= number < 2**31:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from {least} to {2**31 - 1}")
    return number


def run(options, command, argv=None):
    """Parse the arguments, run the command, report a mistake in one line.

    Keras, TensorFlow, Pillow and h5py say ValueError or OSError of what a user gives them, and so do we: both are
    reported without a traceback unless `--debug` asks for it. Anything else is a bug, and shows as one.

    Returns
    -------
    int
        0 on success, 2 on a mistake of the user's or of the input's, 130 on Ctrl-C, 143 on SIGTERM.
    """
    try:
        args = options.parse_args(argv)
    except SystemExit as stop:
        return stop.code
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="replace")  # what the terminal can't show must not stop the work
    try:
        with interrupts.terminable():
            _import_tensorflow()
            command(args)
    except KeyboardInterrupt as stop:
        print(f"\n{' '.join(map(str, stop.args)) or 'interrupted'}", file=sys.stderr)
        return 143 if isinstance(stop, interrupts.Terminated) else 130
    except Exception as error:
        short = _is_of_memory(error)
        if args.debug or not (short or isinstance(error, ValueError | OSError)):
            raise
        print(f"{options.prog}: {_out_of_memory(error, args) if short else one_line(error)}", file=sys.stderr)
        return 2
    return 0


def _is_of_memory(error):
    """Whether memory ran out: Python and NumPy say MemoryError, TensorFlow, which may not be there, doesn't."""
    tensorflow = sys.modules.get("tensorflow")
    return isinstance(error, (MemoryError, *([tensorflow.errors.ResourceExhaustedError] if tensorflow else [])))


def _out_of_memory(error, args):
    """What to do about it: the options of this script that save memory."""
    saving = [f"--{name.replace('_', '-')}" for name in ("batch_size", "size", "num", "limit") if name in args]
    what = f"a smaller {' or '.join(saving)}" if saving else "a smaller picture or network"
    return f"memory ran out: choose {what}, or end other programs ({one_line(error)[:200]})"


def _import_tensorflow():
    """Import TensorFlow, without the lines that it writes to stderr before it listens to TF_CPP_MIN_LOG_LEVEL."""
    kept = nullcontext() if "tensorflow" in sys.modules else _all_kept()  # a second time, there may be garbage
    with interrupts.deferred() as check, _stderr_closed(), kept:
        import tensorflow
    check()
    tensorflow.get_logger().setLevel("ERROR")


@contextmanager
def _all_kept():
    """Don't look for garbage among the million objects that are made meanwhile, now or later: modules stay."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


@contextmanager
def _stderr_closed():
    try:
        kept = None if sys.stderr is None else os.dup(2)
    except OSError:  # in a Windows program without a console
        kept = None
    if kept is None:
        yield
        return
    sys.stderr.flush()
    with open(os.devnull, "wb") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def one_line(error):
    """An exception's message on one line, short enough to read."""
    if isinstance(error, OSError) and error.strerror:
        message = f"{shown(error.filename)}: {error.strerror}" if error.filename else error.strerror
    else:
        message = str(error) or type(error).__name__
    message = shown(" ".join(re.sub(r"\x1b\[[0-9;]*m", "", message).split()))
    return message if len(message) <= 400 else message[:400] + " …"
