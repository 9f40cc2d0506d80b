#!/usr/bin/env python3
"""Train a convolutional network and stash it in models/stashed/, where the visualize scripts find it."""

import contextlib
import importlib.util
import sys
from datetime import datetime
from pathlib import Path

from cnnvis.console import messages as console
from cnnvis.console import options as cli
from cnnvis.console import output as saving

STASH = Path(__file__).parent / "models" / "stashed"


def options():
    parser = cli.parser(__doc__, "Ctrl-C is safe: --resume goes on after the last complete epoch.")
    group = parser.add_argument_group("what is trained")
    group.add_argument("--arch", choices=("basic", "deep"), default="deep", help="4 or 6 CONV layers, 2 FC")
    group.add_argument(
        "--data",
        default="auto",
        metavar="NAME",
        help="cifar10, digits, or a folder DIR with DIR/train/<class>/* and DIR/test/<class>/*; "
        "auto: CIFAR-10 if it can be had, else digits",
    )
    cli.skip_bad(group)
    group.add_argument(
        "--limit", type=cli.positive, metavar="N", help="only N training images, for a quick look (default: all)"
    )
    group.add_argument(
        "--validation",
        type=cli.natural,
        default=0,
        metavar="N",
        help="training images held out, reported on every epoch",
    )
    group = parser.add_argument_group(
        "how", "defaults that are not shown are the recipe of the architecture, in cnnvis/training/recipes.py"
    )
    epochs, batch_size, rate = map(cli.recipe_value, ("epochs", "batch_size", "learning_rate"))
    group.add_argument("--epochs", type=epochs, metavar="N", help="times that every image is seen (default: recipe)")
    group.add_argument("--batch-size", type=batch_size, metavar="N", help="images a step (default: recipe)")
    group.add_argument("--learning-rate", type=rate, metavar="RATE", help="at its peak (default: recipe)")
    group.add_argument(
        "--recipe",
        nargs="+",
        type=cli.recipe_change,
        default=[],
        metavar="NAME=VALUE",
        help="change other parts of the recipe, such as lookahead=on or widths=64,128,128",
    )
    group.add_argument(
        "--precision",
        choices=("auto", "float32", "bfloat16"),
        default="auto",
        help="of the arithmetic; auto: bfloat16 where the processor or GPU multiplies in it natively, else float32",
    )
    group.add_argument("--deterministic", action="store_true", help="bit-exact repeatability, slower")
    group.add_argument(
        "--strategy",
        choices=("none", "mirrored", "multiworker"),
        default="none",
        help="share every batch: mirrored among all GPUs of this machine, multiworker among the machines of TF_CONFIG",
    )
    group = parser.add_argument_group("where it goes")
    group.add_argument("--name", help="the checkpoint is DIR/NAME.keras (default: <data>_<arch>_<date-time>)")
    group.add_argument(
        "--out",
        type=Path,
        default=STASH,
        metavar="DIR",
        help="folder of checkpoints",
    )
    group.add_argument(
        "--overwrite", action="store_true", help="replace a checkpoint or an interrupted run of that name"
    )
    group.add_argument("--resume", action="store_true", help="go on with the interrupted run of that name")
    group.add_argument(
        "--tensorboard", type=Path, metavar="DIR", help="write TensorBoard logs there, if it is installed"
    )
    return parser


def train(args):
    from cnnvis.images import inputs
    from cnnvis.training import distribution

    chief = distribution.is_chief(args.strategy)
    with contextlib.ExitStack() as held:
        if chief:
            held.enter_context(saving.folder_for(args.out))
        if args.name is not None or args.resume:
            run = held.enter_context(claimed(args, args.name, chief))
        chosen_recipe(args)  # refuses what can't be, as the name does, before images are read
        pictures, held_out, test = inputs.training_pictures(args)
        if args.name is None:
            name = f"{pictures.short_name}_{args.arch}_{datetime.now():%Y-%m-%d_%H-%M-%S}"
            run = held.enter_context(claimed(args, name, chief))
        fit(args, chief, run, pictures, held_out, test)


@contextlib.contextmanager
def claimed(args, name, chief):
    """The run of that name, which no other process can have meanwhile; to be resumed, with the options that it had."""
    from cnnvis.training.run import Run, restore

    if args.resume and not name:
        raise ValueError("--resume needs the --name of the run")
    run = Run(args.out, name)
    with run.claimed() if chief else contextlib.nullcontext():
        if args.resume:
            restore(args, options())
        else:
            run.check_free(args.overwrite)
        yield run


def fit(args, chief, run, pictures, held_out, test):
    """Train the network, from where it was interrupted if that is asked for, and stash it."""
    from cnnvis import plots
    from cnnvis.console import interrupts
    from cnnvis.console.files import complete
    from cnnvis.training import distribution
    from cnnvis.training import loop as training
    from cnnvis.training.run import SETTINGS, epoch_line, recipe_line

    logs = tensorboard(args) if chief else []
    recipe, model, batches, lookahead = prepare(args, pictures, held_out)
    slow = [variable for callback in lookahead for variable in callback.slow]
    if args.resume and run.state.exists():
        batches.epoch = training.load_state(model, run.state, len(batches), slow)
    elif args.resume:
        console.notice("No epoch of that run was complete: beginning with the first.")
    distribution.check_alike(model, recipe, batches)
    if chief and not args.resume:
        run.begin({key: getattr(args, key) for key in SETTINGS} | {"data": pictures.name})
    rows = run.read_rows(batches.epoch)

    def report(rows):
        console.say(epoch_line(rows[-1], recipe.epochs))
        with complete(run.curves) as unfinished:
            plots.training_curves(rows).savefig(unfinished)

    replicas = model.distribute_strategy.num_replicas_in_sync
    console.say(recipe_line(args, recipe, pictures) + (f", {replicas} replicas" if replicas > 1 else ""))
    try:
        steps = recipe.epochs * len(batches)
        with interrupts.deferred() as check, console.bar(steps, batches.epoch * len(batches)) as bar:

            def show(step, words):
                bar(step, words)
                check()

            journal = training.Journal(run if chief else None, rows, report, recipe.batch_size, show, slow)
            callbacks = [*lookahead, journal, *logs]
            if chief:
                network = plain(args, recipe, pictures, model)
                callbacks.insert(0, forecast(recipe, batches, pictures, held_out, test, network))
            if args.strategy != "none":
                distribution.fit(model, recipe, batches, held_out, callbacks)
            else:
                training.fit(model, batches, held_out, callbacks)
        if chief:
            network.set_weights(model.get_weights())
            finish(args, run, network, pictures, test, recipe, rows)
    except KeyboardInterrupt as stop:
        if not chief:
            raise
        done = f"after epoch {len(rows)} of {recipe.epochs}" if rows else "before the first epoch was complete"
        raise type(stop)(f"Interrupted {done}. Go on with: {run.resume_command(args.strategy)}") from None
    except OSError as error:
        if not error.errno or not run.state.exists():
            raise
        go_on = run.resume_command(args.strategy)
        raise OSError(f"{cli.one_line(error)}. Mend that, then go on with: {go_on}") from error


def prepare(args, pictures, held_out=()):
    """What it takes to train: the recipe, the compiled network, its batches, and the callbacks of the recipe."""
    import keras
    import tensorflow as tf

    from cnnvis import processor
    from cnnvis.training import distribution, optimizers, recipes
    from cnnvis.training import loop as training
    from cnnvis.training.batches import Batches

    keras.utils.set_random_seed(args.seed)
    if args.deterministic:
        tf.config.experimental.enable_op_determinism()
    if args.precision == "auto":
        args.precision = "bfloat16" if processor.multiplies_bfloat16() else "float32"
    keras.config.set_dtype_policy("mixed_bfloat16" if args.precision == "bfloat16" else "float32")
    recipe = recipes.adapt(chosen_recipe(args), len(pictures), args.epochs, args.batch_size, args.learning_rate)
    recipes.check_side(recipe, min(pictures.images.shape[1:3]))
    shape = input_shape(recipe, pictures)
    batches = Batches(pictures.images, pictures.labels, recipe, args.seed)
    steps = recipe.epochs * len(batches)
    if args.strategy == "multiworker":
        console.say("Waiting for the other workers.")
    strategy = distribution.start(args.strategy, min(recipe.batch_size, len(held_out) or recipe.batch_size))
    with distribution.scope(strategy):
        model = build(args, recipe, pictures, input_shape=shape, **layers_for(args.precision, strategy, recipe))
        training.compile_model(model, recipe, steps)
        return recipe, model, batches, [optimizers.Lookahead(model, steps)] if recipe.lookahead else []


def chosen_recipe(args):
    """The recipe that the options ask for, not yet adapted to the images; ValueError if it suits none."""
    from cnnvis.training import recipes
    from models import convnet

    recipe = recipes.change(recipes.RECIPES[args.arch], args.recipe)
    recipes.check_known(recipe, args.epochs, args.batch_size, args.learning_rate)
    convnet.group_widths(args.arch, recipe.widths)
    if recipe.small_epochs and args.arch != "deep":
        raise ValueError(f"{args.arch} can't begin with small images: its FC1 takes them in one size only")
    return recipe


def input_shape(recipe, pictures):
    """Of the network while it is trained: (height, width, channels), None where pictures are small at first.

    Raises ValueError if it can't take pictures as small as that.
    """
    from models import convnet

    *size, channels = pictures.images.shape[1:]
    if not recipe.small_epochs:
        return (*size, channels)
    smallest, largest = convnet.smallest_side(recipe.anti_aliasing), min(size) - 1
    if not smallest <= recipe.small_side <= largest:
        raise ValueError(f"small_side can't be {recipe.small_side}: it is {smallest} to {largest} pixels here")
    return (None, None, channels)


def layers_for(precision, strategy, recipe):
    """What a network is made of while it is trained: as `models.convnet.build_model` takes it.

    It ends in logits. Its layers have the weights of Keras's own, and train faster here.
    """
    import keras

    from cnnvis import processor
    from cnnvis.training import distribution, fast_layers

    packed = precision == "bfloat16" and processor.multiplies_in_tiles()
    return {
        "softmax": False,
        "normalization": fast_layers.RowNormalization,
        "convolution": fast_layers.PackedConv2D if packed else keras.layers.Conv2D,
    } | distribution.layers(strategy, recipe)


def build(args, recipe, pictures, **options):
    """The untrained network; all that it knows of the training pictures are their colours and 2x2 patches."""
    import numpy as np

    from cnnvis.images import sources as data
    from cnnvis.training import loop as training
    from models import convnet

    mean, variance = data.statistics(pictures.images)
    options |= {name: getattr(recipe, name) for name in ("widths", "identity_start", "anti_aliasing")}
    model = convnet.build_model(args.arch, len(pictures.classes), mean, variance, args.seed, **options)
    if args.arch == "deep" and not recipe.whitening:
        model.get_layer("whitening").trainable = True
    elif args.arch == "deep":
        normalized = (pictures.images[: training.WHITENING_IMAGES] - np.array(mean)) / np.sqrt(variance)
        model.get_layer("whitening").set_weights([training.whitening_filters(normalized, convnet.WHITENING_FILTERS)])
    return model


def plain(args, recipe, pictures, model):
    """The same network in float32, made of plain Keras layers."""
    import keras

    keras.config.set_dtype_policy("float32")
    network = build(args, recipe, pictures)
    network.set_weights(model.get_weights())
    return network


def forecast(recipe, batches, pictures, held_out, test, network):
    """The callback that says how long all this takes."""
    from cnnvis.network.classifier import Classifier
    from cnnvis.training.augmentation import VIEWS
    from cnnvis.training.forecast import IMAGES, Forecast, seconds_an_image

    return Forecast(
        epochs=recipe.epochs,
        steps=len(batches),
        batch_size=recipe.batch_size,
        others=VIEWS * len(test) + (recipe.epochs - batches.epoch) * len(held_out or ()),
        seconds_an_image=lambda: seconds_an_image(Classifier(network), pictures.images[:IMAGES]),
        say=console.say,
    )


def tensorboard(args):
    import keras

    if not args.tensorboard:
        return []
    if importlib.util.find_spec("tensorboard") is None:
        raise ValueError("--tensorboard needs TensorBoard: pip install tensorboard")
    return [keras.callbacks.TensorBoard(args.tensorboard)]


def finish(args, run, network, pictures, test, recipe, rows):
    """Read the test set, and stash the network with all that is known of it."""
    from cnnvis.checkpoints import checkpoint
    from cnnvis.network.classifier import Classifier
    from cnnvis.training import loop as training
    from cnnvis.training.run import metadata

    track = console.track(f"{len(test):,} test images in six views")
    accuracy, views_accuracy = training.accuracies(Classifier(network), test.images, test.labels, track)
    tested = {"test_images": len(test), "test_accuracy": accuracy, "test_accuracy_six_views": views_accuracy}
    checkpoint.save(network, metadata(run, args, recipe, pictures, rows, tested), run.checkpoint)
    run.end()
    seconds = sum(row["seconds"] for row in rows)
    console.say(
        f"Test accuracy {accuracy:.2%}, with six views of each image {views_accuracy:.2%}; trained in {seconds:.0f} s."
    )
    for path in run.finished:
        console.say(path)


def main(argv=None):
    return cli.run(options(), train, argv)


if __name__ == "__main__":
    sys.exit(main())
