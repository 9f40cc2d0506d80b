#!/usr/bin/env python3
"""Train a convolutional network and stash it in models/stashed/, where the visualize scripts find it."""

import sys
from datetime import datetime
from functools import partial
from pathlib import Path

from cnnvis import checkpoints, console, evaluation, images, network, plots, training

STASH = Path(__file__).parent / "models" / "stashed"
RECIPE = ("epochs", "batch_size", "learning_rate")  # its entries that are options


def options():
    parser = console.parser(__doc__, "Ctrl-C is safe: --resume continues after the last complete epoch.")
    entry = {name: console.checked(partial(training.parse, name)) for name in RECIPE}
    add = parser.add_argument_group("what is trained").add_argument
    add("--arch", choices=tuple(training.RECIPES), default="deep", help="basic has 4 CONV layers, deep has 6")
    data = "cifar10, digits, or a folder DIR with DIR/train/<class>/* and DIR/test/<class>/*; "
    add("--data", default="auto", metavar="NAME", help=data + "auto: CIFAR-10 if it is available, else digits")
    console.skip_bad(add)
    add("--limit", type=console.positive, metavar="N", help="only N training images, for a quick look (default: all)")
    validation = "hold out N training images, and evaluate the network on them after every epoch"
    add("--validation", type=console.natural, default=0, metavar="N", help=validation)
    recipe = "defaults that are not shown are the recipe of the architecture, in cnnvis/training/recipes.py"
    add = parser.add_argument_group("how it is trained", recipe).add_argument
    add("--epochs", type=entry["epochs"], metavar="N", help="passes over the training images (default: recipe)")
    add("--batch-size", type=entry["batch_size"], metavar="N", help="images per step (default: recipe)")
    add("--learning-rate", type=entry["learning_rate"], metavar="RATE", help="peak learning rate (default: recipe)")
    change = console.checked(lambda text: training.parse_change(text) and text)
    changes = "change other entries of the recipe, such as lookahead=on or widths=64,128,128"
    add("--recipe", nargs="+", type=change, default=[], metavar="NAME=VALUE", help=changes)
    precision = "of the arithmetic; auto: bfloat16 where the processor or GPU multiplies in it natively, else float32"
    add("--precision", choices=("auto", "float32", "bfloat16"), default="auto", help=precision)
    add("--deterministic", action="store_true", help="bit-exact repeatability, slower")
    share = "share every batch: mirrored among all GPUs of this machine, multiworker among the machines of TF_CONFIG"
    add("--strategy", choices=("none", "mirrored", "multiworker"), default="none", help=share)
    add = parser.add_argument_group("where it goes").add_argument
    add("--name", help="the checkpoint is DIR/NAME.keras (default: <data>_<arch>_<date-time>)")
    add("--out", type=Path, default=STASH, metavar="DIR", help="folder of checkpoints")
    add("--overwrite", action="store_true", help="replace a checkpoint or an interrupted run of that name")
    add("--resume", action="store_true", help="resume the interrupted run of that name")
    add("--tensorboard", type=Path, metavar="DIR", help="write TensorBoard logs there, if it is installed")
    return parser


def train(args):
    asked = partial(console.settings, args)
    if not args.resume:
        training.recipe_of(args.arch, args.recipe, **asked(*RECIPE))  # refuses mistakes before images are read
    if args.name is None and not args.resume:
        args.data = images.available(args.data)
        args.name = f"{Path(args.data).resolve().name}_{args.arch}_{datetime.now():%Y-%m-%d_%H-%M-%S}"
    with training.open_run(args.out, args.name, **asked("resume", "overwrite", "strategy")) as run:
        if args.resume:
            console.restore(args, options(), began=run.command(), names=training.SETTINGS, source=run.settings)
        args.data, args.precision = images.available(args.data), training.precision_of(args.precision)
        run.options = asked(*training.SETTINGS)
        logs = training.tensorboard(args.tensorboard) if run.writes else []

        dataset, held_out, test = images.for_training(args.data, **asked("limit", "validation", "seed", "skip_bad"))
        recipe = training.recipe_for(args.arch, dataset, args.recipe, **asked(*RECIPE))

        def report(rows):
            console.say(training.epoch_line(rows[-1], recipe.epochs))
            console.save_figure(run.curves, plots.training_curves(rows))

        how = asked("arch", "seed", "precision", "deterministic", "strategy")
        expected = {"held_out": held_out, "tested": evaluation.VIEWS * len(test)}
        trained = training.train(dataset, recipe, run=run, **how, **expected, callbacks=logs, report=report)
        if run.writes:
            evaluate_and_save(trained, run, dataset, test)


def evaluate_and_save(trained, run, dataset, test):
    """Use the test set, once, and stash the network with its results."""
    track = console.track(f"{len(test):,} test images with test-time augmentation")
    classifier = network.Classifier(trained.network)
    accuracy, with_tta = evaluation.accuracies(classifier, test.images, test.labels, track=track)
    tested = {"test_images": len(test), "test_accuracy": accuracy, "test_accuracy_tta": with_tta}
    metadata = training.metadata(run, trained, dataset, tested=tested)
    checkpoints.save(trained.network, metadata, run.checkpoint)
    run.end()
    seconds = f"trained in {trained.seconds:.0f} s"
    console.say(f"Test accuracy {accuracy:.2%}, with test-time augmentation {with_tta:.2%}; {seconds}.")
    for path in run.finished:
        console.say(path)


def main(argv=None):
    return console.run(options(), train, argv)


if __name__ == "__main__":
    sys.exit(main())
