#!/usr/bin/env python3
"""How much accuracy a network loses on worse copies of the test images, and print a Markdown table.

Photos of one's own are stored as JPEG, a little dark, out of focus or off-centre; CIFAR-10's are none of that.
"""

import io
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402
from PIL import Image, ImageFilter  # noqa: E402

from bench import contest, machine  # noqa: E402
from cnnvis import console, evaluation, images, network  # noqa: E402

QUALITY = 75  # of JPEG, 1 to 95
BRIGHTNESS = 0.5  # times each pixel
SIGMA = 0.7  # of Gaussian blur, in pixels
SHIFT = 3  # to the right and down, in pixels; the border is repeated


def as_jpeg(image):
    """A (H, W, 3) uint8 image as JPEG, decoded again."""
    file = io.BytesIO()
    Image.fromarray(image).save(file, "JPEG", quality=QUALITY)
    return np.asarray(Image.open(file))


def darkened(image):
    return np.rint(BRIGHTNESS * image).astype("uint8")


def blurred(image):
    return np.asarray(Image.fromarray(image).filter(ImageFilter.GaussianBlur(SIGMA)))


def shifted(image):
    height, width = image.shape[:2]
    return np.pad(image, ((SHIFT, 0), (SHIFT, 0), (0, 0)), mode="edge")[:height, :width]


COPIES = {
    "as they are": lambda image: image,
    f"JPEG, quality {QUALITY}": as_jpeg,
    f"pixels × {BRIGHTNESS}": darkened,
    f"blurred, σ = {SIGMA} pixels": blurred,
    f"shifted by {SHIFT} pixels": shifted,
}


def options():
    parser = console.parser(__doc__)
    default = [ROOT / "models" / "stashed" / f"cifar10_{arch}.keras" for arch in ("deep", "basic")]
    parser.add_argument("--model", nargs="+", type=Path, default=default, help="trained networks")
    parser.add_argument("--limit", type=console.positive, metavar="N", help="number of test images (default: all)")
    parser.add_argument("--out", type=Path, help="write the report to this file, too")
    return parser


def main(argv=None):
    return console.run(options(), compare, argv)


def compare(args):
    contest.check_report(args.out)
    test = images.load("cifar10", "test")
    test = test.take(range(min(args.limit or len(test), len(test))))
    classifiers = [network.load(path) for path in args.model]
    lines = [
        machine.describe(f"n = {len(test):,} test images, one view"),
        "",
        " | ".join(["| test images", *(f"`{path.name}`" for path in args.model)]) + " |",
        "| --- |" + " ---: |" * len(args.model),
    ]
    for name, change in COPIES.items():
        pixels = np.stack([change(image) for image in test.images])
        found = (evaluation.accuracy(classifier.probabilities(pixels), test.labels) for classifier in classifiers)
        lines.append(" | ".join([f"| {name}", *(f"{each:.2%}" for each in found)]) + " |")
    contest.publish("\n".join(lines), args.out)


if __name__ == "__main__":
    sys.exit(main())
