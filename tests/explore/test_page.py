"""The page that explore.py writes, used in a real browser as a reader uses it."""

import io
import os
import re
import shutil
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import layers
from PIL import Image

import explore
from cnnvis.checkpoints import checkpoint
from cnnvis.images import cifar10, sources
from cnnvis.images.image_files import read_image
from cnnvis.network.classifier import Classifier
from cnnvis.network.outputs import layer_outputs
from tests.conftest import shared, small_sequential
from tests.explore.test_page_data import HOSTILE
from tests.network.test_layouts import network
from tests.network.test_strange_models import shared_and_nested

try:
    from playwright.sync_api import expect, sync_playwright
except ImportError:
    sync_playwright = None

ROOT = Path(__file__).parents[2]
SHIPPED = ROOT / "models" / "stashed" / "cifar10_deep.keras"
KERAS2 = ROOT / "tests" / "fixtures" / "keras2_transfer.h5"
AXE = ROOT / "page" / "node_modules" / "axe-core" / "axe.min.js"
GOLDEN = ROOT / "tests" / "golden" / "explore.png"
AGREES = 1e-2  # of a probability, between the browser's float16 weights and Keras
QUICK = ("--data", "samples", "--explained", "2", "--filters", "2", "--steps", "2", "--layers", "first")
HANGS = 300_000  # milliseconds: a busy machine may need minutes for a large network
FEW = ("--data", "samples", "--explained", "0", "--filters", "0")


@pytest.fixture(scope="module")
def chromium():
    """A headless Chromium; the tests are skipped where there is none, unless one is required."""
    missing = pytest.fail if os.environ.get("CHROMIUM_REQUIRED") else pytest.skip
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if not found:
        missing("needs Chromium: apt-get install chromium")
    if not sync_playwright:
        missing("needs Playwright: pip install -r tests/requirements.txt")
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

    def alive(self):
        """The same tab, once its network runs."""
        self.page.wait_for_selector(".network")
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


def test_probabilities_in_the_browser_are_keras_own_for_every_sample(tab, small, samples):
    expected = small[1].probabilities(samples)
    for index, probabilities in enumerate(expected):
        tab.choose(index)
        np.testing.assert_allclose(tab.probabilities(), probabilities, atol=AGREES)
    assert np.ptp(expected, axis=0).max() > 5 * AGREES  # the images differ by more than the tolerance


@pytest.mark.once
def test_hiding_a_patch_by_pointer_and_by_keyboard(tab, small, samples):
    """The patch has the mean colour, as in occlusion. It goes when the pointer leaves, and stays after a click."""
    image = samples[3].astype("float32")
    tab.choose(3)
    box = tab.page.locator(".stage").bounding_box()
    at = box["x"] + box["width"] * 20.5 / 32, box["y"] + box["height"] * 10.5 / 32
    hidden = image.copy()
    hidden[5:15, 15:25] = image.mean(axis=(0, 1))
    before, after = small[1].probabilities(np.stack([image, hidden]))
    tab.page.mouse.move(*at)
    np.testing.assert_allclose(tab.probabilities(), after, atol=AGREES)
    np.testing.assert_allclose(tab.pixels(), hidden, atol=1)
    tab.page.mouse.move(1, 1)
    np.testing.assert_allclose(tab.probabilities(), before, atol=AGREES)
    np.testing.assert_array_equal(tab.pixels(), image)
    tab.page.mouse.click(*at)
    tab.page.mouse.move(1, 1)
    kept = tab.probabilities()
    np.testing.assert_allclose(kept, after, atol=AGREES)
    assert np.abs(kept - before).max() > 1e-4
    tab.page.locator(".stage").press("Escape")
    np.testing.assert_allclose(tab.probabilities(), before, atol=AGREES)
    tab.page.locator(".stage").press("ArrowRight")  # from the pointer's last position
    tab.page.locator(".stage").press("Enter")
    hidden = image.copy()
    hidden[5:15, 16:26] = image.mean(axis=(0, 1))
    np.testing.assert_allclose(tab.probabilities(), small[1].probabilities(hidden[None])[0], atol=AGREES)
    tab.page.mouse.move(1, 1)
    np.testing.assert_allclose(tab.pixels(), hidden, atol=1)


@pytest.mark.once
def test_drawing_on_a_blank_image(tab, small):
    tab.page.get_by_role("button", name="Draw").click()
    tab.page.get_by_role("button", name="Blank").click()
    blank = np.full((1, 32, 32, 3), 255, "uint8")
    np.testing.assert_allclose(tab.probabilities(), small[1].probabilities(blank)[0], atol=AGREES)
    tab.page.get_by_label("Colour").fill("#ff0000")
    box = tab.page.locator(".stage").bounding_box()
    for column in (4.5, 20.5):
        tab.page.mouse.move(box["x"] + box["width"] * column / 32, box["y"] + box["height"] / 2)
        tab.page.mouse.down() if column == 4.5 else tab.page.mouse.up()
    tab.page.mouse.move(1, 1)
    drawn = tab.pixels()
    assert (drawn == [255, 0, 0]).all(axis=-1).sum() >= 4
    np.testing.assert_allclose(tab.probabilities(), small[1].probabilities(drawn[None])[0], atol=AGREES)


@pytest.mark.once
@pytest.mark.parametrize("way", ["file", "drop"])
def test_the_readers_own_image(tab, small, tmp_path, way):
    image = np.random.default_rng(1).integers(0, 256, (32, 32, 3), dtype="uint8")
    Image.fromarray(image).save(tmp_path / "own.png")
    if way == "file":
        tab.page.get_by_label("Image file").set_input_files(tmp_path / "own.png")
    else:
        content = [*(tmp_path / "own.png").read_bytes()]
        tab.page.locator(".drop").evaluate(
            """(target, content) => {
                const dataTransfer = new DataTransfer();
                dataTransfer.items.add(new File([new Uint8Array(content)], "own.png", { type: "image/png" }));
                target.dispatchEvent(new DragEvent("drop", { dataTransfer, bubbles: true, cancelable: true }));
            }""",
            content,
        )
    tab.page.wait_for_selector(".thumbs:not(:has([aria-pressed=true]))")
    np.testing.assert_allclose(tab.probabilities(), small[1].probabilities(image[None])[0], atol=AGREES)


@pytest.mark.once
@pytest.mark.parametrize("crop", [False, True])
def test_a_wide_photo_is_squeezed_or_cropped_as_by_the_scripts(chromium, small, tmp_path, crop):
    page = small[0].read_text(encoding="utf-8")
    assert page.count('"crop":false') == 1
    (tmp_path / "page.html").write_text(page.replace('"crop":false', f'"crop":{str(crop).lower()}'), encoding="utf-8")
    photo = np.zeros((64, 128, 3), "uint8")  # a quarter red, a half green, a quarter blue
    photo[:, :32, 0] = photo[:, 32:96, 1] = photo[:, 96:, 2] = 255
    Image.fromarray(photo).save(tmp_path / "own.png")
    tab = Tab(chromium, tmp_path / "page.html").alive()
    tab.page.get_by_label("Image file").set_input_files(tmp_path / "own.png")
    tab.page.wait_for_selector(".thumbs:not(:has([aria-pressed=true]))")
    drawn = tab.pixels()
    tab.page.close()
    expected = read_image(tmp_path / "own.png", (32, 32), crop)
    assert np.abs(drawn.astype(int) - expected).mean() < 5
    assert (drawn[:, [0, -1], 1] > 128).all() == crop


@pytest.mark.once
def test_a_file_that_is_not_an_image_changes_nothing(tab, tmp_path):
    (tmp_path / "text.png").write_text("not an image")
    before = tab.probabilities()
    tab.page.get_by_label("Image file").set_input_files(tmp_path / "text.png")
    tab.page.get_by_role("alert").get_by_text("text.png can't be read as an image").wait_for()
    np.testing.assert_array_equal(tab.probabilities(), before)


@pytest.mark.once
def test_the_image_chosen_last_stays(tab):
    """Even if the earlier one takes longer to decode."""
    tab.page.evaluate(
        """() => {
            const decode = createImageBitmap;
            window.createImageBitmap = (...given) => {
                window.createImageBitmap = decode;
                return new Promise((done) => (window.late = () => decode(...given).then(done)));
            };
        }"""
    )
    thumbnails = tab.page.get_by_label("Images to choose from").get_by_role("button")
    thumbnails.nth(1).click()
    tab.choose(2)
    tab.page.evaluate("late()")
    tab.settled()
    assert thumbnails.nth(2).get_attribute("aria-pressed") == "true"


@pytest.mark.parametrize("name", ["first", "shrink", "second", "average", "hidden", "last"])
def test_the_values_of_a_channel_are_those_of_layer_outputs(tab, small, samples, name):
    """And the value that the page computes from filter and input is the one that it shows."""
    output = layer_outputs(small[1], samples[0], [name])[name]
    button = tab.page.locator(f".network button[aria-label^='{name}, ']").last
    called = button.get_attribute("aria-label").split(", ")[1]
    channel = cifar10.CLASSES.index(called) if name == "last" else int(called.split()[1])
    button.click()
    panel = tab.page.locator(".inspector")
    numbers = panel.locator(".whole [data-value]")
    panel.locator(".final, .sums .sum").first.wait_for()
    own = output[..., channel]
    tolerance = 0.02 * float(np.abs(output).max())
    assert float(numbers.get_attribute("data-value")) == pytest.approx(float(own.max()), abs=tolerance)
    if output.ndim == 3:
        row, column = np.unravel_index(own.argmax(), own.shape)
        key, row, column = ("ArrowDown", row + 1, column) if row + 1 < own.shape[0] else ("ArrowUp", row - 1, column)
        panel.locator(".large").press(key)
        expect(panel.locator(".whole")).to_contain_text(f"Row {row}, column {column}:")
        assert float(numbers.get_attribute("data-value")) == pytest.approx(float(own[row, column]), abs=tolerance)
        panel.locator(".large").hover(position={"x": 2, "y": 2})
        expect(panel.locator(".whole")).to_contain_text("Row 0, column 0:")
        assert float(numbers.get_attribute("data-value")) == pytest.approx(float(own[0, 0]), abs=tolerance)
    worked = panel.locator(".final [data-value]")
    if worked.count():
        linear = float(worked.get_attribute("data-value"))
        shown = float(numbers.get_attribute("data-value"))
        activation = small[1].layers[name].activation
        if activation == "relu":
            assert max(0.0, linear) == pytest.approx(shown, abs=1e-3 + 1e-3 * abs(shown))
        else:
            assert activation == "softmax"


@pytest.mark.once
def test_arrow_keys_move_through_the_network(tab):
    first = tab.page.locator(".network [data-at='0,0']")
    first.focus()
    for key in ("ArrowRight", "ArrowDown", "Enter"):
        tab.page.keyboard.press(key)
    chosen = tab.page.locator(".network [aria-pressed=true]")
    expect(chosen).to_have_attribute("data-at", "1,1")
    expect(chosen).to_have_attribute("aria-label", re.compile("^first, channel"))
    expect(tab.page.locator(".lines .for, .lines .against")).to_have_count(3)  # red, green and blue


@pytest.mark.once
def test_arrow_keys_move_through_the_tabs(tab):
    tab.page.get_by_role("tab", name="Network").focus()
    for name in ("Outputs", "Results", "Importance", "Filters", "Network"):
        tab.page.keyboard.press("ArrowRight")
        expect(tab.page.locator("[role=tab][aria-selected=true]")).to_have_text(name)
        expect(tab.page.get_by_role("tab", name=name)).to_be_focused()


@pytest.mark.once
def test_outputs_show_every_channel_and_lead_to_its_computation(tab):
    tab.view("Outputs")
    tab.page.get_by_role("combobox").first.select_option(label="second (15×15×8)")
    tiles = tab.page.locator(".mosaic button")
    expect(tiles).to_have_count(8)
    tiles.nth(5).click()
    expect(tab.page.locator(".inspector h2")).to_have_text("second channel 5")


@pytest.mark.once
def test_a_cell_of_the_confusion_matrix_opens_its_images(tab, small, samples):
    predicted = small[1].probabilities(samples).argmax(axis=1)
    labels = sources.load("samples", "test").labels
    true, taken = labels[0], predicted[0]
    tab.view("Results")
    name = f"{cifar10.CLASSES[true]} classified as {cifar10.CLASSES[taken]}: "
    count = int(((labels == true) & (predicted == taken)).sum())
    cell = tab.page.get_by_role("button", name=f"{name}{count}")
    cell.click()
    expect(cell).to_have_attribute("aria-pressed", "true")
    figures = tab.page.locator(".behind figure")
    expect(figures).to_have_count(count)
    figures.first.get_by_role("button").click()
    tab.page.wait_for_selector(".thumbs:not(:has([aria-pressed=true]))")
    shown = small[1].probabilities(samples)[(labels == true) & (predicted == taken)]
    np.testing.assert_allclose(tab.probabilities(), shown[shown.max(axis=1).argmax()], atol=AGREES)


@pytest.mark.once
def test_the_opacity_of_a_heat_map(tab):
    tab.view("Importance")
    tab.page.get_by_label("Heat map opacity").fill("25")
    expect(tab.page.locator(".veil")).to_have_css("opacity", "0.25")
    before = tab.page.locator(".overlay img").get_attribute("alt")
    tab.page.get_by_label("Explained images").get_by_role("button").nth(1).click()
    expect(tab.page.locator(".overlay img")).not_to_have_attribute("alt", before)


@pytest.mark.once
def test_a_filter_opens_its_top_patches(tab):
    tab.view("Filters")
    button = tab.page.get_by_role("button", name="first, filter").nth(1)
    button.click()
    detail = tab.page.get_by_label("The chosen filter")
    expect(detail.locator("h2")).to_have_text(button.get_attribute("aria-label"))
    expect(detail.locator(".patches canvas")).to_have_count(9)


@pytest.mark.once
def test_the_heat_map_follows_the_image_but_does_not_replace_it(tab):
    tab.choose(1)
    tab.view("Importance")
    names = tab.page.locator(".thumbs img").evaluate_all("images => images.map(image => image.alt)")
    expect(tab.page.locator(".overlay img")).to_have_attribute("alt", names[1])
    tab.choose(5)  # which is not explained
    expect(tab.page.locator(".overlay img")).to_have_attribute("alt", names[1])
    pressed = tab.page.get_by_label("Images to choose from").locator("[aria-pressed=true] img")
    expect(pressed).to_have_attribute("alt", names[5])


@pytest.mark.once
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_axe_finds_no_accessibility_violation(chromium, small, scheme, width):
    if not AXE.exists():
        pytest.skip("needs axe-core: make page")
    tab = Tab(chromium, small[0], viewport={"width": width, "height": 844}, color_scheme=scheme).alive()
    tab.page.evaluate(AXE.read_text(encoding="utf-8"))
    found = {}

    def look(at):
        violations = tab.page.evaluate("axe.run().then(({ violations }) => violations)")
        found.update({(at, rule["id"]): [node["html"] for node in rule["nodes"]] for rule in violations})

    for layer in ("image", "first", "shrink", "average", "hidden", "last"):
        tab.page.locator(f".network button[aria-label^='{layer}, ']").first.click()
        expect(tab.page.locator(".inspector h2")).to_contain_text(layer)
        look(layer)
    tab.page.get_by_role("button", name="Draw").click()
    for name in ("Outputs", "Results", "Importance", "Filters"):
        tab.view(name)
        look(name)
    tab.page.close()
    assert not found


@pytest.mark.once
def test_every_control_has_a_name_and_can_be_reached_and_left_by_tab(tab):
    tab.page.locator(".network button[aria-label^='first, ']").first.click()
    tab.page.locator(".inspector .final").wait_for()
    session = tab.page.context.new_cdp_session(tab.page)
    nodes = session.send("Accessibility.getFullAXTree")["nodes"]
    told = [(n["role"]["value"], n.get("name", {}).get("value", "")) for n in nodes if not n["ignored"]]
    controls = {"application", "button", "combobox", "image", "link", "slider", "tab", "tablist", "tabpanel", "table"}
    assert not [role for role, name in told if role in controls and not name.strip()]
    for expected in (
        ("heading", "Inside small"),
        ("tablist", "Views"),
        ("tab", "Network"),
        ("tabpanel", "Network"),
        ("application", "The image. Arrow keys move the hidden patch, Enter keeps it hidden, Escape resets the image."),
        ("application", "Output of first, 30×30 values. Arrow keys choose a value."),
        ("button", "Hide"),
        ("slider", "Patch size"),
        ("button", "Open a file"),
        ("region", "Probabilities"),
        ("region", "How first is computed"),
    ):
        assert expected in told, expected
    tab.page.locator("h1").click()
    stops = []
    for _ in range(60):
        tab.page.keyboard.press("Tab")
        here = "(e => e === document.body ? '' : (e.ariaLabel || e.textContent || e.title || e.type).trim())"
        stops.append(tab.page.evaluate(f"{here}(document.activeElement)"))
        if stops[-1] == "How to explore your own network":
            break
        outline = tab.page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert outline != "none", stops[-1]
    assert stops[-1] == "How to explore your own network", stops
    assert any(stop.startswith("The image.") for stop in stops)
    assert any(stop.startswith("Output of first") for stop in stops)


@pytest.mark.once
def test_the_prediction_is_read_out_once_the_pointer_rests(tab):
    """Not for each of the many images on its way."""
    tab.page.locator(".network button[aria-label^='first, ']").first.click()
    tab.page.locator(".inspector .final").wait_for()
    expect(tab.page.locator(".computation > [aria-live]")).not_to_be_empty()
    verdict = tab.page.locator("[aria-label=Probabilities] [aria-live]")
    expect(verdict).not_to_be_empty()
    tab.page.clock.install(time=0)
    tab.page.evaluate(
        """() => {
            window.announced = [];
            const live = "[aria-live], [role=status], [role=alert], output";
            new MutationObserver((changes) => {
                for (const { target } of changes) {
                    const region = (target.nodeType === 1 ? target : target.parentElement)?.closest(live);
                    if (region) announced.push(region.textContent);
                }
            }).observe(document.body, { childList: true, characterData: true, subtree: true });
        }"""
    )
    box = tab.page.locator(".stage").bounding_box()
    tab.page.clock.pause_at(3600)
    for step in range(40):
        tab.page.mouse.move(box["x"] + 3 + step * 5, box["y"] + 100)
        tab.page.clock.run_for(20)
    expect(tab.page.get_by_label("Probabilities", exact=True)).to_have_attribute("aria-busy", "false")
    tab.page.clock.run_for(1500)
    name, percentage = tab.page.locator(".verdict").inner_text().split(" true class:")[0].rsplit(" ", 1)
    expect(verdict).to_have_text(f"{name.strip()}, {percentage.strip()}")
    assert len(tab.page.evaluate("announced")) <= 4  # of the prediction and of the chosen value


@pytest.mark.once
def test_arrow_keys_move_through_channels_and_cells_of_the_matrix(tab):
    tab.view("Outputs")
    tab.page.get_by_role("combobox").first.select_option(label="second (15×15×8)")
    tiles = tab.page.locator(".mosaic button")
    expect(tiles).to_have_count(8)
    assert tiles.evaluate_all("all => all.map(one => one.tabIndex)") == [0] + [-1] * 7
    tiles.first.focus()
    for key in ("ArrowRight", "ArrowRight", "ArrowLeft", "Enter"):
        tab.page.keyboard.press(key)
    expect(tab.page.locator(".inspector h2")).to_have_text("second channel 1")
    tab.view("Results")
    tab.page.locator(".matrix button").first.focus()
    for key in ("ArrowDown", "ArrowDown", "ArrowRight", "ArrowUp", "Enter"):
        tab.page.keyboard.press(key)
    expected = re.compile(f"^{cifar10.CLASSES[1]} classified as {cifar10.CLASSES[1]}: ")
    expect(tab.page.locator(".matrix [aria-pressed=true]")).to_have_attribute("aria-label", expected)


@pytest.mark.once
def test_on_a_phone_nothing_is_wider_than_the_screen_and_in_the_dark_it_is_dark(chromium, small):
    tab = Tab(chromium, small[0], viewport={"width": 390, "height": 844}, color_scheme="dark").alive()
    for name in ("Outputs", "Results", "Importance", "Filters", "Network"):
        tab.view(name)
        assert tab.page.evaluate("document.documentElement.scrollWidth") <= 390
    colour = tab.page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert max(map(int, re.findall(r"\d+", colour)[:3])) < 64
    tab.page.close()


@pytest.mark.parametrize("name", ["nested", "keras2", "residual", "recurrent", "grouped", "channels first"])
def test_foreign_networks(chromium, tmp_path, samples, name):
    if name == "keras2":
        model, path = checkpoint.load(KERAS2).model, tmp_path / "keras2.html"
        size = tuple(model.inputs[0].shape[1:3])
        options = ["--model", KERAS2, *FEW, "--input-range", "0", "1"]
        Image.fromarray(samples[0]).save(tmp_path / "own.png")
        options = ["--images" if o == "--data" else tmp_path / "own.png" if o == "samples" else o for o in options]
        assert explore.main([*map(str, options), "--out", str(path)]) == 0
        images = sources.open_files([tmp_path / "own.png"], size).images
        classifier = Classifier(model, (0, 1), images.shape[1:3])
    else:
        path, classifier = make(tmp_path, FOREIGN[name](), *FEW)
        images = sources.load("samples", "test", classifier.size).images
    tab = Tab(chromium, path).alive()
    np.testing.assert_allclose(tab.probabilities(), classifier.probabilities(images[:1])[0], atol=AGREES)
    tab.page.locator(".network button").last.click()
    tab.page.locator(".inspector h2").wait_for()
    assert not tab.errors
    tab.page.close()


def test_a_network_that_takes_bgr(chromium, tmp_path, samples):
    path, _ = make(tmp_path, mild(), *FEW, "--input-range", "caffe")
    tab = Tab(chromium, path).alive()
    expected = Classifier(mild(), "caffe").probabilities(samples[:1])[0]
    np.testing.assert_allclose(tab.probabilities(), expected, atol=AGREES)
    tab.view("Outputs")
    tab.page.get_by_role("combobox").first.select_option(label="image (32×32×3)")
    tiles = tab.page.locator(".mosaic button")
    expect(tiles).to_have_count(3)
    assert [tiles.nth(channel).get_attribute("aria-label") for channel in range(3)] == ["blue", "green", "red"]
    assert not tab.errors
    tab.page.close()


def residual():
    keras.utils.set_random_seed(2)
    x = inputs = keras.Input((20, 12, 3))
    x = layers.Rescaling(1 / 127.5, offset=-1)(x)
    x = layers.Conv2D(8, 3, strides=2, padding="same", activation="relu")(x)
    side = layers.DepthwiseConv2D(3, padding="same", depth_multiplier=1)(x)
    x = layers.Add()([x, layers.LeakyReLU()(layers.BatchNormalization()(side))])
    x = layers.GlobalAveragePooling2D()(layers.AveragePooling2D(2, padding="same")(x))
    return keras.Model(inputs, layers.Dense(10)(x))


def recurrent():
    """The rows of an image as a sequence, forwards and backwards, and its quarters as another."""
    keras.utils.set_random_seed(3)
    x = inputs = keras.Input((16, 16, 3))
    x = layers.Rescaling(1 / 127.5, offset=-1)(x)
    rows = layers.Bidirectional(layers.LSTM(4))(layers.GRU(8, return_sequences=True)(layers.Reshape((16, 48))(x)))
    quarters = layers.ConvLSTM2D(3, 3)(layers.Reshape((4, 8, 8, 3))(x))
    x = layers.Concatenate()([rows, layers.Flatten()(quarters)])
    return keras.Model(inputs, layers.Dense(10, activation="softmax")(x))


def grouped():
    """Operations that TensorFlow.js does not have: grouped CONV, GELU and softsign."""
    keras.utils.set_random_seed(4)
    x = inputs = keras.Input((16, 16, 3))
    x = layers.Conv2D(8, 3, strides=2, activation="gelu")(layers.Rescaling(1 / 127.5, offset=-1)(x))
    x = layers.Conv2D(12, 3, groups=4, padding="same", activation="softsign")(x)
    x = layers.GlobalAveragePooling2D()(x)
    return keras.Model(inputs, layers.Dense(10, activation="softmax")(x))


FOREIGN = {"nested": shared_and_nested, "residual": residual, "recurrent": recurrent, "grouped": grouped}
FOREIGN |= {"channels first": lambda: network("channels_first", enter="itself")}


@pytest.mark.once
def test_class_names_are_shown_as_text_only(chromium, tmp_path):
    (tmp_path / "names.txt").write_text("\n".join(HOSTILE))
    model = small_sequential(classes=len(HOSTILE))
    model.save(tmp_path / "hostile.keras")
    Image.fromarray(np.zeros((32, 32, 3), "uint8")).save(tmp_path / "<img src=x onerror=alert(1)>.png")
    out = tmp_path / "hostile.html"
    options = ["--model", tmp_path / "hostile.keras", "--classes", tmp_path / "names.txt", "--input-range", "0", "255"]
    options += ["--images", tmp_path / "<img src=x onerror=alert(1)>.png", "--explained", "1", "--filters", "1"]
    assert explore.main([*map(str, options), "--steps", "1", "--out", str(out)]) == 0
    tab = Tab(chromium, out)
    alerts = []
    tab.page.on("dialog", lambda dialog: (alerts.append(dialog.message), dialog.dismiss()))
    tab.alive()
    shown = tab.page.locator("[data-class] th").all_inner_texts()
    assert [name.strip() for name in shown] == [*HOSTILE]
    for name in ("Results", "Importance", "Filters"):
        tab.view(name)
    assert not alerts
    assert not tab.errors
    assert tab.page.locator("body script").count() == 2
    tab.page.close()


def test_a_network_that_browsers_can_not_run(chromium, tmp_path):
    keras.utils.set_random_seed(3)
    steps = layers.Reshape((512, 6)), layers.LSTM(4, name="many_steps"), layers.Dense(10, activation="softmax")
    out, _ = make(tmp_path, keras.Sequential([keras.Input((32, 32, 3)), *steps]), *FEW)
    tab = Tab(chromium, out)
    tab.page.get_by_text("can't run here: TensorFlow.js can't compute its layer many_steps (LSTM)").wait_for()
    expect(tab.page.locator(".verdict")).to_have_count(1)  # Keras's own, for the unchanged image
    tab.view("Results")
    expect(tab.page.locator(".matrix")).to_have_count(1)
    tab.page.close()


def test_a_network_that_can_not_be_exported_keeps_its_stored_views(chromium, tmp_path):
    """Some augmentations draw a random number even at inference: a graph of constants can't."""
    keras.utils.set_random_seed(3)
    first = layers.Rescaling(1 / 255), layers.RandomHue(0.2), layers.Conv2D(4, 5, strides=4), layers.Flatten()
    model = keras.Sequential([keras.Input((32, 32, 3)), *first, layers.Dense(10, activation="softmax")])
    out, _ = make(tmp_path, model, *FEW)
    tab = Tab(chromium, out)
    tab.page.get_by_text("can't run here: it can't be converted for TensorFlow.js").wait_for()
    assert "random_hue" in tab.page.locator(".status").inner_text()
    expect(tab.page.locator(".verdict")).to_have_count(1)
    tab.view("Results")
    expect(tab.page.locator(".matrix")).to_have_count(1)
    assert not tab.errors
    tab.page.close()


@pytest.mark.once
def test_it_looks_as_it_did(chromium, small):
    """Compared with `GOLDEN` after shrinking, since fonts differ between machines."""
    tab = Tab(chromium, small[0], viewport={"width": 1000, "height": 720}).alive()
    tab.page.locator(".network button[aria-label^='first, ']").first.click()
    tab.page.locator(".inspector .final").wait_for()
    tab.page.mouse.move(1, 1)
    tab.drawn()  # after this, nothing scrolls any more
    tab.page.evaluate("scrollTo(0, 0)")
    tab.settled()
    content = tab.page.screenshot()
    tab.page.close()
    if os.environ.get("DRAW_GOLDEN"):
        GOLDEN.write_bytes(content)
    with Image.open(GOLDEN) as golden:
        small_golden, size = shrunk(golden), golden.size
    with Image.open(io.BytesIO(content)) as now:
        assert now.size == size
        assert np.abs(shrunk(now) - small_golden).mean() < 4


def shrunk(image):
    return np.asarray(image.convert("RGB").resize((125, 90), Image.Resampling.BOX), "float32")


@pytest.mark.slow
def test_the_shipped_network_in_the_browser(chromium, tmp_path, samples):
    out = tmp_path / "shipped.html"
    assert explore.main(["--model", str(SHIPPED), *FEW, "--out", str(out)]) == 0
    assert out.stat().st_size < 15e6
    expected = Classifier(checkpoint.load(SHIPPED).model).probabilities(samples)
    tab = Tab(chromium, out).alive()
    for index, probabilities in enumerate(expected):
        tab.choose(index)
        np.testing.assert_allclose(tab.probabilities(), probabilities, atol=AGREES)
    assert not tab.errors
    tab.page.close()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--out", "."], "is a folder"),
        (["--model", "absent.keras"], "there is no model"),
        (["--layers", "absent"], "no layer is called"),
        (["--images", "absent.png"], "there is no image"),
    ],
)
def test_errors_are_one_line(small, tmp_path, monkeypatch, capsys, options, words):
    monkeypatch.chdir(tmp_path)
    model = str(small[0].with_suffix(".keras"))
    capsys.readouterr()
    given = ["--model", model, "--input-range", "0", "255", *FEW[:2], "--explained", "0", "--out", "page.html"]
    assert explore.main([*given, *options]) == 2
    told = capsys.readouterr().err.strip()
    assert words in told
    assert "\n" not in told
    assert not (tmp_path / "page.html").exists()
