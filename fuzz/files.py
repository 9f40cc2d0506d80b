"""Valid files to start fuzzing from, and what each reader promises for any file."""

import io
import json

import numpy as np
from PIL import Image

from cnnvis.checkpoints import STASH, read_metadata
from cnnvis.images import FORMATS, cifar10, class_names, open_image, resize

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
    found = read_metadata(path)
    assert isinstance(found, dict), found
    assert len(set(found.get("classes", ()))) == len(found.get("classes", ())), found


def classes(path):
    """Check that class names are distinct and can be printed."""
    names = class_names(path)
    assert names, names
    assert len(set(names)) == len(names), names
    assert all(map(str.isprintable, names)), names


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
    for path in STASH.glob("*.json"):
        yield path.stem, path.read_bytes()


def classes_seeds():
    yield "plain", b"cat\ndog\n"
    yield "numbered", b"0 cat\n1 dog\n"
    yield "unusual", "\ufeffhérisson\r\n\r\n 犬 \n".encode()


# Reader (called with a path), seeds, and suffix of the file.
READERS = {
    "images": (image, image_seeds, ".png"),
    "cifar10": (batch, batch_seeds, ".bin"),
    "metadata": (metadata, metadata_seeds, ".json"),
    "classes": (classes, classes_seeds, ".txt"),
}


def few_and_small():
    """Make readers fast: few records in a file of CIFAR-10, and no large images."""
    cifar10.RECORDS = RECORDS
    Image.MAX_IMAGE_PIXELS = MOST_PIXELS
