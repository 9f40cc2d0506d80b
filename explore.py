#!/usr/bin/env python3
"""What does a network do inside? One page for your browser, in which it runs on any image, layer by layer."""

import sys
import time
from pathlib import Path

from cnnvis import checkpoints, console, explore, features, images, network

MOST_PIXELS = 2**16  # of an image for a network that takes any size: the browser computes it, too


def options():
    parser = console.visualize_parser(__doc__, file=Path("outputs/explore.html"))
    add = parser.add_argument_group("page").add_argument
    add("--num", type=console.positive, default=20, metavar="N", help="images to choose from")
    add("--explained", type=console.natural, default=8, metavar="N", help="how many of them get a heat map")
    add("--tested", type=console.positive, default=2000, metavar="N", help="test images for the results")
    examples = "images for each cell of the confusion matrix"
    add("--examples", type=console.positive, default=6, metavar="N", help=examples)
    add("--layers", nargs="+", metavar="NAME|all", help="layers whose filters are visualised (default: four)")
    last = "the last layer that the page runs, for a network too large for a browser (default: the last that fits)"
    add("--up-to", metavar="NAME", help=last)
    add("--filters", type=console.natural, default=6, metavar="N", help="filters per layer")
    add("--steps", type=console.positive, default=64, metavar="N", help="steps of gradient ascent per filter")
    address = "folder of the article as `make site` writes it, which the page's links lead to"
    add("--article", metavar="URL", help=address)
    return parser


def make_page(args):
    began = time.perf_counter()
    console.make_parent(args.out)
    checkpoint = checkpoints.load(args.model)
    dataset = choose(args, checkpoint)
    classifier = network.take_apart(checkpoint, dataset, args.input_range)
    names, shown, labels = explore.to_choose_from(dataset, classifier.size, args.num)
    graph, weights = explore.network(classifier, args.up_to, tell=console.notice)
    tested = dataset.spread(args.tested)
    probabilities = classifier.probabilities(dataset.images[tested], track=console.track("Predicting"))
    data = {
        "title": checkpoint.path.stem,
        "file": checkpoint.path.name,
        "parameters": checkpoint.model.count_params(),
        "size": list(classifier.size),
        "classes": list(dataset.classes),
        "images": explore.shown_images(classifier, names, shown, labels=labels),
        "network": graph,
        "results": explore.results(dataset, tested, probabilities, examples=args.examples),
        "importance": explore.explanations(classifier, shown[: args.explained], seed=args.seed, track=console.track),
        "filters": visualize_filters(args, checkpoint, classifier),
        "article": explore.article(args.article),
        "digits": explore.digits(),
    }
    page = explore.as_page(data, weights)
    console.save_text(args.out, page)
    console.say(f"{len(page.encode()) / 1e6:.1f} MB after {time.perf_counter() - began:.0f} s; open it in a browser")


def choose(args, checkpoint, split="test", size=None):
    """The images of one split, in the network's classes, and in its size or the one given: Dataset."""
    which = {"image_size": args.image_size, "most": MOST_PIXELS, "skip_bad": args.skip_bad, "split": split}
    which |= checkpoint.resizing | ({"size": size, "image_size": None} if size else {})
    dataset = images.choose(args.images, args.data, checkpoint.data, **which)
    return dataset.in_classes(images.class_names(args.classes) or checkpoint.classes, checkpoint.class_count)


def visualize_filters(args, checkpoint, classifier):
    """The images that activate filters most strongly, made and real: dict."""
    if not args.filters:
        return explore.filters("", {})
    filters = features.choose_filters(classifier, args.layers, num=args.filters, seed=args.seed)
    dataset = choose(args, checkpoint, "train", classifier.size)
    about = {"checkpoint": checkpoint, "folders": (checkpoint.path.parent, args.out.parent)}
    about |= {"how": features.Ascent(steps=args.steps, seed=args.seed), "track": console.track, "tell": console.say}
    return explore.filters(dataset.short_name, dict(features.visualize_layers(classifier, filters, dataset, **about)))


def main(argv=None):
    return console.run(options(), make_page, argv)


if __name__ == "__main__":
    sys.exit(main())
