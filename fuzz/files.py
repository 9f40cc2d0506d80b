"""Valid files of the kinds that we read, and what their readers promise of any file, for fuzzers to begin with."""

import io
import json

import numpy as np
from PIL import Image

from cnnvis.checkpoints import checkpoint
from cnnvis.images import cifar10
from cnnvis.images import image_files as picture_files

RECORDS = 2  # of a file of CIFAR-10, in place of ten thousand
MOST_PIXELS = 1_000_000  # of a picture, so that each is quick


def picture(path):
    """A picture is (H, W, 3) uint8, of its own size and of any other."""
    image = picture_files.open_image(path)
    assert image.mode == "RGB", image.mode
    resized = picture_files.resize(image, (9, 7))
    assert (resized.shape, resized.dtype) == ((9, 7, 3), np.uint8), resized.shape


def batch(path):
    """A file of CIFAR-10 is as many pictures as it says, with labels 0-9."""
    images, labels = cifar10.read(path)
    assert (images.shape, images.dtype) == ((RECORDS, 32, 32, 3), np.uint8), images.shape
    assert labels.shape == (RECORDS,), labels.shape
    assert labels.max() <= 9, labels


def metadata(path):
    """Metadata are a dict whose class names, if it has any, differ."""
    found = checkpoint.read_metadata(path)
    assert isinstance(found, dict), found
    assert len(set(found.get("classes", ()))) == len(found.get("classes", ())), found


def pictures_to_begin_with():
    """A small picture of each kind that Pillow writes, in each mode that the kind has: pairs of name and content."""
    noise = Image.effect_noise((13, 11), 90)
    modes = {mode: noise.convert(mode) for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I", "I;16", "F")}
    Image.init()
    for kind in picture_files.FORMATS:
        for mode, image in modes.items():
            content = io.BytesIO()
            try:
                image.save(content, kind, sizes=[image.size])  # of an ICO, or Pillow 10 writes an empty one
            except (KeyError, OSError, ValueError):  # not of this mode
                continue
            yield f"{kind}-{mode.replace(';', '')}", content.getvalue()
    for kind in ("GIF", "PNG", "WEBP", "TIFF"):
        content = io.BytesIO()
        modes["RGB"].save(content, kind, save_all=True, append_images=[modes["RGB"].rotate(90)])
        yield f"{kind}-moving", content.getvalue()


def batches_to_begin_with():
    yield "two", bytes([3, *range(256), *[7] * 2816] * RECORDS)


def metadata_to_begin_with():
    known = {"data": "cifar10", "classes": ["cat", "dog"], "input_range": [0, 255], "trained_at": "2024-01-01"}
    yield "known", json.dumps(known).encode()
    for path in checkpoint.STASH.glob("*.json"):
        yield path.stem, path.read_bytes()


# The reader, which is called with a path, what to begin with, and the end of the file's name.
READERS = {
    "pictures": (picture, pictures_to_begin_with, ".png"),
    "cifar10": (batch, batches_to_begin_with, ".bin"),
    "metadata": (metadata, metadata_to_begin_with, ".json"),
}


def few_and_small():
    """Let a file of CIFAR-10 be of few records, and no picture be large, so that a reader is quick."""
    cifar10.RECORDS = RECORDS
    Image.MAX_IMAGE_PIXELS = MOST_PIXELS
