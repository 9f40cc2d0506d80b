"""What the scripts share at the command line: options, saving, and reporting errors."""

import argparse
import io
import os
import re
import sys
import warnings
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from cnnvis import console, interrupts
from cnnvis.files import complete, write_hdf5
from cnnvis.names import shown

GIF_BYTES = 2_000_000  # that pages on the web are glad to take


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
        help="an image classifier: .keras, or .h5 of Keras 2 or 3 (default: the newest of models/stashed/)",
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
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with interrupts.deferred() as check, _stderr_closed():
        import tensorflow
    check()
    tensorflow.get_logger().setLevel("ERROR")


@contextmanager
def _stderr_closed():
    if sys.stderr is None:
        yield
        return
    sys.stderr.flush()
    kept = os.dup(2)
    with open(os.devnull, "w") as nowhere:
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


def make_folder(folder):
    """Make the output folder, or say at once that it can't be written to, before anything is computed for it."""
    if folder.exists() and not folder.is_dir():
        raise NotADirectoryError(f"{folder} is a file, not a folder")
    folder.mkdir(parents=True, exist_ok=True)
    if not os.access(folder, os.W_OK | os.X_OK):
        raise PermissionError(f"{folder} can't be written to")


def link(path, folder):
    """What to write into a file in `folder` that leads to `path`: a relative URL."""
    return quote(os.path.relpath(path.resolve(), folder.resolve()).replace(os.sep, "/"))


def save_arrays(path, arrays, attributes=None):
    """Write named arrays and attributes to an HDF5 file. A name with a slash makes a group."""

    def fill(file):
        for name, array in arrays.items():
            file.create_dataset(name, data=array)
        for name, value in (attributes or {}).items():
            file.attrs[name] = _in_utf8(value)

    write_hdf5(path, fill)
    console.say(path)


def _in_utf8(value):
    """A text, or a list of texts, in which bytes of file names that are no UTF-8 are written out; else itself."""
    if isinstance(value, list):
        return [_in_utf8(part) for part in value]
    return os.fsencode(value).decode("utf-8", "backslashreplace") if isinstance(value, str) else value


def save_text(path, text):
    """Write text to a file in UTF-8."""
    with complete(path) as unfinished:
        unfinished.write_text(text, encoding="utf-8", errors="replace")
    console.say(path)


def save_figures(folder, figures, show=False):
    """Write figures as `<name>.png`, print their paths, and open them in windows if asked to."""
    paths = []
    for name, figure in figures.items():
        paths.append(folder / f"{name}.png")
        with complete(paths[-1]) as unfinished, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of letters that the font doesn't have
            figure.savefig(unfinished)
        console.say(paths[-1])
    if show:
        _open_windows(paths)


def layer_file(topic, number, layer):
    """Name of a layer's own file, without its end: layers are numbered, and any letter may be in their names."""
    return f"{topic}_{number:02d}_{re.sub(r'[^A-Za-z0-9_-]+', '_', layer)[:60]}"


def save_animation(path, figures):
    """Write figures as a GIF that runs for ever and rests on its last picture, of less than `GIF_BYTES`.

    If they are too many for that, every second is left out, again and again; the last always stays.
    """
    frames = [_as_gif_frame(figure) for figure in figures]
    while True:
        content = io.BytesIO()
        durations = [150] * (len(frames) - 1) + [2000]  # milliseconds
        frames[0].save(
            content, "GIF", save_all=True, append_images=frames[1:], duration=durations, loop=0, optimize=False
        )
        if content.tell() < GIF_BYTES or len(frames) == 1:
            break
        frames = frames[::-2][::-1]
    with complete(path) as unfinished:
        unfinished.write_bytes(content.getbuffer())
    console.say(path)


def _as_gif_frame(figure):
    """A figure as a picture of the 256 colours that suit it best."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from PIL import Image

    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    picture = Image.frombytes("RGBA", canvas.get_width_height(), canvas.buffer_rgba()).convert("RGB")
    return picture.quantize(256, dither=Image.Dither.NONE)


def _open_windows(paths):
    import matplotlib.pyplot as plt

    if plt.get_backend().lower() == "agg":
        console.notice("There is no screen to open windows on: look at the files.")
        return
    for path in paths:
        picture = plt.imread(path)
        window = plt.figure(path.name, figsize=(picture.shape[1] / 100, picture.shape[0] / 100), dpi=100)
        axes = window.add_axes((0, 0, 1, 1))
        axes.imshow(picture)
        axes.axis("off")
    plt.show()
