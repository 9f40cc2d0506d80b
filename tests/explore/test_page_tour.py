"""The tour through the network, taken in a real browser on several networks."""

import re

import keras
import numpy as np
import pytest
from keras import layers

from cnnvis.network.outputs import layer_outputs
from tests.explore.conftest import FEW, Tab, make
from tests.explore.test_page import AXE, grouped, recurrent, residual

try:
    from playwright.sync_api import expect
except ImportError:
    expect = None

pytestmark = [pytest.mark.once, pytest.mark.slow]


def step(tab, number):
    """The text of a step, once it is shown."""
    panel = tab.page.get_by_role("region", name="Tour")
    expect(panel.locator(".progress")).to_have_text(f"{number} of 7")
    if number == 7:
        expect(panel).to_contain_text("now has the image's mean colour")
    tab.drawn()
    return panel.locator("[aria-live]").inner_text()


IMAGE, VALUES, VERDICT = ".stage", ".whole canvas", "[aria-label=Probabilities]"
SPOKEN_OF = {  # by the steps' text
    1: [IMAGE, VALUES, ".whole [data-value]"],
    2: [VALUES, ".whole [data-value]", ".inputs .numbers >> nth=0"],
    3: [VALUES, ".whole [data-value]", ".activated"],
    4: [VALUES, ".whole [data-value]", ".computation .numbers >> nth=0"],
    5: [IMAGE, VALUES, ".whole [data-value]"],
    6: [".softmax .chosen", ".softmax thead"],
    7: [IMAGE, VERDICT],
}
SEEN = """element => {
  const { left, top, right, bottom } = element.getBoundingClientRect();
  const corners = [left + 4, right - 4].flatMap((x) => [top + 4, bottom - 4].map((y) => [x, y]));
  return corners.every(([x, y]) => element.contains(document.elementFromPoint(x, y)));
}"""


def is_seen(tab, part):
    """Whether all of a part is in the window and nothing lies over it."""
    return tab.page.locator(part).first.evaluate(SEEN)


def start(tab):
    tab.page.get_by_role("button", name="Take the tour").click()


def forward(tab):
    tab.page.get_by_role("button", name="Next").click()


@pytest.fixture
def toured(laptop):
    if laptop.page.get_by_role("button", name="End the tour").count():
        laptop.page.keyboard.press("Escape")
    laptop.choose(0)
    return laptop.fresh()


def test_its_numbers_are_kerass(toured, small, samples):
    classifier = small[1]
    outputs = layer_outputs(classifier, samples[0], ["first", "shrink"])
    start(toured)
    assert "32×32 pixels" in step(toured, 1)
    pixel = samples[0][16, 16]
    assert f"is {pixel[0]}, {pixel[1]} and {pixel[2]}." in step(toured, 1)
    forward(toured)
    value = float(re.search(r"this gives (\S+),", step(toured, 2)).group(1))
    assert value == pytest.approx(outputs["first"].max(), rel=0.02)
    for number in (3, 4, 5, 6):
        forward(toured)
        told = step(toured, number)
    probabilities = classifier.probabilities(samples[:1])[0]
    shown = float(re.search(r"gets (\d+)%", told).group(1))
    assert shown == pytest.approx(100 * probabilities.max(), abs=1.5)


def test_hiding_the_patch_of_the_last_step_changes_the_verdict_as_it_says(toured, small):
    start(toured)
    for number in range(1, 7):
        step(toured, number)
        forward(toured)
    told = step(toured, 7)
    hidden = toured.pixels()
    expected = small[1].probabilities(hidden[None])[0]
    np.testing.assert_allclose(toured.probabilities(), expected, atol=0.01)
    named = re.search(r"(\S+) (?:falls|rises|stays)", told).group(1)
    after = re.search(r"(?:to|at) (\d+\.?\d*)%", told).group(1)
    shown = toured.page.locator("tr[data-class]").filter(has_text=named).first.locator(".number").inner_text()
    assert shown == f"{after}%"
    toured.page.get_by_role("button", name="Finish").click()
    assert (toured.pixels() != hidden).any()  # the patch went with the tour


def test_it_leaves_everything_as_it_was(toured):
    toured.page.locator(".network .column").nth(1).locator(".tile").nth(2).click()
    chosen = toured.page.locator(".inspector h2").inner_text()
    toured.page.locator(".stage").press("Enter")  # hide a patch
    before = toured.pixels()
    toured.view("Outputs")
    for way in ("Escape", "End the tour"):
        start(toured)
        step(toured, 1)
        expect(toured.page.get_by_role("tab", name="Network")).to_have_attribute("aria-selected", "true")
        for number in (2, 3):
            forward(toured)
            step(toured, number)
        if way == "Escape":
            toured.page.keyboard.press("Escape")
        else:
            toured.page.get_by_role("region", name="Tour").get_by_role("button", name=way).click()
        expect(toured.page.get_by_role("region", name="Tour")).to_have_count(0)
        expect(toured.page.get_by_role("button", name="Take the tour")).to_be_focused()
        expect(toured.page.get_by_role("tab", name="Outputs")).to_have_attribute("aria-selected", "true")
        np.testing.assert_array_equal(toured.pixels(), before)
    toured.view("Network")
    expect(toured.page.locator(".inspector h2")).to_have_text(chosen)


def test_it_can_be_taken_by_keyboard_alone_and_the_focus_stays(toured):
    toured.page.get_by_role("button", name="Take the tour").focus()
    toured.page.keyboard.press("Enter")
    step(toured, 1)
    assert toured.page.evaluate("document.activeElement.closest('.tour') !== null")
    toured.page.keyboard.press("Tab")
    expect(toured.page.get_by_role("button", name="Back", exact=True)).to_be_focused()
    toured.page.keyboard.press("Tab")
    for number in range(1, 7):
        expect(toured.page.get_by_role("button", name="Next")).to_be_focused()
        step(toured, number)
        toured.page.keyboard.press("Enter")
    step(toured, 7)
    expect(toured.page.get_by_role("button", name="Finish")).to_be_focused()
    toured.page.keyboard.press("Shift+Tab")
    toured.page.keyboard.press("Enter")
    step(toured, 6)
    expect(toured.page.get_by_role("button", name="Back", exact=True)).to_be_focused()


def test_it_follows_an_image_that_is_chosen_meanwhile(toured, samples):
    start(toured)
    step(toured, 1)
    toured.choose(3)
    pixel = samples[3][16, 16]
    expect(toured.page.get_by_role("region", name="Tour")).to_contain_text(f"is {pixel[0]}, {pixel[1]} and {pixel[2]}.")


def test_the_filter_slides_to_the_value_of_which_the_step_speaks_but_not_for_who_wants_no_motion(chromium, small):
    for motion in ("no-preference", "reduce"):
        tab = Tab(chromium, small[0], reduced_motion=motion).alive(unfold=False)
        start(tab)
        step(tab, 1)
        forward(tab)
        row, column = re.search(r"In row (\d+), column (\d+) this", step(tab, 2)).groups()
        caption = tab.page.locator(".whole figcaption")
        play = tab.page.get_by_role("button", name="Play")
        if motion == "reduce":
            expect(play).to_have_count(0)
        expect(caption).to_contain_text(f"Row {row}, column {column}:")
        if motion != "reduce":
            expect(play).to_be_visible()  # it has come to rest
        assert not tab.errors
        tab.page.close()


@pytest.mark.parametrize("size", [(1280, 800), (1366, 650), (800, 600), (360, 740)], ids=str)
def test_what_a_step_speaks_of_is_seen(chromium, small, size):
    tab = Tab(chromium, small[0], viewport=dict(zip(("width", "height"), size))).alive(unfold=False)
    start(tab)
    for number in range(1, 8):
        step(tab, number)
        tab.drawn()
        hidden = [part for part in SPOKEN_OF[number] if not is_seen(tab, part)]
        assert not hidden, number
        if size == (1280, 800):
            network = tab.page.locator(".network").bounding_box()
            assert network["y"] >= 0
            assert network["y"] + network["height"] <= 800
            working = tab.page.locator(".inspector").bounding_box()
            assert working["y"] + working["height"] <= 800
        if number < 7:
            forward(tab)
    assert not tab.errors
    tab.page.close()


def two_classes():
    keras.utils.set_random_seed(6)
    return keras.Sequential([keras.Input((16, 16, 1)), layers.Flatten(), layers.Dense(2, activation="softmax")])


FOREIGN = {"residual": residual, "recurrent": recurrent, "grouped": grouped, "two classes": two_classes}


@pytest.mark.parametrize("name", [*FOREIGN])
def test_it_runs_through_any_network(chromium, tmp_path, name):
    model, options = FOREIGN[name](), [*FEW]
    if name == "two classes":
        from PIL import Image

        Image.fromarray(np.arange(256, dtype="uint8").reshape(16, 16)).save(tmp_path / "own.png")
        (tmp_path / "names.txt").write_text("сова\n猫")
        options = ["--images", tmp_path / "own.png", "--classes", tmp_path / "names.txt", *FEW[2:]]
    path, _ = make(tmp_path, model, *options)
    tab = Tab(chromium, path, viewport={"width": 360, "height": 740}, has_touch=True).alive(unfold=False)
    start(tab)
    for number in range(1, 8):
        told = step(tab, number)
        assert len(told) > 60
        assert not re.search(r"undefined|NaN|null|Infinity", told), told
        assert tab.page.evaluate("document.documentElement.scrollWidth") <= 360
        tab.page.get_by_role("button", name="Finish" if number == 7 else "Next").click()
    if name == "two classes":
        assert re.search("сова|猫", told)
    expect(tab.page.get_by_role("region", name="Tour")).to_have_count(0)
    assert not tab.errors
    tab.page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 360])
def test_axe_finds_no_violation_in_any_step(chromium, small, scheme, width):
    if not AXE.exists():
        pytest.skip("needs axe-core: make page")
    tab = Tab(chromium, small[0], viewport={"width": width, "height": 800}, color_scheme=scheme).alive(unfold=False)
    tab.page.evaluate(AXE.read_text(encoding="utf-8"))
    start(tab)
    for number in range(1, 8):
        step(tab, number)
        tab.settled()  # what is being computed is pale
        violations = tab.page.evaluate("axe.run().then(({ violations }) => violations)")
        found = {rule["id"]: [node["html"] for node in rule["nodes"]] for rule in violations}
        assert not found, number
        box = tab.page.get_by_role("region", name="Tour").bounding_box()
        assert box["y"] >= 0
        assert box["y"] + box["height"] <= 800
        if number < 7:
            forward(tab)
    tab.page.close()
