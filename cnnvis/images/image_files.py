"""Image files, read when they are indexed: a million of them take the memory of their names and one batch."""

import importlib
import logging
import os
import re
import stat
import warnings
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import cache

import numpy as np
from PIL import Image, ImageOps

from cnnvis.console import shown
from cnnvis.images import tiff
from cnnvis.images.pixels import tiff_to_rgb, to_rgb
from cnnvis.images.unreadable import skippable

# EPS is missing because it is a program, which Pillow runs in Ghostscript. TGA is last because it has no signature.
FORMATS = ("AVIF", "BMP", "GIF", "ICO", "JPEG", "JPEG2000", "MPO", "PCX", "PNG", "PPM", "PSD", "QOI", "SGI", "TIFF")
FORMATS += ("WEBP", "HEIF", "TGA")  # HEIF comes with pillow-heif
OTHERS = {  # how files begin that aren't read, and what to do
    rb"....ftyp(avi[fs]|.{,40}avif)": "AVIF needs a newer Pillow: pip install --upgrade pillow, or save it as JPEG",
    rb"....ftyp(hei[cmsx]|hev[cmsx]|mif1|msf1)": "HEIC needs pillow-heif: pip install pillow-heif, or save it as JPEG",
    rb"....ftypcrx|FUJIFILMCCD|IIU\0|IIR[OS]|MMOR|\0MRM|FOVb": "it is a camera's raw file; save it as JPEG or PNG",
    rb"....(ftyp|moov|mdat)|\x1aE\xdf\xa3|RIFF....AVI |FLV|\0\0\1\xba": "it is a video; save an image of it as PNG",
    rb"%PDF": "it is a PDF; save the image in it as PNG",
    rb"%!PS|\xc5\xd0\xd3\xc6": "it is PostScript, a program; save what it draws as PNG",
    rb"(?i)\s*<(!doctype html|html)": "it is a web page; save the image itself",
    rb"(?i)\s*<.*<?svg": "it is a drawing in SVG; save it as PNG",
    rb"PK\x03\x04": "it is a ZIP archive; unpack it",
    rb"II[*+]\0|MM\0[*+]": tiff.UNSUPPORTED,
}
WORKERS = min(4, os.cpu_count() or 1)  # files to decode at once: each has up to 300 MB of pixels
logging.getLogger("PIL").addHandler(logging.NullHandler())  # otherwise, its warnings go to stderr
warnings.filterwarnings("ignore", module=r"PIL\b")


class LazyImages:
    """Images of one size as an (N, H, W, 3) uint8 array that reads or resizes them when indexed, and keeps none.

    The first axis is indexed like NumPy's: by an integer, a slice, or an array of integers or bools of any shape.

    Parameters
    ----------
    sources : sequence of str or of arrays
        Image files, or (h, w, 3) uint8 images of another size.
    size : (height, width)
        To resize them to.
    crop : bool
        Whether files keep their aspect ratio, as in `resize`.
    bad : dict, optional
        If given, an unreadable file is no error but a black image, and its index and the reason are added here.
    """

    dtype = np.dtype("uint8")

    def __init__(self, sources, size, crop=False, bad=None):
        self.sources = sources
        self.crop = crop
        self.bad = bad
        self.shape = (len(sources), *size, 3)
        self._indices = np.arange(len(sources))

    def changed(self, **parameters):
        """The same images, with other `parameters`."""
        return LazyImages(**{"sources": self.sources, "size": self.shape[1:3], "crop": self.crop} | parameters)

    def __len__(self):
        return len(self.sources)

    def __getitem__(self, key):
        return self.read(self._indices[key])

    def __array__(self, dtype=None, copy=None):
        return self.read(self._indices).astype(dtype or self.dtype, copy=False)

    def read(self, indices, track=iter):
        """The images at these indices: int array -> its shape and (H, W, 3); `track` wraps the sequence."""
        indices = np.asarray(indices)
        images = np.zeros((indices.size, *self.shape[1:]), self.dtype)
        pool = ThreadPoolExecutor(WORKERS)  # Pillow decodes outside of Python's lock
        try:
            parts = [pool.submit(self._put, image, index) for image, index in zip(images, indices.ravel().tolist())]
            for part in track(parts):
                part.result()
        finally:
            pool.shutdown(cancel_futures=True)
        return images.reshape(*indices.shape, *self.shape[1:])

    def _put(self, image, index):
        """Read an image into `image`; a bad one leaves it black."""
        if self.bad is None or index not in self.bad:
            try:
                image[:] = self._image(index)
            except (ValueError, OSError) as error:
                if self.bad is None:
                    raise skippable(error, of=len(self)) from error
                self.bad[index] = str(error)

    def _image(self, index):
        source, size = self.sources[index], self.shape[1:3]
        if isinstance(source, str):
            return read_image(source, size, self.crop)
        return resize(Image.fromarray(source), size)


def read_image(path, size, crop=False):
    """Read an image file of any mode and resize it: (height, width, 3) uint8 array. Transparency becomes white."""
    return resize(open_image(path, at_least=2 * max(size)), size, crop)


def open_image(path, at_least=None):
    """Read an image file of any suffix, rotated as its EXIF data say. Of an animation, this is the first frame.

    Parameters
    ----------
    path : path
    at_least : int, optional
        If given, a JPEG file may be decoded to 1/2, 1/4 or 1/8 of its sides, which is about 3 times as fast, but to no
        fewer pixels a side. Resized to half of that, photos differ by 0.3 of 255 levels on average, and by 3 at most.

    Returns
    -------
    PIL image in RGB

    Raises
    ------
    ValueError
        If its format isn't in `FORMATS`, it is damaged, it has more pixels than Pillow considers safe, or it is no
        regular file: a pipe might never end.
    FileNotFoundError
        If it doesn't exist.
    """
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            raise ValueError("it is not a regular file")
        with open(path, "rb") as file:
            begin = file.read(4)
        if begin in tiff.BEGINNINGS and tiff.is_deep(tags := tiff.read_tags(path)):
            _check_size(tags[tiff.WIDTH], tags[tiff.HEIGHT])
            return tiff_to_rgb(path, tags)
        with Image.open(path, formats=_formats()) as image:
            _check_size(*image.size)
            if at_least:
                image.draft(None, (at_least, at_least))
            return to_rgb(image)
    except FileNotFoundError:
        raise FileNotFoundError(f"there is no image {shown(path)}") from None
    except Image.UnidentifiedImageError:
        reason = _kind(path)
    except Image.DecompressionBombError as error:
        reason = _too_large(int(re.search(r"\d+", str(error)).group()))
    except OSError as error:
        reason = error.strerror or error
    except ValueError as error:
        reason = error
    except MemoryError:
        reason = "memory ran out; make it smaller"
    except Exception:  # Pillow's readers raise all kinds of errors
        reason = "the file is damaged"
    raise ValueError(f"{shown(path)} can't be read as an image: {reason}")


def _check_size(width, height):
    if width * height > Image.MAX_IMAGE_PIXELS:
        raise ValueError(_too_large(width * height))


def _too_large(pixels):
    return f"it has {pixels:,} pixels, of at most {Image.MAX_IMAGE_PIXELS:,}; make it smaller"


def _kind(path):
    """What a file is that Pillow doesn't know, by how it begins, and what to do."""
    with open(path, "rb") as file:
        start = file.read(500)
    words = next((words for begin, words in OTHERS.items() if re.match(begin, start, re.DOTALL)), "unknown format")
    known = {"AVIF": "AVIF", "HEIC": "HEIF"}.get(words[:4])
    return "the file is damaged" if known in _formats() else words


@cache
def _formats():
    """The `FORMATS` that this build of Pillow supports, and HEIC if pillow-heif is installed."""
    Image.init()
    with suppress(ImportError):
        importlib.import_module("pillow_heif").register_heif_opener()
    return [name for name in FORMATS if name in Image.OPEN]


def resize(image, size, crop=False):
    """Resize a PIL image to (height, width): uint8 array.

    If `crop`, it keeps its aspect ratio, and loses what is too much on both sides, or above and below, in equal parts.
    """
    size = size[::-1]
    if image.size != size:
        image = (ImageOps.fit if crop else Image.Image.resize)(image, size, Image.Resampling.BICUBIC)
    return np.asarray(image)
