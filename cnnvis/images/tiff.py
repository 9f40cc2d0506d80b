"""TIFF files of more than 8 bits, floats and signed numbers, of which Pillow reads some wrongly and some not at all."""

import zlib
from itertools import product

import numpy as np
from PIL import TiffImagePlugin

BEGINNINGS = b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"
WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC, SAMPLES = 256, 257, 258, 259, 262, 277
STRIPS, STRIP_HEIGHT, STRIP_BYTES, TILE_WIDTH, TILE_HEIGHT, TILES, TILE_BYTES = 273, 278, 279, 322, 323, 324, 325
SIZES = WIDTH, HEIGHT, SAMPLES, STRIP_HEIGHT, TILE_WIDTH, TILE_HEIGHT
PLANAR, PREDICTOR, SAMPLE_FORMAT = 284, 317, 339
KINDS = {1: "u", 2: "i", 3: "f"}  # of numbers, by SAMPLE_FORMAT
NONE, DEFLATE, ADOBE_DEFLATE = 1, 32946, 8
DIFFERENCES = 2  # a PREDICTOR: each pixel without the one on its left
SUBFILE, REDUCED = 254, 1  # a tag, and its bit that marks a preview
MOST_BYTES = 3 * 2**27  # 64 million pixels of three colours of 16 bits
UNSUPPORTED = "it is a TIFF of a kind that isn't supported, or a camera's raw file; save it as PNG or JPEG"


def read_tags(path):
    """The tags of the first image: ImageFileDirectory_v2 of Pillow, a mapping from their numbers."""
    with open(path, "rb") as file:
        header = file.read(8)
        tags = TiffImagePlugin.ImageFileDirectory_v2(header + (file.read(8) if 43 in header[2:4] else b""))
        file.seek(tags.next)
        tags.load(file)
    return tags


def is_deep(tags):
    """Whether `read_values` reads it: numbers of other kinds than Pillow's, in rows as they are or deflated.

    Raises ValueError if neither can read it.
    """
    if not all(isinstance(tags.get(tag, 1), int) for tag in SIZES):
        raise ValueError("the file is damaged")
    bits, kinds, compression = _all(tags, BITS), _all(tags, SAMPLE_FORMAT), tags.get(COMPRESSION, NONE)
    if tags.get(SUBFILE, 0) & REDUCED:
        raise ValueError("it holds only a preview in TIFF, as cameras' raw files do; save it as JPEG or PNG")
    numbers = len(bits) == len(kinds) == 1 and (bits <= {16, 32, 64} or (bits == {8} and kinds == {2}))
    grey_or_rgb = kinds <= KINDS.keys() and tags.get(PHOTOMETRIC) in (0, 1, 2)
    plain = compression in (NONE, DEFLATE, ADOBE_DEFLATE) and tags.get(PREDICTOR, 1) in (1, DIFFERENCES)
    if numbers and grey_or_rgb and plain and {STRIP_BYTES, TILE_BYTES} & tags.keys():
        return True
    swapped = tags.prefix == b"MM" and (max(bits) > 16 or kinds != {1})
    if swapped or (bits == {8} and kinds != {1}) or (max(bits) > 8 and tags.get(PLANAR) == 2):
        raise ValueError(UNSUPPORTED)  # Pillow reads it, but wrongly
    return False


def _all(tags, tag):
    return set(np.ravel(tags.get(tag, 1)).tolist())


def read_values(path, tags):
    """The numbers of a file that `is_deep`: (height, width, samples) array of its type."""
    width, height, samples = tags[WIDTH], tags[HEIGHT], tags.get(SAMPLES, 1)
    kind = np.dtype(f"{KINDS[max(_all(tags, SAMPLE_FORMAT))]}{max(_all(tags, BITS)) // 8}")
    if TILES in tags:
        across, down, offsets, sizes = tags[TILE_WIDTH], tags[TILE_HEIGHT], tags[TILES], tags[TILE_BYTES]
    else:
        across, down = width, min(tags.get(STRIP_HEIGHT, height), height)
        offsets, sizes = tags[STRIPS], tags[STRIP_BYTES]
    planes, deep = (samples, 1) if tags.get(PLANAR) == 2 else (1, samples)
    if max(width * height, across * down) * samples * kind.itemsize > MOST_BYTES:
        raise ValueError(f"it has more than {MOST_BYTES >> 20:,} MB of pixels; make it smaller")
    if not len(offsets) == len(sizes) == planes * -(-height // down) * -(-width // across):
        raise ValueError("the file is damaged")
    places = product(range(planes), range(0, height, down), range(0, width, across))
    values = np.empty((planes, height, width, deep), kind)
    with open(path, "rb") as file:
        for (plane, y, x), offset, size in zip(places, offsets, sizes, strict=True):
            rows = down if TILES in tags else min(down, height - y)
            file.seek(offset)
            part = _inflated(file.read(size), rows * across * deep * kind.itemsize, tags.get(COMPRESSION, NONE))
            part = np.frombuffer(part, kind.newbyteorder(">" if tags.prefix == b"MM" else "<"))
            part = part.reshape(rows, across, deep).astype(kind)
            if tags.get(PREDICTOR) == DIFFERENCES:
                part = np.cumsum(part, axis=1, dtype=kind)
            values[plane, y : y + rows, x : x + across] = part[: height - y, : width - x]
    return values[0] if planes == 1 else np.concatenate(values, axis=-1)


def _inflated(content, size, compression):
    if compression != NONE:
        content = zlib.decompressobj().decompress(content, size)
    if len(content) < size:
        raise ValueError("the file is cut off")
    return content[:size]
