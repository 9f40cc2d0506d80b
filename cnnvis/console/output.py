"""The output folder and its files: arrays, text, figures and animations, each complete or absent."""

import contextlib
import io
import os
import re
import warnings
from contextlib import contextmanager

from cnnvis.console import messages
from cnnvis.console.files import complete, write_hdf5

COMPRESSION = 4  # of PNG: takes little more than half the time of Pillow's default 6, for 2 % larger files
GIF_BYTES = 2_000_000  # that load quickly in a web page
FILM_BYTES = 5_000_000  # of a film of a training, which has more to show


def make_folder(folder, option="--out"):
    """Make the folder of an option. Raises OSError if it isn't writable: better now than after a long computation."""
    if folder.exists() and not folder.is_dir():
        raise NotADirectoryError(f"{folder} is a file, not a folder: choose a folder with {option}")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OSError(f"{folder} can't be made ({error.strerror}): choose another folder with {option}") from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise PermissionError(f"{folder} can't be written to: choose another folder with {option}")


@contextmanager
def temporary_folder(folder):
    """Make the output folder like `make_folder`; new folders that are empty at the end are removed."""
    made = [path for path in (folder, *folder.parents) if not path.exists()]
    try:
        make_folder(folder)
        yield
    finally:
        for path in made:
            with contextlib.suppress(OSError):  # it isn't empty, or was never made
                path.rmdir()


def make_parent(file, option="--out"):
    """Make the folder of an option's file. Raises OSError if the file can't be written there."""
    make_folder(file.parent, option)
    if file.is_dir():
        raise IsADirectoryError(f"{file} is a folder: choose the name of a file with {option}")


def save_arrays(path, arrays, attributes=None):
    """Write named arrays and attributes to an HDF5 file. A name with a slash makes, or means, a group."""

    def fill(file):
        for name, array in arrays.items():
            file.create_dataset(name, data=array)
        for name, value in (attributes or {}).items():
            group, _, name = name.rpartition("/")
            (file[group] if group else file).attrs[name] = _in_utf8(value)

    write_hdf5(path, fill)
    messages.say(path)


def _in_utf8(value):
    """A value whose texts have the bytes of file names that aren't UTF-8 escaped, such as \\xff."""
    if isinstance(value, list):
        return [_in_utf8(part) for part in value]
    return os.fsencode(value).decode("utf-8", "backslashreplace") if isinstance(value, str) else value


def save_text(path, text):
    """Write text to a file in UTF-8, and print its path."""
    with complete(path) as unfinished:
        unfinished.write_text(text, encoding="utf-8", errors="replace")
    messages.say(path)


def save_figure(path, figure):
    """Write a figure as PNG, without a message."""
    with complete(path) as unfinished:
        figure.savefig(unfinished, format="png")


def save_figures(folder, figures, show=False):
    """Write figures as `<name>.png`, print their paths, and open them in windows if `show`."""
    paths = [folder / f"{name}.png" for name in figures]
    for path, figure in zip(messages.track("Drawing")(paths), figures.values()):
        with complete(path) as unfinished, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of layouts that have too little room
            _drawn(figure).save(unfinished, "PNG", compress_level=COMPRESSION, dpi=(figure.dpi, figure.dpi))
    for path in paths:  # not earlier: the progress bar would break long paths in two
        messages.say(path)
    if show:
        _open_windows(paths)


def layer_file(topic, number, layer):
    """File name for one layer, without suffix. The number keeps names apart that differ in special characters only."""
    return f"{topic}_{number:02d}_{re.sub(r'[^A-Za-z0-9_-]+', '_', layer)[:60]}"


def save_animation(path, figures):
    """Write figures as a GIF that loops forever, pauses on its last frame and has fewer than `GIF_BYTES` bytes.

    While it is too large, every second frame is dropped; the last frame always stays.
    """
    _write_gif(path, figures, pause=150, most=GIF_BYTES)
    messages.say(path)


def save_film(path, figures):
    """Write figures of a training like `save_animation`, but slower, with up to `FILM_BYTES` bytes and no message.

    The last frame is the first one, too: where nothing moves, the first is all that is shown.
    """
    _write_gif(path, figures, pause=300, most=FILM_BYTES, begins=[-1])


def _write_gif(path, figures, *, pause, most, begins=()):
    """`pause`: milliseconds between frames; `begins`: places of frames that are shown before the first."""
    frames = [_as_gif_frame(figure) for figure in figures]
    while True:
        content = io.BytesIO()
        first, *others = [*(frames[place] for place in begins), *frames]
        durations = [pause] * len(others) + [2000]
        first.save(content, "GIF", save_all=True, append_images=others, duration=durations, loop=0, optimize=False)
        if content.tell() < most or len(frames) == 1:
            break
        frames = frames[::-2][::-1]
    with complete(path) as unfinished:
        unfinished.write_bytes(content.getbuffer())


def _drawn(figure):
    """A figure as an RGB image, drawn once: `savefig` draws a figure twice if it still has to be laid out."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from PIL import Image

    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return Image.frombytes("RGBA", canvas.get_width_height(), canvas.buffer_rgba()).convert("RGB")


def _as_gif_frame(figure):
    """A figure as an image of 256 colours, the best for it."""
    from PIL import Image

    return _drawn(figure).quantize(256, dither=Image.Dither.NONE)


def _open_windows(paths):
    import matplotlib.pyplot as plt
    from matplotlib.backends import BackendFilter, backend_registry

    try:
        plt.switch_backend(plt.get_backend())  # the user's own, which may be missing
        has_windows = plt.get_backend().lower() not in backend_registry.list_builtin(BackendFilter.NON_INTERACTIVE)
    except (ImportError, RuntimeError):
        has_windows = False
    if not has_windows:
        messages.notice("There is no display for --show: open the files instead.")
        return
    for path in paths:
        image = plt.imread(path)
        window = plt.figure(path.name, figsize=(image.shape[1] / 100, image.shape[0] / 100), dpi=100)
        axes = window.add_axes((0, 0, 1, 1))
        axes.imshow(image)
        axes.axis("off")
    plt.show()
