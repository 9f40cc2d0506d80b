"""Figures show everything, and nothing is cut off."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import matplotlib
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from PIL import Image
from scipy import ndimage

from cnnvis import plots
from cnnvis.attribution.comparison import Comparison
from cnnvis.attribution.explanation import Explanation
from cnnvis.evaluation import metrics
from cnnvis.features.visualization import FilterImages
from cnnvis.network.channel import ChannelTerms
from cnnvis.plots import film as film_plots
from cnnvis.plots import layers, sheets
from cnnvis.plots.canvas import DIVERGING, OTHER, RIGHT, WRONG, percent
from cnnvis.training.film import Frame
from tests.conftest import OTHER_TEXT

GOLDEN = Path(__file__).parents[1] / "golden"
CALIBRATION = metrics.calibration(np.array([[0.9, 0.1]]), np.array([0]))
CLASSES = ["cat", "$x^$", "a class with a long name of several words", "d" * 40]
LONG = ["A NAME IN CAPITALS " * 3, "A CLASS WITH A LONG NAME", "<img src=x onerror=alert(1)>", "Mm" * 20]


def pixels(figure, tmp_path):
    figure.savefig(tmp_path / "figure.png")
    return np.asarray(Image.open(tmp_path / "figure.png").convert("RGB")).astype(int)


def ends_of_bars(axes):
    """The corners of bars where they end, farthest from 0: (bars, 2) array."""
    return np.array([path.vertices[2] for bars in axes.collections for path in bars.get_paths()])


def border_is_white(image, width=2):
    edges = [image[:width], image[-width:], image[:, :width], image[:, -width:]]
    return all((edge == 255).all() for edge in edges)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def explanation(images, maps):
    numbers = np.linspace(0.1, 0.9, len(images))
    patches = np.full((len(images), 4), [1, 0, 4, 3])
    return Explanation(images, numbers, images, maps, *[numbers] * 4, patches, numbers, 1 - numbers, numbers)


def terms(rng, channels):
    inputs, weights, parts = (rng.normal(size=(size, size, channels)) for size in (9, 3, 7))
    return ChannelTerms(inputs, weights, parts, bias=0.5, activation="relu", output=rng.normal(size=(7, 7)))


def film_of(rng, classes, *, inputs=3, filters=64, count=64, layer="conv1", learns=True):
    """A film of two epochs of nine steps, with a dead feature map."""
    depth, channels = inputs if inputs in (1, 3) else 1, np.array([0, 7, 9, 63])[: 4 if filters else 0]

    def frame(step):
        arrays = rng.dirichlet(np.ones(len(classes))), rng.normal(size=(12, 9, len(channels))) * 1e-4
        arrays[1][..., 1:2] = 0
        known = np.nan if step == 0 else rng.uniform(), np.nan if step % 9 or step == 0 else rng.uniform()
        return Frame(step, *arrays, rng.normal(size=(3, 3, depth, filters)), *known)

    return SimpleNamespace(
        image=rng.integers(0, 256, (30, 24, 3), dtype="uint8"),
        label=1,
        classes=tuple(classes),
        frames=[frame(step) for step in (0, 1, 2, 4, 8, 9, 18)],
        steps=9,
        epochs=2,
        layer=layer,
        learns=learns,
        inputs=inputs,
        count=count,
        channels=channels,
        finished=2,
    )


def figures(rng):
    images = rng.integers(0, 256, (5, 32, 32, 3), dtype="uint8")
    probabilities = rng.dirichlet(np.ones(4), 5)
    matrix = rng.integers(0, 50, (4, 4))
    maps = rng.normal(size=(5, 32, 32))
    filters = FilterImages(
        images=images,
        filters=np.arange(5),
        activation=rng.normal(size=5),
        dataset_max=rng.normal(size=5),
        dead=np.array([0, 1, 0, 0, 0], bool),
        patches=rng.integers(0, 256, (5, 9, 7, 6, 3), dtype="uint8"),
        patch_activation=rng.normal(size=(5, 9)),
        selectivity=rng.uniform(size=5),
        favourite=np.array([0, 1, 2, 3, -1]),
    )
    few = filters[1:2]
    outputs = {"conv1": rng.normal(size=(9, 9, 20)), "pool1": rng.normal(size=(4, 4, 3)), "fc1": rng.normal(size=30)}
    kinds = {"conv1": "CONV", "pool1": "POOL", "fc1": "FC"}
    rows = [{"epoch": i, "loss": 1 / i, "accuracy": 1 - 1 / i, "val_loss": 1, "val_accuracy": 0.5} for i in (1, 2, 3)]
    yield "training_curves", plots.training_curves(rows)
    labels = np.array([0, 1, 2, 3, -1])
    names = ["$x_cat$ #1", "a name that is too long for its image.png", "b", "c", "d"]
    scores = metrics.score(probabilities, labels, 3)
    yield "page", plots.page(scores, CLASSES, "A $title_")
    yield "gallery", plots.gallery(images, [probabilities], labels, CLASSES, names, "A title")
    yield "two networks", plots.gallery(images, [probabilities] * 2, labels, CLASSES, names, "A title", top=4)
    pairs = [(0, 2, 1234567), (3, 1, 2)]
    some, claims, numbers = (
        [images[:3], images[3:4]],
        [probabilities[:3, 2], probabilities[3:4, 1]],
        [names[:3], ["#3"]],
    )
    yield "confused pairs", plots.confused_pairs(some, claims, numbers, CLASSES, pairs, "A title")
    compared = metrics.compare(probabilities, probabilities[::-1], labels)
    yield "comparison", plots.comparison(compared, (scores, scores), CLASSES, ("a" * 80, "/a/folder/model.keras"))
    yield "breakdown", plots.breakdown(matrix, [(0, 3, 40), (2, 1, 7)], CLASSES)
    explained = explanation(images, maps)
    yield "heat maps", plots.heat_maps(explained, ["cat 90%\nsecond line"] * 5, "logit")
    yield "filters", plots.filter_pages("x", {"conv1": filters, "a_very_long_layer_name": filters}, CLASSES)["x"]
    yield "one filter", plots.filter_pages("x", {"conv1": few}, CLASSES)["x"]
    yield "sheet", plots.filter_sheets("x", "a_very_long_layer_name" * 3, filters, CLASSES)["x"]
    yield "sheet of one", plots.filter_sheets("x", "conv1", few, CLASSES)["x"]
    yield "atlas", plots.filter_atlas("x", {"conv1": filters, "a_very_long_layer_name" * 3: few})["x"]
    activation = rng.normal(size=(3, 5)) * 1e4
    frames = {"frames": np.stack([images] * 3), "frame_activation": activation, "frame_steps": [0, 5, 9]}
    yield "ascent", plots.ascent_frames({"a_long_layer_name": replace(filters, **frames)})[1]
    yield "ascent of the dead", plots.ascent_frames({"conv1": replace(few, **frames)})[1]
    film = film_of(rng, CLASSES)
    yield "film", list(plots.film_frames(film))[-1]
    yield "first frame of a film", next(plots.film_frames(film))
    yield "sheet of a film", plots.film_sheet(film)
    yield "film without CONV layers", next(plots.film_frames(film_of(rng, CLASSES, filters=0, inputs=0)))
    methods = dict.fromkeys(("banzhaf", "occlusion", "gradcam", "gradients", "smoothgrad"), explained)
    random_weights = {name: rng.normal(size=explained.importance.shape) for name in methods}
    compared = Comparison(methods, rng.normal(size=explained.importance.shape), random_weights)
    titles = [f"{CLASSES[2]} rather than {CLASSES[3]} 9%"] * 5
    for name, figure in plots.importance_pages(compared, titles, unit="logit", most=3).items():
        yield f"methods, {name}", figure
    yield "one heat map", plots.heat_maps(explained[:1], [f"{CLASSES[2]} 9% (true: {CLASSES[3]})"], "logit")
    for shape in ((9, 9, 20), (1, 1, 7), (130,)):
        for scale in ("channel", "layer"):
            yield f"layer_{shape[-1]}_{scale}", plots.layer_output("conv1", "CONV", rng.normal(size=shape), scale)
    yield "channel", plots.channel_terms(terms(rng, 12), "a_very_long_layer_name_" * 3, 511)
    predicted = {"probabilities": probabilities[0], "classes": CLASSES}
    yield "network", plots.network_outputs(images[0], outputs, kinds, **predicted, title="A title")
    beside = [[(image, CLASSES[2], 0.99983, 49999, "other") for image in images[:number]] for number in range(5)]
    yield "nearest", plots.nearest_images(images, ["#9999\nx → y 100%"] * 5, beside, "A title", columns=4, across=2)
    points = rng.normal(size=(400, 2))
    drawn = {"images": np.repeat(images, 80, axis=0)[:, :, :24], "classes": CLASSES, "title": "A title"}
    labels = {"labels": np.arange(400) % 4, "predicted": np.arange(400) // 2 % 4}
    yield "map", plots.embedding_map(points, **drawn, **labels)


def narrow_figures(rng):
    """Of few images, channels and classes with long names, where there is least room for text."""
    image = rng.integers(0, 256, (1, 32, 32, 3), dtype="uint8")
    title, caption = "A title that is longer than one image with its bars beside it is wide " * 2, f"{LONG[0]} #1234"
    probabilities, labels = np.array([[0.4, 0.3, 0.2, 0.1]]), np.array([3])
    yield "gallery", plots.gallery(image, [probabilities], labels, LONG[1:2] * 4, [caption], title)
    pairs = [(0, 3, 1234567)]
    yield "confused pairs", plots.confused_pairs([image], [[1.0]], [["#123456"]], LONG, pairs, title)
    yield "breakdown", plots.breakdown(np.arange(16).reshape(4, 4), [(0, 3, 40), (3, 0, 7)], LONG)
    probabilities = probabilities[0]
    film = film_of(rng, LONG * 250, inputs=2048, count=1024, layer="a_very_long_layer_name_" * 3, learns=False)
    yield "film", list(plots.film_frames(film))[-1]
    yield "sheet of a film", plots.film_sheet(film)
    title, outputs = f"From pixels to probabilities: {caption}", {"conv": rng.normal(size=(3, 3, 20))}
    predicted = {"probabilities": probabilities, "classes": LONG}
    yield "network", plots.network_outputs(image[0], outputs, {"conv": "CONV"}, **predicted, title=title)
    note = "3×3 window, no padding: 224×224 becomes 222×222"
    yield "layer", plots.layer_output("a_long_layer_name" * 3, "CONV", rng.normal(size=(9, 9, 1)), "layer", note)
    yield "channel", plots.channel_terms(terms(rng, 1), "a_very_long_layer_name_" * 3, 511)
    caption, others = "#123456\n" + "M" * 16 + "\nlabel may\nbe wrong", [(image[0], LONG[3], 0.5, 123456, "true")]
    yield "nearest", plots.nearest_images(image, [caption], [others], "A title " * 20, columns=1)
    explained = explanation(image, rng.normal(size=(1, 32, 32)))
    alone = Comparison({"banzhaf": explained}, None, {"banzhaf": explained.importance})
    yield "sanity", plots.importance_pages(alone, ["cat 90%"], unit="logit", most=1)["pixel_importance_sanity"]
    many = {"images": image.repeat(120, axis=0), "labels": np.arange(120), "predicted": np.zeros(120, int)}
    names = [f"{LONG[3]} {number}" for number in range(120)]
    yield "map", plots.embedding_map(rng.normal(size=(120, 2)), **many, classes=names, title="A title " * 30)


def test_nothing_is_cut_off_where_there_is_little_room(rng, tmp_path):
    for name, figure in narrow_figures(rng):
        assert border_is_white(pixels(figure, tmp_path)), name


USERS_STYLE = {
    "savefig.dpi": 300,
    "savefig.transparent": True,
    "savefig.bbox": "tight",
    "figure.facecolor": "black",
    "figure.constrained_layout.use": True,
    "text.usetex": True,
    "text.antialiased": False,
    "font.size": 24,
    "font.family": "serif",
    "axes.grid": True,
    "axes.facecolor": "black",
    "axes.unicode_minus": False,
    "axes.prop_cycle": "cycler('color', ['r'])",
    "ytick.direction": "in",
    "lines.linewidth": 9,
    "image.cmap": "jet",
    "image.origin": "lower",
    "image.interpolation": "bilinear",
    "path.sketch": (1, 100, 2),
}
ONE_OF_EACH = {
    *("training_curves", "page", "gallery", "confused pairs", "comparison", "breakdown", "one heat map", "one filter"),
    *("sheet of one", "layer_130_channel", "layer_20_layer", "channel", "network", "film without CONV layers"),
    *("sheet of a film", "methods, pixel_importance_2", "methods, pixel_importance_sanity_2"),
}


@pytest.mark.slow
def test_figures_look_the_same_whatever_the_users_style(tmp_path):
    """When they are made, and when they are saved; and the user's own figures keep theirs."""

    def drawn():
        made = figures(np.random.default_rng(0))
        return {name: pixels(figure, tmp_path) for name, figure in made if name in ONE_OF_EACH}

    usual = drawn()
    assert usual.keys() == ONE_OF_EACH
    with matplotlib.rc_context(USERS_STYLE):
        for name, image in drawn().items():
            np.testing.assert_array_equal(image, usual[name], err_msg=name)
        assert matplotlib.rcParams["font.size"] == 24


def test_small_probabilities_are_not_shown_as_zero():
    shares = (0, 1e-9, 0.0006, 0.0094, 0.0096, 0.5, 1)
    assert [percent(share) for share in shares] == ["0%", "<0.1%", "0.1%", "0.9%", "1%", "50%", "100%"]


def test_captions_keep_the_number_of_the_image(rng):
    images, probabilities = np.zeros((1, 4, 4, 3), "uint8"), np.full((1, 4), 0.25)
    figure = plots.gallery(images, [probabilities], np.array([0]), LONG, [f"{LONG[0]} #1234"], "title")
    assert figure.axes[0].get_title().endswith("ALS  #1234")


@pytest.mark.slow
def test_nothing_is_cut_off(rng, tmp_path):
    for name, figure in figures(rng):
        image = pixels(figure, tmp_path)
        assert border_is_white(image), name
        assert (image < 200).any(), name


@pytest.mark.parametrize("channels", [1, 7, 16, 17, 512])
@pytest.mark.parametrize("scale", ["channel", "layer"])
def test_no_channel_is_missing(channels, scale):
    output = np.random.default_rng(1).normal(size=(3, 4, channels))
    columns = int(np.ceil(np.sqrt(channels)))
    tiles, (low, high) = plots.tile(output, columns, scale)
    assert np.isfinite(tiles).sum() == output.size
    assert (low, high) == (output.min(), output.max())
    for channel in range(channels):
        row, column = divmod(channel, columns)
        shown = tiles[row * 4 : row * 4 + 3, column * 5 : column * 5 + 4]
        values = output[..., channel]
        lowest, highest = (values.min(), values.max()) if scale == "channel" else (low, high)
        np.testing.assert_allclose(shown, (values - lowest) / (highest - lowest))


@pytest.mark.parametrize("channels", [1, 7, 16, 17, 512])
def test_figures_of_layers_show_every_channel_and_unit(channels):
    rng = np.random.default_rng(2)
    figure = plots.layer_output("conv", "CONV", rng.normal(size=(3, 4, channels)))
    assert figure.axes[0].images[0].get_array().count() == 3 * 4 * channels
    values = rng.normal(size=channels)
    figure = plots.layer_output("fc", "FC", values)
    heights = [end for axes in figure.axes for end in ends_of_bars(axes)[:, 1]]
    np.testing.assert_allclose(heights, values)


@pytest.mark.parametrize("upright", [True, False])
def test_bars_look_like_matplotlibs(upright, tmp_path):
    values, places = np.array([3.5, -2.0, 0.0, 1.25]), np.arange(7, 11)
    ours, theirs = (Figure(figsize=(3, 2), dpi=110) for _ in range(2))
    layers._bars(ours.subplots(), values, places, 0.8, upright)
    axes, colors = theirs.subplots(), np.where(values > 0, RIGHT, OTHER)
    if upright:
        axes.bar(places, values, 0.8, color=colors)
    else:
        axes.barh(places, values, 0.8, color=colors)
    np.testing.assert_array_equal(pixels(ours, tmp_path), pixels(theirs, tmp_path))


def test_the_overview_of_many_layers_says_how_many_it_shows(tmp_path):
    outputs = {f"layer{i}": np.ones((2, 2, 3)) for i in range(100)} | {"fc": np.arange(5000.0)}
    kinds, predicted = dict.fromkeys(outputs, "CONV"), {"probabilities": np.array([0.9, 0.1]), "classes": CLASSES}
    figure = plots.network_outputs(np.zeros((4, 4, 3), "uint8"), outputs, kinds, **predicted, title="title")
    assert "title; 34 of its 101 layers" in figure.get_suptitle()
    titles = [axes.get_title().split("\n")[0] for axes in figure.axes]
    assert sum(title.startswith("layer") for title in titles) == 33
    assert {"layer0", "fc"} <= set(titles)
    units = next(axes for axes, title in zip(figure.axes, titles) if title == "fc")
    assert max(ends_of_bars(units)[:, 0]) == 4999  # a block shows its largest
    assert "largest of\neach 12.5" in [text.get_text() for text in units.texts]
    assert max(pixels(figure, tmp_path).shape) < 4400


def test_the_overview_says_which_channels_and_classes_it_shows():
    output = np.zeros((2, 2, 20))
    output[0, 0, [3, 7, 11, 13, 19]] = 1
    outputs, kinds = {"conv": output, "relu": output, "few": output[..., :3]}, {"conv": "CONV", "relu": "RELU"}
    image, probabilities = np.full((4, 6, 3), [200, 0, 0], "uint8"), np.full(12, 1 / 12)
    predicted = {"probabilities": probabilities, "classes": "abcdefghijkl"}
    kinds["few"] = "CONV"
    figure = plots.network_outputs(image, outputs, kinds, **predicted, title="title", channels=1)
    numbers = {axes.get_title().split("\n")[0]: [text.get_text() for text in axes.texts] for axes in figure.axes}
    assert numbers["conv"] == numbers["relu"] == ["3", "7", "11"]
    assert numbers["few"] == ["0", "1", "2"]
    assert "of many channels, the 3 highest of a CONV layer, by number" in figure.get_suptitle().replace("\n", " ")
    assert "each channel scaled separately" in figure.get_suptitle().replace("\n", " ")
    assert "probabilities\n10 of 12" in [axes.get_title() for axes in figure.axes]
    image = figure.axes[0]
    assert image.get_title() == "image\n4×6×1"
    assert (image.images[0].get_array() == 60).all()  # 0.299 * 200: the network sees grey


def test_rows_of_channels_are_numbered():
    axes = plots.layer_output("conv", "CONV", np.zeros((3, 4, 17))).axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["0", "5", "10", "15"]
    assert axes.get_yticks().tolist() == [1, 5, 9, 13]
    assert plots.layer_output("conv", "CONV", np.zeros((3, 4, 1))).axes[0].images[0].get_array().shape == (3, 4)


def test_input_channels_have_their_numbers():
    """A grouped filter sees only some of them; a uniform one has no scale."""
    rng = np.random.default_rng(0)
    inputs = np.stack([np.ones((5, 5)), rng.normal(size=(5, 5))], axis=-1)
    parts = rng.normal(size=(3, 3, 2)) * [1, 9]
    rest = {"bias": 0, "activation": "relu", "output": np.zeros((3, 3)), "first": 6}
    figure = plots.channel_terms(ChannelTerms(inputs, inputs[:3, :3], parts, **rest), "conv", 4)
    assert [figure.axes[i].get_title() for i in (0, 1)] == ["input 7", "input 6:\nall 1"]
    assert "0 everywhere" in [axes.get_xlabel() for axes in figure.axes]


def test_a_constant_channel_is_dark_not_nan():
    tiles, _ = plots.tile(np.full((2, 2, 1), 7.0), 1, "channel")
    assert tiles.tolist() == [[0, 0], [0, 0]]


def squares(figure, color):
    """The (top, left, bottom, right) of each square of that colour on a board, above the curves and their legend."""
    canvas = figure.axes[0].images[0].get_array()[: film_plots.CURVES[1] - 60]
    places, _ = ndimage.label((canvas == np.uint8(255 * np.array(to_rgb(color)))).all(axis=-1))
    return [(rows.start, columns.start, rows.stop, columns.stop) for rows, columns in ndimage.find_objects(places)]


def test_bars_of_a_film_keep_their_places_and_are_as_long_as_probable(rng):
    film = film_of(rng, [*"abcdefghijkl"], filters=0, inputs=0)
    for frame, probable in zip(film.frames, (11, 1, 11, 1, 11, 11, 11)):
        frame.probabilities[:] = 0
        frame.probabilities[[1, probable]] += 0.25, 0.5
    tops = []
    for frame, figure in zip(film.frames, plots.film_frames(film)):
        ((top, left, _, right),) = squares(figure, RIGHT)
        tops.append(top)
        wrong = [right - left for _, left, _, right in squares(figure, WRONG)]
        most = film_plots.PROBABILITIES["width"] - sum(film_plots.PROBABILITIES[name] for name in ("name", "percent"))
        assert right - left == round(most * frame.probabilities[1])
        assert wrong == ([round(most / 2)] if frame.probabilities[11] else [])
    assert len(set(tops)) == 1
    shown = [text.get_text() for text in next(plots.film_frames(film)).axes[0].texts]
    assert shown[0] == "before training"
    assert sum(text.endswith("%") for text in shown) == 10


def test_six_moments_of_a_film_are_in_words(rng):
    texts = [text.get_text() for text in plots.film_sheet(film_of(rng, CLASSES)).axes[0].texts]
    moments = [text.split(": training")[0] for text in texts if text.startswith(("before", "epoch", "finished"))]
    begin = [f"epoch 1, after {step} of 9 steps" for step in (1, 2, 8)]
    assert moments == ["before training", *begin, "epoch 1 of 2", "finished, after epoch 2"]
    assert sum(", held out" in text for text in texts) == 2
    assert not [text for text in texts if "nan" in text]


def test_ranges_are_short():
    values = [0, -0.0991, 12.34, 999.4, 1234, -0.000224, 3.2e-12, 1e12]
    assert [*map(film_plots._short, values)] == ["0", "−0.099", "12", "999", "1e3", "−2e−4", "3e−12", "1e12"]


def test_filters_are_grey_at_zero():
    """And their largest weight is white or black, in its colour."""
    weights = np.zeros((1, 3, 3))
    weights[0, 0, 0], weights[0, 1, 2] = 0.5, -0.25
    assert film_plots._filter(weights, 3).tolist() == [[[255, 128, 128], [128, 128, 64], [128, 128, 128]]]
    assert film_plots._filter(weights[..., :1], 1)[0, 0].tolist() == [255, 255, 255]
    assert film_plots._filter(np.full((1, 1, 3), np.nan), 3).tolist() == [[[128] * 3]]


def test_the_overlay_is_grey_at_zero_and_coloured_elsewhere():
    image = np.random.default_rng(2).integers(0, 256, (8, 8, 3), dtype="uint8")
    values = np.zeros((8, 8))
    values[0, 0], values[0, 1] = 2.0, -2.0
    shown = plots.overlay(image, values, 2.0)
    assert np.ptp(shown[2:], axis=-1).max() < 1e-9
    assert shown[0, 0, 0] > shown[0, 0, 2] + 0.2  # orange for
    assert shown[0, 1, 2] > shown[0, 1, 0] + 0.1  # blue against
    assert shown[0, 0].mean() > shown[0, 1].mean() + 0.4
    assert shown.min() >= 0
    assert shown.max() <= 1


def test_for_and_against_are_distinct_in_greyscale():
    lightness = DIVERGING(np.linspace(0, 1, 64))[:, :3] @ [0.299, 0.587, 0.114]
    assert (np.diff(lightness) > 0).all()
    assert lightness[-1] - lightness[32] > 0.3
    assert lightness[32] - lightness[0] > 0.3


def test_a_map_of_zeros_can_be_drawn(tmp_path):
    figure = plots.heat_maps(explanation(np.zeros((1, 8, 8, 3), "uint8"), np.zeros((1, 8, 8))), ["nothing"], "logit")
    assert border_is_white(pixels(figure, tmp_path))


def test_pages_share_a_scale_and_leave_nothing_out():
    maps = np.zeros((19, 4, 4))
    maps[18] = 5
    explained = explanation(np.zeros((19, 4, 4, 3), "uint8"), maps)
    pages = plots.heat_map_pages("name", explained, ["t"] * 19, unit="logit")
    assert list(pages) == ["name", "name_2", "name_3"]
    shown = [sum(len(axes.images) for axes in page.axes) for page in pages.values()]
    assert shown == [24, 24, 9]
    assert pages["name"].axes[1].images[0].norm.vmax == 5


@pytest.mark.parametrize(
    ("largest", "labels"),
    [
        (1.98, "−2 −1 −0.2 0 0.2 1 2"),
        (-0.591, "−0.6 −0.3 −0.06 0 0.06 0.3 0.6"),
        (2.5, "−2.5 −1.25 −0.25 0 0.25 1.25 2.5"),
    ],
)
def test_the_scale_ends_in_a_number_of_two_digits(largest, labels):
    maps = np.full((1, 4, 4), largest)
    figure = plots.heat_maps(explanation(np.zeros((1, 4, 4, 3), "uint8"), maps), ["t"], "logit")
    assert [tick.get_text() for tick in figure.axes[-1].get_xticklabels()] == labels.split()


def test_a_mosaic_by_hand():
    patches = np.arange(4 * 2 * 1 * 3, dtype="uint8").reshape(4, 2, 1, 3)
    whole = plots.mosaic(patches)
    assert whole.shape == (5, 5, 3)
    np.testing.assert_array_equal(whole[:2, [0, 2, 4]], patches[:3, :, 0].swapaxes(0, 1))
    np.testing.assert_array_equal(whole[3:, 0], patches[3, :, 0])
    assert (whole[2] == 255).all()
    assert (whole[3:, 1:] == 255).all()


def test_a_thousand_classes_stay_readable(tmp_path):
    rng = np.random.default_rng(3)
    probabilities, labels = rng.dirichlet(np.full(1000, 0.1), 2000), np.arange(2000) % 1000
    scores = metrics.score(probabilities, labels, 5)
    names = [f"class number {i}" for i in range(1000)]
    compared = metrics.compare(probabilities, probabilities[::-1], labels)
    for figure in (
        plots.page(scores, names, "A title"),
        plots.breakdown(scores.confusion, [(1, 2, 3)], names),
        plots.comparison(compared, (scores, scores), names, ("one", "another")),
    ):
        image = pixels(figure, tmp_path)
        assert border_is_white(image)
        assert max(image.shape) < 3000


@pytest.mark.parametrize("right", [0, 1])
def test_scores_that_are_all_the_same_have_an_axis_within_0_and_1(right):
    labels = np.arange(4)
    scores = metrics.score(np.eye(4)[labels if right else labels - 1], labels, 2)
    low, high = plots.page(scores, CLASSES, "A title").axes[-1].get_xlim()
    assert low >= -0.02
    assert high <= 1.02
    assert high - low >= 0.1


def test_the_legend_of_a_comparison_covers_no_class(rng):
    labels = np.arange(40) % 4
    one, other = rng.dirichlet(np.ones(4), (2, 40))
    scores = [metrics.score(each, labels, 2) for each in (one, other)]
    figure = plots.comparison(metrics.compare(one, other, labels), scores, CLASSES, ("_one", "other"))
    FigureCanvasAgg(figure).draw()
    axes, (legend,) = figure.axes[-1], figure.legends
    assert not legend.get_window_extent().overlaps(axes.get_window_extent())
    texts = [text.get_text() for text in figure.axes[0].texts]
    assert [text.split(":")[0] for text in texts] == ["first, _one", "second, other"]


def test_of_many_classes_those_with_the_most_mistakes_are_shown():
    matrix = np.diag(np.full(40, 9))
    matrix[3, 7], matrix[30, 31], matrix[31, 39] = 5, 4, 2
    shown = plots.most_mistaken(matrix, 5)
    assert shown.tolist() == [3, 7, 30, 31, 39]
    scores = metrics.Scores(360, 371, (0.9, 1), 1, 0.97, matrix, np.ones((40, 4)), CALIBRATION, 0.1)
    figure = plots.page(scores, [f"c{i}" for i in range(40)], "title")
    texts = [text.get_text() for axes in figure.axes for text in [axes.title, *axes.get_xticklabels()]]
    assert any("the 25 classes of 40 with the most wrong" in text.replace("\n", " ") for text in texts)
    assert "15 others" in texts
    cells = next(axes.images[0].get_array() for axes in figure.axes if axes.images)
    np.testing.assert_allclose(cells.sum(axis=1), 1)  # the last column is the sum of classes not shown


def test_pages_of_a_gallery_leave_nothing_out():
    images, bars = np.zeros((30, 4, 4, 3), "uint8"), np.full((30, 2), 0.5)
    names = [f"#{i}" for i in range(30)]
    pages = plots.gallery_pages("wrong", images, [bars], np.zeros(30, int), ["a", "b"], names, "title")
    assert list(pages) == ["wrong", "wrong_2"]
    titles = [axes.get_title() for page in pages.values() for axes in page.axes]
    assert [title for title in titles if title] == names
    assert plots.gallery_pages("wrong", images[:0], [bars[:0]], np.zeros(0, int), ["a", "b"], [], "title") == {}


def golden_figures():
    y, x = np.mgrid[-1:1:32j, -1:1:32j]
    waves = [np.sin(4 * x), np.cos(3 * y), np.sin(4 * x * y)]
    image = (127 + 120 * np.stack(waves, axis=-1)).astype("uint8")
    maps = np.stack([waves[2], 0.3 * waves[0]])
    explained = explanation(np.stack([image, image[::-1]]), maps)
    yield "heat_maps", plots.heat_maps(explained, ["cat 90%", "dog 80%"], "logit")
    yield "layer_output", plots.layer_output("conv1", "CONV", np.stack(waves * 4, axis=-1), "layer")
    parts = np.stack([waves[i][:30, :30] for i in (0, 1, 2)], axis=-1)
    rest = {"bias": -0.5, "activation": "relu", "output": np.maximum(parts.sum(axis=-1) - 0.5, 0)}
    work = ChannelTerms(np.stack(waves, axis=-1), parts[:3, :3], parts, **rest)
    yield "channel", plots.channel_terms(work, "conv1", 3)
    bars = np.array([[0.7, 0.2, 0.05, 0.05]] * 3)
    yield (
        "gallery",
        plots.gallery(
            np.stack([image] * 3), [bars], np.array([0, 1, -1]), CLASSES, [*CLASSES[:2], "x.png"], "Predictions"
        ),
    )
    probabilities = np.array([[0.8, 0.2, 0], [0.3, 0.6, 0.1], [0.4, 0.3, 0.3], [0, 0.1, 0.9], [0.1, 0.5, 0.4]] * 9)
    scores = metrics.score(probabilities, np.array([0, 1, 1, 2, 2] * 9), 2)
    yield "page", plots.page(scores, CLASSES[:3], "27 of 45 right")
    labels, turn = np.arange(240) % 12, np.arange(240) // 12
    angle, radius = 0.5 * labels + 0.06 * turn, 1 + 0.08 * labels + 0.2 * np.sin(turn)
    points = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=-1)
    names = [f"{name} {n}" for n in range(3) for name in CLASSES]
    shades = np.stack([np.roll(image, 5 * n, axis=0) for n in labels])
    title = "240 images as fc1 has them, in two dimensions by t-SNE"
    seen = np.where(turn == 0, (labels + 3) % 12, labels)
    yield "embedding", plots.embedding_map(points, shades, labels, seen, plots.legible(names), title)


@pytest.mark.parametrize("name", ["heat_maps", "layer_output", "gallery", "page", "channel", "embedding"])
def test_golden_figures(name, tmp_path):
    """Coarsely equal to the figures last reviewed: other versions of Matplotlib move things by a few pixels."""
    image = pixels(dict(golden_figures())[name], tmp_path)
    drawn, golden = (
        np.asarray(figure.convert("RGB").resize((image.shape[1] // 16, image.shape[0] // 16), Image.Resampling.BOX))
        for figure in (Image.fromarray(image.astype("uint8")), Image.open(GOLDEN / f"{name}.png"))
    )
    assert np.abs(drawn.astype(int) - golden).mean() < (12 if OTHER_TEXT else 6)


def many_filters(count, dead=()):
    """Images whose grey level is the number of their filter."""
    levels = np.arange(count)
    images = np.broadcast_to((levels % 200 + 10).astype("uint8")[:, None, None, None], (count, 4, 4, 3))
    return FilterImages(
        images=images,
        filters=levels,
        activation=np.ones(count),
        dataset_max=np.zeros(count),
        dead=np.isin(levels, dead),
        patches=np.broadcast_to(images[:, None], (count, 9, 4, 4, 3)),
        patch_activation=np.ones((count, 9)),
        selectivity=np.ones(count),
        favourite=levels % 3,
    )


def texts(figure):
    return [text.get_text() for axes in figure.axes for text in axes.texts]


def test_sheets_show_every_filter_once(tmp_path):
    pages = plots.filter_sheets("x", "conv", many_filters(230, dead=[7]), CLASSES[:3])
    assert list(pages) == ["x", "x_2", "x_3"]
    drawn = [text for figure in pages.values() for text in texts(figure)]
    numbers = [int(text.split(":")[0]) for text in drawn if text.split(":")[0].isdecimal()]
    assert numbers == list(range(230))
    assert drawn.count("dead") == 1
    assert "229 of 229 above every real image, 1 dead (sheet 1 of 3)" in drawn[0]
    colours = np.concatenate([np.unique(pixels(figure, tmp_path)) for figure in pages.values()])
    assert set(range(10, 210)) <= set(colours.tolist())


def test_the_atlas_shows_every_filter_of_every_layer(tmp_path):
    layers = {"conv1": many_filters(100), "fc": many_filters(3, dead=[1])}
    (figure,) = plots.filter_atlas("x", layers).values()
    assert [text.split(":")[0] for text in texts(figure)] == ["conv1", "fc"]
    image = pixels(figure, tmp_path)[..., 0]
    assert (np.diff(image.T[16 + 16][: 16 + 24 + 4 * 34]) != 0).any()
    for level in range(10, 110):
        assert ((image == level).sum() >= 32 * 32) or level in (10, 11, 12)
    assert list(plots.filter_atlas("x", {"fc": many_filters(32 * 121)})) == ["x", "x_2"]


def test_images_keep_their_shape():
    image = np.zeros((10, 5, 3), "uint8")
    square = sheets.resized(image, 96)
    assert square.shape == (96, 96, 3)
    assert (square[:, :48] == 0).all()
    assert (square[:, 48:] == 255).all()
    checks = np.indices((64, 64)).sum(axis=0)[..., None].repeat(3, axis=2).astype("uint8") % 2 * 200
    assert (sheets.resized(checks, 32) == 100).all()  # averaged, not subsampled


def test_of_a_large_channel_some_rows_and_columns_are_drawn():
    output = np.arange(2 * 600 * 300, dtype="float32").reshape(600, 300, 2)
    tiles, (low, high) = plots.tile(output, 2, "layer")
    assert (low, high) == (0, output.max())
    np.testing.assert_allclose(tiles[:, :100], output[::3, ::3, 0] / output.max(), rtol=1e-6)
    axes = plots.layer_output("conv", "CONV", output).axes[0]
    assert "of 600×300" in axes.get_title()
    assert axes.get_yticks().tolist() == [99.5]


if __name__ == "__main__":
    for name, figure in golden_figures():
        figure.savefig(GOLDEN / f"{name}.png")
