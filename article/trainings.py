"""Train what the article's curves show, and keep the rows in article/runs: what is missing there, or is named.

It needs CIFAR-10, and takes from ten minutes to an hour on two cores.
"""

import csv
import sys
from dataclasses import dataclass
from pathlib import Path

from cnnvis import console

RUNS = Path(__file__).parent / "runs"
FILMED = "images_5000"
FIRST_STEPS = 40  # of the training on pixels 0 to 255
BATCH = 125  # images, there


@dataclass(frozen=True)
class Training:
    """How `basic` is trained on CIFAR-10: options of train.py."""

    limit: int | None = 5000
    validation: int = 2000
    epochs: int | None = None
    learning_rate: float | None = None
    recipe: tuple = ()


TRAININGS = {
    "images_500": Training(limit=500, epochs=30, recipe=("patience=0",)),
    "images_5000": Training(epochs=12),
    "images_45000": Training(limit=None, validation=5000),
    "rate_too_high": Training(epochs=6, learning_rate=1),
    "rate_too_low": Training(epochs=6, learning_rate=0.0003),
    "underfitting": Training(epochs=6, recipe=("widths=2,4",)),
    "label_smoothing": Training(limit=500, epochs=30, recipe=("label_smoothing=0.4", "patience=0")),
    "not_augmented": Training(epochs=12, recipe=("flip=none", "crop_margin=0")),
}
NAMES = [*TRAININGS, "raw_pixels"]


def options():
    parser = console.parser(__doc__)
    parser.prog = "python -m article.trainings"
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(NAMES)} (default: those missing)")
    return parser


def make(args):
    unknown = [name for name in args.names if name not in NAMES]
    if unknown:
        raise ValueError(f"no training is called {unknown[0]!r}; there are {', '.join(NAMES)}")
    for name in args.names or [name for name in NAMES if not (RUNS / f"{name}.csv").exists()]:
        write(RUNS / f"{name}.csv", first_steps(args.seed) if name == "raw_pixels" else train(name, args.seed))


def train(name, seed):
    """Train, and return the rows of the epochs: list of dict."""
    from article.catalogue import TRUCK
    from cnnvis import images, plots, training

    asked = TRAININGS[name]
    dataset, held_out, _ = images.for_training("cifar10", limit=asked.limit, validation=asked.validation, seed=seed)
    wishes = {"epochs": asked.epochs, "learning_rate": asked.learning_rate}
    recipe = training.recipe_for("basic", dataset, asked.recipe, **wishes)
    film = training.Film(images.load("samples", "test").take([TRUCK]), RUNS / f"{name}.npz") if name == FILMED else None
    how = {"held_out": held_out, "seed": seed, "film": film, "draw": plots.training_curves}
    return training.train(dataset, recipe, arch="basic", **how).rows


def first_steps(seed):
    """The loss of each of the first steps of `basic`, with its normalisation and with pixels as they are."""
    import keras
    import numpy as np

    from cnnvis import images
    from models import convnet

    dataset = images.load("cifar10", "train").take(np.arange(FIRST_STEPS * BATCH))
    pixels = dataset.images.astype("float32")
    normalised = {"mean": pixels.mean(axis=(0, 1, 2)), "variance": pixels.var(axis=(0, 1, 2))}
    losses = {}
    for column, how in {"normalised": normalised, "raw": {}}.items():
        network = convnet.build_model("basic", len(dataset.classes), seed=seed, **how)
        network.compile(keras.optimizers.Adam(), loss="sparse_categorical_crossentropy")
        losses[column] = [
            float(network.train_on_batch(pixels[first : first + BATCH], dataset.labels[first : first + BATCH]))
            for first in range(0, len(pixels), BATCH)
        ]
    return [{"step": step, **dict(zip(losses, row))} for step, row in enumerate(zip(*losses.values()), start=1)]


def write(path, rows):
    with console.complete(path) as unfinished, open(unfinished, "w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, rows[0])
        table.writeheader()
        table.writerows(rows)


if __name__ == "__main__":
    sys.exit(console.run(options(), make))
