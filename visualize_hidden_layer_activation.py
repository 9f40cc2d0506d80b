#!/usr/bin/env python3
"""What does a filter respond to? Change an image, step by step, into the one that activates it most strongly."""

import sys

from cnnvis import checkpoints, console, features, images, network, plots

LEFT_OUT = {  # parts of the ascent that can be left out, and the fields of `Ascent` that do so
    "fourier": {"fourier": False},
    "limit_high_frequencies": {"limit_high_frequencies": None},
    "colors": {"colors": False},
    "shift": {"shift": 0.0},
    "turn": {"degrees": 0.0},
    "zoom": {"zoom": 0.0},
}
TOPIC = "hidden_layer_activation"
MOST_PIXELS = 2**16  # of an image for a network that takes any size: a step changes those of all filters of a layer
MOST = 24  # filters of a layer shown with nine top patches each; more than that fill sheets


def options():
    parser = console.visualize_parser(__doc__)
    add = parser.add_argument_group("hidden layer activation").add_argument
    layers = "CONV or FC layers (default: every other CONV layer and the first FC)"
    add("--layers", nargs="+", metavar="NAME|all", help=layers)
    add(
        "--filters",
        nargs="+",
        type=console.natural_or_all,
        metavar="I|all",
        help="filters of each layer (default: random)",
    )
    add("--num", type=console.positive, default=4, metavar="N", help="filters per layer without --filters")
    add("--steps", type=console.positive, default=64, metavar="N", help="steps of gradient ascent")
    add("--size", type=console.positive, metavar="N", help="side of the images in pixels (default: the model's)")
    objective = "what to maximise of a CONV filter: the mean of its feature map, or the activation at its centre"
    add("--objective", choices=("channel", "neuron"), default="channel", help=objective)
    without = f"parts of the ascent to leave out, to see their effect: {', '.join(LEFT_OUT)}"
    add("--without", nargs="+", default=(), choices=tuple(LEFT_OUT), metavar="PART", help=without)
    add("--gif", action="store_true", help="also save an animation of the ascent")
    return parser


def visualize(args):
    console.make_folder(args.out)
    checkpoint = checkpoints.load(args.model)
    which = checkpoint.resizing | {"image_size": args.image_size, "most": MOST_PIXELS}
    which |= {"skip_bad": args.skip_bad, "split": "train"}
    dataset = images.choose(args.images, args.data, checkpoint.data, **which)
    dataset = dataset.in_classes(images.class_names(args.classes) or checkpoint.classes, checkpoint.class_count)
    classifier = network.take_apart(checkpoint, dataset, args.input_range)

    filters = features.choose_filters(classifier, args.layers, args.filters, num=args.num, seed=args.seed)
    few = max(map(len, filters.values())) <= MOST
    if args.gif and not few:
        raise ValueError(f"--gif shows at most {MOST} filters of a layer: choose fewer with --filters or --num")
    objective = {"channel": features.channel, "neuron": features.neuron}[args.objective]
    how = {"steps": args.steps, "size": args.size, "seed": args.seed, "objective": objective}
    ascent = features.Ascent(**how, **{key: value for part in args.without for key, value in LEFT_OUT[part].items()})
    console.say(f"Comparing with {len(dataset):,} images of {console.shown(dataset.name)}")
    about = {"checkpoint": checkpoint, "folders": (checkpoint.path.parent, args.out), "how": ascent}
    about |= {"frames": args.gif, "track": console.track, "tell": console.say}
    found = {}
    for name, layer in features.visualize_layers(classifier, filters, dataset, **about):
        alive, dead = (~layer.dead).sum(), layer.dead.sum()
        console.say(f"{name}: {layer.above_real} of {alive} filters exceed every real image; {dead} are dead")
        found[name] = layer

    overview = plots.filter_pages(TOPIC, found, dataset.classes) if few else plots.filter_atlas(TOPIC, found)
    console.save_figures(args.out, overview, args.show)
    if not few:
        for number, (name, layer) in enumerate(found.items(), 1):
            file = console.layer_file(TOPIC, number, name)
            sheets = plots.filter_sheets(file, name, layer, classes=dataset.classes)
            console.save_figures(args.out, sheets, args.show)
    if args.gif:
        console.save_animation(args.out / f"{TOPIC}.gif", plots.ascent_frames(found))
    arrays = {f"{name}/{key}": array for name, layer in found.items() for key, array in layer.arrays().items()}
    what = {"model": str(checkpoint.path), "data": dataset.name, "classes": list(dataset.classes)}
    what |= {"steps": args.steps, "objective": args.objective, "without": list(args.without)}
    what |= {"input_range": classifier.input_range}
    console.save_arrays(args.out / f"{TOPIC}.h5", arrays, what)


def main(argv=None):
    return console.run(options(), visualize, argv)


if __name__ == "__main__":
    sys.exit(main())
