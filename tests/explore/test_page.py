"""The page that explore.py writes, used in a real browser as a reader uses it."""

import io
import os
import re
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
from tests.conftest import small_sequential
from tests.explore.conftest import AGREES, FEW, Tab, make, mild
from tests.explore.test_page_data import HOSTILE
from tests.network.test_layouts import network
from tests.network.test_strange_models import shared_and_nested

try:
    from playwright.sync_api import expect
except ImportError:
    expect = None

ROOT = Path(__file__).parents[2]
SHIPPED = ROOT / "models" / "stashed" / "cifar10_deep.keras"
KERAS2 = ROOT / "tests" / "fixtures" / "keras2_transfer.h5"
AXE = ROOT / "page" / "node_modules" / "axe-core" / "axe.min.js"
GOLDEN = ROOT / "tests" / "golden" / "explore.png"


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
    hidden[5:15, 15:25] = image.mean(axis=(0, 1)).round()
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
    hidden[5:15, 16:26] = image.mean(axis=(0, 1)).round()
    np.testing.assert_allclose(tab.probabilities(), small[1].probabilities(hidden[None])[0], atol=AGREES)
    tab.page.mouse.move(1, 1)
    np.testing.assert_allclose(tab.pixels(), hidden, atol=1)


@pytest.mark.once
def test_drawing_on_a_blank_image(tab, small):
    tab.page.get_by_role("button", name="Draw").click()
    tab.page.get_by_role("button", name="Blank").click()
    blank = tab.pixels()
    assert (blank == blank[0, 0]).all()
    np.testing.assert_allclose(tab.probabilities(), small[1].probabilities(blank[None])[0], atol=AGREES)
    expect(tab.page.get_by_label("the true class")).to_have_count(0)
    tab.page.get_by_label("Colour").fill("#ff0000")
    box = tab.page.locator(".stage").bounding_box()
    for column in (4.5, 20.5):
        tab.page.mouse.move(box["x"] + box["width"] * column / 32, box["y"] + box["height"] / 2)
        tab.page.mouse.down() if column == 4.5 else tab.page.mouse.up()
        tab.drawn()
    tab.page.mouse.move(1, 1)
    drawn = tab.pixels()
    painted = (drawn == [255, 0, 0]).all(axis=-1)
    assert painted[:, 4:21].any(axis=0).all()  # from the first position to the second, without a gap
    np.testing.assert_allclose(tab.probabilities(), small[1].probabilities(drawn[None])[0], atol=AGREES)
    tab.page.get_by_role("button", name="Undo").click()
    np.testing.assert_array_equal(tab.pixels(), blank)  # the whole stroke is taken back
    tab.page.get_by_role("button", name="Undo").click()
    assert not (tab.pixels() == blank[0, 0]).all()  # the image that was there before
    expect(tab.page.get_by_label("the true class")).to_have_count(1)


@pytest.mark.once
@pytest.mark.parametrize("way", ["file", ".drop", ".foot"])
def test_the_readers_own_image(tab, small, tmp_path, way):
    image = np.random.default_rng(1).integers(0, 256, (32, 32, 3), dtype="uint8")
    Image.fromarray(image).save(tmp_path / "own.png")
    if way == "file":
        tab.page.get_by_label("Image file").set_input_files(tmp_path / "own.png")
    else:
        content = [*(tmp_path / "own.png").read_bytes()]
        handled = tab.page.locator(way).evaluate(
            """(target, content) => {
                const dataTransfer = new DataTransfer();
                dataTransfer.items.add(new File([new Uint8Array(content)], "own.png", { type: "image/png" }));
                const send = (kind) =>
                    target.dispatchEvent(new DragEvent(kind, { dataTransfer, bubbles: true, cancelable: true }));
                return !send("dragover") && !send("drop");
            }""",
            content,
        )
        assert handled  # otherwise the browser leaves the page for the file
    tab.page.wait_for_selector(".thumbs:not(:has([aria-pressed=true]))")
    np.testing.assert_allclose(tab.probabilities(), small[1].probabilities(image[None])[0], atol=AGREES)


@pytest.mark.once
def test_a_wide_photo_is_cropped_or_gets_borders_and_is_never_distorted_silently(tab, tmp_path):
    photo = np.zeros((64, 128, 3), "uint8")  # a quarter red, a half green, a quarter blue
    photo[:, :32, 0] = photo[:, 32:96, 1] = photo[:, 96:, 2] = 255
    Image.fromarray(photo).save(tmp_path / "own.png")
    tab.page.get_by_label("Image file").set_input_files(tmp_path / "own.png")
    told = tab.page.get_by_label("own.png has 128×64 pixels")
    expect(told.locator("option:checked")).to_have_text("cropped to its middle")
    found = {}
    for fit in ("crop", "whole", "stretch"):
        told.select_option(value=fit)
        found[fit] = tab.pixels().astype(int)
    for fit, crop in (("crop", True), ("stretch", False)):  # as by the scripts
        assert np.abs(found[fit] - read_image(tmp_path / "own.png", (32, 32), crop)).mean() < 5
    assert np.ptp(found["whole"][[0, -1]], axis=(0, 1)).max() == 0  # borders of one colour
    assert np.abs(found["whole"][8:24] - np.asarray(Image.fromarray(photo).resize((32, 16)))).mean() < 5
    tab.choose(0)
    expect(told).to_have_count(0)


@pytest.mark.once
def test_a_file_that_is_not_an_image_changes_nothing(tab, tmp_path):
    (tmp_path / "text.png").write_text("not an image")
    before = tab.probabilities()
    assert "svg" not in tab.page.get_by_label("Image file").get_attribute("accept")  # which no browser decodes
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


@pytest.mark.parametrize("name", ["first", "shrink", "second", "average", "hidden", "last", "last softmax"])
def test_the_values_of_a_channel_are_those_of_layer_outputs(tab, small, samples, name):
    """And the value that the page computes from filter and input is the one that it shows."""
    layer = name.removesuffix(" softmax")
    output = layer_outputs(small[1], samples[0], [layer])[layer]
    if name == "last":  # scores, of which softmax makes these probabilities
        classifier = small[1]
        scores = classifier.model_to(classifier.layers["last"].linear)
        output = np.asarray(scores(samples[:1].astype("float32")))[0]
    button = tab.page.locator(f".network button[aria-label^='{name}, ']").last
    called = button.get_attribute("aria-label").split(", ")[1]
    channel = cifar10.CLASSES.index(called) if layer == "last" else int(called.split()[1])
    button.click()
    panel = tab.page.locator(".inspector")
    numbers = panel.locator(".whole [data-value]")
    panel.locator(".final, .sums .sum, .softmax").first.wait_for()
    own = output[..., channel]
    tolerance = 1e-4 * float(np.abs(output).max())
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
        computed = max(0.0, linear) if small[1].layers[name].activation == "relu" else linear
        assert computed == pytest.approx(shown, abs=1e-3 + 1e-3 * abs(shown))


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
    for name in ("Outputs", "Results", "Importance", "Filters", "Playground", "Training", "Network"):
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
    expect(tab.page.get_by_role("tab", name="Network")).to_be_focused()
    expect(tab.page.get_by_role("tab", name="Network")).to_have_attribute("aria-selected", "true")
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
    expect(tab.page.locator(".overlay")).to_have_count(0)
    expect(tab.page.locator(".unexplained")).to_have_attribute("aria-label", names[5])
    expect(tab.page.get_by_role("heading", name=f"No heat map of {names[5]}")).to_be_visible()
    pressed = tab.page.get_by_label("Images to choose from").locator("[aria-pressed=true] img")
    expect(pressed).to_have_attribute("alt", names[5])


@pytest.mark.once
@pytest.mark.parametrize("scheme", ["light", pytest.param("dark", marks=pytest.mark.slow)])
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

    for layer in ("image", "first", "shrink", "average", "hidden", "last", "last softmax"):
        tab.page.locator(f".network button[aria-label^='{layer}, ']").first.click()
        expect(tab.page.locator(".inspector h2")).to_contain_text(layer)
        look(layer)
    if width < 900:
        tab.page.get_by_role("button", name="Tools").click()
    tab.page.get_by_role("button", name="Draw").click()
    for name in ("Outputs", "Results", "Importance", "Filters", "Playground", "Training"):
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
    assert out.stat().st_size < 17e6
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
