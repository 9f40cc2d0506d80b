#!/usr/bin/env python3
"""Which pixels made the network decide so? Hide patches of an image and see how much the score falls."""

import sys

from cnnvis import attribution, checkpoints, console, images, network, plots


def options():
    parser = console.visualize_parser(__doc__)
    add = parser.add_argument_group("pixel importance").add_argument
    method = (
        "banzhaf: hide half of all patches at once, in many ways; occlusion: hide one patch after the other; "
        "gradients: integrated gradients (default: banzhaf; with --window or --stride, occlusion)"
    )
    known = console.checked(lambda name: attribution.check_method(name))
    add("--method", type=known, metavar="METHOD", help=method)
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

    method = args.method or ("occlusion" if args.window or args.stride else "banzhaf")
    windows, stride = attribution.windows_for(method, classifier.size, windows=args.window, stride=args.stride)
    chosen = {"indices": dataset.check(args.indices), "target": images.class_index(args.target, dataset.classes)}
    chosen |= {"wrong": args.wrong, "count": args.num, "seed": args.seed}
    indices, targets = attribution.to_explain(classifier, dataset, **chosen)
    explained = attribution.explain(
        classifier,
        dataset.images[indices],
        targets,
        method=method,
        windows=windows,
        stride=stride,
        baseline=args.baseline,
        score=args.score,
        seed=args.seed,
        track=console.track,
    )

    titles = attribution.titles(explained, dataset.labels[indices], dataset.classes, both=args.wrong)
    tell(indices, titles, explained)
    titles = attribution.titles(explained, dataset.labels[indices], plots.legible(dataset.classes), both=args.wrong)
    most = (2 if args.wrong else 1) if args.separate else 8
    figures = plots.heat_map_pages("pixel_importance", explained, titles, unit=args.score, most=most)
    console.save_figures(args.out, figures, args.show)
    how = {"method": method, "windows": windows, "stride": stride, "baseline": args.baseline, "score": args.score}
    what = {"model": str(checkpoint.path), "data": dataset.name, "classes": list(dataset.classes)}
    what |= {"input_range": classifier.input_range}
    console.save_arrays(args.out / "pixel_importance.h5", {"indices": indices, **explained.arrays()}, how | what)


def tell(indices, titles, explained):
    """Print how faithful each map is."""
    fields = ("deletion", "random_deletion", "insertion", "random_insertion", "hidden_probability")
    numbers = zip(*(getattr(explained, field) for field in fields))
    console.print_table(
        "Mean probability of the class while the most important pixels are hidden (lower is better) or shown (higher):",
        ("image", "deletion", "at random", "insertion", "at random", "without the patch"),
        [
            (f"{index}: {title}", *(f"{number:.3f}" for number in row))
            for index, title, row in zip(indices, titles, numbers)
        ],
    )


def main(argv=None):
    return console.run(options(), visualize, argv)


if __name__ == "__main__":
    sys.exit(main())
