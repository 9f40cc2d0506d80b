"""What is written on the network's tiles and heads, and how the view is printed."""

import re

import keras
import numpy as np
import pytest
from keras import layers

from tests.explore.conftest import FEW, LAPTOP, Tab, make

try:
    from playwright.sync_api import expect
except ImportError:
    expect = None

pytestmark = pytest.mark.once

BEYOND_ITS_TILE = """all => all.filter(one => {
    const [number, tile] = [one.lastChild, one.parentElement].map(part => part.getBoundingClientRect());
    return number.left < tile.left || number.right > tile.right;
}).map(one => one.textContent)"""
CUT_OFF = "all => all.filter(one => one.scrollWidth > one.clientWidth).map(one => one.textContent)"


@pytest.fixture
def folded(laptop):
    return laptop.fresh()


def wide_range():
    """Its units are the same for all images, from −4567 to 10,000."""
    keras.utils.set_random_seed(2)
    model = keras.Sequential(
        [
            keras.Input((8, 8, 3)),
            layers.Flatten(),
            layers.Dense(8, name="units"),
            layers.Dense(10, activation="softmax", name="end"),
        ]
    )
    kernel, _ = model.get_layer("units").get_weights()
    model.get_layer("units").set_weights([0 * kernel, np.array([-1e-4, -0.21, -12.3, -123, -4567, 1e4, 0, 3])])
    return model


def test_no_number_on_a_tile_is_cut_off(chromium, tmp_path):
    names = [f"a rather long name of class {k}" for k in range(10)]
    (tmp_path / "names.txt").write_text("\n".join(names))
    path, _ = make(tmp_path, wide_range(), *FEW, "--classes", tmp_path / "names.txt")
    tab = Tab(chromium, path).alive()
    values = tab.page.locator(".column .tile .unit + .value")
    assert values.count() >= 18
    assert values.evaluate_all(BEYOND_ITS_TILE) == []
    written = tab.page.locator("[data-at^='2,'] .value").all_inner_texts()
    assert {"−0.21", "−12.3", "−123"} <= {*written}
    for tile in tab.page.locator(".column.last .tile").all():
        share = tile.locator(".value span").last.inner_text()
        assert re.fullmatch(r"<?[\d.]+%", share)
        assert tile.get_attribute("title").endswith(share)
        assert "a rather long name of class" in tile.get_attribute("title")
    tab.page.close()


def test_a_folded_block_has_the_size_of_its_last_layer(folded):
    head = folded.page.locator(".head").nth(1)
    expect(head.locator(".name")).to_have_text("first")
    expect(head.locator(".shape")).to_have_text("→ 15×15×6")
    expect(head.locator(".shape")).to_have_attribute("title", "first, shrink: the output of shrink, 15×15×6")
    heads = folded.page.locator(".head .name").evaluate_all("all => all.map(one => one.getBoundingClientRect().top)")
    assert len({round(top) for top in heads}) == 1
    assert folded.page.locator(".head .shape").evaluate_all(CUT_OFF) == []


def test_the_legend_of_the_network_holds_for_units_too_and_takes_one_line(folded):
    legend = folded.page.locator(".about .legend")
    expect(legend).to_contain_text("in each map; units share one scale")
    assert legend.bounding_box()["height"] < 22


def test_the_last_column_casts_a_shadow_only_on_what_is_behind_it(chromium, small):
    tab = Tab(chromium, small[0], viewport=LAPTOP).alive(unfold=False)
    last = tab.page.locator(".column.last")
    expect(last).to_have_css("box-shadow", "none")
    tab.page.set_viewport_size({"width": 620, "height": 800})
    expect(last).not_to_have_css("box-shadow", "none")
    tab.page.close()


def test_no_control_is_printed(chromium, small):
    tab = Tab(chromium, small[0], viewport={"width": 720, "height": 1000}).alive()
    tab.page.locator(".network button[aria-label^='first, ']").first.click()
    tab.page.locator(".inspector .final").wait_for()
    tab.page.emulate_media(media="print")
    tab.drawn()
    shown = tab.page.locator("body").inner_text()
    for words in ("Take the tour", "How fast?", "Close", "Why this verdict?", "Save this view", "Move over", "Tools"):
        assert words not in shown, words
    assert "Row" in shown
    tab.page.close()
