"""A small network learns the digits in the browser."""

import re

import pytest

from tests.explore.conftest import Tab

try:
    from playwright.sync_api import expect
except ImportError:
    expect = None

ROOM = 3  # seconds in which a training that was not paused would take steps
pytestmark = pytest.mark.once


class Lesson:
    """The view of one tab in which a network learns."""

    def __init__(self, tab):
        self.page = tab.page
        tab.view("Training")
        expect(self.page.locator(".seen")).to_contain_text("it knows nothing yet")

    def press(self, name):
        self.page.get_by_role("button", name=name, exact=True).click()

    def number(self, curve, of):
        """The newest loss or accuracy of the training or the held-out digits."""
        figure = self.page.locator(".curves").filter(has_text=curve)
        return float(figure.locator(f"figcaption .{of}").get_attribute("data-value"))

    def step(self):
        return int(self.page.locator("[data-count=step] dd").inner_text().replace(",", ""))

    def paused(self):
        """The step at which it stands, once it has stopped."""
        expect(self.page.get_by_role("button", name="Start")).to_be_visible()
        return self.step()

    def accuracy_reaches(self, share, of):
        """Wait for 0.95 or for 1."""
        accuracy = self.page.locator(".curves").filter(has_text="Accuracy").locator(f"figcaption .{of}")
        expect(accuracy).to_have_attribute("data-value", re.compile({0.95: r"^(1|0\.9[5-9]\d*)$", 1: "^1$"}[share]))


@pytest.fixture
def lesson(tab):
    return Lesson(tab)


@pytest.mark.slow
def test_it_learns_pauses_begins_anew_and_overfits(lesson):
    page = lesson.page
    assert lesson.step() == 0
    assert abs(lesson.number("Loss", "training") - 2.303) < 0.05
    filters = page.get_by_label("filter 0", exact=True)
    before = filters.evaluate("one => one.toDataURL()")

    lesson.press("▶ Start")
    lesson.accuracy_reaches(0.95, "heldOut")
    lesson.press("❚❚ Pause")
    stopped = lesson.paused()
    assert stopped < 1000  # steps, of 32 digits each
    expect(page.locator(".seen")).to_contain_text(re.compile(r"The loss fell from 2\.3\d to 0\.\d\d"))
    right = int(page.locator("[data-right]").get_attribute("data-right"))
    diagonal = page.locator(".matrix .diagonal").all_inner_texts()
    assert right == sum(map(int, diagonal))
    assert right / 360 == pytest.approx(lesson.number("Accuracy", "heldOut"))
    assert filters.evaluate("one => one.toDataURL()") != before
    page.wait_for_timeout(1000 * ROOM)
    assert lesson.step() == stopped

    lesson.press("One step")
    expect(page.locator("[data-count=step] dd")).to_have_text(f"{stopped + 1:,}")
    lesson.press("Reset")
    expect(page.locator("[data-count=step] dd")).to_have_text("0")
    expect(page.locator(".seen")).to_contain_text("it knows nothing yet")
    assert filters.evaluate("one => one.toDataURL()") == before  # the same seed

    lesson.press("Make it overfit")
    expect(page.get_by_label("Training digits")).to_have_value("50")
    expect(page.get_by_label("Weight decay")).to_have_value("0")
    lesson.accuracy_reaches(1, "training")
    expect(page.locator(".seen")).to_contain_text("It overfits: 100% of its 50 training digits")
    assert lesson.number("Accuracy", "heldOut") < 0.92
    lesson.press("❚❚ Pause")
    lesson.paused()


def test_another_view_pauses_it_and_what_it_learnt_is_kept(lesson, tab):
    lesson.press("▶ Start")
    expect(lesson.page.locator("[data-count=step] dd")).not_to_have_text("0")
    tab.view("Results")
    tab.view("Training")
    stopped = lesson.paused()
    assert stopped > 0
    lesson.page.wait_for_timeout(1000 * ROOM)
    assert lesson.step() == stopped


def test_too_large_steps_are_named(lesson):
    lesson.page.get_by_label("Learning rate").select_option("3")
    for _ in range(10):
        lesson.press("One step")
    expect(lesson.page.locator("[data-count=step] dd")).to_have_text("10")
    expect(lesson.page.locator(".seen")).to_contain_text("Reset with a tenth of the learning rate (0.3)")


def test_a_digit_is_chosen_by_its_name_and_by_its_cell(lesson):
    page = lesson.page
    page.get_by_role("group", name="Follow another digit").get_by_role("button", name="7").click()
    heading = page.locator(".station h2").first
    expect(heading).to_have_text("One held-out digit: 7")
    cells = page.locator(".matrix button")
    assert cells.count() == 100
    filled = page.locator(".matrix tbody tr").nth(4).locator("button:not(:text('·'))").first
    predicted = int(re.search(r"predicted (\d)", filled.get_attribute("aria-label"))[1])
    filled.focus()
    page.keyboard.press("Enter")
    expect(heading).to_have_text("One held-out digit: 4")
    expect(filled).to_have_attribute("aria-pressed", "true")
    expect(page.locator(".station h2").last).to_contain_text(f"FC + SOFTMAX: {predicted}, ")


def test_it_fits_on_a_phone_and_each_colour_scale_has_a_legend(chromium, small):
    tab = Tab(chromium, small[0], viewport={"width": 360, "height": 800})
    lesson = Lesson(tab)
    assert lesson.page.evaluate("document.documentElement.scrollWidth") <= 360
    inside = "all => all.every(one => one.getBoundingClientRect().right <= innerWidth)"
    assert lesson.page.locator(".lesson *").evaluate_all(inside)
    assert lesson.page.locator(".path .legend").count() == 3
    assert not tab.errors
    tab.page.close()


def test_a_browser_without_workers_says_so_in_one_sentence(chromium, small):
    page = chromium.new_page()
    page.add_init_script("window.Worker = class { constructor() { throw new Error('workers are forbidden') } }")
    page.goto(small[0].resolve().as_uri())
    page.get_by_role("tab", name="Training").click()
    sentence = page.get_by_text("Training needs a web worker, and this browser refused it (workers are forbidden)")
    expect(sentence).to_be_visible()
    page.close()
