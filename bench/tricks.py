#!/usr/bin/env python3
"""How much each trick of a recipe helps: train without it, with several seeds, and score held-out training images.

Each row of the table leaves one trick out or changes it; the test set is not read. Results are kept in a CSV file and
not measured again, so that an interrupted run can be resumed.
"""

import csv
import json
import sys
from argparse import SUPPRESS
from math import sqrt
from pathlib import Path
from statistics import mean, stdev

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from bench import contest, machine  # noqa: E402
from cnnvis import console  # noqa: E402

SGD = ["optimizer=sgd", "learning_rate=1", "bias_scale=64", "logits_scale=0.0123", "weight_decay=0.008", "warmup=0.23"]
TRICKS = {
    "deep": {
        "the recipe": [],
        "SGD instead of Muon": SGD,
        "no whitening": ["whitening=off"],
        "CONV starts at random": ["identity_start=off"],
        "POOL without anti-aliasing": ["anti_aliasing=off"],
        "biases learn as kernels do": ["bias_scale=1"],
        "no label smoothing": ["label_smoothing=0"],
        "no crops": ["crop_margin=0"],
        "random flips": ["flip=random"],
        "statistics of whole batches": ["ghost_batch=0"],
        "brightness and contrast": ["brightness=0.14", "contrast=0.14"],
        "a quarter as JPEG": ["jpeg=0.25"],
    },
    "basic": {
        "the recipe": [],
        "Adam instead of Muon": ["optimizer=adam", "learning_rate=0.002", "batch_size=125"],
        "no label smoothing": ["label_smoothing=0"],
        "no crops": ["crop_margin=0"],
        "no flips": ["flip=none"],
        "random flips": ["flip=random"],
    },
}
FIELDS = ["arch", "epochs", "validation", "changes", "seed", "accuracy", "tta", "seconds"]


def options():
    parser = console.parser(__doc__)
    parser.add_argument("--arch", choices=tuple(TRICKS), default="deep", help="whose recipe")
    parser.add_argument("--epochs", type=console.positive, metavar="N", help="per training (default: recipe)")
    parser.add_argument("--seeds", type=console.positive, default=3, metavar="N", help="trainings per row")
    parser.add_argument("--validation", type=console.positive, default=5000, metavar="N", help="images held out")
    parser.add_argument("--file", type=Path, default=ROOT / "bench" / "tricks.csv", help="CSV file for the results")
    parser.add_argument("--changes", help=SUPPRESS)  # measure only this one, and print JSON
    return parser


def main(argv=None):
    return console.run(options(), lambda args: (compare if args.changes is None else measure)(args), argv)


def compare(args):
    """Measure all rows that are not in the file yet, seed after seed, then print the table."""
    tricks = TRICKS[args.arch]
    for seed in range(args.seed, args.seed + args.seeds):
        for name, changes in tricks.items():
            if found(args, changes, seed) is None:
                append(args.file, measured(args, changes, seed))
            row = found(args, changes, seed)
            console.notice(f"seed {seed}, {name}: {float(row['accuracy']):.2%} in {float(row['seconds']):.0f} s")
    epochs = f"{args.epochs} epochs" if args.epochs else "the recipe's epochs"
    how = f"n = {args.seeds} seeds, {epochs}, accuracy on {args.validation:,} training images held out"
    console.say(machine.describe(how))
    console.say("\n" + table(args, tricks))


def key(args, changes, seed):
    return [args.arch, str(args.epochs or "recipe"), str(args.validation), " ".join(changes), str(seed)]


def found(args, changes, seed):
    """The row of this measurement in the file, or None."""
    if not args.file.exists():
        return None
    with open(args.file, newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if [row[field] for field in FIELDS[:5]] == key(args, changes, seed)]
    return rows[-1] if rows else None


def append(path, row):
    new = not path.exists()
    with open(path, "a", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerows([FIELDS, row] if new else [row])


def measured(args, changes, seed):
    """Train once, in a fresh process: a row for the file."""
    options = ["--arch", args.arch, "--validation", args.validation, "--seed", seed, "--changes", " ".join(changes)]
    options += ["--epochs", args.epochs] if args.epochs else []
    name = f"the training with {' '.join(changes) or 'the recipe'}"
    return key(args, changes, seed) + contest.measured(name, __file__, *options, debug=args.debug)


def measure(args):
    """Train, and print the accuracy on held-out images, without and with TTA, and the seconds, as JSON."""
    from cnnvis import evaluation, images, network, training

    dataset, held_out, _ = images.for_training("cifar10", validation=args.validation, seed=args.seed)
    recipe = training.recipe_for(args.arch, dataset, args.changes.split(), epochs=args.epochs)
    trained = training.train(dataset, recipe, arch=args.arch, seed=args.seed)
    classifier = network.Classifier(trained.network)
    accuracy, tta = evaluation.accuracies(classifier, held_out.images, held_out.labels)
    console.say(json.dumps([accuracy, tta, trained.seconds]))


def table(args, tricks):
    """The Markdown table: means over seeds, and mean differences from the first row with their standard error.

    Seconds are those of the fastest seed, the least disturbed by other work of the machine.
    """
    seeds = range(args.seed, args.seed + args.seeds)
    lines = [
        "| | changed in the recipe | accuracy | loss | with TTA | seconds, the fastest |",
        "| --- " * 6 + "|",
    ]
    whole = None
    for name, changes in tricks.items():
        rows = [found(args, changes, seed) for seed in seeds]
        plain, tta, seconds = ([float(row[field]) for row in rows] for field in FIELDS[5:])
        whole = whole or plain
        losses = [100 * (a - b) for a, b in zip(whole, plain)]
        error = f" ± {stdev(losses) / sqrt(len(losses)):.2f}" if len(losses) > 1 else ""
        loss = f"{mean(losses):+.2f}{error}" if changes else ""
        shown = f"`{' '.join(changes)}`" if changes else ""
        lines.append(f"| {name} | {shown} | {mean(plain):.2%} | {loss} | {mean(tta):.2%} | {min(seconds):.0f} |")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
