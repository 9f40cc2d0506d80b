"""The output folder, and what goes into it: arrays, text, figures and animations, each file whole or absent."""

import contextlib
import io
import os
import re
import warnings
from contextlib import contextmanager
from urllib.parse import quote

from cnnvis.console import messages as console
from cnnvis.console.files import complete, write_hdf5

COMPRESSION = 4  # of PNG: takes little more than half the time of Pillow's 6, for files that are 2 % larger
GIF_BYTES = 2_000_000  # that pages on the web are glad to take


def make_folder(folder):
    """Make the output folder, or say at once that it can't be written to, before anything is computed for it."""
    if folder.exists() and not folder.is_dir():
        raise NotADirectoryError(f"{folder} is a file, not a folder")
    folder.mkdir(parents=True, exist_ok=True)
    if not os.access(folder, os.W_OK | os.X_OK):
        raise PermissionError(f"{folder} can't be written to")


@contextmanager
def folder_for(folder):
    """Make the output folder as `make_folder` does; what was made goes again if nothing is in it at the end."""
    made = [path for path in (folder, *folder.parents) if not path.exists()]
    try:
        make_folder(folder)
        yield
    finally:
        for path in made:
            with contextlib.suppress(OSError):  # it holds something, or was not made after all
                path.rmdir()


def make_place(file):
    """Make the folder that a file goes to, or say at once that it can't be written there."""
    make_folder(file.parent)
    if file.is_dir():
        raise IsADirectoryError(f"{file} is a folder: name a file in it, or beside it")


def link(path, folder):
    """What to write into a file in `folder` that leads to `path`: a relative URL, or a whole one to another drive."""
    try:
        return quote(os.path.relpath(path.resolve(), folder.resolve()).replace(os.sep, "/"))
    except ValueError:  # on Windows
        return path.resolve().as_uri()


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
    paths = [folder / f"{name}.png" for name in figures]
    for path, figure in zip(console.track("Drawing")(paths), figures.values()):
        with complete(path) as unfinished, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of letters that the font doesn't have
            _drawn(figure).save(unfinished, "PNG", compress_level=COMPRESSION, dpi=(figure.dpi, figure.dpi))
    for path in paths:  # not before: a progress bar would break long ones in two
        console.say(path)
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


def _drawn(figure):
    """A figure as an image in RGB, laid out and drawn once: `savefig` draws those twice whose layout isn't fixed."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from PIL import Image

    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return Image.frombytes("RGBA", canvas.get_width_height(), canvas.buffer_rgba()).convert("RGB")


def _as_gif_frame(figure):
    """A figure as an image of the 256 colours that suit it best."""
    from PIL import Image

    return _drawn(figure).quantize(256, dither=Image.Dither.NONE)


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
