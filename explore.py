#!/usr/bin/env python3
"""What does a network do inside? One page for your browser, in which it runs on any picture, layer by layer."""

import sys
from pathlib import Path

from cnnvis.console import messages as console
from cnnvis.console import options as cli
from cnnvis.console import output as saving


def options():
    parser = cli.visualize_parser(__doc__, file=Path("outputs/explore.html"))
    add = parser.add_argument_group("page").add_argument
    add("--num", type=cli.positive, default=20, metavar="N", help="pictures to choose from")
    add("--explained", type=cli.natural, default=8, metavar="N", help="of them that get a map of pixel importance")
    add("--tested", type=cli.positive, default=2000, metavar="N", help="test pictures that the results are of")
    add("--examples", type=cli.positive, default=6, metavar="N", help="pictures behind a cell of the confusion matrix")
    add("--layers", nargs="+", metavar="NAME|all", help="whose filters are drawn (default: four layers)")
    add("--filters", type=cli.natural, default=6, metavar="N", help="filters a layer")
    add("--steps", type=cli.positive, default=64, metavar="N", help="of the ascent that draws a filter")
    return parser


def explore(args):
    import time

    from cnnvis.checkpoints import checkpoint
    from cnnvis.explore import page_data as exploration
    from cnnvis.images import choices, inputs

    began = time.perf_counter()
    saving.make_place(args.out)
    network = checkpoint.load(args.model)
    classifier, pictures = inputs.open_classifier(args, network)
    names, images, labels = choices.to_choose_from(pictures, classifier.size, args.num)
    graph, weights = exploration.network(classifier)
    tested = pictures.spread(args.tested)
    probabilities = classifier.probabilities(pictures.images[tested], track=console.track("Predicting"))
    data = {
        "title": network.path.stem,
        "file": network.path.name,
        "parameters": network.model.count_params(),
        "size": list(classifier.size),
        "classes": list(pictures.classes),
        "pictures": exploration.shown_pictures(classifier, names, images, labels),
        "network": graph,
        "results": exploration.results(pictures, tested, probabilities, args.examples),
        "importance": exploration.explanations(classifier, images[: args.explained], args.seed, console.track),
        "filters": look_at_filters(args, network, classifier),
        "article": exploration.article(saving.link(Path(__file__).with_name("README.md"), args.out.parent)),
    }
    page = exploration.as_page(data, weights)
    saving.save_text(args.out, page)
    console.say(f"{len(page.encode()) / 1e6:.1f} MB after {time.perf_counter() - began:.0f} s; open it in a browser")


def look_at_filters(args, network, classifier):
    """The pictures that filters answer to most, made and real: dict."""
    from cnnvis.explore import page_data as exploration
    from cnnvis.features import cache as excitation_cache
    from cnnvis.features import visualization as filter_pictures
    from cnnvis.images import choices, inputs

    layers = choices.layers_with_filters(classifier, args.layers) if args.filters else []
    if not layers:
        return exploration.filters("", {})
    pictures = inputs.open_classifier(args, network, "train")[1]
    statistics = inputs.statistics(network, pictures)
    every = {layer.name: layer for layer in [*choices.layers_with_filters(classifier, ["all"]), *layers]}
    places = network.path.parent, args.out.parent
    track = console.track("Looking at real pictures")
    real = excitation_cache.observe(classifier, [*every.values()], pictures, network, places, track, console.say)
    looked_at = {}
    for number, layer in enumerate(layers):
        chosen = choices.filters_of(layer, None, args.filters, [args.seed, number])
        looked_at[layer.name] = filter_pictures.examine(
            classifier,
            layer,
            chosen,
            real[layer.name],
            pictures.images,
            statistics,
            steps=args.steps,
            seed=args.seed,
            track=console.track(layer.name),
        )
    return exploration.filters(pictures.short_name, looked_at)


def main(argv=None):
    return cli.run(options(), explore, argv)


if __name__ == "__main__":
    sys.exit(main())
