#!/usr/bin/env python3
"""Which heat maps are faithful? Score ours and others' on the same images, and print a Markdown table.

Each map explains the predicted class. If the most important pixels are hidden first, the probability of the class
should fall fast (deletion: low); if they are shown first, it should rise fast (insertion: high).
"""

import sys
import time
from functools import partial
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402

from bench import contest, machine, occluders  # noqa: E402
from cnnvis import attribution, checkpoints, console, network  # noqa: E402
from cnnvis.images import images_at_once, load  # noqa: E402

RESAMPLES = 10_000  # of the bootstrap
COLUMNS = "map | deletion | insertion | insertion − deletion"
LEGEND = (
    "Deletion: lower is better; insertion and insertion − deletion: higher is better. Means over the images, in "
    "brackets 95% intervals (bootstrap over the images). To ours: the mean difference per image."
)


def options():
    parser = console.parser(__doc__)
    parser.add_argument("--model", type=Path, metavar="PATH", help="from train.py (default: newest, else deep)")
    parser.add_argument("--num", type=console.positive, default=200, metavar="N", help="random test images")
    parser.add_argument(
        "--baseline",
        type=console.checked(attribution.parse_baseline),
        metavar="mean|zero|blur|noise|VALUE",
        help="replaces hidden pixels while maps are scored (default: as in visualize_pixel_importance.py)",
    )
    parser.add_argument("--out", type=Path, metavar="FILE", help="also write the table to this file")
    return parser


def main(argv=None):
    return console.run(options(), compare, argv)


def compare(args):
    occluders.check_installed()
    contest.check_report(args.out)
    checkpoint = checkpoints.load(args.model)
    classifier = network.Classifier(checkpoint.model)
    dataset = load("cifar10", "test")
    images = dataset.images[np.random.default_rng(args.seed).permutation(len(dataset))[: args.num]]
    targets = classifier.probabilities(images).argmax(axis=1)

    ours = attribution.explain(classifier, images, targets, seed=args.seed, track=console.track)
    if args.baseline is None:
        baselines, shown = ours.baselines, "scored with our default baseline"
    else:
        baselines = attribution.baseline_images(images, args.baseline, seed=args.seed)
        shown = f"scored with the baseline {args.baseline}"
    score = partial(attribution.deletion_insertion, classifier.probabilities, images, baselines, targets=targets)
    scores = {"ours": np.array(score(ours.importance))}
    for title, draw in others(classifier, checkpoint.model, args.seed).items():
        began = time.perf_counter()
        scores[title] = np.array(score(draw(images, targets, console.track(title))))
        console.notice(f"{title}: {time.perf_counter() - began:.0f} s")

    n = f"n = {len(images)} random test images (seed {args.seed})"
    how = f"{occluders.versions()}; {checkpoint.path.name}, {n}, {shown}"
    text = f"{machine.describe(how)}\n\n{table(scores, args.seed)}\n\n{LEGEND}"
    contest.publish(text, args.out)


def others(classifier, model, seed):
    """The maps to compare with ours.

    Returns
    -------
    dict of str to callable
        (N, H, W, 3) uint8, (N,) int, a wrapper for sequences -> (N, H, W) float array.
    """
    rng = np.random.default_rng(seed)

    def tutorial(image, target):
        noise = rng.integers(0, 256, (image.shape[0] * image.shape[1], *image.shape), dtype="uint8")
        return occluders.tutorial_map(classifier.probabilities, image, target, noise)

    def captum(baseline, image, target):
        score = occluders.as_torch(classifier.logits)
        shown = attribution.baseline_images(image[None], baseline)[0]
        return occluders.captum_map(score, image, target, shown, images_at_once(*image.shape[:2]))

    def of_method(method, images, targets, track):
        return attribution.explain(
            classifier, images, targets, method=method, seed=seed, track=lambda _: track
        ).importance

    return {
        "ours, `--method occlusion`": partial(of_method, "occlusion"),
        "the tutorial's": each(tutorial),
        "Captum, its defaults": each(partial(captum, "zero")),
        "Captum, mean colour": each(partial(captum, "mean")),
        "tf-explain": each(partial(occluders.tf_explain_map, model)),
        "integrated gradients": partial(of_method, "gradients"),
        "a random order": lambda images, *_: rng.random(images.shape[:3]),
    }


def each(draw):
    """Turn a function that draws the map of one image into one for several images."""
    return lambda images, targets, track: np.array([draw(*pair) for pair in track(list(zip(images, targets)))])


def interval(values, seed=0):
    """95% bootstrap intervals of means over images: (..., N) float array -> (2, ...) float array, low and high.

    The same seed draws the same images.
    """
    rng, count = np.random.default_rng(seed), values.shape[-1]
    means = [values[..., rng.integers(0, count, count)].mean(axis=-1) for _ in range(RESAMPLES)]
    return np.percentile(means, [2.5, 97.5], axis=0)


def table(scores, seed=0):
    """The Markdown table.

    Parameters
    ----------
    scores : dict of str to (2, N) float array
        Deletion and insertion of each map's images, ours first.
    seed : int
        Of the bootstrap.

    Returns
    -------
    str
        One row per map, in the order of `scores`.
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
    """K means with their intervals as text: (K, N) float array -> list of str."""
    low, high = interval(values, seed)
    return [f"{m:{sign}.3f} ({a:{sign}.3f} to {b:{sign}.3f})" for m, a, b in zip(values.mean(axis=-1), low, high)]


if __name__ == "__main__":
    sys.exit(main())
