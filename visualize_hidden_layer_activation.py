#!/usr/bin/env python3
"""What does a filter look for? Change a picture, step by step, into the one that excites it most."""

import sys

from cnnvis import cli, console

PARTS = ("fourier", "colors", "shift", "turn", "zoom")  # of the ascent, each of which can be left out


def options():
    parser = cli.visualize_parser(__doc__)
    add = parser.add_argument_group("hidden layer activation").add_argument
    add(
        "--layers",
        nargs="+",
        metavar="NAME",
        help="CONV or FC layers (default: every other CONV layer and the first FC)",
    )
    add("--filters", nargs="+", type=cli.filter_choice, metavar="I|all", help="of each layer (default: random)")
    add("--num", type=cli.positive, default=4, metavar="N", help="filters a layer, where --filters names none")
    add("--steps", type=cli.positive, default=256, metavar="N", help="of the ascent")
    add("--size", type=cli.positive, metavar="N", help="side of the pictures in pixels (default: the model's)")
    add(
        "--objective",
        choices=("channel", "neuron"),
        default="channel",
        help="what is ascended of a CONV layer's filter: its mean over space, or the cell in the middle",
    )
    add(
        "--without",
        nargs="+",
        default=(),
        choices=PARTS,
        metavar="PART",
        help=f"parts of the ascent to leave out, to see what they do: {', '.join(PARTS)}",
    )
    return parser


def visualize(args):
    from cnnvis import ascent, excitation, inputs, plots
    from models import checkpoint

    cli.make_folder(args.out)
    network = checkpoint.load(args.model or checkpoint.newest())
    classifier, pictures = inputs.open_classifier(args, network)
    layers = inputs.layers_with_filters(classifier, args.layers)
    filters = [
        inputs.filters_of(layer, args.filters, args.num, [args.seed, number]) for number, layer in enumerate(layers)
    ]
    statistics = ascent.picture_statistics(pictures.images)

    track = console.track("Looking at real pictures")
    real = excitation.observe(classifier, layers, pictures.images, pictures.labels, track)
    shown = {}
    for layer, chosen, seen in zip(layers, filters, real):
        shown[layer.name] = examine(args, classifier, pictures, statistics, layer, chosen, seen)
        report(shown[layer.name], layer.name)
    cli.save_figures(args.out, plots.filter_pages("hidden_layer_activation", shown, pictures.classes), args.show)
    cli.save_arrays(
        args.out / "hidden_layer_activation.h5",
        {f"{name}/{key}": array for name, layer in shown.items() for key, array in layer.items()},
        {
            "model": str(network.path),
            "data": pictures.name,
            "classes": list(pictures.classes),
            "steps": args.steps,
            "objective": args.objective,
            "without": list(args.without),
        },
    )


def examine(args, classifier, pictures, statistics, layer, filters, seen):
    """The pictures that excite filters of a layer most, made and real, with their numbers: dict of str to array."""
    import numpy as np

    from cnnvis import ascent, excitation
    from cnnvis.receptive_field import receptive_fields

    seen = seen.of(filters)
    images = ascent.grey_images(len(filters), args.size or classifier.size)
    if not seen.dead.all():
        how = (statistics, args.steps, args.size, args.seed, args.objective, args.without)
        images[~seen.dead] = ascent.ascend(classifier, layer, filters[~seen.dead], *how, console.track(layer.name))
    activation = ascent.activations(classifier, layer, images, args.objective)
    return {
        "images": images,
        "filters": filters,
        "activation": activation[np.arange(len(filters)), filters],
        "dataset_max": seen.largest if args.objective == "channel" else seen.peaks[0],
        "dead": seen.dead,
        "patches": excitation.patches(pictures.images, seen, receptive_fields(classifier, layer)).swapaxes(0, 1),
        "patch_activation": seen.peaks.T,
        "selectivity": seen.selectivity,
        "favourite": seen.favourite,
    }


def report(layer, name):
    """Say how many filters the ascent did justice to."""
    alive = ~layer["dead"]
    above = (layer["activation"] >= layer["dataset_max"])[alive].sum()
    console.say(f"{name}: {above} of {alive.sum()} filters exceed every real picture; {(~alive).sum()} are dead")


def main(argv=None):
    return cli.run(options(), visualize, argv)


if __name__ == "__main__":
    sys.exit(main())
