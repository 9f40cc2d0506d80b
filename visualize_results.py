#!/usr/bin/env python3
"""How well does a network do, and where does it fail? Accuracy, calibration, confusion, right and wrong predictions."""

import sys
from dataclasses import replace
from pathlib import Path

from cnnvis import checkpoints, console, evaluation, images, network, plots

MOST_ROWS = 25  # of classes in the table on the console


def options():
    parser = console.visualize_parser(__doc__)
    add = parser.add_argument_group("results").add_argument
    add("--examples", type=console.positive, default=12, metavar="N", help="images in each gallery")
    add("--topk", type=console.positive, metavar="K", help="report top-K accuracy, and show K classes (default: 3)")
    batch_size = "images evaluated at once (default: 250 of 32x32, fewer if they are larger)"
    add("--batch-size", type=console.positive, metavar="N", help=batch_size)
    add("--compare", type=Path, metavar="OTHER", help="compare with another model on the same images")
    add("--report", type=Path, metavar="FILE.md", help="write a report in Markdown, with the figures")
    return parser


def visualize(args):
    console.make_folder(args.out)
    if args.report:
        console.make_parent(args.report)
    checkpoint = checkpoints.load(args.model)
    dataset = images.choose(args.images, args.data, checkpoint.data, size=checkpoint.size, skip_bad=args.skip_bad)
    classifier, dataset = take_apart(args, checkpoint, dataset)
    topk = evaluation.check_topk(args.topk, classifier.classes)
    labelled = (dataset.labels >= 0).any()
    if not labelled and (args.compare or args.report):
        raise ValueError("--compare and --report need images whose class is known: use --data instead of --images")
    if args.compare:
        second = checkpoints.load(args.compare)
        others = images.choose(args.images, dataset.name, size=second.size, skip_bad=args.skip_bad)
        second_classifier, others = take_apart(args, second, replace(others, bad=dataset.bad))
        order = evaluation.class_order(dataset.classes, others.classes, second.path)

    track = console.track("Predicting")
    probabilities = classifier.probabilities(dataset.streamed, args.batch_size, track)
    if args.compare:
        theirs = second_classifier.probabilities(others.streamed, args.batch_size, track)[:, order]
    skipped = dataset.skipped
    dataset, kept = images.without_unreadable(dataset)
    probabilities = probabilities[kept] if skipped else probabilities
    other = None
    if args.compare:
        theirs, paths = theirs[kept] if skipped else theirs, (checkpoint.path, args.compare)
        other = evaluation.compare_with(theirs, probabilities, dataset.labels, topk=topk, paths=paths)

    if labelled:
        found = evaluation.evaluate(probabilities, dataset.labels, topk)
        how = {"examples": args.examples, "topk": topk, "seed": args.seed}
        headline = evaluation.headline(found.scores)
        figures = plots.findings_pages(dataset, probabilities, found, other=other, headline=headline, **how)
        say(found, other, dataset.classes)
        more, numbers = evaluation.to_save(found, other)
    else:
        figures = plots.prediction_pages(dataset, probabilities, examples=args.examples, topk=topk)
        more, numbers = evaluation.nothing_to_save(classifier.classes)
    console.save_figures(args.out, figures, args.show)
    what = {"model": str(checkpoint.path), "data": dataset.name, "classes": list(dataset.classes), "skipped": skipped}
    arrays = {"probabilities": probabilities, "labels": dataset.labels, "indices": kept}
    console.save_arrays(args.out / "results.h5", arrays | more, what | numbers)
    if args.report:
        said = {"found": found, "other": other, "figures": evaluation.links(figures, args.out, args.report)}
        text = evaluation.markdown(checkpoint.path.stem, dataset, probabilities, **said)
        console.save_text(args.report, text)


def take_apart(args, checkpoint, dataset):
    """A network, and the images in its classes. With --compare, options only replace metadata that are missing."""
    given, metadata = (images.class_names(args.classes), args.input_range), (checkpoint.classes, checkpoint.input_range)
    names, input_range = (a or b for a, b in (zip(metadata, given) if args.compare else zip(given, metadata)))
    dataset = dataset.in_classes(names, checkpoint.class_count)
    return network.take_apart(checkpoint, dataset, input_range), dataset


def say(found, other, classes):
    """Print a table of the classes, of many only those with the lowest F1, and what else was found."""
    rows = evaluation.class_rows(found.scores, classes, other=other, most=MOST_ROWS)
    title = evaluation.headline(found.scores), evaluation.class_choice(found.scores, MOST_ROWS)
    console.print_table("\n".join(filter(None, title)), evaluation.class_columns(other), rows)
    console.say(evaluation.calibration_sentence(found.scores))
    console.say(evaluation.suspicion(found))
    if other:
        console.say(evaluation.difference(other, found.scores))


def main(argv=None):
    return console.run(options(), visualize, argv)


if __name__ == "__main__":
    sys.exit(main())
