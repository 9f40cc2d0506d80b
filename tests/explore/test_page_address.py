"""What the page shows is in its address: Back, Forward and Reload find it again."""

import re

import numpy as np
import pytest

from tests.explore.conftest import AGREES, Tab

try:
    from playwright.sync_api import expect
except ImportError:
    expect = None

pytestmark = [pytest.mark.once, pytest.mark.slow]


def address(tab):
    tab.drawn()
    return tab.page.evaluate("location.hash")


def pressed(tab):
    return tab.page.get_by_label("Images to choose from").locator("[aria-pressed=true] img").get_attribute("alt")


def test_back_forward_and_reload(tab, small, samples):
    tab.choose(3)
    tab.page.locator(".network button[aria-label^='second, channel 5']").click()
    tab.view("Results")
    assert address(tab) == "#view=Results&image=3&layer=second&channel=5"
    tab.page.go_back()
    expect(tab.page.locator(".inspector h2")).to_have_text("second channel 5")
    tab.page.go_back()
    expect(tab.page.locator(".inspector")).to_have_count(0)
    assert address(tab) == "#view=Network&image=3"
    name = pressed(tab)
    tab.page.go_back()
    expect(tab.page.get_by_label("Images to choose from").get_by_role("button").nth(3)).to_have_attribute(
        "aria-pressed", "false"
    )
    tab.page.go_forward()
    expect(tab.page.get_by_label("Images to choose from").locator("[aria-pressed=true] img")).to_have_attribute(
        "alt", name
    )
    tab.page.go_forward()
    expect(tab.page.locator(".inspector h2")).to_have_text("second channel 5")
    tab.page.reload()
    tab.page.wait_for_selector(".network")
    expect(tab.page.locator(".inspector h2")).to_have_text("second channel 5")
    assert pressed(tab) == name
    np.testing.assert_allclose(tab.probabilities(), small[1].probabilities(samples[3:4])[0], atol=AGREES)


def test_moving_in_a_channel_is_in_the_address_but_no_step_of_back(tab):
    tab.page.locator(".network button[aria-label^='first, channel 1']").click()
    before = tab.page.evaluate("history.length")
    large = tab.page.locator(".inspector .large")
    for key in ("ArrowLeft", "ArrowLeft", "ArrowUp"):
        large.press(key)
    place = re.search(r"Row (\d+), column (\d+)", tab.page.locator(".inspector .whole").inner_text()).groups()
    assert address(tab) == f"#view=Network&image=0&layer=first&channel=1&row={place[0]}&col={place[1]}"
    assert tab.page.evaluate("history.length") == before


def test_an_address_with_nonsense_is_a_notice_and_no_crash(chromium, small):
    tab = Tab(chromium, small[0]).alive()
    tab.page.evaluate("location.hash = '#view=Nowhere&image=99&layer=first&channel=2&row=500&col=0'")
    notice = tab.page.get_by_role("alert")
    for words in ("view=Nowhere is ignored", "image=99 is ignored: expected 0 to 19", "row=500 is ignored"):
        expect(notice).to_contain_text(words)
    expect(tab.page.locator(".inspector h2")).to_have_text("first channel 2")
    tab.page.evaluate("location.hash = '#view=importance&image=1'")
    expect(tab.page.get_by_role("tab", name="Importance")).to_have_attribute("aria-selected", "true")
    expect(notice).to_have_count(0)
    assert not tab.errors
    tab.page.close()


def test_the_layer_whose_outputs_are_shown_is_kept(tab):
    tab.page.locator(".network button[aria-label^='second, channel 5']").click()
    tab.view("Outputs")
    layer = tab.page.locator(".controls select").first
    expect(layer.locator("option:checked")).to_contain_text("second")
    layer.select_option(label="shrink (15×15×6)")
    assert address(tab) == "#view=Outputs&image=0&layer=shrink"
    tab.page.reload()
    expect(layer.locator("option:checked")).to_contain_text("shrink")
    tab.page.go_back()
    expect(layer.locator("option:checked")).to_contain_text("second")


def test_a_drawing_that_a_reload_loses_is_not_lost_without_a_word(tab):
    tab.choose(2)
    tab.page.get_by_role("button", name="Draw").click()
    tab.page.locator(".stage").press("Enter")
    assert address(tab) == "#view=Network&image=2&changed=1"
    lost = tab.page.get_by_role("alert").get_by_text("Drawings, hidden patches")
    expect(lost).to_have_count(0)
    tab.page.reload()
    expect(lost).to_be_visible()
    tab.settled()
    assert address(tab) == "#view=Network&image=2"
    tab.choose(3)
    expect(lost).to_have_count(0)
