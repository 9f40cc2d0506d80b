#!/usr/bin/env python3
"""What our own layers and ghost batches bring in speed: training with them, and with Keras's own and whole batches.

All have the same weights. They train for some steps each, in turn, round after round; ratios are taken round by round,
so that a machine whose speed drifts harms them little.
"""

import sys
from functools import partial
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).parent.parent))

import cnnvis  # noqa: F401 - before TensorFlow, which it sets up

# isort: split
import keras

from bench import contest, machine, throughput
from cnnvis import cli, console
from cnnvis.ghost_batches import GhostBatches

PIXELS = {"normalization": keras.layers.Normalization}
CONVOLUTION = {"convolution": keras.layers.Conv2D}
NORMALIZATION = {"batch_normalization": keras.layers.BatchNormalization}
WHOLE_BATCHES = {"network": partial(GhostBatches, parts=1)}
CONTENDERS = {
    "ours": {},
    "CONV layers of Keras's": CONVOLUTION,
    "batch normalisation of Keras's": NORMALIZATION,
    "normalisation of pixels, of Keras's": PIXELS,
    "batches whole": WHOLE_BATCHES,
    "all of Keras's": CONVOLUTION | NORMALIZATION | PIXELS | WHOLE_BATCHES,
}


def options():
    parser = cli.parser(__doc__)
    parser.add_argument("--rounds", type=cli.positive, default=5, metavar="N", help="times that each has its turn")
    parser.add_argument("--steps", type=cli.positive, default=6, metavar="N", help="timed a turn")
    parser.add_argument("--only", choices=tuple(CONTENDERS)[1:], help="ours and this one (default: all)")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the table there, too")
    return parser


def compare(args):
    contest.check_report(args.out)
    chosen = {name: CONTENDERS[name] for name in CONTENDERS if args.only in (None, name) or name == "ours"}
    trainings, seconds = {}, {name: [] for name in chosen}
    for name, layers in chosen.items():
        precision, recipe, model, batches = throughput.prepare(throughput.options().parse_args([]), **layers)
        trainings[name] = model, batches
    for number in range(args.rounds + 1):
        for name, (model, batches) in trainings.items():
            watch = throughput.Stopwatch()
            throughput.train_steps(model, batches, args.steps + 1, [watch])
            if number:  # the first round warms up
                seconds[name].append(median(watch.seconds))
        console.notice(f"round {number} of {args.rounds}" if number else "warmed up")
    how = f"deep, batches of {recipe.batch_size}, {precision}; n = {args.rounds} rounds of {args.steps} steps each"
    contest.publish(f"{machine.describe(how)}\n\n{table(seconds, recipe.batch_size)}", args.out)


def table(seconds, batch_size):
    """The Markdown table: contender -> seconds a step of each round, the first contender's being ours."""
    lines = ["| layers | images/s | ours are faster by |", "| --- | ---: | ---: |"]
    for name, theirs in seconds.items():
        rates = [batch_size / each for each in theirs]
        shown = f"{median(rates):,.0f} ({min(rates):,.0f}–{max(rates):,.0f})"
        ratios = [each / ours for each, ours in zip(theirs, seconds["ours"])]
        lines.append(f"| {name} | {shown} | {median(ratios):.2f}× ({min(ratios):.2f}–{max(ratios):.2f}) |")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(cli.run(options(), compare))
