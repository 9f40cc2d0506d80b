#!/usr/bin/env python3
"""Which pixels made the network say that? Hide patches of an image and see how much the score falls."""

import sys

from cnnvis import attribution, checkpoints, console, images, network, plots


def options():
    parser = console.visualize_parser(__doc__)
    add = parser.add_argument_group("pixel importance").add_argument
    method = (
        "banzhaf: hide half of all patches at once, in many ways; occlusion: hide one patch after the other; "
        "gradcam: weight the feature maps of a layer; gradients: integrated gradients; smoothgrad: the mean "
        "gradient of noisy copies, times (image - baseline); all: which of them to believe (default: banzhaf; with "
        "--window or --stride, occlusion)"
    )
    known = console.checked(lambda name: attribution.check_method(name))
    add("--method", type=known, metavar="METHOD", help=method)
    add("--layer", metavar="NAME", help="with gradcam: whose feature maps (default: the last CONV layer's)")
    window = "side(s) of the patches in pixels; maps of several are averaged (default: 8 of 32; occlusion: 5 10 15)"
    add("--window", nargs="+", type=console.positive, metavar="N", help=window)
    stride = "pixels from one patch to the next (default: 2 of 32 pixels, or 1 with patches of 1)"
    add("--stride", type=console.positive, metavar="N", help=stride)
    baseline = "replaces hidden pixels: the mean colour, black, the blurred image, noise, or a grey value 0-255"
    kind = console.checked(lambda text: attribution.parse_baseline(text))
    add("--baseline", type=kind, default="mean", metavar="mean|zero|blur|noise|VALUE", help=baseline)
    add("--score", choices=("logit", "probability"), default="logit", help="the score to explain")
    target = "class to explain, and to choose images of (default: the predicted class)"
    add("--class", dest="target", metavar="NAME|INDEX", help=target)
    add("--against", metavar="NAME|INDEX", help="explain why that class rather than this one")
    add("--sanity", action="store_true", help="show the maps of the same network with random weights, too")
    add("--wrong", action="store_true", help="explain wrong predictions, for the predicted and for the true class")
    indices = "images (default: random ones that are classified correctly)"
    add("--indices", nargs="+", type=console.natural, metavar="I", help=indices)
    add("--num", type=console.positive, default=4, metavar="N", help="number of images without --indices")
    add("--separate", action="store_true", help="save a figure for each image")
    return parser


def visualize(args):
    console.make_folder(args.out)
    checkpoint = checkpoints.load(args.model)
    which = checkpoint.resizing | {"image_size": args.image_size, "skip_bad": args.skip_bad}
    dataset = images.choose(args.images, args.data, checkpoint.data, **which)
    dataset = dataset.in_classes(images.class_names(args.classes) or checkpoint.classes, checkpoint.class_count)
    classifier = network.take_apart(checkpoint, dataset, args.input_range)

    methods = attribution.methods_for(args.method, layer=args.layer, patches=args.window or args.stride)
    target, against = (images.class_index(each, dataset.classes) for each in (args.target, args.against))
    chosen = {"indices": dataset.check(args.indices), "wrong": args.wrong, "count": args.num, "seed": args.seed}
    indices, targets = attribution.to_explain(classifier, dataset, target=target, against=against, **chosen)
    asked = classifier if against is None else attribution.Contrast(classifier, against)
    how = {"windows": args.window, "stride": args.stride, "layer": args.layer, "baseline": args.baseline}
    how |= {"score": args.score, "seed": args.seed}
    shown = {"methods": methods, "random_weights": args.sanity, "track": console.track, "bar": console.bar}
    compared = attribution.compare(asked, dataset.images[indices], targets, **shown, **how)

    about = {"labels": dataset.labels[indices], "both": args.wrong, "against": against}
    titles = attribution.titles(compared.first, classes=dataset.classes, **about)
    unit, probability = attribution.quantities(args.score, against)
    console.print_table(*attribution.scores_table(compared, indices, titles, probability))
    for sentence in attribution.sentences(compared):
        console.say(sentence)
    titles = attribution.titles(compared.first, classes=plots.short_names(dataset.classes), **about)
    most = (2 if args.wrong else 1) if args.separate else 8
    pages = plots.importance_pages(compared, titles, unit=unit, probability=probability, most=most)
    console.save_figures(args.out, pages, args.show)
    arrays, attributes = attribution.to_save(compared, asked, indices, **how)
    attributes |= {"model": str(checkpoint.path), "data": dataset.name, "classes": list(dataset.classes)}
    attributes |= {"input_range": classifier.input_range}
    attributes |= {} if against is None else {"against": dataset.classes[against]}
    console.save_arrays(args.out / "pixel_importance.h5", arrays, attributes)


def main(argv=None):
    return console.run(options(), visualize, argv)


if __name__ == "__main__":
    sys.exit(main())
