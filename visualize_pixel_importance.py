#!/usr/bin/env python3
"""Which pixels made the network decide so? Hide one section of a picture after the other, see how its score falls."""

import sys

from cnnvis import cli, console

WINDOWS = (5, 10, 15)  # pixels, where they fit the picture
STRIDE = 2  # pixels


def options():
    parser = cli.visualize_parser(__doc__)
    group = parser.add_argument_group("pixel importance")
    group.add_argument(
        "--window",
        nargs="+",
        type=cli.positive,
        metavar="N",
        help="side(s) of the hidden square in pixels; maps of several are averaged (default: 5 10 15)",
    )
    group.add_argument(
        "--stride",
        type=cli.positive,
        metavar="N",
        help="pixels from one square to the next (default: 2, or 1 with squares of 1)",
    )
    group.add_argument(
        "--baseline",
        type=cli.baseline,
        default="mean",
        metavar="mean|zero|blur|noise|VALUE",
        help="what a hidden section shows: the mean colour, black, the blurred picture, noise, or a grey 0-255",
    )
    group.add_argument("--score", choices=("logit", "probability"), default="logit", help="what is seen to fall")
    group.add_argument(
        "--class", dest="target", metavar="NAME|INDEX", help="whose score; pictures of it, too (default: the predicted)"
    )
    group.add_argument(
        "--indices",
        nargs="+",
        type=cli.natural,
        metavar="I",
        help="pictures (default: random, correctly predicted)",
    )
    group.add_argument("--num", type=cli.positive, default=4, metavar="N", help="pictures, where --indices names none")
    return parser


def visualize(args):
    import numpy as np

    from cnnvis import faithfulness, inputs, occlusion, plots
    from models import checkpoint

    cli.make_folder(args.out)
    network = checkpoint.load(args.model or checkpoint.newest())
    classifier, pictures = inputs.open_classifier(args, network)
    windows = args.window or [window for window in WINDOWS if window <= min(classifier.size)] or [1]
    stride = args.stride or min(STRIDE, *windows)
    for window in windows:
        for side in classifier.size:
            occlusion.window_positions(side, window, stride)
    target = cli.class_index(args.target, pictures.classes)
    shown = pictures.take(cli.check_indices(args.indices, len(pictures)) or choose(args, classifier, pictures, target))

    probabilities = classifier.probabilities(shown.images)
    targets = probabilities.argmax(axis=1) if target is None else np.full(len(shown), target)
    probability = probabilities[np.arange(len(shown)), targets]
    baselines = occlusion.baseline_images(shown.images, args.baseline, args.seed)
    score = classifier.logits if args.score == "logit" else classifier.probabilities
    maps = occlusion.occlusion_maps(
        score, shown.images, targets, baselines, windows, stride, console.track("Hiding sections")
    )
    deletion, insertion = faithfulness.deletion_insertion(
        classifier.probabilities, shown.images, baselines, maps, targets, track=console.track("Checking the maps")
    )

    titles = []
    for n, (label, target) in enumerate(zip(shown.labels, targets)):
        title = f"{pictures.classes[target]} {probability[n]:.0%}"
        if label not in (-1, target):
            title += f" (true: {pictures.classes[label]})"
        titles.append(title)
        console.say(f"{title}: deletion {deletion[n]:.3f} (low is good), insertion {insertion[n]:.3f} (high is good)")
    figures = plots.importance_pages("pixel_importance", shown.images, maps, titles, args.score)
    cli.save_figures(args.out, figures, args.show)
    cli.save_arrays(
        args.out / "pixel_importance.h5",
        {
            "images": shown.images,
            "importance": maps,
            "target": targets.astype("int64"),
            "probability": probability,
            "deletion": deletion,
            "insertion": insertion,
            "baselines": baselines,
        },
        {
            "windows": windows,
            "stride": stride,
            "baseline": args.baseline,
            "score": args.score,
            "model": str(network.path),
            "data": pictures.name,
            "classes": list(pictures.classes),
        },
    )


def choose(args, classifier, pictures, target):
    """Indices of `--num` random pictures that are predicted correctly, of the target class if one is asked for."""
    import numpy as np

    if (pictures.labels < 0).all():
        return np.arange(len(pictures))
    order = np.random.default_rng(args.seed).permutation(len(pictures))
    if target is not None:
        order = order[pictures.labels[order] == target]
    chosen = []
    for start in range(0, len(order), 50):
        some = order[start : start + 50]
        predicted = classifier.probabilities(pictures.images[some]).argmax(axis=1)
        chosen += list(some[predicted == pictures.labels[some]])
        if len(chosen) >= args.num:
            break
    if not chosen:
        raise ValueError("no picture is predicted correctly: choose some with --indices")
    return np.array(chosen[: args.num])


def main(argv=None):
    return cli.run(options(), visualize, argv)


if __name__ == "__main__":
    sys.exit(main())
