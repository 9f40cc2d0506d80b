"""Picture files, read where they are looked at: a million take no more memory than their names and a batch."""

import logging
import os
import stat
import warnings

import numpy as np
from PIL import Image, ImageOps

from cnnvis.console.names import shown

# Not among them: EPS, a program that Pillow has another program run. TGA is last: it has no mark.
FORMATS = ("AVIF", "BMP", "GIF", "ICO", "JPEG", "JPEG2000", "MPO", "PCX", "PNG", "PPM", "PSD", "QOI", "SGI", "TIFF")
FORMATS += ("WEBP", "TGA")
logging.getLogger("PIL").addHandler(logging.NullHandler())  # or its complaints come on stderr beside our one line


class LazyPictures:
    """Pictures of one size as an (N, H, W, 3) uint8 array that reads or makes them when it is indexed, and keeps none.

    Its first axis is indexed as NumPy's are: by a number, a slice, or an array of numbers or bools, of any shape.

    Parameters
    ----------
    sources : sequence of str or of arrays
        Picture files, or (h, w, 3) uint8 pictures of another size.
    size : (height, width)
        What to bring them to.
    bad : dict, optional
        If it is given, a file that can't be read is no error, but a black picture, and this says by its place why.
    """

    dtype = np.dtype("uint8")

    def __init__(self, sources, size, bad=None):
        self.sources = sources
        self.bad = bad
        self.shape = (len(sources), *size, 3)
        self._places = np.arange(len(sources))

    def __len__(self):
        return len(self.sources)

    def __getitem__(self, key):
        return self.read(self._places[key])

    def __array__(self, dtype=None, copy=None):
        return self.read(self._places).astype(dtype or self.dtype, copy=False)

    def read(self, places, track=iter):
        """The pictures at these places: int array -> the same shape and (H, W, 3); `track` wraps their sequence."""
        places = np.asarray(places)
        pictures = np.zeros((places.size, *self.shape[1:]), self.dtype)
        for number, place in enumerate(track(places.ravel())):
            if self.bad is None:
                pictures[number] = self._picture(place)
            elif int(place) not in self.bad:
                try:
                    pictures[number] = self._picture(place)
                except (ValueError, OSError) as error:
                    self.bad[int(place)] = str(error)
        return pictures.reshape(*places.shape, *self.shape[1:])

    def _picture(self, place):
        source, size = self.sources[place], self.shape[1:3]
        return read_image(source, size) if isinstance(source, str) else resize(Image.fromarray(source), size)


def read_image(path, size):
    """Read a picture file as (height, width, 3) uint8, whatever its mode; transparency becomes white."""
    return resize(open_image(path), size)


def open_image(path):
    """Read a picture file, whatever its name ends in, turned as its camera says; of an animation, the first picture.

    Returns
    -------
    PIL image in RGB

    Raises
    ------
    ValueError
        If it is no picture of `FORMATS`, is damaged, has more pixels than Pillow thinks harmless, or is a device or a
        pipe, which might never end.
    FileNotFoundError
        If it isn't there.
    """
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            raise ValueError("it is no file")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what Pillow mends
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path, formats=_formats()) as image:
                image.load()
                return _rgb(ImageOps.exif_transpose(image))
    except FileNotFoundError:
        raise FileNotFoundError(f"there is no picture {shown(path)}") from None
    except Image.UnidentifiedImageError:
        raise ValueError(f"{shown(path)} can't be read as a picture: it is of no known kind") from None
    except OSError as error:
        raise ValueError(f"{shown(path)} can't be read as a picture: {error.strerror or error}") from error
    except Exception as error:  # each of Pillow's readers fails in its own way
        raise ValueError(f"{shown(path)} can't be read as a picture: {error or type(error).__name__}") from error


def _formats():
    """Those of `FORMATS` that this Pillow was built with."""
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
    """From 16 or 32 bits to 8: whole numbers are taken as 0-65535, others as 0-1."""
    levels = np.array(image, dtype="float32")
    levels *= 255 / 65535 if image.mode.startswith("I") else 255
    grey = np.clip(np.rint(np.nan_to_num(levels, copy=False)), 0, 255).astype("uint8")
    if "transparency" in image.info:
        grey[np.asarray(image) == image.info["transparency"]] = 255
    return Image.fromarray(grey)


def resize(image, size):
    """Bring a PIL image to (height, width): uint8 array."""
    height, width = size
    if image.size != (width, height):
        image = image.resize((width, height), Image.Resampling.BICUBIC)
    return np.asarray(image)
