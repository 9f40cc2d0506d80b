#!/usr/bin/env python3
"""How well does a network do, and where does it fail? Accuracy, calibration, confusion, right and wrong predictions."""

import sys
from dataclasses import replace
from pathlib import Path

from cnnvis import checkpoints, console, evaluation, images, network, plots


def options():
    parser = console.visualize_parser(__doc__)
    add = parser.add_argument_group("results").add_argument
    add("--examples", type=console.positive, default=12, metavar="N", help="images in each gallery")
    add("--topk", type=console.positive, metavar="K", help="report top-K accuracy, and show K classes (default: 3)")
    nearest = "training images beside each of the worst mistakes (0: none, which saves a pass through all of them)"
    add("--nearest", type=console.natural, default=5, metavar="N", help=nearest)
    add("--batch-size", type=console.positive, metavar="N", help="images at once (default: 250 of 32x32, or fewer)")
    add("--compare", type=Path, metavar="OTHER", help="compare with another model on the same images")
    console.input_range(add, "--compare-input-range", "OTHER expects (default: detected if possible)")
    add("--report", type=Path, metavar="FILE.md", help="write a report in Markdown, with the figures")
    return parser


def visualize(args):
    console.make_folder(args.out)
    if args.report:
        console.make_parent(args.report, "--report")
    if args.compare_input_range and not args.compare:
        raise ValueError("--compare-input-range is for the network of --compare: give both, or use --input-range")
    checkpoint = checkpoints.load(args.model)
    which = checkpoint.resizing | {"image_size": args.image_size, "skip_bad": args.skip_bad}
    dataset = images.choose(args.images, args.data, checkpoint.data, **which)
    classifier, dataset = take_apart(args, checkpoint, dataset)
    topk = evaluation.check_topk(args.topk, classifier.classes)
    labelled = (dataset.labels >= 0).any()
    if not labelled and (args.compare or args.report):
        raise ValueError("--compare and --report need images whose class is known: use --data instead of --images")
    if args.compare:
        second = checkpoints.load(args.compare)
        which |= second.resizing | {"image_size": None if second.size else args.image_size}
        others = images.choose(args.images, dataset.name, **which)
        other_classifier, others = take_apart(args, second, replace(others, bad=dataset.bad), "compare_input_range")
        order = evaluation.class_order(dataset.classes, others.classes, second.path)

    how = {"batch_size": args.batch_size, "track": console.track("Predicting")}
    hidden = network.hidden(classifier, len(dataset)) if labelled else None
    probabilities, features = network.predict(classifier, dataset.streamed, hidden, **how)
    if args.compare:
        theirs = other_classifier.probabilities(others.streamed, **how)[:, order]
    skipped, (dataset, kept) = dataset.skipped, images.without_unreadable(dataset)
    if skipped:
        probabilities, features = probabilities[kept], features[kept] if hidden else None
    other = None
    if args.compare:
        theirs, paths = theirs[kept] if skipped else theirs, (checkpoint.path, args.compare)
        other = evaluation.compare_with(theirs, probabilities, dataset.labels, topk=topk, paths=paths)

    if labelled:
        found = evaluation.evaluate(probabilities, dataset.labels, topk)
        how = {"k": args.nearest, "seed": args.seed, "skip_bad": args.skip_bad, "checkpoint": checkpoint}
        how |= {"folders": (checkpoint.path.parent, args.out), "track": console.track, "tell": console.say}
        space = evaluation.explore_space(hidden, features, dataset, found, probabilities, **how)
        how = {"examples": args.examples, "topk": topk, "seed": args.seed, "other": other}
        figures = plots.findings_pages(dataset, probabilities, found, headline=evaluation.headline(found.scores), **how)
        figures |= plots.space_pages(dataset, probabilities, space, examples=args.examples)
        evaluation.print_findings(found, dataset, other, space)
        more, numbers = evaluation.to_save(found, other, space)
    else:
        figures = plots.prediction_pages(dataset, probabilities, examples=args.examples, topk=topk)
        more, numbers = evaluation.nothing_to_save(classifier.classes)
    console.save_figures(args.out, figures, args.show)
    what = {"model": str(checkpoint.path), "data": dataset.name, "classes": list(dataset.classes), "skipped": skipped}
    what |= {"input_range": classifier.input_range}
    what |= {"other_input_range": other_classifier.input_range} if other else {}
    arrays = {"probabilities": probabilities, "labels": dataset.labels, "indices": kept}
    console.save_arrays(args.out / "results.h5", arrays | more, what | numbers)
    if args.report:
        links = evaluation.links(figures, args.out, args.report)
        said = {"found": found, "other": other, "space": space, "figures": links}
        console.save_text(args.report, evaluation.markdown(checkpoint.path.stem, dataset, probabilities, **said))


def take_apart(args, checkpoint, dataset, name="input_range"):
    """A network, and the images in its classes. With --compare, --classes only replaces names that are missing."""
    given, known = images.class_names(args.classes), checkpoint.classes
    dataset = dataset.in_classes(known or given if args.compare else given or known, checkpoint.class_count)
    return network.take_apart(checkpoint, dataset, getattr(args, name), option=f"--{name.replace('_', '-')}"), dataset


def main(argv=None):
    return console.run(options(), visualize, argv)


if __name__ == "__main__":
    sys.exit(main())
