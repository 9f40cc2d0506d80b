"""The article's chapter beside the view."""

import pytest

from cnnvis.explore import chapters
from tests.explore.conftest import Tab
from tests.explore.test_page import AXE

try:
    from playwright.sync_api import expect
except ImportError:
    expect = None

pytestmark = pytest.mark.once
VIEWS = {"Network": "network", "Outputs": "outputs", "Results": "results", "Filters": "filters"}


def panel(tab):
    return tab.page.locator(".article")


def test_the_chapter_stands_beside_the_view_and_follows_it(chromium, small):
    tab = Tab(chromium, small[0]).alive()
    tab.page.get_by_role("button", name="Read about this view").click()
    for view, part in VIEWS.items():
        tab.view(view)
        expect(panel(tab).locator("h2")).to_have_text(chapters.CHAPTERS[part])
        beside, main = panel(tab).bounding_box(), tab.page.locator(".main").bounding_box()
        assert beside["x"] >= main["x"] + main["width"]
        assert beside["x"] + beside["width"] <= 1280
    panel(tab).get_by_role("button", name="Close").click()
    expect(panel(tab)).to_have_count(0)
    expect(tab.page.get_by_role("button", name="Read about this view")).to_be_focused()
    tab.page.close()


def test_formulas_are_set_and_answers_unfold(tab):
    tab.page.get_by_role("button", name="Read about this view").click()
    assert panel(tab).locator("math mfrac").count()
    answer = panel(tab).locator("details").first
    expect(answer.locator("p")).not_to_be_visible()
    answer.locator("summary").click()
    expect(answer.locator("p")).to_be_visible()
    expect(panel(tab)).to_contain_text("Figure in the article: ")


def test_with_room_for_both_the_chapter_is_there_from_the_start(chromium, small):
    for width, count in ((1720, 1), (1280, 0)):
        tab = Tab(chromium, small[0], viewport={"width": width, "height": 900})
        expect(panel(tab)).to_have_count(count)
        tab.page.close()


@pytest.mark.parametrize("width", [800, 360])
def test_on_a_narrow_screen_it_stands_before_the_view(chromium, small, width):
    tab = Tab(chromium, small[0], viewport={"width": width, "height": 740}).alive()
    opener = tab.page.get_by_role("button", name="Read about this view")
    opener.click()
    box = tab.page.get_by_role("dialog").bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= width
    tab.page.keyboard.press("Escape")
    expect(panel(tab)).to_have_count(0)
    expect(opener).to_be_focused()
    tab.page.close()


@pytest.mark.parametrize("scheme", ["light", pytest.param("dark", marks=pytest.mark.slow)])
@pytest.mark.parametrize("width", [1280, 390])
def test_axe_finds_nothing_in_a_chapter(chromium, small, scheme, width):
    if not AXE.exists():
        pytest.skip("needs axe-core: make page")
    tab = Tab(chromium, small[0], viewport={"width": width, "height": 844}, color_scheme=scheme).alive()
    tab.page.get_by_role("button", name="Read about this view").click()
    panel(tab).locator("details").evaluate_all("all => all.forEach(one => (one.open = true))")
    tab.page.evaluate(AXE.read_text(encoding="utf-8"))
    violations = tab.page.evaluate("axe.run().then(({ violations }) => violations)")
    tab.page.close()
    assert not {rule["id"]: [node["html"][:200] for node in rule["nodes"]] for rule in violations}
