"""What a reader takes away from the page: an image file, a print, and what a filter looks for beside its channel."""

import io

import numpy as np
import pytest
from PIL import Image

from tests.explore.conftest import Tab

try:
    from playwright.sync_api import expect
except ImportError:
    expect = None

pytestmark = pytest.mark.once


def test_a_view_is_saved_as_it_is_on_the_screen(tab, tmp_path):
    tab.page.locator(".network button[aria-label^='first, ']").first.click()
    tab.page.locator(".inspector .final").wait_for()
    tab.page.mouse.move(1, 1)
    tab.drawn()
    view = tab.page.locator("#view")
    shown = np.asarray(Image.open(io.BytesIO(view.screenshot())).convert("RGB")).astype(float)
    with tab.page.expect_download() as download:
        tab.page.get_by_role("button", name="Save this view as PNG").click()
    assert download.value.suggested_filename == "small network.png"
    download.value.save_as(tmp_path / "view.png")
    saved = Image.open(tmp_path / "view.png").convert("RGB")
    height, width = shown.shape[:2]
    assert np.abs(np.subtract(saved.size, (2 * width, 2 * height))).max() <= 2  # the screen's pixels are whole
    small = np.asarray(saved.resize((width, height))).astype(float)
    # The view may begin between two of the screen's pixels.
    alike = [np.corrcoef(np.roll(small, by, 0)[..., 1].ravel(), shown[..., 1].ravel())[0, 1] for by in (0, 1)]
    assert max(alike) > 0.95
    assert not tab.errors


def test_it_prints_whole(chromium, small):
    """Nothing is behind a scroll bar, or wider than the paper."""
    tab = Tab(chromium, small[0], viewport={"width": 720, "height": 1000}).alive()
    tab.page.locator(".network button[aria-label^='first, ']").first.click()
    tab.page.locator(".inspector .final").wait_for()
    tab.page.emulate_media(media="print")
    tab.drawn()
    hidden = tab.page.evaluate(
        """() => [...document.querySelectorAll("main *")].filter((e) => {
            const style = getComputedStyle(e);
            const scrolls = /auto|scroll/.test(style.overflowX + style.overflowY)
                && !e.matches("select, .visually-hidden");
            return scrolls && (e.scrollWidth > e.clientWidth + 1 || e.scrollHeight > e.clientHeight + 1);
        }).map((e) => e.className)"""
    )
    assert hidden == []
    assert tab.page.evaluate("document.documentElement.scrollWidth") <= 720
    box = tab.page.locator(".column.last").bounding_box()
    assert box["x"] + box["width"] <= 720
    assert tab.page.pdf()[:5] == b"%PDF-"
    tab.page.close()


def test_a_channel_is_shown_with_what_its_filter_looks_for(tab):
    tab.view("Filters")
    names = [button.get_attribute("aria-label") for button in tab.page.locator(".atlas .tile").all()]
    layer, channel = names[-1].split(", filter ")
    tab.page.evaluate(f"location.hash = '#view=Network&layer={layer}&channel={channel}'")
    section = tab.page.get_by_label(f"What channel {channel} looks for")
    expect(section.locator("canvas")).to_have_count(10)  # the made image and nine patches
    other = next(k for k in range(6) if f"{layer}, filter {k}" not in names)
    tab.page.evaluate(f"location.hash = '#view=Network&layer={layer}&channel={other}'")
    expect(tab.page.locator(".inspector h2")).to_have_text(f"{layer} channel {other}")
    expect(section).to_have_count(0)
