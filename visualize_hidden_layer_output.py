#!/usr/bin/env python3
"""What does each layer pass on? All channels of all layers for one image, from one pass through the network."""

import sys

from cnnvis import checkpoints, console, images, network, plots

MOST_IMAGES = 8  # of the user's own, without --indices
MOST_TRIED = 100  # trucks at most, until one is classified correctly


def options():
    parser = console.visualize_parser(__doc__)
    add = parser.add_argument_group("hidden layer output").add_argument
    add("--layers", nargs="+", metavar="NAME", help="layers (default: every CONV, RELU, POOL and FC layer)")
    indices = "images (default: the first truck that is classified correctly, or your own images)"
    add("--indices", nargs="+", type=console.natural, metavar="I", help=indices)
    channel = "also show how this channel of each CONV layer is computed: its filter beside input and output"
    add("--channel", type=console.natural, metavar="C", help=channel)
    scale = "whether colours range from lowest to highest value of each channel, or of the whole layer"
    add("--scale", choices=("channel", "layer"), default="channel", help=scale)
    return parser


def visualize(args):
    console.make_folder(args.out)
    checkpoint = checkpoints.load(args.model)
    which = checkpoint.resizing | {"image_size": args.image_size, "skip_bad": args.skip_bad}
    dataset = images.choose(args.images, args.data, checkpoint.data, **which)
    dataset = dataset.in_classes(images.class_names(args.classes) or checkpoint.classes, checkpoint.class_count)
    classifier = network.take_apart(checkpoint, dataset, args.input_range)
    for number, index in enumerate(choose(classifier, dataset, dataset.check(args.indices))):
        topic = "hidden_layer_output" + (f"_image{index}" if number else "")
        image = dataset.images[index]
        outputs = network.layer_outputs(classifier, image, args.layers)
        figures = draw(classifier, dataset, index, outputs=outputs, topic=topic, scale=args.scale)
        if args.channel is not None:
            layers = [classifier.layers[name] for name in outputs]
            figures |= draw_channel(args.channel, classifier, layers, image=image, topic=topic, named=bool(args.layers))
        console.save_figures(args.out, figures, args.show)
        arrays = {name if name != "image" else "image_layer": array for name, array in outputs.items()}
        what = {"model": str(checkpoint.path), "data": dataset.name, "index": index, "layers": list(outputs)}
        what |= {"input_range": classifier.input_range}
        console.save_arrays(args.out / f"{topic}.h5", {"image": image} | arrays, what)


def choose(classifier, dataset, indices):
    """Indices of the images asked for; by default, the user's own, or the first truck that is classified correctly.

    If there are no trucks, the first image that is classified correctly.
    """
    if indices is not None:
        return images.readable(dataset, dict.fromkeys(indices)).tolist()
    if (dataset.labels < 0).all():
        if len(dataset) > MOST_IMAGES:
            console.notice(f"Showing the first {MOST_IMAGES} of {len(dataset)} images; --indices chooses others.")
        return images.readable(dataset, range(len(dataset)), MOST_IMAGES).tolist()
    truck = dataset.classes.index("truck") if "truck" in dataset.classes else None
    likely = [i for i, label in enumerate(dataset.labels) if truck in (None, label)] or range(len(dataset))
    likely = images.readable(dataset, likely, MOST_TRIED).tolist()
    for index in likely:
        if classifier.probabilities(dataset.images[index][None])[0].argmax() == dataset.labels[index]:
            return [index]
    return likely[:1]


def draw(classifier, dataset, index, outputs, *, topic, scale):
    """Figures for one image by name: an overview of the network, and each layer by itself."""
    image, kinds = dataset.images[index], {name: classifier.layers[name].kind for name in outputs}
    (name,) = plots.legible([dataset.caption(index)], "image", [dataset.number(index)])
    title = f"From pixels to probabilities: {plots.cut(name, 60)}"
    predicted = {"probabilities": classifier.probabilities(image[None])[0], "classes": dataset.classes}
    seen = {"title": title, "channels": classifier.channels}
    figures = {topic: plots.network_outputs(image, outputs, kinds, **predicted, **seen)}
    for number, (name, output) in enumerate(outputs.items(), 1):
        note = network.size_change(classifier.layers[name])
        figure = plots.layer_output(name, kinds[name], output, scale=scale, note=note)
        figures[console.layer_file(topic, number, name)] = figure
    return figures


def draw_channel(channel, classifier, layers, *, image, topic, named):
    """Figures by name: how one channel of each CONV layer is computed, or of every layer if they were `named`."""
    figures = {}
    for number, layer in enumerate(layers, 1):
        if named or (network.has_filters(layer) and channel < layer.output.shape[-1]):
            terms = network.channel_terms(classifier, layer, image, channel=channel)
            file = console.layer_file(topic, number, layer.name)
            figures[f"{file}_channel{channel}"] = plots.channel_terms(terms, layer.name, channel)
    if not figures:
        raise ValueError(f"no CONV layer has a channel {channel}")
    return figures


def main(argv=None):
    return console.run(options(), visualize, argv)


if __name__ == "__main__":
    sys.exit(main())
