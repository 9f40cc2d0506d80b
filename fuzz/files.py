"""Valid files to start fuzzing from, and what each reader promises for any file."""

import io
import json

import numpy as np
from PIL import Image

from cnnvis import checkpoints
from cnnvis.images import FORMATS, cifar10, open_image, resize

RECORDS = 2  # in a file of CIFAR-10, instead of 10,000
MOST_PIXELS = 1_000_000  # in an image, for speed


def image(path):
    """Check that an image has mode RGB, and can be resized: (H, W, 3) uint8."""
    image = open_image(path)
    assert image.mode == "RGB", image.mode
    resized = resize(image, (9, 7))
    assert (resized.shape, resized.dtype) == ((9, 7, 3), np.uint8), resized.shape


def batch(path):
    """Check that a file of CIFAR-10 has `RECORDS` images, with labels 0-9."""
    images, labels = cifar10.read(path)
    assert (images.shape, images.dtype) == ((RECORDS, 32, 32, 3), np.uint8), images.shape
    assert labels.shape == (RECORDS,), labels.shape
    assert labels.max() <= 9, labels


def metadata(path):
    """Check that metadata are a dict, and class names differ, if there are any."""
    found = checkpoints.read_metadata(path)
    assert isinstance(found, dict), found
    assert len(set(found.get("classes", ()))) == len(found.get("classes", ())), found


def image_seeds():
    """Small images in each format and mode that Pillow can write: pairs of name and content."""
    noise = Image.effect_noise((13, 11), 90)
    modes = {mode: noise.convert(mode) for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I", "I;16", "F")}
    Image.init()
    for kind in FORMATS:
        for mode, image in modes.items():
            content = io.BytesIO()
            try:
                image.save(content, kind, sizes=[image.size])  # `sizes` for ICO: else Pillow 10 writes an empty file
            except (KeyError, OSError, ValueError):  # the format doesn't have this mode
                continue
            yield f"{kind}-{mode.replace(';', '')}", content.getvalue()
    for kind in ("GIF", "PNG", "WEBP", "TIFF"):
        content = io.BytesIO()
        modes["RGB"].save(content, kind, save_all=True, append_images=[modes["RGB"].rotate(90)])
        yield f"{kind}-animated", content.getvalue()


def batch_seeds():
    yield "two", bytes([3, *range(256), *[7] * 2816] * RECORDS)


def metadata_seeds():
    known = {"data": "cifar10", "classes": ["cat", "dog"], "input_range": [0, 255], "trained_at": "2024-01-01"}
    yield "known", json.dumps(known).encode()
    for path in checkpoints.STASH.glob("*.json"):
        yield path.stem, path.read_bytes()


# Reader (called with a path), seeds, and suffix of the file.
READERS = {
    "images": (image, image_seeds, ".png"),
    "cifar10": (batch, batch_seeds, ".bin"),
    "metadata": (metadata, metadata_seeds, ".json"),
}


def few_and_small():
    """Make readers fast: few records in a file of CIFAR-10, and no large images."""
    cifar10.RECORDS = RECORDS
    Image.MAX_IMAGE_PIXELS = MOST_PIXELS
