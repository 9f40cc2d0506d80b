"""The map shows every image, and the pages of nearest images say what they show."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex
from matplotlib.offsetbox import AnnotationBbox

from cnnvis import plots
from cnnvis.plots import nearest
from cnnvis.plots.embedding import COLOURS, MARKS


class Images(SimpleNamespace):
    """As a data set."""

    def __len__(self):
        return len(self.labels)

    def number(self, index):
        return int(self.numbers[index])


def mapped(count, classes, wrong=5, **how):
    rng = np.random.default_rng(0)
    labels, points = np.arange(count) % classes, rng.normal(size=(count, 2))
    predicted = np.where(np.arange(count) < wrong, (labels + 1) % classes, labels)
    names, images = [f"_class {number}" for number in range(classes)], rng.integers(0, 256, (count, 6, 8, 3), "uint8")
    figure = plots.embedding_map(points, images, labels, predicted, names, "title", **how)
    return figure, points, labels, predicted


def drawn_points(figure):
    """Every point that is drawn, in the order of its place: (M, 2) array."""
    points = np.concatenate([points.get_offsets() for points in figure.axes[0].collections])
    return points[np.lexsort(points.T)]


@pytest.mark.parametrize(("count", "classes"), [(1, 1), (3, 1), (20, 2), (200, 37), (300, 100), (1100, 1000)])
def test_every_image_is_a_point(count, classes):
    figure, points, labels, predicted = mapped(count, classes)
    np.testing.assert_allclose(drawn_points(figure), points[np.lexsort(points.T)])
    texts = [text.get_text() for text in figure.legends[0].get_texts()]
    shown = min(classes, 25)
    assert len(texts) == shown + (classes > 25) + (predicted != labels).any()
    if classes > 25:
        assert f"{classes - 25:,} other classes" in texts
    low, high = figure.axes[0].get_xlim()
    assert low < points[:, 0].min()
    assert points[:, 0].max() < high


def test_classes_differ_in_colour_and_mark():
    figure, *_ = mapped(200, 25)
    handles = figure.legends[0].legend_handles[:25]
    looks = {(to_hex(handle.get_color()), handle.get_marker()) for handle in handles}
    assert len(looks) == 25
    assert {colour for colour, _ in looks} == set(COLOURS)
    figure, *_ = mapped(200, 10)
    marks = [handle.get_marker() for handle in figure.legends[0].legend_handles[:10]]
    assert marks == list(MARKS)


@pytest.mark.parametrize("classes", [4, 100])
def test_mistakes_have_black_edges(classes):
    """Those of classes without a colour, too."""
    figure, points, labels, predicted = mapped(200, classes, wrong=90)
    edged = [part for part in figure.axes[0].collections if part.get_linewidths()[0] > 0]
    found = np.concatenate([part.get_offsets() for part in edged])
    assert {*map(tuple, found)} == {*map(tuple, points[labels != predicted])}


def test_thumbnails_do_not_cover_each_other():
    figure, *_ = mapped(50, 4)
    places = np.array([box.xy for box in figure.axes[0].artists if isinstance(box, AnnotationBbox)])
    assert 5 < len(places) <= 50
    low, high = figure.axes[0].get_xlim()
    apart = np.abs(places[:, None] - places).max(axis=-1)[~np.eye(len(places), dtype=bool)]
    assert apart.min() / (high - low) > 34 / 110 / 7.6  # inches of a thumbnail, and of the map


def test_thumbnails_do_not_cover_names():
    figure, *_ = mapped(300, 4)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    axes, renderer = figure.axes[0], canvas.get_renderer()
    names = [text.get_window_extent(renderer) for text in axes.texts]
    thumbnails = [box.get_window_extent(renderer) for box in axes.artists if isinstance(box, AnnotationBbox)]
    assert len(names) >= 1
    assert len(thumbnails) > 5
    assert not [name for name in names if name.count_overlaps(thumbnails)]


def test_equal_points_can_be_drawn(tmp_path):
    images, labels = np.zeros((4, 5, 5, 3), "uint8"), np.zeros(4, int)
    figure = plots.embedding_map(np.zeros((4, 2)), images, labels, labels, ["a"], "title")
    figure.savefig(tmp_path / "map.png")


@pytest.fixture
def space():
    rng = np.random.default_rng(0)
    training = Images(labels=np.array([0, 1, 2, 1]), images=rng.integers(0, 256, (4, 6, 6, 3), "uint8"))
    training.numbers = np.array([0, 10, 20, 30])
    return SimpleNamespace(
        layer="fc1",
        method="PCA",
        embedding=rng.normal(size=(5, 2)),
        mistakes=np.array([3, 1]),
        training=training,
        nearest=np.array([[1, 2], [0, 3]]),
        similarity=np.array([[0.9, 0.2], [0.9987, 0.5]]),
        pairs=np.array([[3, 2], [0, 0]]),
        pair_similarity=np.array([0.97, 0.95]),
        doubtful=np.array([False, True]),
    )


@pytest.fixture
def dataset():
    from cnnvis.images.dataset import Dataset

    images = np.random.default_rng(1).integers(0, 256, (5, 6, 6, 3), dtype="uint8")
    return Dataset("some", images, np.array([0, 1, 2, 0, 1]), ("ant", "bee", "cow"), numbers=np.arange(5) + 100)


PROBABILITIES = np.eye(3)[[0, 2, 2, 1, 1]] * 0.7 + 0.1


def captions(figure):
    return [caption for axes in figure.axes if (caption := axes.get_title())]


def beside(figure):
    return [words for axes in figure.axes if (words := axes.get_xlabel())]


def test_pages_of_the_space(dataset, space):
    pages = plots.space_pages(dataset, PROBABILITIES, space, examples=5)
    assert list(pages) == ["results_embedding", "results_nearest", "results_duplicates"]
    assert captions(pages["results_nearest"]) == [
        "#103 ant → bee 80%\nnear-duplicate of training #20",
        "#101 bee → cow 80%\nlabel may be wrong",
    ]
    expected = [
        "bee\n#10\n✗\N{THIN SPACE}0.9000",
        "cow\n#20\n0.2000",
        "ant\n#0\n0.9987",
        "bee\n#30\n✓\N{THIN SPACE}0.5000",
    ]
    assert beside(pages["results_nearest"]) == expected
    title = pages["results_nearest"].get_suptitle().replace("\n", " ")
    assert "2 of 5 test images have near-duplicates among the training images" in title
    assert captions(pages["results_duplicates"]) == ["#103 ant → bee 80%", "#100 ant"]
    assert beside(pages["results_duplicates"]) == ["cow\n#20\n0.970", "ant\n#0\n✓\N{THIN SPACE}0.950"]


def test_without_a_space_or_training_images_there_are_fewer_pages(dataset, space):
    assert plots.space_pages(dataset, PROBABILITIES, None, examples=5) == {}
    space.training = None
    assert list(plots.space_pages(dataset, PROBABILITIES, space, examples=5)) == ["results_embedding"]
    space.embedding = space.embedding[:2]
    two = replace(dataset, images=dataset.images[:2], labels=dataset.labels[:2])
    assert plots.space_pages(two, PROBABILITIES[:2], space, examples=5) == {}


def test_only_some_mistakes_are_shown(dataset, space):
    pages = plots.space_pages(dataset, PROBABILITIES, space, examples=1)
    assert len(captions(pages["results_nearest"])) == len(captions(pages["results_duplicates"])) == 1


def test_cosines_have_the_digits_that_tell_the_largest_from_1():
    largest = {1: 5, 0.99999: 5, 0.99983: 5, 0.9983: 4, 0.99: 3, 0.87: 2, 0: 2, -0.3: 2}
    assert {cosine: nearest._digits([-0.5, cosine]) for cosine in largest} == largest
    assert nearest._digits([]) == 2


def test_all_cosines_of_a_figure_have_as_many_digits():
    image = np.zeros((4, 4, 3), "uint8")
    others = [(image, "cat", cosine, 7, "other") for cosine in (0.9937, 0.98)]
    figure = plots.nearest_images([image], ["#1"], [others], "A title", columns=2)
    assert [axes.get_xlabel().split("\n")[-1] for axes in figure.axes[1:]] == ["0.9937", "0.9800"]
