#!/usr/bin/env python3
"""How well does a network do, and where does it fail? Accuracy, calibration, confusion, right and wrong predictions."""

import sys
from pathlib import Path

from cnnvis.console import messages as console
from cnnvis.console import options as cli
from cnnvis.console import output as saving

MOST_ROWS = 25  # classes in the table on the console


def options():
    parser = cli.visualize_parser(__doc__)
    add = parser.add_argument_group("results").add_argument
    add("--examples", type=cli.positive, default=12, metavar="N", help="pictures a gallery")
    add("--topk", type=cli.positive, metavar="K", help="how many classes a picture may be given (default: 3)")
    add(
        "--batch-size",
        type=cli.positive,
        metavar="N",
        help="pictures evaluated at once (default: 250 of 32x32, fewer of larger ones)",
    )
    add("--compare", type=Path, metavar="OTHER", help="another model, beside this one on the same pictures")
    add("--report", type=Path, metavar="FILE.md", help="write all that is found, in Markdown, with the figures")
    return parser


def visualize(args):
    import numpy as np

    from cnnvis import plots
    from cnnvis.checkpoints import checkpoint
    from cnnvis.console.names import shown
    from cnnvis.evaluation import findings, report
    from cnnvis.images import inputs
    from cnnvis.images import unreadable as skipping

    saving.make_folder(args.out)
    if args.report:
        saving.make_place(args.report)
    network = checkpoint.load(args.model)
    classifier, pictures = inputs.open_classifier(inputs.where_untold(args, network) if args.compare else args, network)
    if (args.topk or 1) > classifier.classes:
        raise ValueError(f"--topk {args.topk} is more than the {classifier.classes} classes of the model")
    topk = args.topk or min(3, classifier.classes)
    labelled = (pictures.labels >= 0).any()
    if not labelled and (args.compare or args.report):
        raise ValueError("--compare and --report need pictures whose class is known: say --data rather than --images")
    other = inputs.open_other(args, checkpoint.load(args.compare), pictures) if args.compare else None

    track = console.track("Predicting")
    probabilities = classifier.probabilities(pictures.streamed, args.batch_size, track)
    if other:
        classifier, others, order = other
        theirs = classifier.probabilities(others.streamed, args.batch_size, track)[:, order]
    skipped = [shown(pictures.source(place)) for place in sorted(pictures.bad or ())]
    pictures, kept = skipping.without_bad(pictures)
    rival = None
    if skipped:
        probabilities = probabilities[kept]
    if other:
        theirs = theirs[kept] if skipped else theirs
        rival = findings.face(probabilities, theirs, pictures.labels, topk, (network.path, args.compare))
    arrays = {"probabilities": probabilities, "labels": pictures.labels, "indices": kept}
    if labelled:
        found = findings.examine(probabilities, pictures.labels, topk)
        how = report.headline(found.scores), args.examples, topk, args.seed
        figures = plots.findings_pages(pictures, probabilities, found, rival, *how)
        tell(found, rival, pictures.classes)
    else:
        first = np.arange(min(args.examples, len(pictures)))
        figures = plots.predictions(pictures, [probabilities], "results", first, "Predictions", topk)
    saving.save_figures(args.out, figures, args.show)
    more, numbers = findings.to_save(found, rival) if labelled else findings.nothing_to_save(classifier.classes)
    what = {"model": str(network.path), "data": pictures.name, "classes": list(pictures.classes), "skipped": skipped}
    saving.save_arrays(args.out / "results.h5", arrays | more, what | numbers)
    if args.report:
        links = report.links(figures, args.out, args.report)
        text = report.markdown(network.path.stem, pictures, probabilities, found, rival, links)
        saving.save_text(args.report, text)


def tell(found, rival, classes):
    """The table on the console: of many classes, those that are recognised worst."""
    from cnnvis.evaluation import report

    rows = report.class_rows(found.scores, classes, rival, MOST_ROWS)
    title = report.headline(found.scores), report.class_choice(found.scores, MOST_ROWS)
    console.print_table("\n".join(filter(None, title)), report.class_columns(rival), rows)
    console.say(report.calibration(found.scores))
    console.say(report.suspicion(found))
    if rival:
        console.say(report.difference(rival, found.scores))


def main(argv=None):
    return cli.run(options(), visualize, argv)


if __name__ == "__main__":
    sys.exit(main())
