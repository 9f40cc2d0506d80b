#!/usr/bin/env python3
"""Whether it helps to end a training of `deep` on images that are only mirrored, and print JSON.

The last epochs are run anew for each length of that end, from one state of the network, so that all else is equal.
"""

import json
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from cnnvis import console, evaluation, images, network, training  # noqa: E402
from cnnvis.training import loop  # noqa: E402
from cnnvis.training.batches import Batches, dataset_of  # noqa: E402

UNCHANGED = {"crop_margin": 0, "brightness": 0.0, "contrast": 0.0, "jpeg": 0.0, "cutout": 0}


def options():
    parser = console.parser(__doc__)
    parser.add_argument("--epochs", type=console.positive, default=12, metavar="N", help="of each training")
    parser.add_argument("--ends", type=int, nargs="+", default=[0, 2, 4], metavar="N", help="epochs of each end")
    parser.add_argument("--validation", type=console.positive, default=10_000, metavar="N", help="images held out")
    parser.add_argument("--changes", default="", help="in the recipe, such as crop_margin=3")
    return parser


def main(argv=None):
    return console.run(options(), compare, argv)


def compare(args):
    dataset, held_out, _ = images.for_training("cifar10", validation=args.validation, seed=args.seed)
    recipe = training.recipe_for("deep", dataset, args.changes.split(), epochs=args.epochs)
    precision = loop.precision_of("auto")
    model, augmented = loop.prepare(dataset, recipe, arch="deep", seed=args.seed, precision=precision)
    clean = Batches(dataset.images, dataset.labels, replace(recipe, **UNCHANGED), seed=args.seed)
    shared = args.epochs - max(args.ends)
    run(model, augmented, range(shared))
    variables = model.variables + model.optimizer.variables
    state = [variable.numpy() for variable in variables]
    for end in args.ends:
        for variable, value in zip(variables, state, strict=True):
            variable.assign(value)
        run(model, augmented, range(shared, args.epochs - end))
        run(model, clean, range(args.epochs - end, args.epochs))
        final = loop.plain("deep", dataset, recipe, model, seed=args.seed)
        loop.recompute_statistics(final, (clean if end else augmented).parts(args.epochs))
        accuracies = evaluation.accuracies(network.Classifier(final), held_out.images, held_out.labels)
        console.say(json.dumps([end, *accuracies]))


def run(model, batches, epochs):
    for epoch in epochs:
        pairs = dataset_of(partial(batches.of_epoch, epoch), len(batches), next(batches.of_epoch(epoch)))
        model.fit(pairs, epochs=1, verbose=0, shuffle=False)


if __name__ == "__main__":
    sys.exit(main())
