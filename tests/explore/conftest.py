"""The page that explore.py writes, opened in a real browser."""

import os
import shutil
from pathlib import Path

import numpy as np
import pytest

import explore
from cnnvis.images import sources
from cnnvis.network.classifier import Classifier
from tests.conftest import shared, small_sequential

try:
    from playwright.sync_api import expect, sync_playwright
except ImportError:
    sync_playwright = None

ROOT = Path(__file__).parents[2]
AGREES = 1e-4  # of a probability, between the browser and Keras
QUICK = ("--data", "samples", "--explained", "2", "--filters", "2", "--steps", "2", "--layers", "first")
HANGS = 300_000  # milliseconds: a busy machine may need minutes for a large network
LAPTOP = {"width": 1280, "height": 800}
FEW = ("--data", "samples", "--explained", "0", "--filters", "0")


def missing(what):
    """Skip the tests, or let them fail where browsers are required."""
    (pytest.fail if os.environ.get("BROWSERS_REQUIRED") else pytest.skip)(f"needs {what}")


@pytest.fixture(scope="module")
def chromium():
    """A headless Chromium."""
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if not found:
        missing("Chromium: apt-get install chromium")
    if not sync_playwright:
        missing("Playwright: pip install -r tests/requirements.txt")
    expect.set_options(timeout=HANGS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"], timeout=HANGS)
        yield browser
        browser.close()


class Tab:
    """A page in the browser; its requests and errors are recorded."""

    def __init__(self, browser, path, **options):
        usual = {"viewport": {"width": 1280, "height": 900}, "reduced_motion": "reduce"}
        self.page = browser.new_page(**{**usual, **options})
        self.asked, self.errors = [], []
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("console", lambda line: self.errors.append(line.text) if line.type == "error" else None)
        self.page.set_default_timeout(HANGS)
        self.page.goto(path.resolve().as_uri())
        self.page.wait_for_selector("[aria-label=Probabilities]")

    def alive(self, unfold=True):
        """The same tab, once its network runs; every layer has its own column if `unfold`."""
        self.page.wait_for_selector(".network")
        self.folded = not unfold
        if unfold and self.page.get_by_role("button", name="Show every layer").count():
            self.page.get_by_role("button", name="Show every layer").click()
        self.settled()
        return self

    def fresh(self):
        """The same tab, in which nothing is chosen, changed or open."""
        self.view("Network")
        if self.page.get_by_role("button", name="Close").count():
            self.page.get_by_role("button", name="Close").click()
        if self.page.get_by_role("button", name="Fold the blocks").count() and self.folded:
            self.page.get_by_role("button", name="Fold the blocks").click()
        self.page.get_by_role("button", name="Reset").click()
        self.page.mouse.move(1, 1)
        self.page.evaluate("document.activeElement.blur()")
        self.settled()
        return self

    def drawn(self):
        """Wait for the next frame, after which everything rendered is drawn and its effects have run."""
        self.page.evaluate("new Promise(done => requestAnimationFrame(() => setTimeout(done)))")

    def settled(self):
        """Wait until the current image and its probabilities are drawn."""
        self.drawn()
        expect(self.page.get_by_label("Probabilities", exact=True)).to_have_attribute("aria-busy", "false")
        self.drawn()

    def probabilities(self):
        self.settled()
        rows = self.page.locator("[data-class]").evaluate_all(
            "rows => rows.map(r => [r.dataset.class, r.dataset.value])"
        )
        values = np.zeros(len(rows))
        for number, value in rows:
            values[int(number)] = float(value)
        return values

    def pixels(self):
        """The pixels of the large image: (H, W, 3)."""
        self.settled()
        canvas = self.page.locator(".stage canvas")
        read = "c => [c.height, c.width, ...c.getContext('2d').getImageData(0, 0, c.width, c.height).data]"
        height, width, *values = canvas.evaluate(read)
        return np.reshape(values, (height, width, 4))[..., :3]

    def view(self, name):
        tab = self.page.get_by_role("tab", name=name)
        tab.click()
        expect(tab).to_have_attribute("aria-selected", "true")
        self.drawn()

    def choose(self, index):
        image = self.page.get_by_label("Images to choose from").get_by_role("button").nth(index)
        image.click()
        expect(image).to_have_attribute("aria-pressed", "true")
        self.drawn()
        self.page.mouse.move(1, 1)


def make(folder, model, *options, name="small"):
    """Save a model, write its page: the page's path, and the classifier."""
    path = folder / f"{name}.keras"
    model.save(path)
    out = folder / f"{name}.html"
    options = [*map(str, options)] or [*QUICK]
    assert explore.main(["--model", str(path), "--input-range", "0", "255", *options, "--out", str(out)]) == 0
    return out, Classifier(model)


def mild():
    """A small network with biases for pixels 0-255 whose probabilities are not near 0 or 1."""
    model, rng = small_sequential(), np.random.default_rng(0)
    for layer in model.layers:
        if layer.weights:
            kernel, bias = layer.get_weights()
            kernel = kernel / 8 if layer.name == "first" else kernel
            layer.set_weights([kernel, rng.uniform(0.2, 0.6, bias.shape)])
    return model


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    return shared(tmp_path_factory, "page", lambda folder: make(folder, mild())) / "small.html", Classifier(mild())


def until_done(tab):
    """A tab for all tests of a module, as a reader stays on the page; `fresh` takes back what they chose."""
    yield tab
    tab.page.close()
    assert not tab.errors


@pytest.fixture(scope="module")
def opened(chromium, path):
    """The page of the module's own network, which is its fixture `path`."""
    yield from until_done(Tab(chromium, path).alive())


@pytest.fixture(scope="module")
def laptop(chromium, small):
    """Blocks are folded, on a small screen."""
    yield from until_done(Tab(chromium, small[0], viewport=LAPTOP).alive(unfold=False))


@pytest.fixture
def tab(chromium, small):
    opened = Tab(chromium, small[0]).alive()
    yield opened
    opened.page.close()
    assert not opened.errors
    assert all(url.startswith(("file:", "data:", "blob:")) for url in opened.asked), opened.asked


@pytest.fixture(scope="module")
def samples():
    return sources.load("samples", "test").images
