"""On phones and tablets: tabs first, a small image that stays in sight, and the network on the first screen."""

import pytest

from tests.explore.conftest import Tab

try:
    from playwright.sync_api import expect
except ImportError:
    expect = None

pytestmark = pytest.mark.once
PHONE, TABLET = {"width": 360, "height": 740}, {"width": 800, "height": 600}


def box(tab, selector):
    return tab.page.locator(selector).first.bounding_box()


def opened(chromium, path, viewport):
    return Tab(chromium, path, viewport=viewport, has_touch=True).alive(unfold=False)


def test_on_a_phone_the_tabs_are_first_and_a_small_image_stays(chromium, small):
    tab = opened(chromium, small[0], PHONE)
    parts = ("#take-tour", "[role=tablist]", ".thumbs", ".stage", ".network")
    tops = [box(tab, part)["y"] for part in parts]
    assert tops == sorted(tops)
    assert tops[1] < 160
    assert tops[-1] < 700
    in_the_document = "all => all.every((a, i) => !i || all[i - 1].compareDocumentPosition(a) & 4)"
    assert tab.page.evaluate(f"({in_the_document})({[*parts]}.map(one => document.querySelector(one)))")
    assert box(tab, ".stage")["width"] == 96
    expect(tab.page.locator(".bars tr:visible")).to_have_count(3)
    tab.page.locator(".network .tile").nth(4).click()
    for height in (400, 900):
        tab.page.evaluate(f"scrollTo(0, {height})")
        assert 0 <= box(tab, ".stage")["y"] < 20
        assert 0 <= box(tab, ".verdict")["y"] < 20
    assert tab.page.evaluate("document.documentElement.scrollWidth") <= 360
    assert not tab.errors
    tab.page.close()


@pytest.mark.parametrize("viewport", [PHONE, TABLET], ids=lambda size: str(size["width"]))
def test_the_tools_of_a_small_screen_unfold(chromium, small, viewport):
    tab = opened(chromium, small[0], viewport)
    draw = tab.page.get_by_role("button", name="Draw")
    expect(draw).to_be_hidden()
    tools = tab.page.get_by_role("button", name="Tools")
    expect(tools).to_have_attribute("aria-expanded", "false")
    tools.click()
    draw.click()
    assert box(tab, ".stage")["width"] >= 150
    expect(tab.page.locator(".bars tr:visible")).to_have_count(10)
    tab.page.get_by_role("button", name="Fold", exact=True).click()
    expect(draw).to_be_hidden()
    assert not tab.errors
    tab.page.close()


def test_on_a_tablet_network_image_and_verdict_are_on_the_first_screen(chromium, small):
    tab = opened(chromium, small[0], TABLET)
    network, last = box(tab, ".network"), box(tab, ".column.last")
    assert network["y"] < 350
    assert last["x"] + last["width"] <= 800
    for part in (".stage", ".bars"):
        shown = box(tab, part)
        assert shown["y"] + shown["height"] <= 600
    for left in (0, 10_000):
        tab.page.locator(".network").evaluate("(one, left) => one.scrollTo(left, 0)", left)
        assert box(tab, ".column.last")["x"] == pytest.approx(last["x"], abs=2)
    tab.page.close()
