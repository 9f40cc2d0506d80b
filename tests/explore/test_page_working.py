"""The working of a value: a formula linked to its numbers, and all inputs; and the way through a long network."""

import keras
import pytest
from keras import layers

from tests.explore.conftest import FEW, Tab, make
from tests.explore.test_page import AXE
from tests.explore.test_page_numbers import holds, number

try:
    from playwright.sync_api import expect
except ImportError:
    expect = None

pytestmark = [pytest.mark.once, pytest.mark.slow]
LIT = ".linked [data-symbol]"  # those with an outline light up


def fc():
    """A layer whose units have sixty inputs."""
    keras.utils.set_random_seed(8)
    steps = layers.Conv2D(4, 5, activation="relu", name="conv"), layers.MaxPooling2D(3, name="pool")
    ends = layers.Flatten(), layers.Dense(60, name="wide"), layers.ReLU(name="bend"), layers.Dense(10, name="scores")
    return keras.Sequential([keras.Input((32, 32, 3)), *steps, *ends, layers.Softmax(name="shares")])


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return make(tmp_path_factory.mktemp("working"), fc(), *FEW, name="working")[0]


@pytest.fixture
def tab(opened):
    return opened.fresh()


def choose(tab, layer):
    tab.page.locator(f".network button[aria-label^='{layer}, ']").first.click()
    expect(tab.page.locator(".inspector h2")).to_contain_text(layer)
    tab.page.locator(".inspector .linked").wait_for()
    tab.drawn()


def lit(tab):
    """The symbols of the formula, and of the numbers, that light up: set of str, int."""
    tab.drawn()
    return tab.page.locator(LIT).evaluate_all(
        """all => all.filter(one => getComputedStyle(one).outlineStyle === "solid")
                      .map(one => [one.dataset.symbol, one.tagName])"""
    )


SYMBOLS = {
    "conv": {"y": 2, "sum": 3, "x": 3, "w": 3, "b": 1, "a": 1},
    "pool": {"y": 1, "x": 1},
    "bend": {"y": 1, "x": 1},
    "scores": {"y": 1, "sum": 4, "x": 3, "w": 3, "b": 1},
    "shares": {"p": 1, "e": 1, "sum": 10, "x": 1},
}


@pytest.mark.parametrize("layer", [*SYMBOLS])
@pytest.mark.parametrize("way", ["hover", "focus"])
def test_a_symbol_lights_up_its_numbers_and_a_number_its_symbol(tab, layer, way):
    choose(tab, layer)
    for symbol, count in SYMBOLS[layer].items():
        button = tab.page.locator(f"button.symbol[data-symbol={symbol}]").first
        for one in (button, tab.page.locator(f"[data-symbol={symbol}]:not(.symbol)").first):
            getattr(one, way)()
            found = lit(tab)
            assert {name for name, _ in found} == {symbol}
            assert sum(tag != "BUTTON" for _, tag in found) == count, (layer, symbol)
            assert any(tag == "BUTTON" for _, tag in found)
            expect(tab.page.locator(".meaning b")).to_have_text(button.inner_text())
        tab.page.evaluate("document.activeElement.blur()")
        tab.page.mouse.move(1, 1)
        assert not lit(tab)


def test_the_formula_is_one_tab_stop_and_arrow_keys_lead_from_symbols_to_numbers(tab):
    choose(tab, "scores")
    assert (
        tab.page.locator(".linked [data-symbol]").evaluate_all("all => all.filter(one => one.tabIndex >= 0).length")
        == 1
    )
    tab.page.locator("button.symbol").first.focus()
    seen = []
    for _ in range(8):
        seen.append(tab.page.evaluate("document.activeElement.dataset.symbol + document.activeElement.tagName"))
        tab.page.keyboard.press("ArrowRight")
    assert seen[:5] == ["yBUTTON", "sumBUTTON", "xBUTTON", "wBUTTON", "bBUTTON"]
    assert seen[5:] == ["xTABLE", "wTABLE", "sumSPAN"]
    tab.page.keyboard.press("End")
    assert {name for name, _ in lit(tab)} == {"y"}
    tab.page.keyboard.press("Home")
    expect(tab.page.locator("button.symbol").first).to_be_focused()


def test_a_tap_lights_up_numbers(chromium, path):
    tab = Tab(chromium, path, viewport={"width": 360, "height": 740}, has_touch=True).alive()
    choose(tab, "conv")
    tab.page.locator("button.symbol[data-symbol=w]").tap()
    assert {name for name, _ in lit(tab)} == {"w"}
    tab.page.locator(".numbers[data-symbol=x]").first.tap()
    assert {name for name, _ in lit(tab)} == {"x"}
    assert not tab.errors
    tab.page.close()


def test_all_inputs_of_a_unit_can_be_seen_and_opened_and_their_sum_is_right(tab):
    choose(tab, "scores")
    button = tab.page.get_by_role("button", name="All 60 inputs")
    button.click()
    cells = tab.page.locator(".contributions button")
    expect(cells).to_have_count(60)
    assert cells.evaluate_all("all => all.filter(one => one.tabIndex >= 0).length") == 1
    for cell in (cells.nth(0), cells.nth(7), cells.nth(59)):
        cell.hover()
        expect(tab.page.locator(".everything .one")).to_contain_text("×")
        name, worked = tab.page.locator(".everything .one").inner_text().split(": ")
        assert cell.get_attribute("aria-label").startswith(f"{name}, ")
        product, result = worked.split(" = ")
        x, weight = map(number, product.split(" × "))
        assert holds(x * weight, result)
    sums = sum(number(text) for text in cells.all_inner_texts())
    total = float(tab.page.locator(".final [data-value]").get_attribute("data-value"))
    bias = number(tab.page.locator(".linked span[data-symbol=b]").inner_text())
    assert sums + bias == pytest.approx(total, abs=60 * 0.005 + 0.01)  # each is rounded to hundredths
    cells.nth(59).focus()
    tab.page.keyboard.press("Home")
    expect(cells.first).to_be_focused()
    tab.page.keyboard.press("Enter")
    expect(tab.page.locator(".inspector h2")).to_have_text("bend unit 0")


def test_no_sum_breaks_before_its_result_on_a_phone(chromium, path):
    tab = Tab(chromium, path, viewport={"width": 360, "height": 740}).alive()
    for layer in ("conv", "scores"):
        choose(tab, layer)
        rows = tab.page.locator(".weighted .inputs .sum, .weighted .totals .sum:has(> .sign)")
        for row in rows.all():
            first, result = row.locator(".from").bounding_box(), row.locator(".result").bounding_box()
            assert result["y"] < first["y"] + first["height"]  # on the first line of its sum
            assert result["x"] + result["width"] <= 360
            inside = row.locator(".numbers").evaluate_all("all => all.map(one => one.getBoundingClientRect())")
            assert all(box["right"] <= 360 for box in inside)
    tab.page.close()


def long():
    keras.utils.set_random_seed(1)
    convolutions = [layers.Conv2D(4, 3, padding="same", name=f"conv{n}") for n in range(24)]
    last = layers.GlobalAveragePooling2D(), layers.Dense(10, activation="softmax", name="end")
    return keras.Sequential([keras.Input((16, 16, 3)), *convolutions, *last])


def test_a_long_network_has_a_minimap(chromium, small, tmp_path):
    path, _ = make(tmp_path, long(), *FEW, name="long")
    tab = Tab(chromium, path).alive(unfold=False)
    minimap = tab.page.get_by_role("slider", name="Part of the network that is in sight")
    network = tab.page.locator(".network")

    def scrolled():
        tab.drawn()
        return network.evaluate("one => one.scrollLeft / (one.scrollWidth - one.clientWidth)")

    box = minimap.bounding_box()
    assert box["height"] >= 24
    assert minimap.get_attribute("aria-valuetext").startswith("image to ")
    for share in (0.5, 0.98, 0.02):
        tab.page.mouse.click(box["x"] + share * box["width"], box["y"] + 12)
        assert scrolled() == pytest.approx(share, abs=0.03)
        frame = tab.page.locator(".minimap .sight").bounding_box()
        assert frame["x"] - 2 <= box["x"] + share * box["width"] <= frame["x"] + frame["width"] + 2
    minimap.focus()
    tab.page.keyboard.press("End")
    assert scrolled() == pytest.approx(1, abs=0.01)
    assert "of 26" in minimap.get_attribute("aria-valuetext")
    tab.page.keyboard.press("Home")
    assert scrolled() == 0
    tab.page.keyboard.press("ArrowRight")
    assert scrolled() > 0
    if AXE.exists():
        tab.page.evaluate(AXE.read_text(encoding="utf-8"))
        violations = tab.page.evaluate("axe.run().then(({ violations }) => violations)")
        assert not {rule["id"]: [node["html"] for node in rule["nodes"]] for rule in violations}
    assert not tab.errors
    tab.page.close()
    short = Tab(chromium, small[0]).alive(unfold=False)
    expect(short.page.get_by_role("slider", name="Part of the network")).to_have_count(0)
    short.page.close()
