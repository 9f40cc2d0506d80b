#!/usr/bin/env python3
"""What a trained network to start from brings, on few digits and on few photos, and print a Markdown table.

The photos are of five classes of CIFAR-10; the network to start from has learned the other five.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import mean

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402
from PIL import Image  # noqa: E402

from bench import contest, machine  # noqa: E402
from cnnvis import console, images  # noqa: E402

DIGITS = 200  # training images
PHOTOS, TESTED = 20, 200  # training and test images of each class
FEW_STARTS = {
    "`--start-from basic`": ["--start-from", "basic"],
    "`--start-from deep`": ["--start-from", "deep"],
    "from scratch, `--arch basic`": ["--arch", "basic"],
    "from scratch, `--arch deep`": ["--arch", "deep"],
}


def options():
    parser = console.parser(__doc__)
    parser.add_argument("--trainings", type=console.positive, default=5, metavar="N", help="on digits, of each kind")
    parser.add_argument("--draws", type=console.positive, default=3, metavar="N", help="of five classes and 100 photos")
    parser.add_argument("--epochs", type=console.positive, metavar="N", help="per training (default: recipe)")
    parser.add_argument("--out", type=Path, help="write the report to this file, too")
    return parser


def main(argv=None):
    return console.run(options(), compare, argv)


def compare(args):
    contest.check_report(args.out)
    epochs = ["--epochs", args.epochs] if args.epochs else []
    lines = ["| training images | start | test accuracy | n |", "| --- | --- | ---: | ---: |"]
    with tempfile.TemporaryDirectory() as folder:
        for name, start in FEW_STARTS.items():
            chosen = ["--data", "digits", "--limit", DIGITS, *start, *epochs]
            found = [accuracy(Path(folder), "digits", *chosen, "--seed", seed) for seed in range(args.trainings)]
            lines.append(row(f"{DIGITS} digits", name, found))
        found = np.array([of_photos(Path(folder), epochs, draw) for draw in range(args.draws)])
        what = f"{5 * PHOTOS} photos, {PHOTOS} of each of five classes"
        lines.append(row(what, "`--start-from` a `basic` of the other five, `flip=alternating`", found[:, 0]))
        lines.append(row(what, "from scratch, `--arch basic`", found[:, 1]))
        contest.publish("\n".join([machine.describe(f"{5 * TESTED:,} test photos"), "", *lines]), args.out)


def row(what, start, accuracies):
    """One of the table: the mean accuracy, with the lowest and the highest."""
    low, high = min(accuracies), max(accuracies)
    return f"| {what} | {start} | {mean(accuracies):.1%} ({low:.1%}–{high:.1%}) | {len(accuracies)} |"


def of_photos(folder, epochs, draw):
    """The accuracies with five classes drawn at random: started from the other five, and from scratch."""
    rng = np.random.default_rng(draw)
    order = rng.permutation(10)
    train, test = (images.load("cifar10", split) for split in ("train", "test"))
    few, others = folder / f"few_{draw}", folder / f"others_{draw}"
    write(train, few / "train", order[:5], rng, PHOTOS)
    write(test, few / "test", order[:5], rng, TESTED)
    write(train, others / "train", order[5:], rng)
    write(test, others / "test", order[5:], rng, TESTED)
    name = f"others_{draw}"
    accuracy(folder, name, "--data", others, "--arch", "basic", *epochs)
    base = ["--start-from", folder / f"{name}.keras", "--recipe", "flip=alternating"]
    starts = (base, ["--arch", "basic"])
    return [accuracy(folder, "few", "--data", few, *start, "--seed", draw, *epochs) for start in starts]


def write(dataset, folder, labels, rng, count=None):
    """Write images of some classes as a folder of photos, `count` of each, drawn at random, or all."""
    for label in labels:
        directory = folder / dataset.classes[label]
        directory.mkdir(parents=True)
        for index in rng.permutation(np.flatnonzero(dataset.labels == label))[:count]:
            Image.fromarray(dataset.images[index]).save(directory / f"{index}.png")


def accuracy(folder, name, *options):
    """Train as a user does: the accuracy of one view of the test images."""
    command = [sys.executable, ROOT / "train.py", *options, "--name", name, "--out", folder, "--overwrite"]
    done = subprocess.run(list(map(str, command)), capture_output=True, encoding="utf-8", errors="replace")
    if done.returncode:
        raise ChildProcessError(f"{name} failed: {done.stderr.strip().splitlines()[-1]}")
    found = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))["test_accuracy"]
    console.notice(f"{name}, {' '.join(map(str, options))}: {found:.2%}")
    return found


if __name__ == "__main__":
    sys.exit(main())
