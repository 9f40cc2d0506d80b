"""Picture files of any kind, read where they are looked at: a million take no more memory than a batch."""

import warnings

import numpy as np
from PIL import Image, ImageOps


class LazyPictures:
    """Pictures of one size as an (N, H, W, 3) uint8 array that reads or makes them when it is indexed, and keeps none.

    Its first axis is indexed as NumPy's are: by a number, a slice, or an array of numbers or bools, of any shape.

    Parameters
    ----------
    sources : sequence of str or of arrays
        Picture files, or (h, w, 3) uint8 pictures of another size.
    size : (height, width)
        What to bring them to.
    """

    dtype = np.dtype("uint8")

    def __init__(self, sources, size):
        self.sources = sources
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
        size = self.shape[1:3]
        pictures = np.empty((places.size, *self.shape[1:]), self.dtype)
        for number, place in enumerate(track(places.ravel())):
            source = self.sources[place]
            is_file = isinstance(source, str)
            pictures[number] = read_image(source, size) if is_file else resize(Image.fromarray(source), size)
        return pictures.reshape(*places.shape, *self.shape[1:])


def read_image(path, size):
    """Read a picture file as (height, width, 3) uint8, whatever its mode; transparency becomes white."""
    return resize(open_image(path), size)


def open_image(path):
    """Read a picture file, turned as its camera says: PIL image in RGB.

    Raises ValueError if it is none that Pillow can read, FileNotFoundError if it isn't there.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what Pillow mends
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path) as image:
                image.load()
                return _rgb(ImageOps.exif_transpose(image))
    except FileNotFoundError:
        raise FileNotFoundError(f"there is no picture {path}") from None
    except Exception as error:  # each of Pillow's readers fails in its own way
        raise ValueError(f"{path} can't be read as a picture: {error}") from error


def _rgb(image):
    if image.mode.startswith(("I", "F")):
        levels = np.asarray(image, dtype="float64")
        scale = 255 / 65535 if image.mode.startswith("I") else 255
        return Image.fromarray(np.clip(np.rint(levels * scale), 0, 255).astype("uint8")).convert("RGB")
    if image.has_transparency_data:
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image.convert("RGBA"))
    return image.convert("RGB")


def resize(image, size):
    """Bring a PIL image to (height, width): uint8 array."""
    height, width = size
    if image.size != (width, height):
        image = image.resize((width, height), Image.Resampling.BICUBIC)
    return np.asarray(image)
