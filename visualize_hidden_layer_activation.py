#!/usr/bin/env python3
"""What does a filter look for? Change a picture, step by step, into the one that excites it most."""

import sys

from cnnvis import cli, console


def options():
    parser = cli.visualize_parser(__doc__)
    group = parser.add_argument_group("hidden layer activation")
    group.add_argument(
        "--layers",
        nargs="+",
        metavar="NAME",
        help="CONV or FC layers (default: every other CONV layer and the first FC)",
    )
    group.add_argument(
        "--filters", nargs="+", type=cli.filter_choice, metavar="I|all", help="of each layer (default: random)"
    )
    group.add_argument(
        "--num", type=cli.positive, default=4, metavar="N", help="filters a layer, where --filters names none"
    )
    group.add_argument("--steps", type=cli.positive, default=256, metavar="N", help="of the ascent")
    group.add_argument(
        "--size", type=cli.positive, metavar="N", help="side of the pictures in pixels (default: the model's)"
    )
    return parser


def visualize(args):
    import numpy as np

    from cnnvis import ascent, inputs, plots
    from models import checkpoint

    cli.make_folder(args.out)
    network = checkpoint.load(args.model or checkpoint.newest())
    classifier, pictures = inputs.open_classifier(args, network)
    layers = (
        [classifier.layer(name) for name in dict.fromkeys(args.layers)] if args.layers else default_layers(classifier)
    )
    chosen = {layer.name: choose_filters(args, layer, number) for number, layer in enumerate(layers)}
    statistics = ascent.picture_statistics(pictures.images)

    real = ascent.largest_activations(classifier, layers, pictures.images, console.track("Looking at real pictures"))
    shown = {}
    for layer, (largest, dead) in zip(layers, real):
        filters = chosen[layer.name]
        largest, dead = largest[filters], dead[filters]
        images = ascent.grey_images(len(filters), args.size or classifier.size)
        if not dead.all():
            track = console.track(layer.name)
            images[~dead] = ascent.ascend(
                classifier, layer, filters[~dead], statistics, args.steps, args.size, args.seed, track
            )
        activation = ascent.activations(classifier, layer, images)[np.arange(len(filters)), filters]
        shown[layer.name] = {
            "images": images,
            "filters": filters,
            "activation": activation,
            "dataset_max": largest,
            "dead": dead,
        }
        above = (activation >= largest)[~dead].sum()
        console.say(
            f"{layer.name}: {above} of {(~dead).sum()} filters exceed every real picture; {dead.sum()} are dead"
        )

    cli.save_figures(args.out, plots.filter_pages("hidden_layer_activation", shown), args.show)
    cli.save_arrays(
        args.out / "hidden_layer_activation.h5",
        {f"{name}/{key}": array for name, layer in shown.items() for key, array in layer.items()},
        {"model": str(network.path), "data": pictures.name, "steps": args.steps},
    )


def default_layers(classifier):
    """Every other CONV layer from the first, and the first FC layer."""
    ranks = {"CONV": 4, "FC": 2}
    shown = [layer for layer in classifier.layers.values() if ranks.get(layer.kind) == len(layer.output.shape)]
    learned = [layer for layer in shown if layer.kind == "CONV" and layer.layer.trainable]  # whitening is given
    chosen = [*learned[::2], *[layer for layer in shown if layer.kind == "FC"][:1]]
    if not chosen:
        raise ValueError("the model has neither CONV nor FC layers whose filters could be shown")
    return chosen


def choose_filters(args, layer, number):
    """Indices of the filters that are asked for: named ones, all, or random ones."""
    import numpy as np

    if layer.kind not in ("CONV", "FC") or len(layer.output.shape) not in (2, 4):
        raise ValueError(f"{layer.name} is neither a CONV nor an FC layer: it has no filters")
    count = layer.linear.shape[-1]
    if args.filters is None:
        return np.sort(np.random.default_rng([args.seed, number]).permutation(count)[: args.num])
    if "all" in args.filters:
        return np.arange(count)
    if max(args.filters) >= count:
        raise ValueError(f"{layer.name} has no filter {max(args.filters)}: it has 0 to {count - 1}")
    return np.array(list(dict.fromkeys(args.filters)))


def main(argv=None):
    return cli.run(options(), visualize, argv)


if __name__ == "__main__":
    sys.exit(main())
