#!/usr/bin/env python3
"""How well does a network do, and where does it fail? Accuracy, calibration, confusion, right and wrong predictions."""

import sys
from pathlib import Path

from cnnvis import cli, console

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

    from cnnvis import findings, inputs, report, skipping
    from cnnvis.names import shown
    from models import checkpoint

    cli.make_folder(args.out)
    if args.report:
        cli.make_folder(args.report.parent)
    network = checkpoint.load(args.model or checkpoint.newest())
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
    probabilities, rival = probabilities[kept], None
    if other:
        rival = findings.face(probabilities, theirs[kept], pictures.labels, topk, (network.path, args.compare))
    arrays = {"probabilities": probabilities, "labels": pictures.labels, "indices": kept}
    if labelled:
        found = findings.examine(probabilities, pictures.labels, topk)
        figures = draw(args, pictures, probabilities, topk, found, rival)
        tell(found, rival, pictures.classes)
    else:
        figures = gallery(args, pictures, [probabilities], topk, "results", np.arange(len(pictures)), "Predictions")
    cli.save_figures(args.out, figures, args.show)
    more, numbers = findings.to_save(found, rival) if labelled else findings.nothing_to_save(classifier.classes)
    what = {"model": str(network.path), "data": pictures.name, "classes": list(pictures.classes), "skipped": skipped}
    cli.save_arrays(args.out / "results.h5", arrays | more, what | numbers)
    if args.report:
        links = report.links(figures, args.out, args.report)
        text = report.markdown(network.path.stem, pictures, probabilities, found, rival, links)
        cli.save_text(args.report, text)


def draw(args, pictures, probabilities, topk, found, rival):
    """All figures by name, of pictures whose class is known."""
    import numpy as np

    from cnnvis import plots, report

    def add(name, indices, title, networks=(probabilities,)):
        figures.update(gallery(args, pictures, networks, topk, name, indices, title))

    figures = {"results": plots.page(found.scores, pictures.classes, report.headline(found.scores))}
    shuffled = np.random.default_rng(args.seed).permutation(len(pictures))
    add("results_random", np.sort(shuffled[: args.examples]), "Random pictures: true class above, predictions beside")
    add("results_wrong", found.wrong, "Wrong predictions, the most confident first")
    add("results_uncertain", found.uncertain, "Right predictions, the least certain first")
    add("results_labels", found.suspects, "Are these labels wrong? A guess, the likeliest first: look, and judge")
    if found.pairs:
        figures["results_breakdown"] = plots.breakdown(found.scores.confusion, found.pairs, pictures.classes)
        figures["results_confused"] = confused(pictures, probabilities, found)
    if rival:
        both = found.scores, rival.scores
        figures["results_compare"] = plots.comparison(rival.comparison, both, pictures.classes, rival.names)
        for which, side in enumerate(("left", "right")):
            title = f"Right by {rival.names[which]} alone, whose predictions are on the {side}"
            networks = probabilities, rival.probabilities
            add(f"results_only_{side}", rival.comparison.only[which], title, networks)
    return figures


def gallery(args, pictures, networks, topk, name, indices, title):
    """Pages of the first pictures of those, by name; none if there are none."""
    from cnnvis import plots

    indices = indices[: args.examples]
    bars, labels = [probabilities[indices] for probabilities in networks], pictures.labels[indices]
    captions = [pictures.caption(index) for index in indices]
    return plots.gallery_pages(name, pictures.images[indices], bars, labels, pictures.classes, captions, title, topk)


def confused(pictures, probabilities, found, pairs=6, examples=6):
    """Examples of the pairs of classes that are mistaken most often."""
    from cnnvis import plots

    some = found.pairs[:pairs]
    predicted = probabilities[found.wrong].argmax(axis=1)
    chosen = [found.wrong[(pictures.labels[found.wrong] == t) & (predicted == p)][:examples] for t, p, _ in some]
    images = [pictures.images[indices] for indices in chosen]
    claims = [probabilities[indices, p] for indices, (_, p, _) in zip(chosen, some)]
    numbers = [[f"#{pictures.number(index)}" for index in indices] for indices in chosen]
    title = "The classes that are mistaken most often: the surest mistakes"
    return plots.confused_pairs(images, claims, numbers, pictures.classes, some, title)


def tell(found, rival, classes):
    """The table on the console: of many classes, those that are recognised worst."""
    from cnnvis import report

    rows = report.class_rows(found.scores, classes, rival, MOST_ROWS)
    console.print_table(report.headline(found.scores), report.class_columns(rival), rows)
    console.say(report.calibration(found.scores))
    console.say(report.suspicion(found))
    if rival:
        console.say(report.difference(rival, found.scores))


def main(argv=None):
    return cli.run(options(), visualize, argv)


if __name__ == "__main__":
    sys.exit(main())
