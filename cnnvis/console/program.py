"""Run a script: from its arguments to its exit code, with each mistake reported in one line."""

import gc
import os
import re
import sys
import textwrap
import warnings
from contextlib import contextmanager, nullcontext

from cnnvis import processor
from cnnvis.console import interrupts
from cnnvis.console.messages import notice_once
from cnnvis.console.names import shown

LONGEST = 1500  # characters of a message


def run(options, command, argv=None):
    """Parse the arguments, run the command, and report a mistake in one line.

    Like Keras, TensorFlow, Pillow and h5py, we raise ValueError or OSError for wrong input. These errors are reported
    without a traceback, unless `--debug` asks for it. Any other exception is a bug and keeps its traceback.

    Returns
    -------
    int
        0 on success, 2 for a wrong option or file or when memory ran out, 130 on Ctrl-C, 143 on SIGTERM.
    """
    try:
        args = options.parse_args(argv)
    except SystemExit as stop:
        return stop.code
    notice_once.cache_clear()
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="replace")  # a character that the terminal can't show is no reason to stop
    if any(option.startswith("error") for option in sys.warnoptions):
        warnings.simplefilter("default")  # a warning of somebody else's library is no reason to stop, either
    try:
        with interrupts.terminable():
            _import_libraries()
            command(args)
    except KeyboardInterrupt as stop:
        print(f"\n{' '.join(map(str, stop.args)) or 'interrupted'}", file=sys.stderr)
        return 143 if isinstance(stop, interrupts.Terminated) else 130
    except Exception as error:
        ran_out = _is_out_of_memory(error)
        if args.debug or not (ran_out or isinstance(error, ValueError | OSError)):
            raise
        print(f"{options.prog}: {_memory_message(error, args) if ran_out else one_line(error)}", file=sys.stderr)
        return 2
    return 0


def _is_out_of_memory(error):
    """Whether memory ran out. Python and NumPy raise MemoryError; TensorFlow has its own error."""
    tensorflow = sys.modules.get("tensorflow")
    return isinstance(error, (MemoryError, *([tensorflow.errors.ResourceExhaustedError] if tensorflow else [])))


def _memory_message(error, args):
    """The message for an out-of-memory error, with the script's options that save memory."""
    names = ["batch_size", "size", "num", "limit", *(["image_size"] if getattr(args, "image_size", None) else [])]
    saving = [f"--{name.replace('_', '-')}" for name in names if name in args]
    what = f"a smaller {' or '.join(saving)}" if saving else "a smaller image or network"
    cause = textwrap.shorten(one_line(error), 200, placeholder=" …")
    return f"memory ran out: choose {what}, or close other programs ({cause})"


def _import_libraries():
    """Import TensorFlow and Keras, without the lines that TensorFlow writes before it reads TF_CPP_MIN_LOG_LEVEL."""
    collection = nullcontext() if "tensorflow" in sys.modules else _without_garbage_collection()
    with interrupts.deferred() as check, _stderr_closed(), collection:
        processor.import_libraries()
    check()


@contextmanager
def _without_garbage_collection():
    """Exclude the million objects that an import creates from garbage collection, now and later."""
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
    """An exception's message on one line; of a very long one, the beginning and the end, which says what to do."""
    if isinstance(error, OSError) and error.strerror:
        message = f"{shown(error.filename)}: {error.strerror}" if error.filename else error.strerror
    else:
        message = str(error) or type(error).__name__
    message = shown(" ".join(re.sub(r"\x1b\[[0-9;]*m", "", message).split()))
    if len(message) <= LONGEST:
        return message
    beginning, end = message[: LONGEST // 2].rpartition(" ")[0], message[-LONGEST // 2 :].partition(" ")[2]
    return f"{beginning} … {end}"
