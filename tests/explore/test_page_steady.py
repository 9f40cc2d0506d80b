"""The working while the kernel slides: all of it in sight, in the same order and at the same place."""

import keras
import numpy as np
import pytest
from keras import layers

from tests.explore.conftest import FEW, LAPTOP, Tab, make, until_done
from tests.explore.test_page_numbers import choose

try:
    from playwright.sync_api import expect
except ImportError:
    expect = None

pytestmark = [pytest.mark.once, pytest.mark.slow]


def network():
    keras.utils.set_random_seed(4)
    inputs = keras.Input((24, 24, 3))
    x = layers.Rescaling(1 / 255, name="scaled")(inputs)
    x = layers.Conv2D(12, 3, padding="same", activation="relu", name="first")(x)
    x = layers.ReLU(6, name="capped")(layers.Conv2D(6, 3, padding="same", name="second")(x))
    x = layers.LeakyReLU(negative_slope=0.25, name="leaky")(layers.Conv2D(6, 5, name="third")(x))
    x = layers.GlobalAveragePooling2D(name="mean")(x)
    return keras.Model(inputs, layers.Dense(10, activation="softmax", name="end")(x))


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return make(tmp_path_factory.mktemp("steady"), network(), *FEW, name="steady")[0]


@pytest.fixture(scope="module")
def opened(chromium, path):
    yield from until_done(Tab(chromium, path, viewport=LAPTOP).alive())


@pytest.fixture
def tab(opened):
    return opened.fresh()


def positions(tab, panel):
    """Step from the border into the map, and on through several rows."""
    panel.locator(".large").hover(position={"x": 1, "y": 1})
    for _ in range(30):
        tab.page.get_by_role("button", name="Step forward").click()
        tab.drawn()
        yield


@pytest.mark.parametrize("layer", ["first", "second"])
def test_inputs_keep_their_order_at_every_position(tab, layer):
    panel = choose(tab, layer)
    names = panel.locator(".inputs .from")
    before = names.all_inner_texts()
    if layer == "first":
        assert before == ["scaled, red", "scaled, green", "scaled, blue"]
    else:
        channels = [int(name.split()[-1]) for name in before]
        assert len(channels) == 3
        assert channels == sorted(channels)
        expect(panel.locator(".totals")).to_contain_text("the 9 other channels")
    for _ in positions(tab, panel):
        assert names.all_inner_texts() == before


PARTS = ".inputs :is(.sum, table, td, .sign, .result), .totals > *, .totals .sum > .sign"


def boxes(panel):
    """Where everything of the working is, but for the end of a result."""
    return panel.locator(PARTS).evaluate_all(
        "all => all.map(one => one.getBoundingClientRect()).map(({ x, y, height }) => [x, y, height])"
    )


@pytest.mark.parametrize("layer", ["first", "second", "third"])
def test_nothing_moves_while_the_kernel_slides(tab, layer):
    panel = choose(tab, layer)
    before = None
    for _ in positions(tab, panel):
        before = before or boxes(panel)
        np.testing.assert_allclose(boxes(panel), before, atol=0.1)
    widths = panel.locator(".inputs td").evaluate_all("all => all.map(one => one.scrollWidth - one.clientWidth)")
    assert max(widths) <= 0  # no number is wider than its cell


@pytest.mark.parametrize("why", [False, True])
@pytest.mark.parametrize("row", [0, 5])
def test_map_kernel_products_and_player_are_in_sight_with_what_was_chosen(tab, why, row):
    """The page scrolls as far as it must, and no further."""
    if why:
        tab.page.get_by_role("button", name="Why this verdict?").click()
        tab.page.locator(".path-panel ol").wait_for()
    panel = choose(tab, "second", row)
    tab.drawn()
    pressed = tab.page.locator(".network [aria-pressed=true]").bounding_box()
    parts = [panel.locator(part).bounding_box() for part in ("h2", ".large", ".player", ".inputs", ".totals", ".final")]
    for box in [pressed, *parts]:
        assert box["y"] >= 0
        assert box["y"] + box["height"] <= LAPTOP["height"]
    tab.page.get_by_role("button", name="Close", exact=True).click()
    if why:
        tab.page.get_by_role("button", name="Close the path").click()


def colours(canvas):
    """Whether red, green and blue occur in a canvas."""
    pixels = canvas.evaluate("one => [...one.getContext('2d').getImageData(0, 0, one.width, one.height).data]")
    return list(np.reshape(pixels, (-1, 4))[:, :3].any(axis=0))


def test_red_green_and_blue_are_in_their_colours_and_called_so(tab):
    for layer in ("image", "scaled"):
        for channel, name in enumerate(("red", "green", "blue")):
            tab.page.locator(f".network button[aria-label^='{layer}, {name}']").click()
            expect(tab.page.locator(".inspector h2")).to_have_text(f"{layer} {name}")
            tab.drawn()
            assert colours(tab.page.locator(".whole canvas")) == [channel == k for k in range(3)]
            gradient = tab.page.locator(".whole .legend i").get_attribute("style")
            assert gradient.rstrip('"; ').endswith(("rgb(255, 0, 0))", "rgb(0, 255, 0))", "rgb(0, 0, 255))")[channel])
    panel = choose(tab, "first")
    tab.drawn()
    for channel, canvas in enumerate(panel.locator(".inputs canvas").all()):
        assert colours(canvas) == [channel == k for k in range(3)]
    expect(panel.locator(".legends i")).to_have_count(4)  # red, green, blue, and the weights


@pytest.mark.parametrize(
    ("layer", "called", "formula"),
    [
        ("capped", "ReLU6: negative values become 0, those above 6 become 6", "y = min(6, max(0, x))"),
        ("leaky", "LeakyReLU: negative values are multiplied by 0.25", "y = max(x, 0.25 · x)"),
    ],
)
def test_a_rectifier_is_called_by_its_name(tab, layer, called, formula):
    panel = choose(tab, layer)
    expect(panel.locator(".hint").first).to_contain_text(called)
    assert panel.locator(".symbols").evaluate("one => one.textContent") == formula


def test_the_frame_of_a_single_unit_fits(tab):
    panel = choose(tab, "end softmax")
    frame, unit = (panel.locator(part).bounding_box() for part in (".framed.single", ".single canvas"))
    assert frame["width"] == unit["width"] == 64
