#!/usr/bin/env python3
"""What does each layer pass on for a picture? All channels of all layers, from one pass through the network."""

import sys

from cnnvis.console import messages as console
from cnnvis.console import options as cli
from cnnvis.console import output as saving

MOST_PICTURES = 8  # of the user's own, where --indices names none
MOST_TRIED = 100  # trucks at most, until one is seen as one


def options():
    parser = cli.visualize_parser(__doc__)
    group = parser.add_argument_group("hidden layer output")
    group.add_argument("--layers", nargs="+", metavar="NAME", help="(default: every CONV, RELU, POOL and FC layer)")
    group.add_argument(
        "--indices",
        nargs="+",
        type=cli.natural,
        metavar="I",
        help="which pictures (default: the first truck that is seen as one, or own pictures)",
    )
    group.add_argument(
        "--channel",
        type=cli.natural,
        metavar="C",
        help="also how this channel of each CONV layer comes about: its filter's weights beside input and output",
    )
    group.add_argument(
        "--scale",
        choices=("channel", "layer"),
        default="channel",
        help="whether dark and yellow are the lowest and highest of each channel, or of the whole layer",
    )
    return parser


def visualize(args):
    from cnnvis.checkpoints import checkpoint
    from cnnvis.images import inputs

    saving.make_folder(args.out)
    network = checkpoint.load(args.model)
    classifier, pictures = inputs.open_classifier(args, network)
    for number, index in enumerate(choose(args, classifier, pictures)):
        topic = "hidden_layer_output" + (f"_picture{index}" if number else "")
        figures, arrays = look(args, classifier, pictures, index, topic)
        saving.save_figures(args.out, figures, args.show)
        what = {"model": str(network.path), "data": pictures.name, "index": index}
        layers = {name if name != "image" else "image_layer": array for name, array in arrays.items()}
        image = {"image": pictures.images[index]}
        saving.save_arrays(args.out / f"{topic}.h5", image | layers, what | {"layers": list(arrays)})


def look(args, classifier, pictures, index, topic):
    """The figures of one picture by name, and what each layer passes on: two dicts."""
    from cnnvis import plots
    from cnnvis.network.layer_outputs import has_filters, layer_outputs, size_change, working

    image = pictures.images[index]
    outputs = layer_outputs(classifier, image, args.layers)
    layers = {name: classifier.layers[name] for name in outputs}
    kinds = {name: layer.kind for name, layer in layers.items()}
    probabilities = classifier.probabilities(image[None])[0]
    title = f"From pixels to probabilities: {plots.canvas.cut(pictures.caption(index), 60, end=10)}"
    way = plots.network_outputs(image, outputs, kinds, probabilities, pictures.classes, title, classifier.channels)
    figures = {topic: way}
    worked = 0
    for number, (name, output) in enumerate(outputs.items(), 1):
        file = saving.layer_file(topic, number, name)
        figures[file] = plots.layer_output(name, kinds[name], output, args.scale, size_change(layers[name]))
        if args.channel is not None and (args.layers or has_filters(layers[name])):
            if not args.layers and args.channel >= output.shape[-1]:
                continue
            work = working(classifier, layers[name], image, args.channel)
            figures[f"{file}_channel{args.channel}"] = plots.working(work, name, args.channel)
            worked += 1
    if args.channel is not None and not worked:
        raise ValueError(f"no CONV layer has a channel {args.channel}")
    return figures, outputs


def choose(args, classifier, pictures):
    """Indices of the pictures asked for; else of own ones, or of the first truck that is seen as one.

    Where there are no trucks, any picture that is recognised will do.
    """
    from cnnvis.images import unreadable as skipping

    if args.indices is not None:
        return skipping.readable(pictures, dict.fromkeys(cli.check_indices(args.indices, len(pictures)))).tolist()
    if (pictures.labels < 0).all():
        if len(pictures) > MOST_PICTURES:
            console.notice(f"Showing the first {MOST_PICTURES} of {len(pictures)} pictures; --indices chooses others.")
        return skipping.readable(pictures, range(len(pictures)), MOST_PICTURES).tolist()
    truck = cli.class_index("truck", pictures.classes) if "truck" in pictures.classes else None
    likely = [i for i, label in enumerate(pictures.labels) if truck in (None, label)] or range(len(pictures))
    likely = skipping.readable(pictures, likely, MOST_TRIED).tolist()
    for index in likely:
        if classifier.probabilities(pictures.images[index][None])[0].argmax() == pictures.labels[index]:
            return [index]
    return likely[:1]


def main(argv=None):
    return cli.run(options(), visualize, argv)


if __name__ == "__main__":
    sys.exit(main())
