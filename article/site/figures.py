"""Figures of the site: with their size, so that no text jumps when they come, and still for those who ask for it."""

import base64
import hashlib
import io
import posixpath
from html import escape

from PIL import Image, ImageSequence

STILL = "(prefers-reduced-motion: reduce), print"
LOSSLESS = {"format": "WEBP", "lossless": True, "quality": 25, "method": 1}  # half of a PNG, a third of a GIF


class Figures:
    """The figures that pages show.

    Parameters
    ----------
    root : Path
        Where the files are that a text names.

    Attributes
    ----------
    files : dict of str to bytes
        What has to lie in the site.
    """

    def __init__(self, root):
        self.root, self.files = root, {}
        self.pages = set()  # that have a figure already: the first one of a page is fetched at once, the others in time

    def html(self, file, words, page, others):
        """A figure that opens in full.

        Parameters
        ----------
        file : str
            From the root on, or a data: URL.
        words : str
            What it shows.
        page : str
        others : dict of str to str
            Files for some screens, by their media queries.

        Returns
        -------
        str
            HTML.
        """
        path = self.stored(file) if file.startswith("data:") else self.copied(file)
        here = posixpath.dirname(page) or "."
        sources = {media: self.copied(other) for media, other in others.items()}
        with Image.open(io.BytesIO(self.files[path])) as image:
            if image.n_frames > 1:
                sources[STILL] = self.still(image, path)
        lazy = ' loading="lazy"' if page in self.pages else ""
        self.pages.add(page)
        address = posixpath.relpath(path, here)
        shown = f'<img src="{address}" alt="{escape(words)}" {self.sides(path)}{lazy}>'
        if sources:
            made = (
                f'<source media="{media}" srcset="{posixpath.relpath(source, here)}" {self.sides(source)}>'
                for media, source in sources.items()
            )
            shown = f"<picture>{''.join(made)}{shown}</picture>"
        return f'<a href="{address}">{shown}</a>'

    def sides(self, path):
        """The size of an image of the site, as attributes."""
        with Image.open(io.BytesIO(self.files[path])) as image:
            return f'width="{image.width}" height="{image.height}"'

    def copied(self, file):
        """A file of ours in the site: its path there."""
        if file.endswith(".svg"):
            self.files[file] = (self.root / file).read_bytes()
            return file
        path = f"{posixpath.splitext(file)[0]}.webp"
        if path not in self.files:
            self.files[path] = as_webp((self.root / file).read_bytes())
        return path

    def stored(self, data):
        """An image that is in the text itself, as a file: its path in the site."""
        content = base64.b64decode(data.partition(";base64,")[2])
        path = f"imgs/{hashlib.sha256(content).hexdigest()[:16]}.webp"
        self.files[path] = as_webp(content)
        return path

    def still(self, image, path):
        """The last frame of an animation, in which everything is there: its path in the site."""
        still = f"{posixpath.splitext(path)[0]}_still.webp"
        if still not in self.files:
            image.seek(image.n_frames - 1)
            self.files[still] = saved(image.convert("RGB"))
        return still


def as_webp(content):
    """The same pixels in fewer bytes, and as long each, if they move: bytes of an image file -> bytes."""
    with Image.open(io.BytesIO(content)) as image:
        if getattr(image, "n_frames", 1) == 1:
            return saved(image)
        durations = [frame.info["duration"] for frame in ImageSequence.Iterator(image)]
        image.seek(0)
        return saved(image, save_all=True, duration=durations, loop=image.info.get("loop", 1))


def saved(image, **more):
    content = io.BytesIO()
    image.save(content, **LOSSLESS, **more)
    return content.getvalue()
