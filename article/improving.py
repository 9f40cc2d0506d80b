"""What makes a network better, and by how much."""

import csv
from collections import defaultdict

import numpy as np

from article.canvas import canvas
from cnnvis import training
from cnnvis.plots import INK, OTHER, RIGHT, despine, show_image

TRICKS = {
    "optimizer=sgd learning_rate=1 bias_scale=64 logits_scale=0.0123 weight_decay=0.008 warmup=0.23": "Muon",
    "whitening=off": "whitening",
    "label_smoothing=0": "label smoothing",
    "anti_aliasing=off": "anti-aliased POOL",
    "flip=random": "alternating flips",
    "crop_margin=0": "random crops",
    "bias_scale=1": "fast biases",
    "identity_start=off": "identity start",
}
BESIDES = "ghost_batch=0"  # in all of these trainings: they are older than ghost batches


def varied(image, margin, count, seed):
    """Crops and flips of an image, as training sees it: (H, W, 3) -> (count, H, W, 3) uint8, the odd ones mirrored."""
    rng = np.random.default_rng(seed)
    crops = training.random_crop(training.pad(np.stack([image] * count), margin), margin, rng)
    return training.flip(crops, np.arange(count) % 2 == 1)


def augmentation(image, variations):
    """An image, and variations of it.

    Parameters
    ----------
    image : (H, W, 3) uint8 array
    variations : (N, H, W, 3) uint8 array
    """
    figure = canvas(3.2)
    grid = figure.subplot_mosaic([["it", *"abcd"], ["words", *"efgh"]])
    show_image(grid["it"], image)
    grid["it"].set_title("the image")
    grid["words"].axis("off")
    for place, variation in zip("abcdefgh", variations):
        show_image(grid[place], variation)
    grid["a"].set_title("what training sees", loc="left")
    return figure


def gains(path, arch="deep"):
    """What each trick brings, from the trainings without it.

    Parameters
    ----------
    path : Path
        `bench/tricks.csv`.
    arch : str

    Returns
    -------
    dict of str to (float, float)
        Points of accuracy on held-out images: the mean of the differences seed by seed, and its standard error.
    """
    accuracy = defaultdict(dict)
    with open(path, encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row["arch"] == arch:
                accuracy[row["changes"]][row["seed"]] = float(row["accuracy"])
    found = {}
    for changes, name in TRICKS.items():
        without = accuracy[f"{changes} {BESIDES}"]
        costs = np.array([100 * (accuracy[BESIDES][seed] - lower) for seed, lower in without.items()])
        found[name] = float(costs.mean()), float(costs.std(ddof=1) / np.sqrt(len(costs)))
    return dict(sorted(found.items(), key=lambda item: -item[1][0]))


def improvements(gained):
    """How many points of accuracy tricks bring.

    Parameters
    ----------
    gained : dict of str to (float, float)
        Points and their standard error.
    """
    figure = canvas(4)
    axes = figure.subplots()
    points, errors = np.array(list(gained.values())).T
    places = range(len(points))
    axes.barh(places, points, xerr=errors, color=RIGHT, ecolor=INK, capsize=4)
    for place, point, error in zip(places, points, errors):
        axes.text(point + error + 0.06, place, f"{point:.2f}", va="center")
    axes.set_yticks(places, list(gained))
    axes.invert_yaxis()
    axes.set(xlabel="points of accuracy after four epochs", xlim=(0, 4))
    axes.axvline(0, color=OTHER)
    despine(axes)
    return figure
