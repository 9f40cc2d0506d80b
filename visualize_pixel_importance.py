#!/usr/bin/env python3
"""Which pixels made the network decide so? Hide sections of a picture, and see how its score falls."""

import sys

from cnnvis.console import messages as console
from cnnvis.console import options as cli
from cnnvis.console import output as saving


def options():
    parser = cli.visualize_parser(__doc__)
    group = parser.add_argument_group("pixel importance")
    add = group.add_argument
    add(
        "--method",
        choices=("halves", "occlusion", "gradient"),
        help="hide half of all squares at once, in many ways, or one square after the other, or integrate gradients "
        "(default: halves; with --window or --stride, occlusion)",
    )
    add(
        "--window",
        nargs="+",
        type=cli.positive,
        metavar="N",
        help="side(s) of the squares in pixels; maps of several are averaged (default: 8 of 32; occlusion: 5 10 15)",
    )
    add(
        "--stride",
        type=cli.positive,
        metavar="N",
        help="pixels from one square to the next (default: 2 of 32 pixels, or 1 with squares of 1)",
    )
    add(
        "--baseline",
        type=cli.baseline,
        default="mean",
        metavar="mean|zero|blur|noise|VALUE",
        help="what a hidden section shows: the mean colour, black, the blurred picture, noise, or a grey 0-255",
    )
    add("--score", choices=("logit", "probability"), default="logit", help="what is seen to fall")
    add(
        "--class", dest="target", metavar="NAME|INDEX", help="whose score; pictures of it, too (default: the predicted)"
    )
    add("--wrong", action="store_true", help="wrong predictions, explained for the predicted and for the true class")
    add("--indices", nargs="+", type=cli.natural, metavar="I", help="pictures (default: random, correctly predicted)")
    add("--num", type=cli.positive, default=4, metavar="N", help="pictures, where --indices names none")
    add("--separate", action="store_true", help="a figure for each picture")
    return parser


def visualize(args):
    from cnnvis import plots
    from cnnvis.attribution import explanation as importance
    from cnnvis.checkpoints import checkpoint
    from cnnvis.images import choices, inputs

    saving.make_folder(args.out)
    network = checkpoint.load(args.model)
    classifier, pictures = inputs.open_classifier(args, network)
    method = args.method or ("occlusion" if args.window or args.stride else "halves")
    windows, stride = importance.windows_for(method, *classifier.size, args.window, args.stride)
    target = cli.class_index(args.target, pictures.classes)
    asked = cli.check_indices(args.indices, len(pictures))
    indices, targets = choices.to_explain(classifier, pictures, asked, target, args.wrong, args.num, args.seed)

    how = method, windows, stride, args.baseline, args.score, args.seed
    explained = importance.explain(classifier, pictures.images[indices], targets, *how, console.track)

    titles = []
    for target, label, probability in zip(targets, pictures.labels[indices], explained.probability):
        true = f" (true: {pictures.classes[label]})" if label not in (-1, target) else " (true)" if args.wrong else ""
        titles.append(f"{pictures.classes[target]} {probability:.0%}{true}")
    report(indices, titles, explained)
    most = (2 if args.wrong else 1) if args.separate else 8
    figures = plots.importance_pages("pixel_importance", explained, titles, args.score, most)
    saving.save_figures(args.out, figures, args.show)
    measured = {
        "method": method,
        "windows": windows,
        "stride": stride,
        "baseline": args.baseline,
        "score": args.score,
    }
    what = {"model": str(network.path), "data": pictures.name, "classes": list(pictures.classes)}
    saving.save_arrays(args.out / "pixel_importance.h5", {"indices": indices, **vars(explained)}, measured | what)


def report(indices, titles, explained):
    """Say how far each map can be trusted."""
    fields = ("deletion", "random_deletion", "insertion", "random_insertion", "hidden_probability")
    numbers = zip(*(getattr(explained, field) for field in fields))
    console.print_table(
        "Probability of the class while pixels are hidden (low is good) or shown (high), most important first:",
        ("picture", "deletion", "at random", "insertion", "at random", "without the section"),
        [
            (f"{index}: {title}", *(f"{number:.3f}" for number in row))
            for index, title, row in zip(indices, titles, numbers)
        ],
    )


def main(argv=None):
    return cli.run(options(), visualize, argv)


if __name__ == "__main__":
    sys.exit(main())
