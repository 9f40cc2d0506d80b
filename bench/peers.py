#!/usr/bin/env python3
"""Time some steps of our trainings and of others side by side, and print a Markdown table."""

import json
import sys
from argparse import SUPPRESS
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from bench import contest, machine  # noqa: E402
from cnnvis import checkpoints, console, training  # noqa: E402

IMAGES = 50_000  # training images of CIFAR-10
COLUMNS = "training | precision | batch | images/s | GFLOP/s | s/epoch | epochs | whole training | test accuracy"
LEGEND = (
    "Images/s: the median round; in brackets the slowest and the fastest. GFLOP/s: two for each multiply-add of CONV "
    "and FC layers, training = three times the forward pass. The whole training is extrapolated. Test accuracy: "
    "without TTA, if known."
)


@dataclass(frozen=True)
class Contender:
    """A training to compare.

    Attributes
    ----------
    title : str
    epochs : int
        In its recipe.
    batch_size : int
        Images per step.
    accuracy : str
        Test accuracy of the trained network, and its source.
    """

    title: str
    epochs: int
    batch_size: int
    accuracy: str


def contenders():
    """All trainings by their key in `contenders.TRAININGS`: dict of str to Contender."""
    deep, basic = our_recipe("deep"), our_recipe("basic")
    return {
        "tutorial_basic": Contender("tutorial, basic: 4 CONV", 200, 128, "~80% (published)"),
        "tutorial_deeper": Contender("tutorial, deeper: 6 CONV", 50, 128, "~85% (published)"),
        "stock_deep": Contender("`deep`, stock Keras", deep.epochs, deep.batch_size, "–"),
        "ours_deep": Contender("`deep`, train.py", deep.epochs, deep.batch_size, stashed_accuracy("deep")),
        "ours_basic": Contender("`basic`, train.py", basic.epochs, basic.batch_size, stashed_accuracy("basic")),
    }


def our_recipe(arch):
    return training.adapt(training.RECIPES[arch], IMAGES)


def stashed_accuracy(arch, stash=checkpoints.STASH):
    """Test accuracy of the newest stashed network with the current recipe and all of CIFAR-10; "–" if there is none."""
    found = []
    for path in stash.glob("[!.]*.keras"):
        metadata = checkpoints.read_metadata(path)
        whole = (metadata.get("architecture"), metadata.get("data"), metadata.get("training_images"))
        if whole == (arch, "cifar10", IMAGES) and is_recipe(metadata.get("recipe"), our_recipe(arch)):
            found.append((metadata["trained_at"], f"{metadata['test_accuracy']:.2%} ({path.stem}.json)"))
    return max(found)[1] if found else "–"


def is_recipe(written, recipe):
    """Whether the recipe saved with a checkpoint, perhaps by an older version, is this one.

    Entries that no longer exist must be off.
    """
    try:
        kept = {name: value for name, value in written.items() if value or name in training.ENTRIES}
        return json.dumps(asdict(training.Recipe(**kept))) == json.dumps(asdict(recipe))
    except (AttributeError, TypeError):
        return False


def options():
    parser = console.parser(__doc__, "In each round, every training runs once, in its own process.")
    parser.add_argument("--steps", type=console.positive, default=70, metavar="N", help="timed steps of each training")
    parser.add_argument("--warm-up", type=console.natural, default=10, metavar="N", help="steps before the timed ones")
    parser.add_argument("--rounds", type=console.positive, default=3, metavar="N", help="runs of each training")
    parser.add_argument("--out", type=Path, metavar="FILE", help="also write the table to this file")
    parser.add_argument("--contender", help=SUPPRESS)  # time only this one, and print JSON
    return parser


def main(argv=None):
    return console.run(options(), lambda args: (train_one if args.contender else compare)(args), argv)


def train_one(args):
    """Time one training, and print the results as JSON."""
    from bench.contenders import measure

    contender = contenders()[args.contender]
    how = {"steps": args.steps, "warm_up": args.warm_up, "seed": args.seed}
    console.say(json.dumps(measure(args.contender, contender, **how)))


def compare(args):
    from cnnvis import images

    field = contenders()
    shortest = min(contender.epochs * (IMAGES // contender.batch_size) for contender in field.values())
    if args.warm_up + args.steps > shortest:
        raise ValueError(f"--warm-up and --steps exceed the {shortest:,} steps of the shortest training: choose fewer")
    contest.check_report(args.out)
    images.load("cifar10", "train")  # fails at once if it is missing
    results = {name: [] for name in field}
    for number in range(args.rounds):
        for name, contender in field.items():
            results[name].append(run(name, args))
            rate = results[name][-1]["images_per_second"]
            console.notice(f"round {number + 1} of {args.rounds}, {contender.title}: {rate:,.0f} images/s")
    text = f"{conditions(args)}\n\n{table(field, results)}\n\n{LEGEND}"
    contest.publish(text, args.out)


def run(name, args):
    """Results of one training, from a fresh process."""
    options = ["--contender", name, "--seed", args.seed, "--steps", args.steps, "--warm-up", args.warm_up]
    return contest.measured(name, __file__, *options, debug=args.debug)


def conditions(args):
    """Machine, versions, date and n, in a line."""
    return machine.describe(
        f"n = {args.rounds} rounds, {args.steps} timed steps of each training after {args.warm_up} to warm up"
    )


def table(field, results):
    """The Markdown table.

    Parameters
    ----------
    field : dict of str to Contender
    results : dict of str to list of dict
        Results of `contenders.measure`, one per round.

    Returns
    -------
    str
        One row per contender, in the order of `field`.
    """
    lines = [COLUMNS, "--- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---"]
    for name, contender in field.items():
        rates = [result["images_per_second"] for result in results[name]]
        rate, first = median(rates), results[name][0]
        seconds = IMAGES / rate
        cells = (
            contender.title,
            first["precision"],
            f"{contender.batch_size}",
            f"{rate:,.0f} ({min(rates):,.0f}–{max(rates):,.0f})",
            f"{first['flops_per_image'] * rate / 1e9:,.0f}",
            f"{seconds:.1f}",
            f"{contender.epochs}",
            f"{contender.epochs * seconds / 60:.1f} min",
            contender.accuracy,
        )
        lines.append(" | ".join(cells))
    return "\n".join(f"| {line} |" for line in lines)


if __name__ == "__main__":
    sys.exit(main())
