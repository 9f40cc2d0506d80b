#!/usr/bin/env python3
"""What does a filter look for? Change a picture, step by step, into the one that excites it most."""

import sys

from cnnvis.console import messages as console
from cnnvis.console import options as cli
from cnnvis.console import output as saving

PARTS = ("fourier", "smooth", "colors", "shift", "turn", "zoom")  # of the ascent, each of which can be left out
MOST = 24  # filters of a layer that are drawn with nine real patches each; more come on sheets


def options():
    parser = cli.visualize_parser(__doc__)
    add = parser.add_argument_group("hidden layer activation").add_argument
    add(
        "--layers",
        nargs="+",
        metavar="NAME|all",
        help="CONV or FC layers (default: every other CONV layer and the first FC)",
    )
    add("--filters", nargs="+", type=cli.filter_choice, metavar="I|all", help="of each layer (default: random)")
    add("--num", type=cli.positive, default=4, metavar="N", help="filters a layer, where --filters names none")
    add("--steps", type=cli.positive, default=64, metavar="N", help="of the ascent")
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
    add("--gif", action="store_true", help="show how the pictures grow, too")
    return parser


def visualize(args):
    from cnnvis.checkpoints import checkpoint
    from cnnvis.console.names import shown
    from cnnvis.features import cache as excitation_cache
    from cnnvis.features import visualization as filter_pictures
    from cnnvis.images import choices, inputs

    saving.make_folder(args.out)
    network = checkpoint.load(args.model)
    classifier, pictures = inputs.open_classifier(args, network, "train")
    layers = choices.layers_with_filters(classifier, args.layers)
    filters = {
        layer.name: choices.filters_of(layer, args.filters, args.num, [args.seed, number])
        for number, layer in enumerate(layers)
    }
    if args.gif and max(map(len, filters.values())) > MOST:
        raise ValueError(f"--gif shows {MOST} filters of a layer at most: name some with --filters, or say --num")
    statistics = inputs.statistics(network, pictures)

    every = {layer.name: layer for layer in [*choices.layers_with_filters(classifier, ["all"]), *layers]}
    track = console.track("Looking at real pictures")
    places = network.path.parent, args.out
    real = excitation_cache.observe(classifier, [*every.values()], pictures, network, places, track, console.say)
    console.say(f"Compared with {len(pictures):,} pictures of {shown(pictures.name)}")
    how = {key: getattr(args, key) for key in ("steps", "size", "seed", "objective", "without")}
    examined = {}
    for layer in layers:
        examined[layer.name] = filter_pictures.examine(
            classifier,
            layer,
            filters[layer.name],
            real[layer.name],
            pictures.images,
            statistics,
            growing=args.gif,
            track=console.track(layer.name),
            **how,
        )
        report(examined[layer.name], layer.name)
    save(args, examined, network, pictures)


def report(layer, name):
    """Say how many filters the ascent did justice to."""
    alive = ~layer["dead"]
    above = (layer["activation"] >= layer["dataset_max"])[alive].sum()
    console.say(f"{name}: {above} of {alive.sum()} filters exceed every real picture; {(~alive).sum()} are dead")


def save(args, examined, network, pictures):
    """Draw few filters with their patches, many on sheets and in an atlas; write the arrays behind the pictures."""
    from cnnvis import plots

    topic, classes = "hidden_layer_activation", pictures.classes
    filters = {name: {k: v for k, v in layer.items() if not k.startswith("growth")} for name, layer in examined.items()}
    if max(len(layer["filters"]) for layer in examined.values()) <= MOST:
        saving.save_figures(args.out, plots.filter_pages(topic, filters, classes), args.show)
    else:
        saving.save_figures(args.out, plots.filter_atlas(topic, filters), args.show)
        for number, (name, layer) in enumerate(filters.items(), 1):
            sheets = plots.filter_sheets(saving.layer_file(topic, number, name), name, layer, classes)
            saving.save_figures(args.out, sheets, args.show)
    if args.gif:
        saving.save_animation(args.out / f"{topic}.gif", plots.growth_frames(examined))
    saving.save_arrays(
        args.out / f"{topic}.h5",
        {f"{name}/{key}": array for name, layer in examined.items() for key, array in layer.items()},
        {
            "model": str(network.path),
            "data": pictures.name,
            "classes": list(classes),
            "steps": args.steps,
            "objective": args.objective,
            "without": list(args.without),
        },
    )


def main(argv=None):
    return cli.run(options(), visualize, argv)


if __name__ == "__main__":
    sys.exit(main())
