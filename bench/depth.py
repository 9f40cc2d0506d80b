#!/usr/bin/env python3
"""What depth alone brings: `basic` with one, two (as it is) and three CONV layers before each POOL, held-out images.

Everything else is the same: filters, FC layers and recipe. The test set is not read.
"""

import json
import sys
from argparse import SUPPRESS
from pathlib import Path
from statistics import mean

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from bench import contest, machine  # noqa: E402
from cnnvis import console  # noqa: E402

LAYERS = (1, 2, 3)  # CONV layers before each POOL
HELD_OUT = 10_000  # training images


def options():
    parser = console.parser(__doc__)
    parser.add_argument("--trainings", type=console.positive, default=2, metavar="N", help="of each network")
    parser.add_argument("--epochs", type=console.positive, metavar="N", help="per training (default: recipe)")
    parser.add_argument("--limit", type=console.positive, metavar="N", help="only N training images (default: all)")
    parser.add_argument("--out", type=Path, help="write the report to this file, too")
    parser.add_argument("--layers", type=console.positive, help=SUPPRESS)  # train only this network, and print JSON
    return parser


def main(argv=None):
    return console.run(options(), lambda args: (measure if args.layers else compare)(args), argv)


def compare(args):
    contest.check_report(args.out)
    asked = [text for name in ("epochs", "limit") if (value := getattr(args, name)) for text in (f"--{name}", value)]
    lines = ["| CONV layers | weights | accuracy | n |", "| ---: | ---: | --- | ---: |"]
    for count in LAYERS:
        found = []
        for seed in range(args.trainings):
            chosen = ["--layers", count, "--seed", seed, *asked]
            weights, accuracy = contest.measured(f"{2 * count} CONV layers", __file__, *chosen, debug=args.debug)
            console.notice(f"{2 * count} CONV layers, seed {seed}: {accuracy:.2%}")
            found.append(accuracy)
        cells = f"{mean(found):.2%} ({min(found):.2%}–{max(found):.2%}) | {len(found)}"
        lines.append(f"| {2 * count} | {weights:,} | {cells} |")
    about = machine.describe(f"accuracy on {HELD_OUT:,} training images held out")
    contest.publish("\n".join([about, "", *lines]), args.out)


def measure(args):
    """Train one network, and print its number of weights and its accuracy on held-out images as JSON."""
    from cnnvis import evaluation, images, network, training
    from models import convnet

    name = f"basic_{2 * args.layers}"
    convnet.ARCHITECTURES[name] = plain(args.layers)
    convnet.WIDTHS[name], training.RECIPES[name] = convnet.WIDTHS["basic"], training.RECIPES["basic"]
    dataset, held_out, _ = images.for_training("cifar10", validation=HELD_OUT, limit=args.limit, seed=args.seed)
    recipe = training.recipe_for(name, dataset, epochs=args.epochs)
    trained = training.train(dataset, recipe, arch=name, seed=args.seed).network
    probabilities = network.Classifier(trained).probabilities(held_out.images)
    weights = sum(layer.count_params() for layer in trained.layers if layer.name != "normalization")
    console.say(json.dumps([weights, evaluation.accuracy(probabilities, held_out.labels)]))


def plain(count):
    """`basic` with so many CONV layers before each POOL: a function like those in `convnet.ARCHITECTURES`."""
    from keras import initializers, layers

    def build(x, classes, *, widths, seeds, variant):
        numbers = iter(range(1, 1 + count * len(widths)))
        for group, filters in enumerate(widths, 1):
            for _ in range(count):
                number, start = next(numbers), initializers.HeUniform(next(seeds))
                how = {"padding": "same", "kernel_initializer": start, "data_format": "channels_last"}
                x = layers.Conv2D(filters, 3, name=f"conv{number}", **how)(x)
                x = layers.ReLU(name=f"relu{number}")(x)
            x = layers.MaxPooling2D(2, name=f"pool{group}", data_format="channels_last")(x)
        x = layers.Flatten(name="flatten")(x)
        x = layers.Dense(256, kernel_initializer=initializers.HeUniform(next(seeds)), name="fc1")(x)
        x = layers.ReLU(name=f"relu{count * len(widths) + 1}")(x)
        x = layers.Dropout(0.2, seed=next(seeds), name="dropout")(x)
        start = initializers.GlorotUniform(next(seeds))
        return layers.Dense(classes, kernel_initializer=start, dtype="float32", name="fc2")(x)

    return build


if __name__ == "__main__":
    sys.exit(main())
