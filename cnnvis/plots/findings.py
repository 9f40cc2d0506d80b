"""All figures of what there is to tell about a classifier's predictions."""

import numpy as np

from cnnvis.plots.canvas import cut
from cnnvis.plots.galleries import confused_pairs, gallery_pages
from cnnvis.plots.results import breakdown, comparison, page

TOPIC = "results"


def findings_pages(pictures, probabilities, found, rival, headline, examples, topk, seed):
    """Figures of pictures whose class is known, by name.

    Parameters
    ----------
    pictures : Pictures
    probabilities : (N, K) float array
    found : Findings
    rival : Rival or None
        A second classifier on the same pictures.
    headline : str
        Of the first figure.
    examples : int
        Pictures a gallery.
    topk : int
        Classes that are shown beside each.
    seed : int
        Of the random pictures.
    """

    def add(name, indices, title, networks=(probabilities,), **notes):
        figures.update(predictions(pictures, networks, f"{TOPIC}_{name}", indices[:examples], title, topk, **notes))

    figures = {TOPIC: page(found.scores, pictures.classes, headline)}
    shuffled = np.random.default_rng(seed).permutation(len(pictures))
    title = "Random pictures: true class above, predictions beside; green if right, red if wrong"
    add("random", np.sort(shuffled[:examples]), title)
    add("wrong", found.wrong, "Wrong predictions, the most confident first")
    add("uncertain", found.uncertain, "Right predictions, the least certain first")
    title = "Are these labels wrong? The label, or what it seems to be: a guess, the likeliest first; look, and judge"
    seeming = [pictures.classes[c] for c in found.seeming[:examples]]
    add("labels", found.suspects, title, seeming=seeming)
    if found.pairs:
        figures[f"{TOPIC}_breakdown"] = breakdown(found.scores.confusion, found.pairs, pictures.classes)
        figures[f"{TOPIC}_confused"] = _confused(pictures, probabilities, found)
    if rival:
        both = found.scores, rival.scores
        figures[f"{TOPIC}_compare"] = comparison(rival.comparison, both, pictures.classes, rival.names)
        for which, side in enumerate(("left", "right")):
            title = f"Right by {rival.names[which]} alone, whose predictions are on the {side}"
            add(f"only_{side}", rival.comparison.only[which], title, (probabilities, rival.probabilities))
    return figures


def predictions(pictures, networks, name, indices, title, topk, seeming=()):
    """Pages of some pictures beside what networks, each given by its probabilities, say of them, by name.

    `seeming` are the classes that they may be of instead of the one that their label says.
    """
    bars, labels = [probabilities[indices] for probabilities in networks], pictures.labels[indices]
    captions = [pictures.caption(index) for index in indices]
    if seeming:
        captions = [
            f"{cut(pictures.classes[label], 11)}, or {cut(other, 11)}? #{pictures.number(index)}"
            for label, other, index in zip(labels, seeming, indices)
        ]
    return gallery_pages(name, pictures.images[indices], bars, labels, pictures.classes, captions, title, topk)


def _confused(pictures, probabilities, found, pairs=6, examples=6):
    """Examples of the pairs of classes that are mistaken most often."""
    some = found.pairs[:pairs]
    predicted = probabilities.argmax(axis=1)[found.wrong]  # rather than a copy of their probabilities
    chosen = [found.wrong[(pictures.labels[found.wrong] == t) & (predicted == p)][:examples] for t, p, _ in some]
    images = [pictures.images[indices] for indices in chosen]
    claims = [probabilities[indices, p] for indices, (_, p, _) in zip(chosen, some)]
    numbers = [[f"#{pictures.number(index)}" for index in indices] for indices in chosen]
    title = "The classes that are mistaken most often: the surest mistakes, and how probable they seemed"
    return confused_pairs(images, claims, numbers, pictures.classes, some, title)
