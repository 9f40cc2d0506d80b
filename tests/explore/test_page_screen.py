"""What a reader sees of the network on one screen, and how it moves."""

import re

import keras
import numpy as np
import pytest
from keras import layers

import explore
from cnnvis.network.classifier import Classifier
from cnnvis.network.receptive_field import receptive_fields
from tests.explore.conftest import FEW, LAPTOP, Tab, make
from tests.explore.test_page_numbers import bent

try:
    from playwright.sync_api import expect
except ImportError:
    expect = None

pytestmark = [pytest.mark.once, pytest.mark.slow]


def box(tab, selector):
    return tab.page.locator(selector).first.bounding_box()


def fits(tab):
    """Whether the whole network is on the first screen, and each class of the last column with it."""
    whole, last = box(tab, ".network"), tab.page.locator(".column.last .tile").last.bounding_box()
    scrolls = tab.page.locator(".network").evaluate("one => one.scrollWidth > one.clientWidth")
    right, bottom = last["x"] + last["width"], last["y"] + last["height"]
    return not scrolls and whole["y"] + whole["height"] <= 800 and right <= 1280 and bottom <= 800


@pytest.fixture
def folded(laptop):
    """The same tab for all tests, in which nothing is chosen."""
    return laptop.fresh()


def test_input_and_verdict_are_on_the_first_screen(folded):
    assert fits(folded)
    verdict = box(folded, ".bars")
    assert verdict["y"] + verdict["height"] <= 800
    assert box(folded, ".stage")["y"] < 200


@pytest.mark.slow
@pytest.mark.parametrize("name", ["basic", "deep"])
def test_the_shipped_networks_are_on_the_first_screen(chromium, tmp_path, name):
    out = tmp_path / "shipped.html"
    assert explore.main(["--model", name, *FEW, "--out", str(out)]) == 0
    tab = Tab(chromium, out, viewport=LAPTOP).alive(unfold=False)
    assert fits(tab)
    for column in (1, 3):
        tab.page.locator(".network .column").nth(column).locator(".tile").last.click()
        tab.page.locator(".inspector .final").wait_for()
        tab.drawn()
        for part in ("[aria-pressed=true].tile", ".whole .large", ".player", ".inputs", ".final"):
            at = box(tab, part)
            assert 0 <= at["y"] <= at["y"] + at["height"] <= 800
    tab.page.close()


def test_the_last_column_of_a_long_network_is_always_in_sight(chromium, tmp_path):
    keras.utils.set_random_seed(1)
    convolutions = [layers.Conv2D(4, 3, padding="same", activation="relu", name=f"conv{n}") for n in range(20)]
    last = layers.GlobalAveragePooling2D(), layers.Dense(10, activation="softmax", name="end")
    path, _ = make(tmp_path, keras.Sequential([keras.Input((16, 16, 3)), *convolutions, *last]), *FEW)
    tab = Tab(chromium, path, viewport=LAPTOP).alive(unfold=False)
    for left in (0, 500, 10_000):
        tab.page.locator(".network").evaluate("(one, left) => one.scrollTo(left, 0)", left)
        tab.drawn()
        last, whole = box(tab, ".column.last"), box(tab, ".network")
        assert whole["x"] < last["x"]
        assert last["x"] + last["width"] <= whole["x"] + whole["width"] + 8
    tab.page.close()


def test_a_block_opens_and_folds_again(folded):
    assert not folded.page.locator(".network button[aria-label^='first, ']").count()
    button = folded.page.get_by_role("button", name="Show the 2 layers of the block first")
    button.focus()
    folded.page.keyboard.press("Enter")
    expect(folded.page.locator(".network button[aria-label^='first, ']").first).to_be_visible()
    expect(folded.page.locator(".network button[aria-label^='shrink, ']").first).to_be_visible()
    expect(folded.page.get_by_role("button", name="Fold the block first")).to_have_attribute("aria-expanded", "true")
    folded.page.get_by_role("button", name="Fold the block first").click()
    expect(folded.page.locator(".network button[aria-label^='first, ']")).to_have_count(0)


def test_a_channel_of_a_folded_block_leads_through_all_of_its_layers(folded):
    tile = folded.page.locator(".network button[aria-label^='shrink, ']").nth(1)
    channel = tile.get_attribute("aria-label").split(", ")[1]
    tile.click()
    heading = folded.page.locator(".inspector h2")
    expect(heading).to_have_text(f"first {channel}")
    folded.page.get_by_label("Layers of this block").get_by_role("button", name="shrink").click()
    expect(heading).to_have_text(f"shrink {channel}")
    expect(tile).to_have_attribute("aria-pressed", "true")  # it is where it was
    folded.page.keyboard.press("Escape")
    expect(folded.page.locator(".inspector")).to_have_count(0)
    expect(tile).to_be_focused()


def position(tab):
    row, column = re.search(r"Row (\d+), column (\d+)", tab.page.locator(".whole figcaption").inner_text()).groups()
    return int(row), int(column)


def test_the_window_slides_step_by_step_and_by_itself(chromium, small):
    folded = Tab(chromium, small[0], viewport=LAPTOP, reduced_motion="no-preference").alive(unfold=False)
    folded.page.locator(".network button[aria-label^='shrink, ']").first.click()
    folded.page.locator(".inspector .final").wait_for()
    folded.page.locator(".inspector .large").hover(position={"x": 2, "y": 2})
    assert position(folded) == (0, 0)
    folded.page.get_by_role("button", name="Step forward").click()
    assert position(folded) == (0, 1)
    folded.page.get_by_role("button", name="Play").click()
    expect(folded.page.locator(".whole figcaption")).to_contain_text(re.compile(r"Row 0, column ([3-9]|\d\d)"))
    folded.page.get_by_role("button", name="Pause").click()
    here = position(folded)
    folded.page.wait_for_timeout(1000)
    assert position(folded) == here
    folded.page.get_by_role("button", name="Step back").click()
    assert position(folded) == (here[0], here[1] - 1)
    assert not folded.errors
    folded.page.close()


def test_what_was_chosen_stays_in_sight(folded):
    """The working opens below, and the page scrolls until it is in sight: everything moves alike, and no further."""
    tile = folded.page.locator(".network .column").nth(1).locator(".tile").nth(3)
    before, start = tile.bounding_box(), folded.page.evaluate("scrollY")
    tile.click()
    folded.page.locator(".inspector .final").wait_for()
    folded.drawn()
    scrolled = folded.page.evaluate("scrollY") - start
    assert tile.bounding_box() == {**before, "y": before["y"] - scrolled}
    assert before["y"] > scrolled
    working = box(folded, ".inspector .computation")
    assert working["y"] + working["height"] == pytest.approx(800, abs=1)


def test_the_frame_on_the_image_is_the_receptive_field(chromium, tmp_path):
    path, _ = make(tmp_path, bent(), *FEW, name="bent")
    classifier = Classifier(bent())
    tab = Tab(chromium, path).alive()
    for name in ("conv0", "conv3", "average", "largest"):
        tab.page.locator(f".network button[aria-label^='{name}, ']").first.click()
        for place in (2, 90):
            tab.page.locator(".inspector .large").hover(position={"x": place, "y": 2})
            tab.drawn()
            at = position(tab)
            fields = receptive_fields(classifier, classifier.layers[name])
            frame = tab.page.locator(".stage .field").evaluate(
                "one => ['top', 'left', 'height', 'width'].map(side => parseFloat(one.style[side]))"
            )
            (top, bottom), (left, right) = (field.of_unit(index, 16) for field, index in zip(fields, at))
            np.testing.assert_allclose(np.array(frame) * 16 / 100, [top, left, bottom - top, right - left], atol=1e-3)
    tab.page.close()


def test_hovering_a_channel_shows_what_it_reads(folded):
    expect(folded.page.locator(".stage .field")).to_have_count(0)
    folded.page.locator(".network button[aria-label^='shrink, ']").first.hover()
    expect(folded.page.locator(".stage .field")).to_have_count(1)
    expect(folded.page.locator(".lines .hovered")).to_have_count(3)  # red, green and blue
    folded.page.mouse.move(1, 1)
    expect(folded.page.locator(".stage .field")).to_have_count(0)
    expect(folded.page.locator(".lines .hovered")).to_have_count(0)


def test_every_colour_scale_has_a_legend(folded):
    expect(folded.page.locator(".about .legend")).to_contain_text("low")
    folded.page.locator(".network button[aria-label^='shrink, ']").first.click()
    folded.page.locator(".inspector .final").wait_for()
    assert folded.page.locator(".inspector .legend").count() == 3  # of the map, the input and the weights
    for view in ("Outputs", "Importance"):
        folded.view(view)
        expect(folded.page.locator(".view .legend")).to_have_count(1)


def test_the_working_says_what_the_chosen_value_sees_whatever_the_pointer_is_on(folded):
    page = folded.page
    tiles = page.locator(".network .column").nth(1).locator(".tile")
    tiles.first.click()
    page.mouse.move(1, 1)
    before = page.locator(".inspector .sees").inner_text()
    page.locator(".network .column").nth(2).locator(".tile").first.hover()
    expect(page.locator(".inspector .sees")).to_have_text(before)
    expect(page.locator(".stage .frame")).to_be_visible()


@pytest.mark.parametrize("width", [910, 1000, 1249, 1250, 1280])
def test_no_result_is_cut_off(chromium, small, width):
    tab = Tab(chromium, small[0], viewport={"width": width, "height": 800}).alive(unfold=False)
    tab.page.locator(".network .column").nth(1).locator(".tile").first.click()
    tab.page.locator(".inspector .sum").first.wait_for()
    right = tab.page.locator(".inspector").evaluate("one => one.getBoundingClientRect().right")
    ends = tab.page.locator(".inspector .result").evaluate_all(
        "all => all.map(one => one.getBoundingClientRect().right)"
    )
    tab.page.close()
    assert ends
    assert max(ends) <= right + 1
