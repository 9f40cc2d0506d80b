#!/usr/bin/env python3
"""What does each layer pass on for a picture? All channels of all layers, from one pass through the network."""

import sys

from cnnvis import cli, console


def options():
    parser = cli.visualize_parser(__doc__)
    group = parser.add_argument_group("hidden layer output")
    group.add_argument("--layers", nargs="+", metavar="NAME", help="(default: every CONV, RELU, POOL and FC layer)")
    group.add_argument(
        "--indices", type=cli.natural, metavar="I", help="which picture (default: the first truck that is seen as one)"
    )
    group.add_argument(
        "--scale",
        choices=("channel", "layer"),
        default="channel",
        help="whether dark and yellow are the lowest and highest of each channel, or of the whole layer",
    )
    return parser


def visualize(args):
    from cnnvis import inputs, plots
    from cnnvis.layer_outputs import layer_outputs
    from models import checkpoint

    cli.make_folder(args.out)
    network = checkpoint.load(args.model or checkpoint.newest())
    classifier, pictures = inputs.open_classifier(args, network)
    index = choose(args, classifier, pictures)
    image, label = pictures.images[index], pictures.labels[index]
    outputs = layer_outputs(classifier, image, args.layers)
    probabilities = classifier.probabilities(image[None])[0]

    title = f"From pixels to probabilities{f': {pictures.classes[label]}' if label >= 0 else ''} (yellow is high)"
    kinds = {name: classifier.layers[name].kind for name in outputs}
    figures = {
        "hidden_layer_output": plots.network_outputs(image, outputs, kinds, probabilities, pictures.classes, title)
    }
    for number, (name, output) in enumerate(outputs.items(), 1):
        figures[cli.layer_file("hidden_layer_output", number, name)] = plots.layer_output(
            name, kinds[name], output, args.scale
        )
    cli.save_figures(args.out, figures, args.show)
    cli.save_arrays(
        args.out / "hidden_layer_output.h5",
        {"image": image, **{name if name != "image" else "image_layer": array for name, array in outputs.items()}},
        {"model": str(network.path), "data": pictures.name, "index": index, "layers": list(outputs)},
    )


def choose(args, classifier, pictures):
    """Index of the picture asked for; else of the first truck (or anything, if there are none) that is seen as one."""
    if args.indices is not None:
        return cli.check_indices([args.indices], len(pictures))[0]
    if (pictures.labels < 0).all():
        if len(pictures) > 1:
            console.notice(f"Showing the first of {len(pictures)} pictures; --indices chooses another.")
        return 0
    truck = cli.class_index("truck", pictures.classes) if "truck" in pictures.classes else None
    likely = [i for i, label in enumerate(pictures.labels) if truck in (None, label)] or [0]
    for index in likely[:100]:
        if classifier.probabilities(pictures.images[index][None])[0].argmax() == pictures.labels[index]:
            return index
    return likely[0]


def main(argv=None):
    return cli.run(options(), visualize, argv)


if __name__ == "__main__":
    sys.exit(main())
