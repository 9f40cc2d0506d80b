#!/usr/bin/env python3
"""What each trick of a recipe brings: train without it, on several seeds, and look at held-out training images.

Each line of the table leaves one trick out, or changes one; the test set is not read. What is measured is kept in a
CSV file and not measured again, so that the table can be made in several sittings.
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
from cnnvis.console import messages as console  # noqa: E402
from cnnvis.console import options as cli  # noqa: E402

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
        "lookahead": ["lookahead=on"],
        "small pictures first": ["small_side=24", "small_epochs=2"],
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
FIELDS = ["arch", "epochs", "validation", "changes", "seed", "accuracy", "six_views", "seconds"]


def options():
    parser = cli.parser(__doc__)
    parser.add_argument("--arch", choices=tuple(TRICKS), default="deep", help="whose recipe")
    parser.add_argument("--epochs", type=cli.positive, metavar="N", help="of each training (default: recipe)")
    parser.add_argument("--seeds", type=cli.positive, default=3, metavar="N", help="trainings a line")
    parser.add_argument("--validation", type=cli.positive, default=5000, metavar="N", help="images held out")
    parser.add_argument("--file", type=Path, default=ROOT / "bench" / "tricks.csv", help="of what was measured")
    parser.add_argument("--changes", help=SUPPRESS)  # measure this one only, and print JSON: what `measured` asks for
    return parser


def main(argv=None):
    return cli.run(options(), lambda args: (compare if args.changes is None else measure)(args), argv)


def compare(args):
    """Measure what is not in the file yet, seed after seed, then print the table."""
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
    """The row of the file that has this measurement, or None."""
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
    """Train once, in a fresh process: a row of the file."""
    options = ["--arch", args.arch, "--validation", args.validation, "--seed", seed, "--changes", " ".join(changes)]
    options += ["--epochs", args.epochs] if args.epochs else []
    name = f"the training with {' '.join(changes) or 'the recipe'}"
    return key(args, changes, seed) + contest.measured(name, __file__, *options, debug=args.debug)


def measure(args):
    """Train, and print the accuracy on the held-out images, one view and six, and the seconds, as JSON."""
    import time

    import train
    from cnnvis.images import inputs
    from cnnvis.network.classifier import Classifier
    from cnnvis.training import loop as training

    argv = ["--arch", args.arch, "--data", "cifar10", "--seed", str(args.seed), "--validation", str(args.validation)]
    argv += ["--epochs", str(args.epochs)] if args.epochs else []
    argv += ["--recipe", *args.changes.split()] if args.changes else []
    asked = train.options().parse_args(argv)
    pictures, held_out, _ = inputs.training_pictures(asked)
    recipe, model, batches, callbacks = train.prepare(asked, pictures)
    began = time.perf_counter()
    training.fit(model, batches, callbacks=callbacks)
    seconds = time.perf_counter() - began
    network = train.plain(asked, recipe, pictures, model)
    accuracy, six_views = training.accuracies(Classifier(network), held_out.images, held_out.labels)
    console.say(json.dumps([accuracy, six_views, seconds]))


def table(args, tricks):
    """The Markdown table: means, and differences from the first line seed by seed with their standard error.

    Seconds are those of the fastest seed: whatever else the machine had to do can only add to them.
    """
    seeds = range(args.seed, args.seed + args.seeds)
    lines = ["| | changed in the recipe | one view | costs | six views | seconds, the fastest |", "| --- " * 6 + "|"]
    whole = None
    for name, changes in tricks.items():
        rows = [found(args, changes, seed) for seed in seeds]
        one, six, seconds = ([float(row[field]) for row in rows] for field in FIELDS[5:])
        whole = whole or one
        gains = [100 * (a - b) for a, b in zip(whole, one)]
        error = f" ± {stdev(gains) / sqrt(len(gains)):.2f}" if len(gains) > 1 else ""
        brings = f"{mean(gains):+.2f}{error}" if changes else ""
        shown = f"`{' '.join(changes)}`" if changes else ""
        lines.append(f"| {name} | {shown} | {mean(one):.2%} | {brings} | {mean(six):.2%} | {min(seconds):.0f} |")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
