#!/usr/bin/env python3
"""Which window sizes make the most faithful occlusion maps? Deletion and insertion scores on training images.

The defaults of `visualize_pixel_importance.py` are chosen here, so that no test image has a say in them.
"""

import sys
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from bench import machine  # noqa: E402
from cnnvis import cli, console  # noqa: E402

CHOICES = ((3,), (5,), (7,), (10,), (15,), (3, 5, 7), (5, 10), (5, 10, 15), (3, 7, 15))  # pixels of 32
STRIDE = 2  # pixels


def options():
    parser = cli.parser(__doc__)
    parser.add_argument("--model", type=Path, help="whose predictions (default: the newest of models/stashed/)")
    parser.add_argument("--num", type=cli.positive, default=100, metavar="N", help="random training images of CIFAR-10")
    parser.add_argument("--baseline", type=cli.baseline, default="mean", help="what hidden sections show")
    return parser


def main(argv=None):
    return cli.run(options(), compare, argv)


def compare(args):
    from cnnvis import data, faithfulness, occlusion
    from cnnvis.classifier import Classifier
    from models import checkpoint

    classifier = Classifier(checkpoint.load(args.model or checkpoint.newest()).model)
    pictures = data.load("cifar10", "train")
    images = pictures.images[np.random.default_rng(args.seed).permutation(len(pictures))[: args.num]]
    targets = classifier.probabilities(images).argmax(axis=1)
    baselines = occlusion.baseline_images(images, args.baseline, args.seed)
    maps = {
        window: occlusion.occlusion_maps(
            classifier.logits, images, targets, baselines, [window], STRIDE, console.track(f"Windows of {window}")
        )
        for window in sorted({window for windows in CHOICES for window in windows})
    }
    lines = ["| windows | deletion | insertion | insertion − deletion |", "| --- " * 4 + "|"]
    for windows in CHOICES:
        averaged = np.mean([maps[window] for window in windows], axis=0)
        scores = faithfulness.deletion_insertion(classifier.probabilities, images, baselines, averaged, targets)
        cells = [f"{x.mean():.3f} ± {x.std(ddof=1) / len(x) ** 0.5:.3f}" for x in (*scores, scores[1] - scores[0])]
        lines.append(f"| {' '.join(map(str, windows))} | {' | '.join(cells)} |")
    console.say(machine.describe(f"n = {len(images)} training images, mean ± standard error, stride {STRIDE}"))
    console.say("\n" + "\n".join(lines))


if __name__ == "__main__":
    sys.exit(main())
