#!/usr/bin/env python3
"""Which squares make the most faithful maps? Deletion and insertion scores on training images.

The defaults of `visualize_pixel_importance.py` are chosen here, so that no test image has a say in them.
"""

import sys
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from bench import machine  # noqa: E402
from cnnvis import cli, console  # noqa: E402

STRIDE = 2  # pixels
CHOICES = {  # sides of squares, in pixels of 32, for each method
    "halves": ((4,), (6,), (8,), (10,), (4, 8), (6, 10)),
    "occlusion": ((5,), (10,), (15,), (5, 10), (5, 10, 15)),
}
LEGEND = (
    f"Halves: half of all squares hidden at once; occlusion: one after the other; the next {STRIDE} pixels away. "
    "Pictures: so many go through the network for one map. Means ± standard errors."
)


def options():
    parser = cli.parser(__doc__)
    parser.add_argument("--model", type=Path, help="whose predictions (default: your newest, else deep)")
    parser.add_argument("--num", type=cli.positive, default=100, metavar="N", help="random training images of CIFAR-10")
    parser.add_argument("--baseline", type=cli.baseline, default="mean", help="what hidden sections show")
    return parser


def main(argv=None):
    return cli.run(options(), compare, argv)


def compare(args):
    from cnnvis import data, faithfulness, halves, occlusion
    from cnnvis.classifier import Classifier
    from models import checkpoint

    classifier = Classifier(checkpoint.load(args.model).model)
    pictures = data.load("cifar10", "train")
    images = pictures.images[np.random.default_rng(args.seed).permutation(len(pictures))[: args.num]]
    targets = classifier.probabilities(images).argmax(axis=1)
    baselines = occlusion.baseline_images(images, args.baseline, args.seed)
    lines = ["| method | squares | pictures | deletion | insertion | insertion − deletion |", "| --- " * 6 + "|"]
    for method, choices in CHOICES.items():
        mapped = {"halves": halves.half_maps, "occlusion": occlusion.occlusion_maps}[method]
        seen, maps = {}, {}
        for window in sorted({window for windows in choices for window in windows}):
            counted = Counted(classifier.logits)
            track = console.track(f"{method}, squares of {window}")
            maps[window] = mapped(counted, images, targets, baselines, [window], STRIDE, track=track)
            seen[window] = counted.pictures / len(images)
        for windows in choices:
            averaged = np.mean([maps[window] for window in windows], axis=0)
            scores = faithfulness.deletion_insertion(classifier.probabilities, images, baselines, averaged, targets)
            cells = [f"{x.mean():.3f} ± {x.std(ddof=1) / len(x) ** 0.5:.3f}" for x in (*scores, scores[1] - scores[0])]
            count = sum(seen[window] for window in windows)
            lines.append(f"| {method} | {' '.join(map(str, windows))} | {count:,.0f} | {' | '.join(cells)} |")
    console.say(machine.describe(f"n = {len(images)} training images (seed {args.seed})"))
    console.say("\n" + "\n".join(lines) + "\n\n" + LEGEND)


class Counted:
    """A scorer that counts the pictures that it has seen."""

    def __init__(self, score):
        self.score, self.pictures = score, 0

    def __call__(self, images):
        self.pictures += len(images)
        return self.score(images)


if __name__ == "__main__":
    sys.exit(main())
