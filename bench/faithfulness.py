#!/usr/bin/env python3
"""Which map of pixel importance is right? Judge ours and others' on the same pictures, and print a Markdown table.

Each map is of the predicted class. Hiding its most important pixels first should cost the class soon (deletion: low),
showing them first should bring it soon (insertion: high).
"""

import sys
import time
from functools import partial
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402

from bench import contest, machine, occluders  # noqa: E402
from cnnvis.attribution import explanation as importance  # noqa: E402
from cnnvis.attribution import (  # noqa: E402
    faithfulness,
    occlusion,
)
from cnnvis.checkpoints import checkpoint  # noqa: E402
from cnnvis.console import messages as console  # noqa: E402
from cnnvis.console import options as cli  # noqa: E402
from cnnvis.images import sources as data  # noqa: E402

RESAMPLES = 10_000  # of the bootstrap
COLUMNS = "map | deletion | insertion | insertion − deletion"
LEGEND = (
    "Deletion: the lower the better; insertion and insertion − deletion: the higher. Means over the pictures, in "
    "brackets 95% intervals (bootstrap over the pictures). To ours: the difference, picture by picture."
)


def options():
    parser = cli.parser(__doc__)
    parser.add_argument("--model", type=Path, metavar="PATH", help="one of train.py's (default: newest, else deep)")
    parser.add_argument("--num", type=cli.positive, default=200, metavar="N", help="random test images")
    parser.add_argument(
        "--baseline",
        type=cli.baseline,
        metavar="mean|zero|blur|noise|VALUE",
        help="what hidden pixels show while maps are judged (default: as visualize_pixel_importance.py judges its own)",
    )
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the table there, too")
    return parser


def main(argv=None):
    return cli.run(options(), compare, argv)


def compare(args):
    from cnnvis.network.classifier import Classifier

    occluders.check_installed()
    contest.check_report(args.out)
    network = checkpoint.load(args.model)
    classifier = Classifier(network.model)
    pictures = data.load("cifar10", "test")
    images = pictures.images[np.random.default_rng(args.seed).permutation(len(pictures))[: args.num]]
    targets = classifier.probabilities(images).argmax(axis=1)

    ours = importance.explain(classifier, images, targets, seed=args.seed, track=console.track)
    if args.baseline is None:
        baselines, shown = ours.baselines, "judged as ours are by default"
    else:
        baselines = occlusion.baseline_images(images, args.baseline, args.seed)
        shown = f"judged with hidden pixels that show {args.baseline}"
    judge = partial(faithfulness.deletion_insertion, classifier.probabilities, images, baselines, targets=targets)
    scores = {"ours": np.array(judge(ours.importance))}
    for title, draw in others(classifier, network.model, args.seed).items():
        began = time.perf_counter()
        scores[title] = np.array(judge(draw(images, targets, console.track(title))))
        console.notice(f"{title}: {time.perf_counter() - began:.0f} s")

    n = f"n = {len(images)} random test images (seed {args.seed})"
    how = f"{occluders.versions()}; {network.path.name}, {n}, {shown}"
    text = f"{machine.describe(how)}\n\n{table(scores, args.seed)}\n\n{LEGEND}"
    contest.publish(text, args.out)


def others(classifier, model, seed):
    """The maps that are compared with ours.

    Returns
    -------
    dict of str to callable
        (N, H, W, 3) uint8, (N,) int, a wrapper of sequences -> (N, H, W) float array.
    """
    rng = np.random.default_rng(seed)

    def tutorial(image, target):
        noise = rng.integers(0, 256, (image.shape[0] * image.shape[1], *image.shape), dtype="uint8")
        return occluders.tutorial_map(classifier.probabilities, image, target, noise)

    def captum(baseline, image, target):
        score = occluders.as_torch(classifier.logits)
        shown = occlusion.baseline_images(image[None], baseline)[0]
        return occluders.captum_map(score, image, target, shown, data.pictures_at_once(*image.shape[:2]))

    def of_method(method, images, targets, track):
        return importance.explain(classifier, images, targets, method, seed=seed, track=lambda _: track).importance

    return {
        "ours, `--method occlusion`": partial(of_method, "occlusion"),
        "the tutorial's": each(tutorial),
        "Captum, its defaults": each(partial(captum, "zero")),
        "Captum, mean colour": each(partial(captum, "mean")),
        "tf-explain": each(partial(occluders.tf_explain_map, model)),
        "integrated gradients": partial(of_method, "gradient"),
        "a random order": lambda images, *_: rng.random(images.shape[:3]),
    }


def each(draw):
    """From a map of one picture to the maps of several."""
    return lambda images, targets, track: np.array([draw(*pair) for pair in track(list(zip(images, targets)))])


def interval(values, seed=0):
    """95% bootstrap intervals of means over pictures; the same seed draws the same pictures.

    (..., N) float array -> (2, ...) float array, from and to
    """
    rng, count = np.random.default_rng(seed), values.shape[-1]
    means = [values[..., rng.integers(0, count, count)].mean(axis=-1) for _ in range(RESAMPLES)]
    return np.percentile(means, [2.5, 97.5], axis=0)


def table(scores, seed=0):
    """The Markdown table.

    Parameters
    ----------
    scores : dict of str to (2, N) float array
        Deletion and insertion of each map's pictures, ours first.
    seed : int
        Of the bootstrap.

    Returns
    -------
    str
        A row a map, in the order of `scores`.
    """
    _, *measures = COLUMNS.split(" | ")
    lines = [
        " | ".join([COLUMNS, *(f"{measure}, to ours" for measure in measures)]),
        "--- | " + " | ".join(["---:"] * 6),
    ]
    ours = None
    for title, (deletion, insertion) in scores.items():
        own = np.stack([deletion, insertion, insertion - deletion]).astype("float64")
        beside = ["–"] * 3 if ours is None else _cells(own - ours, seed, "+")
        lines.append(" | ".join([title, *_cells(own, seed), *beside]))
        ours = own if ours is None else ours
    return "\n".join(f"| {line} |" for line in lines)


def _cells(values, seed, sign=""):
    """(K, N) float array -> the K means with their intervals, as text"""
    low, high = interval(values, seed)
    return [f"{m:{sign}.3f} ({a:{sign}.3f} to {b:{sign}.3f})" for m, a, b in zip(values.mean(axis=-1), low, high)]


if __name__ == "__main__":
    sys.exit(main())
