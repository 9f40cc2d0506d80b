#!/usr/bin/env python3
"""Time a few hundred steps of our trainings and of others', side by side, and print a Markdown table."""

import json
import sys
from argparse import SUPPRESS
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from bench import contest, machine  # noqa: E402
from cnnvis.checkpoints import checkpoint  # noqa: E402
from cnnvis.console import messages as console  # noqa: E402
from cnnvis.console import options as cli  # noqa: E402
from cnnvis.training import recipes  # noqa: E402

IMAGES = 50_000  # of CIFAR-10, in an epoch
COLUMNS = "training | precision | batch | images/s | GFLOP/s | s/epoch | epochs | whole training | test accuracy"
LEGEND = (
    "Images/s: the median round; in brackets the slowest and the fastest. GFLOP/s: two for each multiply-add of CONV "
    "and FC layers, training = three times the forward pass. The whole training is extrapolated. Test accuracy: of one "
    "view of each picture, where it is known."
)


@dataclass(frozen=True)
class Contender:
    """A training that takes part.

    Attributes
    ----------
    title : str
    epochs : int
        Of its recipe.
    batch_size : int
        Pictures a step.
    accuracy : str
        Of the trained network on the test set, and where that figure is from.
    """

    title: str
    epochs: int
    batch_size: int
    accuracy: str


def contenders():
    """All that take part, by the name of what trains them in `contenders.py`: dict of str to Contender."""
    deep, basic = our_recipe("deep"), our_recipe("basic")
    return {
        "tutorial_basic": Contender("tutorial, basic: 4 CONV", 200, 128, "~80% (published)"),
        "tutorial_deeper": Contender("tutorial, deeper: 6 CONV", 50, 128, "~85% (published)"),
        "stock_deep": Contender("`deep`, stock Keras", deep.epochs, deep.batch_size, "–"),
        "ours_deep": Contender("`deep`, train.py", deep.epochs, deep.batch_size, stashed_accuracy("deep")),
        "ours_basic": Contender("`basic`, train.py", basic.epochs, basic.batch_size, stashed_accuracy("basic")),
    }


def our_recipe(arch):
    return recipes.adapt(recipes.RECIPES[arch], IMAGES)


def stashed_accuracy(arch, stash=checkpoint.STASH):
    """Test accuracy of the newest stashed network that today's recipe made of all of CIFAR-10; "–" if there is none."""
    found = []
    for path in stash.glob("[!.]*.keras"):
        metadata = checkpoint.read_metadata(path)
        whole = (metadata.get("architecture"), metadata.get("data"), metadata.get("training_images"))
        if whole == (arch, "cifar10", IMAGES) and is_recipe(metadata.get("recipe"), our_recipe(arch)):
            found.append((metadata["trained_at"], f"{metadata['test_accuracy']:.2%} ({path.stem}.json)"))
    return max(found)[1] if found else "–"


def is_recipe(written, recipe):
    """Whether a recipe as it is written beside a checkpoint, perhaps by an older version, is this one.

    What recipes no longer have was off in it, then.
    """
    try:
        kept = {name: value for name, value in written.items() if value or name in recipes.ENTRIES}
        return json.dumps(asdict(recipes.Recipe(**kept))) == json.dumps(asdict(recipe))
    except (AttributeError, TypeError):
        return False


def options():
    parser = cli.parser(__doc__, "Each training runs in a process of its own, one after the other, round after round.")
    parser.add_argument("--steps", type=cli.positive, default=70, metavar="N", help="timed steps of each training")
    parser.add_argument("--warm-up", type=cli.natural, default=10, metavar="N", help="steps before them")
    parser.add_argument(
        "--rounds", type=cli.positive, default=3, metavar="N", help="times that each training has its turn"
    )
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the table there, too")
    parser.add_argument("--contender", help=SUPPRESS)  # train this one only, and print JSON: what `run` asks for
    return parser


def main(argv=None):
    return cli.run(options(), lambda args: (train_one if args.contender else compare)(args), argv)


def train_one(args):
    """Train one contender and print what was measured, as JSON."""
    from bench.contenders import measure

    contender = contenders()[args.contender]
    console.say(json.dumps(measure(args.contender, contender, args.steps, args.warm_up, args.seed)))


def compare(args):
    from cnnvis.images import sources as data

    field = contenders()
    shortest = min(contender.epochs * (IMAGES // contender.batch_size) for contender in field.values())
    if args.warm_up + args.steps > shortest:
        raise ValueError(f"--warm-up and --steps are more than the {shortest:,} steps that the shortest training has")
    contest.check_report(args.out)
    data.load("cifar10", "train")  # to say at once that it can't be had
    results = {name: [] for name in field}
    for number in range(args.rounds):
        for name, contender in field.items():
            results[name].append(run(name, args))
            rate = results[name][-1]["images_per_second"]
            console.notice(f"round {number + 1} of {args.rounds}, {contender.title}: {rate:,.0f} images a second")
    text = f"{conditions(args)}\n\n{table(field, results)}\n\n{LEGEND}"
    contest.publish(text, args.out)


def run(name, args):
    """What one training measured of itself, in a fresh process."""
    options = ["--contender", name, "--seed", args.seed, "--steps", args.steps, "--warm-up", args.warm_up]
    return contest.measured(name, __file__, *options, debug=args.debug)


def conditions(args):
    """Machine, versions, date and n, in a line."""
    return machine.describe(
        f"n = {args.rounds} rounds in which each training has its turn: {args.warm_up} steps to warm up, then "
        f"{args.steps} that are timed"
    )


def table(field, results):
    """The Markdown table.

    Parameters
    ----------
    field : dict of str to Contender
    results : dict of str to list of dict
        What `contenders.measure` gives, of each round.

    Returns
    -------
    str
        A row a contender, in the order of `field`.
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
