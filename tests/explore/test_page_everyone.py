"""The page for everyone: by keyboard, by touch, without WebAssembly or workers, for hours, and with bad input."""

import io
import re

import keras
import numpy as np
import pytest
from keras import layers
from PIL import Image

from cnnvis.explore import page_data
from cnnvis.network.classifier import Classifier
from tests.conftest import small_sequential
from tests.explore.conftest import AGREES, FEW, HANGS, Tab, make, mild
from tests.explore.test_page import AXE
from tests.explore.test_page_why import compute

try:
    from playwright.sync_api import expect
except ImportError:
    expect = None

pytestmark = [pytest.mark.once, pytest.mark.slow]
PHONE = {"viewport": {"width": 360, "height": 740}, "has_touch": True}


def axe(tab):
    """The rules that are broken, each with its elements: dict."""
    if not AXE.exists():
        pytest.skip("needs axe-core: make page")
    tab.page.evaluate(f"window.axe || (() => {{ {AXE.read_text(encoding='utf-8')} }})()")
    violations = tab.page.evaluate("axe.run().then(({ violations }) => violations)")
    return {rule["id"]: [node["html"] for node in rule["nodes"]] for rule in violations}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_violation_in_answers_to_why_and_while_a_network_learns(chromium, small, scheme):
    tab = Tab(chromium, small[0], color_scheme=scheme).alive(unfold=False)
    page = tab.page
    page.get_by_role("button", name="Why this verdict?").click()
    page.locator(".path-panel ol").wait_for()
    assert not axe(tab)
    for method in ("Grad-CAM", "Occlusion"):
        compute(tab, method)
        assert not axe(tab), method
    tab.view("Training")
    page.get_by_role("button", name="▶ Start").click()
    expect(page.locator("[data-count=step] dd")).not_to_have_text("0")
    assert not axe(tab)
    page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_violation_in_folded_blocks_and_in_a_playground_with_nothing_to_show(chromium, small, scheme):
    tab = Tab(chromium, small[0], color_scheme=scheme).alive(unfold=False)
    assert not axe(tab)
    tab.page.locator(".network button[aria-label^='last softmax, ']").first.click()
    tab.page.get_by_role("button", name=re.compile(r"^All \d+ inputs")).click()
    assert not axe(tab)
    tab.view("Playground")
    assert not axe(tab)
    tab.page.get_by_label("Filter size").fill("7")
    tab.page.get_by_label("Dilation").fill("3")
    expect(tab.page.locator(".playground .notice")).to_contain_text("The filter covers 19 positions")
    assert not axe(tab)
    tab.page.close()


def test_the_playground_shows_what_the_formula_says(tab):
    tab.view("Playground")
    settings = {"Input size": 9, "Filter size": 3, "Stride": 2, "Padding": 2, "Dilation": 2}
    for name, value in settings.items():
        tab.page.get_by_label(name, exact=True).fill(str(value))
    expect(tab.page.locator(".formula")).to_contain_text("floor((9 + 2·2 − 5) ÷ 2) + 1 = floor(8 ÷ 2) + 1 = 4 + 1 = 5")
    grids = tab.page.locator(".cells")
    expect(grids.nth(2)).to_contain_text("Output 5×5")
    assert grids.locator("svg").evaluate_all("all => all.map(one => one.querySelectorAll('rect').length)") == [
        169,
        25,
        25,
    ]
    for _ in range(6):
        tab.page.get_by_role("button", name="Step forward").click()
    expect(tab.page.locator(".worked")).to_contain_text("Row 1, column 1 of the output")
    assert grids.nth(0).locator(".read").count() == 9
    text, result = (
        tab.page.locator(".worked").inner_text().split(": ")[1].replace(" Padding counts as 0.", "").split(" = ")
    )
    products = re.findall(r"(\d+)·\(?(−?\d+)\)?", text)
    assert sum(int(x) * int(w.replace("−", "-")) for x, w in products) == int(result.replace("−", "-"))
    like = tab.page.get_by_label("As in a layer of this network")
    like.select_option(index=1)
    expect(tab.page.locator(".settings")).to_contain_text("Filter size f = 3")


def test_focus_is_never_lost(tab):
    """What was pressed may go; then the focus is on what came instead."""
    lost = "document.activeElement === document.body"
    tab.page.locator(".network button[aria-label^='first, ']").first.click()
    for _ in range(2):  # follow the working back to the image
        link = tab.page.locator(".inspector .from .link").first
        if not link.count():
            break
        link.focus()
        tab.page.keyboard.press("Enter")
        tab.drawn()
        assert not tab.page.evaluate(lost)
    tab.page.keyboard.press("Escape")
    expect(tab.page.locator(".inspector")).to_have_count(0)
    assert not tab.page.evaluate(lost)
    tab.view("Outputs")
    tab.page.locator(".mosaic button").first.focus()
    tab.page.keyboard.press("Enter")
    expect(tab.page.locator(".inspector h2")).to_be_focused()


def test_home_and_end_in_the_strips(tab):
    thumbnails = tab.page.get_by_label("Images to choose from").get_by_role("button")
    assert thumbnails.evaluate_all("all => all.filter(one => one.tabIndex >= 0).length") == 1
    thumbnails.first.focus()
    tab.page.keyboard.press("End")
    expect(thumbnails.last).to_be_focused()
    tab.page.keyboard.press("Home")
    expect(thumbnails.first).to_be_focused()
    tab.page.get_by_role("tab", name="Network").focus()
    tab.page.keyboard.press("End")
    expect(tab.page.get_by_role("tab").last).to_be_focused()
    tab.page.keyboard.press("Home")
    expect(tab.page.get_by_role("tab").first).to_be_focused()


def test_a_swipe_over_image_or_map_scrolls_and_every_target_is_large_enough(chromium, small):
    tab = Tab(chromium, small[0], **PHONE).alive(unfold=False)
    tab.page.locator(".network .column").nth(1).locator(".tile").first.tap()
    tab.page.locator(".inspector .final").wait_for()
    session = tab.page.context.new_cdp_session(tab.page)

    def swiped(selector):
        """By how many pixels the page scrolls when a finger moves up over an element by 120."""
        tab.page.locator(selector).evaluate("one => one.scrollIntoView({ block: 'center', behavior: 'instant' })")
        box, before = tab.page.locator(selector).bounding_box(), tab.page.evaluate("scrollY")
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        for kind, up in (("touchStart", 0), *(("touchMove", 20 * step) for step in range(1, 7)), ("touchEnd", None)):
            points = [] if up is None else [{"x": x, "y": y - up}]
            session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
        tab.drawn()
        return tab.page.evaluate("scrollY") - before

    assert swiped(".stage") > 60
    assert swiped(".inspector .large") > 60
    tab.page.get_by_role("button", name="Tools").click()
    tab.page.get_by_role("button", name="Draw").click()
    assert swiped(".stage") == 0  # it paints
    tab.page.get_by_role("button", name="Hide").click()
    small_ones = tab.page.evaluate(
        """() => [...document.querySelectorAll("button, select, input, [tabindex='0']")]
            .filter(one => one.checkVisibility() && !one.matches(".link, [hidden]"))
            .map(one => [one.outerHTML.slice(0, 90), one.getBoundingClientRect(), getComputedStyle(one, "::after")])
            .map(([html, box, after]) => [html, box.width, box.height, -2 * parseFloat(after.top || 0)])
            .filter(([, width, height, more]) => width < 24 || height + (more || 0) < 24)"""
    )
    assert not small_ones
    tab.page.close()


def test_without_webassembly_it_runs_slowly_and_says_so(chromium, small, samples, tmp_path):
    page = small[0].read_text(encoding="utf-8")
    assert page.count(" 'wasm-unsafe-eval'") == 1
    (tmp_path / "without.html").write_text(page.replace(" 'wasm-unsafe-eval'", ""), encoding="utf-8")
    tab = Tab(chromium, tmp_path / "without.html").alive()
    expect(tab.page.locator(".status")).to_contain_text("slowly: WebAssembly doesn't work here")
    np.testing.assert_allclose(tab.probabilities(), small[1].probabilities(samples[:1])[0], atol=AGREES)
    tab.page.close()


SLOW_SECOND_WORKER = """
window.restarts = 0;
let workers = 0;
window.Worker = class extends Worker {
  place = workers++;
  starting = new Set();
  postMessage(data, ...others) {
    if (data.what === "start" && this.starting.size) window.restarts++;
    if (data.what === "start") this.starting.add(data.number);
    super.postMessage(data, ...others);
  }
  set onmessage(then) {
    super.onmessage = (event) => setTimeout(() => {
      this.starting.delete(event.data.number);
      then(event);
    }, 500 * this.place);
  }
};"""


def test_no_worker_starts_anew_before_it_has_failed(chromium, small, tmp_path):
    """Both backends would be mixed up in it, and the page say that it can't run the network."""
    page = small[0].read_text(encoding="utf-8").replace(" 'wasm-unsafe-eval'", "")
    (tmp_path / "without.html").write_text(page, encoding="utf-8")
    tab = chromium.new_page()
    tab.add_init_script(SLOW_SECOND_WORKER)
    tab.goto((tmp_path / "without.html").as_uri())
    expect(tab.locator(".status")).to_contain_text(re.compile("Runs live|can't run"))
    assert tab.evaluate("restarts") == 0
    assert "Runs live" in tab.locator(".status").inner_text()
    tab.close()


def test_a_blocked_worker_leaves_the_stored_views(chromium, small):
    page = chromium.new_page(reduced_motion="reduce")
    page.add_init_script(
        "window.Worker = class { constructor() { throw new DOMException('blocked', 'SecurityError'); } }"
    )
    page.set_default_timeout(HANGS)
    page.goto(small[0].resolve().as_uri())
    expect(page.locator(".status")).to_contain_text("can't run here: ")
    expect(page.locator(".verdict")).to_have_count(1)
    expect(page.get_by_role("button", name="Take the tour")).to_have_count(0)  # of what can't be shown
    page.get_by_role("tab", name="Results").click()
    expect(page.locator(".matrix")).to_have_count(1)
    page.get_by_role("tab", name="Playground").click()
    expect(page.locator(".cells")).to_have_count(3)
    page.close()


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF"])
def test_a_truncated_image_is_refused_or_shown_but_breaks_nothing(tab, small, tmp_path, kind):
    content = io.BytesIO()
    Image.fromarray(np.random.default_rng(1).integers(0, 256, (64, 64, 3), dtype="uint8")).save(content, kind)
    (tmp_path / "cut.img").write_bytes(content.getvalue()[:40])  # its header alone
    before = tab.probabilities()
    tab.page.get_by_label("Image file").set_input_files(tmp_path / "cut.img")
    tab.page.get_by_role("alert").get_by_text("cut.img can't be read as an image").wait_for()
    np.testing.assert_array_equal(tab.probabilities(), before)


def test_two_hundred_images_take_no_more_memory_than_twenty(tab):
    session = tab.page.context.new_cdp_session(tab.page)
    thumbnails = tab.page.get_by_label("Images to choose from").get_by_role("button")
    count = thumbnails.count()

    def look_at(images):
        for index in range(images):
            thumbnails.nth(index % count).click()
            tab.settled()
            expect(tab.page.locator(".network")).to_have_attribute("aria-busy", "false")
        session.send("HeapProfiler.collectGarbage")
        tensors = [worker.evaluate("self._tfengine.memory()") for worker in tab.page.workers]
        return {
            "canvases": tab.page.locator("canvas").count(),
            "tensors": [one["numTensors"] for one in tensors],
            "bytes": [one["numBytes"] for one in tensors],
            "heap": session.send("Runtime.getHeapUsage")["usedSize"],
        }

    tab.page.locator(".network button[aria-label^='first, ']").first.click()
    first, then = look_at(20), look_at(180)
    assert len(then["tensors"]) == 2
    assert {key: then[key] for key in ("canvases", "tensors", "bytes")} == {
        key: first[key] for key in ("canvases", "tensors", "bytes")
    }
    assert then["heap"] < first["heap"] + 8e6  # bytes; a leak of the layers' outputs alone would be far more


def test_names_in_any_script(chromium, tmp_path):
    names = ["猫", "ماهی", "кит", "ποντίκι", "हाथी", "🦒", "ネコ" * 12, "žába", "Ø", "x"]
    (tmp_path / "names.txt").write_text("\n".join(names), encoding="utf-8")
    path, _ = make(tmp_path, mild(), *FEW, "--classes", tmp_path / "names.txt")
    tab = Tab(chromium, path, **PHONE).alive(unfold=False)
    shown = tab.page.locator("[data-class] th").all_inner_texts()
    assert [text.removesuffix(" ✓") for text in shown] == names
    tab.view("Results")
    assert tab.page.evaluate("document.documentElement.scrollWidth") <= 360
    assert not tab.errors
    tab.page.close()


def test_a_network_that_is_too_large_for_a_page_says_how_large_it_is(monkeypatch):
    monkeypatch.setattr(page_data, "LONGEST_TEXT", 10)
    data, weights = page_data.network(Classifier(small_sequential()), "first")
    assert re.fullmatch(r"its weights take [\d,]+ MB, and a browser reads 0 MB at most", data["problem"])
    assert not weights
    assert (data["layers"], data["weights"]) == ([], [])
    monkeypatch.undo()
    assert "problem" not in page_data.network(Classifier(small_sequential()))[0]


def test_of_a_network_that_is_too_large_the_page_has_the_first_layers(monkeypatch):
    classifier, told = Classifier(wide_head()), []
    whole = page_data.network(classifier, tell=told.append)[0]
    assert not told
    assert not whole["upTo"]
    monkeypatch.setattr(page_data, "LONGEST_TEXT", 50_000)
    data, weights = page_data.network(classifier, tell=told.append)
    assert (data["upTo"], data["layers"][-1]["name"]) == ("flatten", "flatten")
    assert len(weights) <= 50_000
    assert data["gradCam"] is None
    (sentence,) = told
    assert "MB at most: the page shows the layers up to flatten; --up-to chooses another" in sentence
    with pytest.raises(ValueError, match="no layer is called 'flat'; there are first, flatten, wide, end"):
        page_data.network(classifier, "flat")


def wide_head():
    """Nearly all its weights are in its last two layers."""
    inputs = [keras.Input((32, 32, 3)), layers.Conv2D(4, 3, name="first"), layers.Flatten(name="flatten")]
    head = [layers.Dense(100, name="wide"), layers.Dense(10, activation="softmax", name="end")]
    keras.utils.set_random_seed(0)
    return keras.Sequential([*inputs, *head])


def test_the_first_layers_of_a_network_are_shown_alone(chromium, tmp_path, samples):
    path, classifier = make(tmp_path, mild(), *FEW, "--up-to", "shrink")
    tab = Tab(chromium, path).alive()
    page = tab.page
    assert page.locator(".head .name").last.inner_text() == "shrink"
    assert "layers up to shrink" in page.locator(".side").inner_text()
    for name in ("Take the tour", "Why this verdict?", "How fast?"):
        expect(page.get_by_role("button", name=name)).to_have_count(0)
    np.testing.assert_allclose(tab.probabilities(), classifier.probabilities(samples[:1])[0], atol=1e-5)
    page.locator(".network .column").last.locator(".tile").first.click()
    before = page.locator(".whole canvas").evaluate("one => one.toDataURL()")
    page.locator(".stage").press("Enter")  # hide a patch: its verdict is unknown
    expect(page.get_by_label("Probabilities", exact=True)).to_have_count(0)
    tab.view("Importance")
    expect(page.get_by_role("button", name="Occlusion")).to_be_disabled()
    tab.view("Network")
    expect(page.locator(".network")).to_have_attribute("aria-busy", "false")
    tab.drawn()
    assert page.locator(".whole canvas").evaluate("one => one.toDataURL()") != before
    page.get_by_role("button", name="Reset").click()
    expect(page.get_by_label("Probabilities", exact=True)).to_be_visible()
    assert not tab.errors
    page.close()
