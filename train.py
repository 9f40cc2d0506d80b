#!/usr/bin/env python3
"""Train a convolutional network and stash it in models/stashed/, where the visualize scripts find it."""

import sys
from functools import partial
from pathlib import Path

from cnnvis import checkpoints, console, evaluation, images, network, plots, training

STASH = Path(__file__).parent / "models" / "stashed"
RECIPE = ("epochs", "batch_size", "learning_rate")  # its entries that are options


def options():
    parser = console.parser(__doc__, "Ctrl-C is safe: --resume continues after the last complete epoch.")
    entry = {name: console.checked(partial(training.parse, name)) for name in RECIPE}
    add = parser.add_argument_group("what is trained").add_argument
    add("--arch", choices=tuple(training.RECIPES), help="basic has 4 CONV layers, deep has 6 (default: deep)")
    add("--start-from", metavar="PATH", help="begin with a trained network, but its last layer: deep, basic or a file")
    console.input_range(add, "--input-range", "the network of --start-from expects (default: detected if possible)")
    data = "cifar10, digits, or a folder DIR with DIR/<class>/*, or DIR/train/<class>/* and DIR/test/<class>/*; "
    add("--data", default="auto", metavar="NAME", help=data + "auto: CIFAR-10 if it is available, else digits")
    side = "side of the images in pixels, a multiple of 8 from 32 to 224 (default: 32, or that of --start-from)"
    add("--image-size", type=console.checked(training.image_size), metavar="N", help=side)
    console.skip_bad(add)
    add("--limit", type=console.positive, metavar="N", help="only N training images, for a quick look (default: all)")
    validation = "hold out N training images, to evaluate on after every epoch (default: a fifth of a small folder)"
    add("--validation", type=console.natural, metavar="N", help=validation)
    recipe = "defaults that are not shown are the recipe of the architecture, in cnnvis/training/recipes.py"
    add = parser.add_argument_group("how it is trained", recipe).add_argument
    add("--epochs", type=entry["epochs"], metavar="N", help="passes over the training images (default: recipe)")
    add("--batch-size", type=entry["batch_size"], metavar="N", help="images per step (default: recipe)")
    add("--learning-rate", type=entry["learning_rate"], metavar="RATE", help="peak learning rate (default: recipe)")
    change = console.checked(lambda text: training.parse_change(text) and text)
    add("--recipe", nargs="+", type=change, default=[], metavar="NAME=VALUE", help="other entries, such as flip=none")
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
    add("--film", action="store_true", help="film how it learns to see one image: NAME.gif and NAME_film.png")
    add("--tensorboard", type=Path, metavar="DIR", help="write TensorBoard logs there, if it is installed")
    return parser


def train(args):
    asked = partial(console.settings, args)
    if not args.resume:
        args.arch = training.architecture(**asked("arch", "start_from", "input_range"))
        training.recipe_of(args.arch, args.recipe, **asked("image_size", *RECIPE))  # refuses mistakes at once
    if args.name is None and not args.resume:
        args.data = images.available(args.data)
        args.name = training.new_name(**asked("data", "arch", "start_from"))
    with training.open_run(args.out, args.name, **asked("resume", "overwrite", "strategy", "film")) as run:
        if args.resume:
            console.restore(args, options(), began=run.command(), names=training.SETTINGS, source=run.settings)
        args.data, args.precision = images.available(args.data), training.precision_of(args.precision)
        fingerprint = images.fingerprint(args.data, args.skip_bad, before=run.options.get("fingerprint"))
        base = training.open_base(**asked("start_from", "input_range", "image_size", "strategy"), before=run.options)
        run.options = asked(*training.SETTINGS) | {"fingerprint": fingerprint, "base": base and base.checkpoint.digest}
        logs = training.tensorboard(args.tensorboard) if run.writes else []
        which = asked("limit", "seed", "skip_bad") | {"folder": run.folder}
        size, count = (base.size, args.validation or 0) if base else ((args.image_size or 32,) * 2, args.validation)
        dataset, held_out, test = images.for_training(args.data, size=size, validation=count, **which)
        recipe = training.recipe_for(base or args.arch, dataset, args.recipe, **asked(*RECIPE))
        watching = {"callbacks": logs, "film": training.Film(test, run.frames) if args.film and run.writes else None}
        how = asked("seed", "precision", "deterministic", "strategy") | {"arch": base or args.arch}
        expected = {"held_out": held_out, "tested": len(test) * evaluation.VIEWS // (1 + (recipe.flip == "none"))}
        trained = training.train(dataset, recipe, run=run, **how, **expected, **watching, draw=plots.training_curves)
        if run.writes:
            evaluate_and_save(trained, run, dataset, test)


def evaluate_and_save(trained, run, dataset, test):
    """Use the test set, once, and stash the network with its results, and its film if there is one."""
    how = {"flips": trained.recipe.flip != "none", "track": console.track(f"{len(test):,} test images with TTA")}
    classifier = network.Classifier(trained.network, size=test.images.shape[1:3])
    accuracy, tta = evaluation.accuracies(classifier, test.images, test.labels, **how)
    tested = {"test_images": len(test), "test_accuracy": accuracy, "test_accuracy_tta": tta}
    checkpoints.save(trained.network, training.metadata(run, trained, dataset, tested=tested), run.checkpoint)
    if trained.film:
        console.save_film(run.animation, plots.film_frames(trained.film, console.track("Drawing the film")))
        console.save_figure(run.sheet, plots.film_sheet(trained.film))
    run.end()
    took = f"trained in {trained.seconds:.0f} s"
    console.say(f"Test accuracy {accuracy:.2%}, with test-time augmentation {tta:.2%}; {took}.")
    console.say("\n".join(map(str, run.finished)))


def main(argv=None):
    return console.run(options(), train, argv)


if __name__ == "__main__":
    sys.exit(main())
