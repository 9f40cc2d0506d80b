"""The article's figures say what is so, and those in `imgs/article` are what the code draws."""

import ast
import io
import runpy
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image, ImageSequence
from scipy.signal import correlate2d

from article import __main__ as program
from article import canvas, catalogue, filters, improving, learning, network, pixels
from cnnvis import console
from tests.conftest import OTHER_TEXT, rounding

pytestmark = pytest.mark.once  # on the lowest versions it would say nothing new

ROOT = Path(__file__).parents[2]
IMAGES = ROOT / "imgs" / "article"
SLOW = ["features"]  # ascends sixteen filters


@pytest.fixture(scope="module")
def sources():
    return catalogue.Sources()


def png(figure):
    content = io.BytesIO()
    figure.savefig(content)
    return content.getvalue()


def image(content):
    return np.asarray(Image.open(io.BytesIO(content)).convert("RGB")).astype(int)


# Of 255, on average. Ascent makes the most of rounding, which differs between processors: the same shapes come out at
# other places (8.4 between one with AVX-512 and one with AMX).
TOLERANCE = {"features": 15}


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=pytest.mark.slow if n in SLOW else ()) for n in catalogue.FIGURES]
)
def test_figures_are_up_to_date_and_nothing_is_cut_off(name, sources):
    with canvas.style():
        drawn = image(png(catalogue.FIGURES[name](sources)))
    kept = image((IMAGES / f"{name}.png").read_bytes())
    assert kept.shape == drawn.shape
    assert OTHER_TEXT or np.abs(kept - drawn).mean() < TOLERANCE.get(name, 1), "draw it again: make figures"
    assert all((edge == 255).all() for edge in (drawn[:2], drawn[-2:], drawn[:, :2], drawn[:, -2:]))


def test_the_folder_holds_these_figures_and_no_others():
    names = {f"{name}.png" for name in catalogue.FIGURES} | {f"{name}.gif" for name in catalogue.ANIMATIONS}
    assert {path.name for path in IMAGES.iterdir()} == names


def test_images_are_small_enough_for_a_page():
    every = [path for path in (ROOT / "imgs").rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in every) < 20_000_000
    assert all(path.stat().st_size < 2_000_000 for path in every if path.suffix == ".gif")


@pytest.mark.parametrize("name", ["pixels", "augmentation", "cost"])
def test_figures_come_out_the_same_byte_for_byte(name, sources):
    with canvas.style():
        first, second = (png(catalogue.FIGURES[name](sources)) for _ in range(2))
    assert first == second


def test_the_sliding_animation_shows_each_of_its_stops_and_ends_with_the_last(sources):
    stops = filters.slide_stops(30, 30)
    assert stops[:30] == list(range(1, 31))
    assert stops[-1] == 900
    with Image.open(IMAGES / "sliding.gif") as gif:
        assert gif.n_frames == len(stops)
        last = np.asarray([frame.convert("RGB") for frame in ImageSequence.Iterator(gif)][-1]).astype(int)
    with canvas.style():
        (drawn,) = filters.sliding_frames(sources.grey(catalogue.HORSE), filters.VERTICAL, catalogue.BIAS, [900])
        assert OTHER_TEXT or np.abs(image(png(drawn)) - last).mean() < 3


def test_the_descent_is_the_one_that_is_computed(sources):
    with canvas.style():
        frames = list(learning.descent_frames(sources.images, *sources.animals, sources.path))
    with Image.open(IMAGES / "descent.gif") as gif:
        kept = [np.asarray(frame.convert("RGB")).astype(int) for frame in ImageSequence.Iterator(gif)]
    assert len(kept) == len(frames) == catalogue.DESCENT_STEPS + 1
    for place in (0, 1, -1):
        with canvas.style():
            drawn = image(png(frames[place]))
        assert OTHER_TEXT or np.abs(drawn - kept[place]).mean() < 1.5


def test_a_filter_by_hand():
    image = np.array([[1, 2, 3, 0], [4, 5, 6, 0], [7, 8, 9, 10]])
    assert filters.respond(image, filters.VERTICAL).tolist() == [[0, 2 * 18 - 15 - 10]]
    assert filters.respond(image, filters.HORIZONTAL, 7).tolist() == [[7, 2 * 11 - 5 - 27 + 7]]


def test_a_filter_as_scipy_does_it():
    rng = np.random.default_rng(0)
    image, weights = rng.integers(0, 256, (32, 32, 3), dtype="uint8"), rng.integers(-3, 4, (3, 3, 3))
    colours = [correlate2d(image[..., c].astype(int), weights[..., c], "valid") for c in range(3)]
    np.testing.assert_array_equal(filters.respond(image, weights, -5), sum(colours) - 5)
    assert filters.respond(image[..., 0], weights[..., 0]).shape == (30, 30)


@pytest.mark.parametrize("title", ["7×7 → 5×5", "7×7 → 7×7", "7×7 → 3×3"])
def test_strides_and_padding_as_keras_does_them(title):
    options = {"5": {}, "7": {"padding": "same"}, "3": {"strides": 2}}[title[-1]]
    output = keras.layers.Conv2D(1, 3, **options)(np.zeros((1, 7, 7, 1), "float32"))
    assert f"7×7 → {output.shape[1]}×{output.shape[2]}" == title
    assert title in [axes.get_xlabel() for axes in filters.strides_and_padding().axes]


def test_the_worked_step_is_that_of_the_imaged_pixels(sources):
    top, left = catalogue.LEG
    answer = filters.respond(sources.grey(catalogue.HORSE), filters.VERTICAL, catalogue.BIAS)[top, left]
    figure = filters.worked(catalogue.leg(sources), filters.VERTICAL, catalogue.BIAS)
    assert figure.get_supxlabel().endswith(f"=  {answer}")
    top, left = catalogue.SIGN
    image = sources.images[catalogue.TRUCK]
    answer = filters.respond(image, filters.REDDISH, catalogue.RED_BIAS)[top, left]
    figure = filters.worked_in_colour(catalogue.sign(sources), filters.REDDISH, catalogue.RED_BIAS)
    assert figure.get_supxlabel().endswith(f"=   {answer:,}")


def test_pooling_by_hand():
    values = np.array([[1.0, 2, 5, 6], [3, 4, 7, 8], [0, 0, -1, 1], [0, 4, 2, 2]])
    assert network.pooled(values, np.max).tolist() == [[4, 8], [4, 2]]
    assert network.pooled(values, np.mean).tolist() == [[2.5, 6.5], [1, 1]]
    assert network.pooled(values, np.min).tolist() == [[1, 5], [0, -1]]


@pytest.mark.parametrize(("name", "keras_name"), [("RELU", "relu"), ("logistic", "sigmoid"), ("tanh", "tanh")])
def test_activations_as_keras_has_them(name, keras_name):
    x = np.linspace(-4, 4, 33, dtype="float32")
    expected = keras.ops.convert_to_numpy(getattr(keras.ops, keras_name)(x))
    np.testing.assert_allclose(network.ACTIVATIONS[name](x), expected, atol=1e-6)


def test_relu_is_shown_on_the_layer_that_it_follows(sources):
    before, after = sources.outputs(catalogue.TRUCK, ["conv1", "relu1"]).values()
    np.testing.assert_allclose(np.maximum(before, 0), after, atol=rounding(27, np.abs(before).max()))


def test_grey_by_hand_and_as_pillow_has_it():
    assert pixels.grey_levels(np.array([[255, 0, 0], [70, 48, 51], [255, 255, 255]])).tolist() == [76, 55, 255]
    image = np.random.default_rng(0).integers(0, 256, (16, 16, 3), dtype="uint8")
    assert np.abs(pixels.grey_levels(image) - np.asarray(Image.fromarray(image).convert("L"))).max() <= 1


def test_warmth_is_of_the_middle_alone():
    images = np.zeros((1, 8, 8, 3), "uint8")
    images[:, 2:6, 2:6] = 200, 10, 150
    assert learning.warmth(images).tolist() == [1.25]


def test_the_slope_is_that_of_the_cost():
    x, y = np.array([0.3, -1.2, 2.0]), np.array([1.0, 0, 0])
    for weight in (-1.0, 0.0, 0.7, 3.0):
        numeric = (learning.cost(weight + 1e-5, x, y) - learning.cost(weight - 1e-5, x, y)) / 2e-5
        assert learning.slope(weight, x, y) == pytest.approx(numeric, abs=1e-8)


def test_the_cost_by_hand():
    assert learning.cost(2, np.array([1, 2]), np.array([1, -1])) == (1 + 25) / 2
    assert learning.best(np.array([1, 2]), np.array([1, -1])) == pytest.approx(-0.2)


def test_descent_goes_against_the_slope_and_down(sources):
    x, y = sources.animals
    path = sources.path
    assert path[1] == pytest.approx(path[0] - catalogue.RATE * learning.slope(path[0], x, y))
    assert (np.diff([learning.cost(weight, x, y) for weight in path]) < 0).all()
    assert learning.slope(learning.best(x, y), x, y) == pytest.approx(0, abs=1e-12)


def test_variations_are_moved_and_every_second_one_is_mirrored():
    image = np.arange(32 * 32 * 3, dtype="int32").reshape(32, 32, 3)
    varied = improving.varied(image, 4, 6, seed=0)
    assert varied.shape == (6, 32, 32, 3)
    for number, image_ in enumerate(varied):
        middle = image_[8:24, 8:24, 0]
        assert (np.diff(middle, axis=1) == (-3 if number % 2 else 3)).all()
        assert (np.diff(middle, axis=0) == 96).all()


def test_gains_are_those_that_the_bench_reports(tmp_path):
    table = (ROOT / "bench" / "README.md").read_text(encoding="utf-8")
    for points, error in improving.gains(ROOT / "bench" / "tricks.csv").values():
        assert f"+{points:.2f} ± {error:.2f}" in table
    few = tmp_path / "tricks.csv"
    losses = {improving.BESIDES: 0.0} | {f"{changes} {improving.BESIDES}": 0.01 for changes in improving.TRICKS}
    lines = [f"deep,{changes},{seed},{0.9 - loss}" for seed in (0, 1) for changes, loss in losses.items()]
    few.write_text("\n".join(["arch,changes,seed,accuracy", *lines]))
    assert improving.gains(few)["Muon"] == pytest.approx((1, 0))


@pytest.mark.parametrize("path", sorted((ROOT / "article").glob("*.py")), ids=lambda path: path.stem)
def test_the_article_leans_on_cnnvis_and_models_alone_and_nothing_on_it(path):
    def tops(path):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                yield from (alias.name.split(".")[0] for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                yield node.module.split(".")[0]

    assert not {"bench", "tests", *(script.stem for script in ROOT.glob("*.py"))} & set(tops(path))
    others = [*ROOT.glob("*.py"), *(ROOT / "cnnvis").rglob("*.py"), *(ROOT / "models").glob("*.py")]
    assert not [other for other in others if "article" in tops(other)]


def test_named_figures_are_drawn_as_a_user_draws_them(tmp_path, monkeypatch):
    """What `python -m article residuals` runs."""
    monkeypatch.setattr(sys, "argv", ["article", "residuals", "--out", str(tmp_path)])
    with pytest.raises(SystemExit) as end:
        runpy.run_path(program.__file__, run_name="__main__")
    assert not end.value.code
    assert [path.name for path in tmp_path.iterdir()] == ["residuals.png"]


def test_a_wrong_name_is_told_in_one_line(tmp_path, capsys):
    assert console.run(program.options(), program.draw, ["picsels", "--out", str(tmp_path / "new")]) == 2
    told = capsys.readouterr().err
    assert told.startswith("python -m article: no figure is called 'picsels'; there are samples, pixels")
    assert told.count("\n") == 1
    assert not (tmp_path / "new").exists()
