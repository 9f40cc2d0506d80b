"""Figures of the site: with their size, so that no text jumps when they come, and still for those who ask for it."""

import base64
import hashlib
import io
import posixpath
from html import escape

from PIL import Image

STILL = "(prefers-reduced-motion: reduce), print"


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

    def html(self, file, words, page):
        """A figure that opens in full: its file from the root on or a data: URL, what it shows, the page -> HTML."""
        path = self.stored(file) if file.startswith("data:") else self.copied(file)
        here = posixpath.dirname(page) or "."
        address = posixpath.relpath(path, here)
        with Image.open(io.BytesIO(self.files[path])) as image:
            width, height = image.size
            still = self.still(image, path) if getattr(image, "n_frames", 1) > 1 else None
        lazy = ' loading="lazy"' if page in self.pages else ""
        self.pages.add(page)
        shown = f'<img src="{address}" alt="{escape(words)}" width="{width}" height="{height}"{lazy}>'
        if still:
            source = f'<source media="{STILL}" srcset="{posixpath.relpath(still, here)}">'
            shown = f"<picture>{source}{shown}</picture>"
        return f'<a href="{address}">{shown}</a>'

    def copied(self, file):
        """A file of ours in the site: its path there."""
        if file not in self.files:
            self.files[file] = (self.root / file).read_bytes()
        return file

    def stored(self, data):
        """An image that is in the text itself, as a file: its path in the site."""
        kind, _, text = data.partition(";base64,")
        content = base64.b64decode(text)
        path = f"imgs/{hashlib.sha256(content).hexdigest()[:16]}.{posixpath.basename(kind)}"
        self.files[path] = content
        return path

    def still(self, image, path):
        """The last frame of an animation, in which everything is there: its path in the site."""
        still = f"{posixpath.splitext(path)[0]}_still.png"
        if still not in self.files:
            image.seek(image.n_frames - 1)
            content = io.BytesIO()
            image.convert("RGB").quantize(256).save(content, "PNG", optimize=True)
            self.files[still] = content.getvalue()
        return still
