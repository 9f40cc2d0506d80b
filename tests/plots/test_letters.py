"""Letters are large enough where a phone shows a figure 360 pixels wide, and within the figure."""

import itertools
import re
from dataclasses import replace

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Text

from cnnvis import plots
from cnnvis.attribution import Comparison
from cnnvis.evaluation import metrics
from tests.plots.test_plots import explanation, film_of, many_filters, terms

pytestmark = pytest.mark.slow

CLASSES = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]
PHONE, FEWEST = 360, 11  # pixels


@pytest.fixture(scope="module")
def drawn():
    """Figures by name, drawn."""
    made = dict(figures(np.random.default_rng(0)))
    for figure in made.values():
        FigureCanvasAgg(figure).draw()
    return made


def figures(rng):
    """One of each kind that the scripts draw, of ten classes."""
    labels, images = np.arange(1000) % 10, rng.integers(0, 256, (12, 32, 32, 3), dtype="uint8")
    one, other = (rng.dirichlet(np.ones(10), 1000) + 0.4 * np.eye(10)[labels] for _ in range(2))
    one, other = one / 1.4, other / 1.4
    scores, theirs = metrics.score(one, labels, 3), metrics.score(other, labels, 3)
    yield "page", plots.page(scores, CLASSES, "9,460 of 10,000 right: 94.60% (95% interval 94.14% to 95.03%)")
    counts = np.where(np.eye(10, dtype=bool), 1000, 999)
    yield "crowded page", plots.page(replace(scores, confusion=counts), CLASSES, "title")
    pairs = [(1, 0, 1234), *itertools.permutations((1, 2, 9), 2)]
    pairs = [(true, predicted, 1234) for true, predicted, *_ in pairs]
    yield "breakdown", plots.breakdown(scores.confusion, pairs, CLASSES)
    names = ("cifar10_basic", "models/of/mine/cifar10_deep.keras")
    yield "comparison", plots.comparison(metrics.compare(one, other, labels), (scores, theirs), CLASSES, names)
    captions = [f"{CLASSES[1]}, or {CLASSES[0]}? #{number}" for number in range(49000, 49012)]
    what = {"labels": labels[:12], "classes": CLASSES, "captions": captions, "title": "Wrong predictions"}
    sure = np.eye(10)[labels[:12]]
    yield "gallery", plots.gallery(images, [sure], **what)
    yield "gallery of ten classes", plots.gallery(images, [one[:12]], **what, top=10)
    yield "gallery of two networks", plots.gallery(images, [sure, one[:12]], **what)
    numbers = [f"#{number}" for number in range(49000, 49006)]
    few = [images[:6]] * 2, [np.ones(6)] * 2, [numbers] * 2
    yield "confused", plots.confused_pairs(*few, CLASSES, [(1, 0, 1234), (0, 1, 12)], "title")
    beside = [[(image, "automobile", 0.99983, 49999, "predicted") for image in images[:5]]] * 3
    captions = ["#9999 automobile → automobile 100%\nnear-duplicate of training #49999, label may be wrong"] * 3
    yield "nearest", plots.nearest_images(images[:3], captions, beside, "title", columns=5)
    pairs = [row[:1] for row in beside]
    captions = ["#9999 automobile → automobile 100%"] * 3
    yield "duplicates", plots.nearest_images(images[:3], captions, pairs, "title", columns=1, across=2)
    around = 9 * np.stack([np.cos(labels), np.sin(labels)], axis=-1) + rng.normal(size=(1000, 2))
    shown = {"images": images[labels], "classes": CLASSES, "title": "1,000 images in relu7"}
    yield "map", plots.embedding_map(around, labels=labels, predicted=labels[::-1], **shown)

    explained = explanation(images[:2], rng.normal(size=(2, 32, 32)))
    titles = ["automobile 100% (true: airplane)"] * 2
    yield "heat maps", plots.heat_maps(explained, titles, "logit")
    small = explanation(images[:2], 1e-4 * rng.normal(size=(2, 32, 32)))
    yield "heat maps of small values", plots.heat_maps(small, titles, "probability")
    methods = dict.fromkeys(("banzhaf", "occlusion", "gradcam", "gradients", "smoothgrad"), explained)
    opposite = {name: -each.importance for name, each in methods.items()}
    compared = Comparison(methods, rng.normal(size=(2, 32, 32)), opposite)
    yield from plots.importance_pages(compared, titles, unit="logit", most=2).items()

    yield "filters", plots.filter_pages("x", {"conv1": many_filters(5, dead=[2])}, CLASSES)["x"]
    outputs = {"conv1": rng.normal(size=(16, 16, 384)), "leaky_re_lu_10": rng.normal(size=(8, 8, 384))}
    outputs |= {"fc1": rng.normal(size=384), "fc2": rng.normal(size=5000)}
    predicted = {"probabilities": sure[1], "classes": CLASSES, "title": "From pixels to probabilities: truck #11"}
    kinds = {"conv1": "CONV", "leaky_re_lu_10": "RELU", "fc1": "FC", "fc2": "FC"}
    yield "network", plots.network_outputs(images[0], outputs, kinds, **predicted)
    for channels in (1, 3, 24, 384, 2048):
        yield f"{channels} channels", plots.layer_output("conv1", "CONV", rng.normal(size=(8, 8, channels)))
    yield "channels on one scale", plots.layer_output("conv1", "CONV", rng.normal(size=(8, 8, 24)), "layer")
    for units in (10, 384, 5000):
        yield f"{units} units", plots.layer_output("fc1", "FC", rng.normal(size=units))
    for channels in (1, 2, 2048):
        yield f"channel of {channels}", plots.channel_terms(terms(rng, channels), "conv3", 511)
    for inputs, count in ((3, 32), (2048, 1024)):
        film = film_of(rng, CLASSES, inputs=inputs, filters=32, count=count)
        yield f"frame, {inputs} inputs", list(plots.film_frames(film))[-1]
        yield f"sheet of frames, {inputs} inputs", plots.film_sheet(film)


def visible_texts(figure):
    """The texts that are drawn."""
    hidden = [axis for axes in figure.axes if not axes.axison for axis in (axes.xaxis, axes.yaxis)]
    unseen = {text for axis in hidden for text in axis.findobj(Text)}
    for axis in [axis for axes in figure.axes for axis in (axes.xaxis, axes.yaxis)]:
        (low, high), ticks = sorted(axis.get_view_interval()), [*axis.get_major_ticks(), *axis.get_minor_ticks()]
        beyond = [tick for tick in ticks if not low - 1e-6 <= tick.get_loc() <= high + 1e-6]
        unseen |= {text for tick in beyond for text in (tick.label1, tick.label2)}
    texts = [text for text in figure.findobj(Text) if text not in unseen]
    return [text for text in texts if text.get_text().strip() and text.get_visible() and text.get_alpha() != 0]


def test_letters_are_large_enough_on_a_phone(drawn):
    small = []
    for name, figure in drawn.items():
        pixels = PHONE / figure.get_figwidth() / 72  # of a point
        small += [(name, each.get_text()) for each in visible_texts(figure) if each.get_fontsize() * pixels < FEWEST]
    assert small == []


def test_negative_numbers_have_a_real_minus(drawn):
    texts = [(name, text.get_text()) for name, figure in drawn.items() for text in visible_texts(figure)]
    assert [(name, text) for name, text in texts if re.search(r"-\d", text)] == []
    negative = {name for name, text in texts if re.search(r"−\d", text)}
    assert {"heat maps", "channels on one scale", "channel of 2048", "frame, 3 inputs"} <= negative


def test_no_text_lies_outside_its_figure(drawn):
    beyond = []
    for name, figure in drawn.items():
        for text in visible_texts(figure):
            place = text.get_window_extent()
            if min(place.x0, place.y0) < 0 or place.x1 > figure.bbox.x1 or place.y1 > figure.bbox.y1:
                beyond.append((name, text.get_text()))
    assert beyond == []


def test_no_text_covers_another(drawn):
    """The boxes of names that are turned may overlap: their letters don't."""
    covered = []
    for name, figure in drawn.items():
        texts = [text for text in visible_texts(figure) if text.get_rotation() in (0, 90)]
        places = [text.get_window_extent() for text in texts]
        for (one, a), (other, b) in itertools.combinations(zip(texts, places), 2):
            across, up = min(a.x1, b.x1) - max(a.x0, b.x0), min(a.y1, b.y1) - max(a.y0, b.y0)
            if across > 1 and up > 2:
                covered.append((name, one.get_text(), other.get_text()))
    assert covered == []
