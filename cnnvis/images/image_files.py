"""Image files, read when they are indexed: a million of them take the memory of their names and one batch."""

import logging
import os
import stat
import warnings

import numpy as np
from PIL import Image, ImageOps

from cnnvis.console import shown

# EPS is missing because it is a program, which Pillow runs in Ghostscript. TGA is last because it has no signature.
FORMATS = ("AVIF", "BMP", "GIF", "ICO", "JPEG", "JPEG2000", "MPO", "PCX", "PNG", "PPM", "PSD", "QOI", "SGI", "TIFF")
FORMATS += ("WEBP", "TGA")
logging.getLogger("PIL").addHandler(logging.NullHandler())  # otherwise, its warnings go to stderr


class LazyImages:
    """Images of one size as an (N, H, W, 3) uint8 array that reads or resizes them when indexed, and keeps none.

    The first axis is indexed like NumPy's: by an integer, a slice, or an array of integers or bools of any shape.

    Parameters
    ----------
    sources : sequence of str or of arrays
        Image files, or (h, w, 3) uint8 images of another size.
    size : (height, width)
        To resize them to.
    bad : dict, optional
        If given, an unreadable file is no error but a black image, and its index and the reason are added here.
    """

    dtype = np.dtype("uint8")

    def __init__(self, sources, size, bad=None):
        self.sources = sources
        self.bad = bad
        self.shape = (len(sources), *size, 3)
        self._indices = np.arange(len(sources))

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
        for number, index in enumerate(track(indices.ravel())):
            if self.bad is None:
                images[number] = self._image(index)
            elif int(index) not in self.bad:
                try:
                    images[number] = self._image(index)
                except (ValueError, OSError) as error:
                    self.bad[int(index)] = str(error)
        return images.reshape(*indices.shape, *self.shape[1:])

    def _image(self, index):
        source, size = self.sources[index], self.shape[1:3]
        return read_image(source, size) if isinstance(source, str) else resize(Image.fromarray(source), size)


def read_image(path, size):
    """Read an image file of any mode and resize it: (height, width, 3) uint8 array. Transparency becomes white."""
    return resize(open_image(path), size)


def open_image(path):
    """Read an image file of any suffix, rotated as its EXIF data say. Of an animation, this is the first frame.

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
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about what Pillow repairs
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path, formats=_formats()) as image:
                image.load()
                return _rgb(ImageOps.exif_transpose(image))
    except FileNotFoundError:
        raise FileNotFoundError(f"there is no image {shown(path)}") from None
    except Image.UnidentifiedImageError:
        raise ValueError(f"{shown(path)} can't be read as an image: unknown format") from None
    except OSError as error:
        raise ValueError(f"{shown(path)} can't be read as an image: {error.strerror or error}") from error
    except Exception as error:  # Pillow's readers raise all kinds of errors
        raise ValueError(f"{shown(path)} can't be read as an image: {error or type(error).__name__}") from error


def _formats():
    """The `FORMATS` that this build of Pillow supports."""
    Image.init()
    return [name for name in FORMATS if name in Image.OPEN]


def _rgb(image):
    if image.mode.startswith(("I", "F")):
        return _grey(image).convert("RGB")
    if image.has_transparency_data:
        white = Image.new("RGBA", image.size, "white")
        white.alpha_composite(image.convert("RGBA"))
        image = white
    return image.convert("RGB")


def _grey(image):
    """Convert 16 or 32 bits to 8. Integers are taken to range from 0 to 65535, floats from 0 to 1."""
    levels = np.array(image, dtype="float32")
    levels *= 255 / 65535 if image.mode.startswith("I") else 255
    grey = np.clip(np.rint(np.nan_to_num(levels, copy=False)), 0, 255).astype("uint8")
    if "transparency" in image.info:
        grey[np.asarray(image) == image.info["transparency"]] = 255
    return Image.fromarray(grey)


def resize(image, size):
    """Resize a PIL image to (height, width): uint8 array."""
    height, width = size
    if image.size != (width, height):
        image = image.resize((width, height), Image.Resampling.BICUBIC)
    return np.asarray(image)
