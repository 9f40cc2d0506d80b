"""What a reader does with the page, and what goes wrong."""

import shutil

import numpy as np
import pytest
from PIL import Image

import explore
from cnnvis.network.classifier import Classifier
from tests.conftest import small_sequential
from tests.explore.conftest import AGREES, FEW, Tab, make, mild

try:
    from playwright.sync_api import expect
except ImportError:
    expect = None

pytestmark = pytest.mark.once


def test_a_drawing_looks_like_the_digits_that_the_network_knows(chromium, tmp_path):
    """White on black, in grey only, and of no class."""
    path, classifier = make(tmp_path, mild(), "--data", "digits", "--explained", "0", "--filters", "0")
    tab = Tab(chromium, path).alive()
    tab.page.get_by_role("button", name="Draw").click()
    expect(tab.page.get_by_label("Brightness")).to_have_value("255")
    expect(tab.page.get_by_label("Colour", exact=True)).to_have_count(0)
    tab.page.get_by_role("button", name="Blank").click()
    tab.page.locator(".stage").press("Enter")
    tab.page.locator(".stage").press("ArrowRight")
    tab.page.locator(".stage").press("Tab")
    drawn = tab.pixels()
    assert {*map(tuple, drawn.reshape(-1, 3))} == {(0, 0, 0), (255, 255, 255)}
    expect(tab.page.get_by_label("the true class")).to_have_count(0)
    np.testing.assert_allclose(tab.probabilities(), classifier.probabilities(drawn[None])[0], atol=AGREES)
    assert not tab.errors
    tab.page.close()


def test_painting_takes_the_true_class_and_undo_gives_it_back(tab):
    expect(tab.page.get_by_label("the true class")).to_have_count(1)
    tab.page.locator(".stage").press("Enter")  # hides a patch: the class is still true
    expect(tab.page.get_by_label("the true class")).to_have_count(1)
    tab.page.get_by_role("button", name="Draw").click()
    tab.page.locator(".stage").press("Enter")
    expect(tab.page.get_by_label("the true class")).to_have_count(0)
    tab.page.locator(".stage").press("Control+z")
    expect(tab.page.get_by_label("the true class")).to_have_count(1)


def test_a_request_that_fails_does_not_stop_the_next_ones(tab, small, samples):
    tab.page.evaluate(
        """() => {
            const send = Worker.prototype.postMessage;
            Worker.prototype.postMessage = function (message, ...rest) {
                if (message.what !== "run" || !window.failing) return send.call(this, message, ...rest);
                const data = { number: message.number, error: "out of memory" };
                setTimeout(() => this.onmessage(new MessageEvent("message", { data })));
            };
            window.failing = true;
        }"""
    )
    failed = tab.page.get_by_role("alert").get_by_text("could not be computed (out of memory)")
    for index in (1, 2, 3):
        tab.page.get_by_label("Images to choose from").get_by_role("button").nth(index).click()
        failed.wait_for()
    tab.page.evaluate("window.failing = false")
    tab.choose(4)
    np.testing.assert_allclose(tab.probabilities(), small[1].probabilities(samples[4:5])[0], atol=AGREES)
    expect(failed).to_have_count(0)
    expect(tab.page.locator(".network")).to_have_attribute("aria-busy", "false")


def test_the_explanations_are_in_the_page_wherever_it_lies(chromium, small, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    shutil.copy(small[0], tmp_path / "elsewhere" / "page.html")
    tab = Tab(chromium, tmp_path / "elsewhere" / "page.html").alive()
    assert tab.page.locator("a[href]").count() == 0
    links = {
        "Outputs": ("How to read the maps", "Layers: what do they pass on?"),
        "Results": ("How to read this", "Results: how well does it do?"),
        "Importance": ("How the map is computed", "Pixel importance: why did it say so?"),
        "Filters": ("How these images are made", "Filters: what do they look for?"),
    }
    for view, (words, heading) in links.items():
        tab.view(view)
        tab.page.get_by_role("button", name=words).click()
        chapter = tab.page.get_by_role("complementary", name=heading)
        expect(chapter).to_contain_text("The idea.")
        expect(chapter.locator(".chapter")).to_be_focused()
        tab.page.keyboard.press("Escape")
        expect(chapter).to_have_count(0)
        expect(tab.page.get_by_role("button", name=words)).to_be_focused()
    assert not tab.errors
    tab.page.close()


def test_a_hundred_classes(chromium, tmp_path):
    """The page says what it shows of them, and a name that is cut off can be read."""
    names = [f"a rather long name of the class with the number {k}" for k in range(100)]
    (tmp_path / "names.txt").write_text("\n".join(names))
    model, path = tmp_path / "hundred.keras", tmp_path / "hundred.html"
    small_sequential(classes=100).save(model)
    for k in range(100):
        folder = tmp_path / "data" / "test" / names[k]
        folder.mkdir(parents=True)
        Image.fromarray(np.random.default_rng(k).integers(0, 256, (32, 32, 3), dtype="uint8")).save(folder / "0.png")
    options = ["--model", model, "--classes", tmp_path / "names.txt", "--data", tmp_path / "data", *FEW[2:]]
    assert explore.main([*map(str, options), "--input-range", "0", "255", "--out", str(path)]) == 0
    tab = Tab(chromium, path).alive()
    expect(tab.page.get_by_label("Probabilities", exact=True)).to_contain_text("The 10 highest of 100 classes.")
    name = tab.page.locator(".bars th").first
    assert name.get_attribute("title") == names[int(tab.page.locator(".bars tr").first.get_attribute("data-class"))]
    tab.view("Results")
    assert "matrix would be too large" in tab.page.locator(".lead").inner_text()
    expect(tab.page.get_by_role("heading", name="the first 40 of 100 classes")).to_be_visible()
    assert tab.page.locator(".plain-table tbody tr").count() == 40
    kinds = tab.page.locator(".pairs li").count()
    words = tab.page.get_by_label("Mistakes").get_by_role("heading").inner_text()
    assert words.startswith(f"the first {kinds} of " if kinds == 40 else f"{kinds} kinds")
    assert not tab.errors
    tab.page.close()


def test_a_class_without_images_is_last_and_has_no_scores(chromium, tmp_path):
    for k, name in enumerate(("cat", "dog", "horse")):
        (tmp_path / "data" / "test" / name).mkdir(parents=True)
        pixels = np.random.default_rng(k).integers(0, 256, (32, 32, 3), dtype="uint8")
        Image.fromarray(pixels).save(tmp_path / "data" / "test" / name / "0.png")
    (tmp_path / "names.txt").write_text("\n".join(["cat", "dog", "horse", *"abcdefg"]))
    options = ["--data", tmp_path / "data", "--classes", tmp_path / "names.txt", *FEW[2:]]
    path, _ = make(tmp_path, mild(), *options)
    tab = Tab(chromium, path).alive()
    tab.view("Results")
    rows = [row.split() for row in tab.page.locator(".plain-table tbody tr").all_inner_texts()]
    assert [row[-1] for row in rows] == ["1"] * 3 + ["0"] * 7
    assert all(row[1:4] == ["–"] * 3 for row in rows[3:])
    assert not any("–" in row for row in rows[:3])
    tab.page.close()


@pytest.mark.slow
def test_all_layers_are_redrawn_in_little_more_time_than_a_prediction_takes(chromium, tmp_path):
    """Not in ten times that, as when TensorFlow.js looked for tensors in 792,388 numbers. Measured by turns."""
    from bench.page import redraw
    from tests.explore.test_page import SHIPPED

    path = tmp_path / "shipped.html"
    assert explore.main(["--model", str(SHIPPED), *FEW, "--out", str(path)]) == 0
    tab = Tab(chromium, path).alive()
    seconds = {"Network": [], "Results": []}
    for turn in range(12):
        for view, shown in (("Network", ".network"), ("Results", "[aria-label=Probabilities]")):
            tab.view(view)
            tab.settled()
            seconds[view].append(redraw(tab.page, "ArrowRight" if turn % 2 else "ArrowLeft", shown))
    tab.page.close()
    assert min(seconds["Network"]) < 4 * min(seconds["Results"]), seconds


def test_predictions_keep_their_order_when_the_image_changes_quickly(tab, small, samples):
    """The last of many images wins, in the probabilities and in the layers."""
    thumbnails = tab.page.get_by_label("Images to choose from").get_by_role("button")
    for index in (1, 2, 3, 4, 5, 6):
        thumbnails.nth(index).click(no_wait_after=True)
    np.testing.assert_allclose(tab.probabilities(), small[1].probabilities(samples[6:7])[0], atol=AGREES)
    expect(tab.page.locator(".network")).to_have_attribute("aria-busy", "false")
    last = Classifier(mild()).probabilities(samples[6:7])[0]
    shown = tab.page.locator(".network button[aria-label^='last softmax, ']").evaluate_all(
        "all => all.map(one => parseFloat(one.ariaLabel.split(', ').at(-1).replace('<', '')))"
    )
    np.testing.assert_allclose(shown, 100 * last, atol=0.6)
