"""The page in a tab that its reader has left for an hour."""

import contextlib

import pytest

from tests.explore.conftest import Tab
from tests.explore.test_page_training import Lesson

try:
    from playwright.sync_api import expect
except ImportError:
    expect = None

AN_HOUR = 3_600_000  # milliseconds
FROZEN = 2000  # milliseconds in which nothing of the page runs
HEAP = 8e6  # bytes by which it may differ
SHOW = """hidden => {
  const set = (name, value) => Object.defineProperty(document, name, { configurable: true, value });
  set('hidden', hidden);
  set('visibilityState', hidden ? 'hidden' : 'visible');
  document.dispatchEvent(new Event('visibilitychange'));
}"""
pytestmark = pytest.mark.once


@pytest.fixture
def away(chromium, small):
    """A tab whose clock can be put forward, in which things move."""
    tab = Tab(chromium, small[0], reduced_motion="no-preference")
    yield tab
    tab.page.close()
    assert not tab.errors


@contextlib.contextmanager
def an_hour_in_the_background(tab):
    """Hidden, as Chromium does it: first its timers run seldom, then it is frozen."""
    session = tab.page.context.new_cdp_session(tab.page)
    tab.page.evaluate(SHOW, True)
    yield
    session.send("Page.setWebLifecycleState", {"state": "frozen"})
    tab.page.wait_for_timeout(FROZEN)
    session.send("Page.setWebLifecycleState", {"state": "active"})
    tab.page.clock.fast_forward(AN_HOUR)
    tab.page.evaluate(SHOW, False)
    tab.drawn()


def memory(tab):
    session = tab.page.context.new_cdp_session(tab.page)
    session.send("HeapProfiler.collectGarbage")
    return session.send("Runtime.getHeapUsage")["usedSize"]


def test_a_training_waits_and_goes_on(away):
    away.page.clock.install()
    away.page.reload()
    away.alive()
    lesson = Lesson(away)
    lesson.press("▶ Start")
    steps = away.page.locator("[data-count=step] dd")
    expect(steps).not_to_have_text("0")
    before = memory(away)
    with an_hour_in_the_background(away):
        stopped = lesson.paused()
    expect(away.page.get_by_role("button", name="❚❚ Pause", exact=True)).to_be_visible()
    expect(steps).not_to_have_text(f"{stopped:,}")
    lesson.press("❚❚ Pause")
    assert lesson.paused() > stopped
    assert memory(away) < before + HEAP


def test_a_sliding_filter_goes_on_and_so_does_the_network(away):
    away.page.clock.install()
    away.page.reload()
    away.alive()
    away.page.locator(".network button[aria-label^='first, ']").first.click()
    away.page.get_by_role("button", name="Play").click()
    before = memory(away)
    with an_hour_in_the_background(away):
        pass
    caption = away.page.locator(".whole figcaption")
    then = caption.inner_text()
    expect(away.page.get_by_role("button", name="Pause")).to_be_visible()
    expect(caption).not_to_have_text(then)  # step by step, not all those of an hour at once
    away.page.get_by_role("button", name="Pause").click()
    known = away.probabilities()
    away.page.locator(".stage").press("Enter")  # hide a patch
    assert (away.probabilities() != known).any()
    assert memory(away) < before + HEAP
