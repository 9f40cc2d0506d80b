#!/usr/bin/env python3
"""Which batch size and how many threads train fastest? Time a few steps of each setting, and print a Markdown table.

A batch that is twice as large makes half as many steps an epoch: that it is faster doesn't say that it learns as much.
"""

import json
import sys
from argparse import SUPPRESS
from pathlib import Path
from statistics import median

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from bench import contest, machine  # noqa: E402
from cnnvis import cli, console, recipes  # noqa: E402

BATCH_SIZES = (250, 500, 1000, 2000)
THREADS = (0, 1, 2, 4)  # of an operation; 0: as many as TensorFlow likes


def options():
    parser = cli.parser(__doc__, "Each setting runs in a process of its own, one after the other, round after round.")
    parser.add_argument("--arch", choices=tuple(recipes.RECIPES), default="deep", help="whose recipe")
    parser.add_argument("--images", type=cli.positive, default=10_000, metavar="N", help="timed a turn, about")
    parser.add_argument("--rounds", type=cli.positive, default=3, metavar="N", help="times that each has its turn")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the table there, too")
    parser.add_argument("--setting", nargs=2, type=int, help=SUPPRESS)  # measure this one only, and print JSON
    return parser


def main(argv=None):
    return cli.run(options(), lambda args: (measure if args.setting else compare)(args), argv)


def settings(arch):
    """Pairs of batch size and threads: one of them as in the recipe, the other varied."""
    usual = recipes.RECIPES[arch].batch_size
    return [(size, 0) for size in BATCH_SIZES] + [(usual, threads) for threads in THREADS if threads]


def measure(args):
    """Train for some steps, and print the images a second as JSON."""
    from bench import throughput

    batch_size, threads = args.setting
    asked = ["--arch", args.arch, "--batch-size", str(batch_size), "--threads", str(threads)]
    _, _, model, batches = throughput.prepare(throughput.options().parse_args(asked))
    watch = throughput.Stopwatch()
    steps = min(-(-args.images // batch_size) + 1, len(batches))
    throughput.train_steps(model, batches, steps, [watch])
    console.say(json.dumps(batch_size / median(watch.seconds)))


def compare(args):
    contest.check_report(args.out)
    rates = {setting: [] for setting in settings(args.arch)}
    for number in range(args.rounds):
        for setting in rates:
            name = "batches of {}, {} threads".format(*setting)
            chosen = ["--arch", args.arch, "--images", args.images, "--setting", *setting]
            rates[setting].append(contest.measured(name, __file__, *chosen, debug=args.debug))
            console.notice(f"round {number + 1} of {args.rounds}, {name}: {rates[setting][-1]:,.0f} images a second")
    how = f"n = {args.rounds} rounds in which each setting has its turn of about {args.images:,} images"
    contest.publish(f"{machine.describe(f'{args.arch}; {how}')}\n\n{table(rates)}", args.out)


def table(rates):
    """The Markdown table: a row for each setting, (batch size, threads) -> images a second of each round."""
    lines = ["| batch | threads of an operation | images/s |", "| ---: | ---: | ---: |"]
    for (batch_size, threads), rounds in rates.items():
        shown = f"{median(rounds):,.0f} ({min(rounds):,.0f}–{max(rounds):,.0f})"
        lines.append(f"| {batch_size} | {threads or 'as TensorFlow likes'} | {shown} |")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
