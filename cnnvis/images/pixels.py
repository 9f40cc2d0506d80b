"""Pixels of every kind as a viewer shows them: 8 bits of sRGB."""

import io
import math

import numpy as np
from PIL import Image, ImageCms, ImageOps

from cnnvis.images import tiff

BITS = 8, 10, 12, 14, 16, 24, 32  # that files use of those they have
MOST, EXTRA, MOST_SIGNED, PROFILE, ORIENTATION = 281, 338, 341, 34675, 274  # tags of TIFF
PREMULTIPLIED, ALPHA = 1, 2  # kinds of EXTRA channels


def to_rgb(image):
    """Decode a PIL image file, turn it as its EXIF data say, and convert it: PIL image in RGB, in sRGB.

    Integers of more than 8 bits and floats are scaled by `value_range`, colours are converted from an embedded profile,
    and transparency becomes white.
    """
    tags, profile = getattr(image, "tag_v2", {}), image.info.get("icc_profile")
    sixteen = ";16" in str(image.tile)
    _load(image)
    # Of the 16 bits of a colour, Pillow keeps the upper 8. If the upper 2 are unused, the lower 8 matter.
    if sixteen and image.mode in ("RGB", "RGBA") and np.max(image.getextrema()[:3]) < 2**6:
        image = _from_values(_all_bits(image), tags)
    elif image.mode.startswith(("I", "F")):
        image = _grey(image, tags)
    return _finished(image, profile)


def tiff_to_rgb(path, tags):
    """The same for a TIFF file that `tiff.is_deep`."""
    image = _from_values(tiff.read_values(path, tags), tags)
    image.getexif()[ORIENTATION] = tags.get(ORIENTATION, 1)
    return _finished(ImageOps.exif_transpose(image), tags.get(PROFILE))


def value_range(values, stated=0, possible=math.inf):
    """The values of black and white, which few files state: (float, float).

    White is 1 if these are floats that don't exceed 2, or else the most that 8, 10, 12, 14, 16, 24 or 32 bits can hold,
    whichever is the first to hold all values. So a file of 16 bits whose brightest pixel is below 1/4 of the scale
    counts as one of fewer bits, unless all its values are multiples of 256 or 257: then they were 8 bits. Black is 0
    or, if there are values far below 0, as far below as white is above.

    Parameters
    ----------
    values : array of ints or floats
        NaN and infinity are passed over.
    stated, possible : int
        The least and the most that white can be.
    """
    whole = values.dtype.kind != "f"
    finite = values if whole else values[np.isfinite(values)]
    low, high = float(finite.min(initial=0)), float(finite.max(initial=0))
    negative = low < -0.1 * high
    largest = max(high, -low - whole)  # two's complement
    if not whole and largest <= 2:  # what is above 1 are highlights
        return -float(negative), 1.0
    used = largest if whole else largest / 1.1  # resizing and sharpening go a little beyond white
    whites = (2.0 ** (bits - negative) - 1 for bits in BITS)
    white = next((white for white in whites if max(used, stated) <= white), largest)
    if whole and 2**8 < white < 2**14 and not all((values % step).any() for step in (256, 257)):
        white = 2.0**16 - 1
    white = min(white, possible)
    return -float(negative) * (white + 1), white


def _load(image):
    image.load()
    ImageOps.exif_transpose(image, in_place=True)


def _grey(image, tags):
    """Convert 16 or 32 bits to 8."""
    values = np.asarray(image)
    if image.mode == "I" and tags and np.max(tags.get(tiff.SAMPLE_FORMAT, 1)) == 1:
        values = values.view("uint32")
    scaled = image.format in ("PPM", "JPEG2000") and image.mode != "F"  # Pillow has scaled these to 16 bits
    grey = _from_values(values[..., None], tags, stated=2**16 - 1 if scaled else 0)
    if "transparency" in image.info:
        grey.paste(255, mask=Image.fromarray(values == image.info["transparency"]))
    return grey


def _all_bits(image):
    """Decode grey or RGB of 16 bits, perhaps with alpha, once more for the lower 8: (h, w, channels) uint16 array."""
    with Image.open(image.filename, formats=[image.format]) as lower:
        grey = "LA;16B" in str(lower.tile)
        lower.tile = [_lower(tile) for tile in lower.tile]
        _load(lower)
        low, high = np.asarray(lower), np.asarray(image).astype("uint16")
    if grey:  # and alpha, as four bytes
        return low[..., ::2] * np.uint16(256) + low[..., 1::2]
    return high * np.uint16(256) + low


def _lower(tile):
    """A tile that takes the lower of two bytes for the upper one, or all four bytes of grey with alpha."""
    decoder, extents, offset, arguments = tile[:4]
    mode, *more = (arguments,) if isinstance(arguments, str) else arguments
    mode = "RGBA" if mode == "LA;16B" else mode[:-1] + ("L" if mode.endswith("B") else "B")
    arguments = (mode, *more) if more else mode
    parts = decoder, extents, offset, arguments
    return parts if type(tile) is tuple else type(tile)(*parts)  # a named tuple in newer versions of Pillow


def _from_values(values, tags, stated=0):
    """(h, w, channels) ints or floats -> PIL image; the tags are TIFF's."""
    colours = 3 if values.shape[-1] > 2 else 1
    (extra, *_) = np.ravel(tags.get(EXTRA, ALPHA)) if values.shape[-1] > colours else [0]
    bits = np.max(tags.get(tiff.BITS, 8 * values.dtype.itemsize))
    signed = values.dtype.kind == "i"
    possible = math.inf if values.dtype.kind == "f" else 2.0 ** (bits - signed) - 1
    if bits in (10, 12, 14):
        stated = possible
    stated = max(stated, *(np.max(tags.get(tag, 0)) for tag in (MOST, MOST_SIGNED)))
    channels = colours + (extra in (PREMULTIPLIED, ALPHA))
    values, alpha = values[..., :channels], values[..., colours:channels]
    black, white = value_range(values if extra == PREMULTIPLIED else values[..., :colours], stated, possible)
    levels = _scaled(values, black, white)
    if values.dtype.kind == "f" or alpha.max(initial=0) > white:
        levels[..., colours:] = _scaled(alpha, *value_range(alpha, possible=possible))
    if tags.get(tiff.PHOTOMETRIC) == 0:  # white is 0
        levels[..., :colours] = 255 - levels[..., :colours]
    mode = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}[channels]
    mode = mode.replace("A", "a") if extra == PREMULTIPLIED else mode
    return Image.frombytes(mode, levels.shape[1::-1], levels.tobytes())


def _scaled(values, black, white):
    levels = values.astype("float32")
    levels -= black
    levels *= 255 / (white - black)
    np.nan_to_num(levels, copy=False)
    return np.clip(np.rint(levels, out=levels), 0, 255, out=levels).astype("uint8")


def _finished(image, profile):
    if image.mode == "LAB":
        return ImageCms.profileToProfile(image, ImageCms.createProfile("LAB"), _srgb(), outputMode="RGB")
    if image.has_transparency_data:
        image = _in_srgb((image.convert("LA") if image.mode == "La" else image).convert("RGBA"), profile)
        white = Image.new("RGBA", image.size, "white")
        white.alpha_composite(image)
        return white.convert("RGB")
    return _in_srgb(image if image.mode in ("L", "CMYK") else image.convert("RGB"), profile).convert("RGB")


def _in_srgb(image, profile):
    """Convert from an embedded profile as viewers do, who pass over one that is damaged or for another mode."""
    if not profile:
        return image
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if "sRGB" in ImageCms.getProfileDescription(source):
            return image
        mode = "RGBA" if image.mode == "RGBA" else "RGB"
        return ImageCms.profileToProfile(image, source, _srgb(), outputMode=mode)
    except (ImageCms.PyCMSError, OSError):
        return image


def _srgb():
    return ImageCms.createProfile("sRGB")
