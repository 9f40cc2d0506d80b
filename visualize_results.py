#!/usr/bin/env python3
"""How well does a network do, and where does it fail? Accuracy, confusion, right and wrong predictions."""

import sys

from cnnvis import cli, console


def options():
    parser = cli.visualize_parser(__doc__)
    group = parser.add_argument_group("results")
    group.add_argument("--examples", type=cli.positive, default=12, metavar="N", help="pictures a gallery")
    group.add_argument(
        "--topk", type=cli.positive, metavar="K", help="how many classes a picture may be given (default: 3)"
    )
    group.add_argument(
        "--batch-size",
        type=cli.positive,
        metavar="N",
        help="pictures evaluated at once (default: 250 of 32x32, fewer of larger ones)",
    )
    return parser


def visualize(args):
    import numpy as np

    from cnnvis import inputs, plots, results
    from models import checkpoint

    cli.make_folder(args.out)
    network = checkpoint.load(args.model or checkpoint.newest())
    classifier, pictures = inputs.open_classifier(args, network)
    topk = args.topk or min(3, classifier.classes)
    if topk > classifier.classes:
        raise ValueError(f"--topk {topk} is more than the {classifier.classes} classes of the model")

    probabilities = classifier.probabilities(pictures.images, args.batch_size, console.track("Predicting"))
    predicted = results.ranking(probabilities)[:, 0]
    known = np.flatnonzero(pictures.labels >= 0)
    confusion = results.confusion_matrix(pictures.labels[known], predicted[known], classifier.classes)
    accuracy = float(np.mean(pictures.labels[known] == predicted[known])) if len(known) else float("nan")

    def gallery(indices, title):
        images, labels = pictures.images[indices], pictures.labels[indices]
        return plots.gallery(images, probabilities[indices], labels, pictures.classes, title, topk)

    figures = {}
    if len(known):
        interval = results.accuracy_interval(np.trace(confusion), confusion.sum())
        figures["results"] = plots.confusion(confusion, pictures.classes, accuracy, interval)
        chosen = np.random.default_rng(args.seed).permutation(len(pictures))[: args.examples]
        figures["results_random"] = gallery(np.sort(chosen), "Random pictures: true class above, predictions beside")
        wrong = results.confident_mistakes(probabilities, pictures.labels)
        if len(wrong):
            figures["results_wrong"] = gallery(wrong[: args.examples], "Wrong predictions, the most confident first")
            pairs = results.most_confused(confusion)
            figures["results_breakdown"] = plots.breakdown(confusion, pairs, pictures.classes)
    else:
        figures["results"] = gallery(np.arange(min(args.examples, len(pictures))), "Predictions")

    cli.save_figures(args.out, figures, args.show)
    cli.save_arrays(
        args.out / "results.h5",
        {"probabilities": probabilities, "labels": pictures.labels, "confusion": confusion},
        {"accuracy": accuracy, "model": str(network.path), "data": pictures.name, "classes": list(pictures.classes)},
    )
    if len(known):
        report(topk, pictures, probabilities, confusion)


def report(topk, pictures, probabilities, confusion):
    """The table of classes on the console: of many classes, those that are recognised worst."""
    from cnnvis import results

    right, count = int(confusion.trace()), int(confusion.sum())
    low, high = results.accuracy_interval(right, count)
    top = results.top_k_accuracy(probabilities, pictures.labels, topk)
    table = results.class_report(pictures.labels, results.ranking(probabilities)[:, 0], len(pictures.classes))
    worst = table[:, 2].argsort(kind="stable")[:25] if len(table) > 25 else range(len(table))
    scores = [[f"{x:.1%}" for x in table[c, :3]] if table[c, 3] else ["–"] * 3 for c in worst]  # none without pictures
    rows = [(pictures.classes[c], *score, f"{table[c, 3]:.0f}") for c, score in zip(worst, scores)]
    title = f"{right:,} of {count:,} right: {right / count:.2%} (95% interval {low:.2%} to {high:.2%})"
    if topk > 1:
        title += f", {top:.2%} among the {topk} most probable"
    console.print_table(title, ("class", "precision", "recall", "F1", "pictures"), rows)


def main(argv=None):
    return cli.run(options(), visualize, argv)


if __name__ == "__main__":
    sys.exit(main())
