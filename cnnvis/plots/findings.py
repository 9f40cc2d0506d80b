"""All figures of a classifier's predictions."""

from dataclasses import replace

import numpy as np

from cnnvis.plots.galleries import confused_pairs, gallery_pages
from cnnvis.plots.names import cut, legible
from cnnvis.plots.results import breakdown, comparison, page

TOPIC = "results"


def findings_pages(dataset, probabilities, found, *, headline, examples, topk, seed, other=None):
    """Figures of labelled images, by name.

    Parameters
    ----------
    dataset : Dataset
    probabilities : (N, K) float array
    found : Findings
    other : OtherNetwork, optional
        A second network on the same images.
    headline : str
        Title of the first figure.
    examples : int
        Images in each gallery.
    topk : int
        Classes shown beside each image.
    seed : int
        Of the random images.
    """

    dataset = replace(dataset, classes=legible(dataset.classes))

    def add(name, indices, title, networks=(probabilities,), **notes):
        name, notes = f"{TOPIC}_{name}", {"title": title, "topk": topk, **notes}
        figures.update(predictions(dataset, networks, name, indices=indices[:examples], **notes))

    figures = {TOPIC: page(found.scores, dataset.classes, headline)}
    shuffled = np.random.default_rng(seed).permutation(len(dataset))
    title = "Random images: true class above, predictions beside; green if right, red if wrong"
    add("random", np.sort(shuffled[:examples]), title)
    add("wrong", found.wrong, "Wrong predictions, the most confident first")
    add("uncertain", found.uncertain, "Right predictions, the least certain first")
    title = "Are these labels wrong? The label, and the class that seems right; the likeliest errors first"
    seeming = [dataset.classes[c] for c in found.seeming[:examples]]
    add("labels", found.suspects, title, seeming=seeming)
    if found.pairs:
        figures[f"{TOPIC}_breakdown"] = breakdown(found.scores.confusion, found.pairs, dataset.classes)
        figures[f"{TOPIC}_confused"] = _confused(dataset, probabilities, found)
    if other:
        both = found.scores, other.scores
        figures[f"{TOPIC}_compare"] = comparison(other.comparison, both, dataset.classes, names=other.names)
        for which, side in enumerate(("left", "right")):
            title = f"Right by {other.names[which]} alone, whose predictions are on the {side}"
            add(f"only_{side}", other.comparison.only[which], title, networks=(probabilities, other.probabilities))
    return figures


def predictions(dataset, networks, name, *, indices, title, topk, seeming=()):
    """Pages of images beside the predictions of one or more networks, given by their probabilities, by name.

    `seeming`, if given, are the classes that seem right instead of the labels.
    """
    bars, labels = [probabilities[indices] for probabilities in networks], dataset.labels[indices]
    numbers = [dataset.number(index) for index in indices]
    captions = legible([dataset.caption(index) for index in indices], "image", numbers)
    if seeming:
        captions = [
            f"{cut(dataset.classes[label], 11)}, or {cut(other, 11)}? #{number}"
            for label, other, number in zip(labels, seeming, numbers)
        ]
    what = {"labels": labels, "classes": dataset.classes, "captions": captions, "title": title, "top": topk}
    return gallery_pages(name, dataset.images[indices], bars, **what)


def prediction_pages(dataset, probabilities, *, examples, topk):
    """Figures of the first of unlabelled images, by name."""
    dataset = replace(dataset, classes=legible(dataset.classes))
    first = np.arange(min(examples, len(dataset)))
    return predictions(dataset, [probabilities], TOPIC, indices=first, title="Predictions", topk=topk)


def _confused(dataset, probabilities, found, pairs=6, examples=6):
    """Examples of the pairs of classes that are confused most often."""
    some = found.pairs[:pairs]
    predicted = probabilities.argmax(axis=1)[found.wrong]  # without a copy of their probabilities
    chosen = [found.wrong[(dataset.labels[found.wrong] == t) & (predicted == p)][:examples] for t, p, _ in some]
    images = [dataset.images[indices] for indices in chosen]
    confidences = [probabilities[indices, p] for indices, (_, p, _) in zip(chosen, some)]
    numbers = [[f"#{dataset.number(index)}" for index in indices] for indices in chosen]
    title = "The classes confused most often: the most confident wrong predictions, with their probabilities"
    return confused_pairs(images, confidences, numbers, classes=dataset.classes, pairs=some, title=title)
