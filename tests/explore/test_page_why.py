"""Why this verdict? Heat maps that the page computes, and the path from the verdict back to the image."""

import re

import keras
import numpy as np
import pytest
from keras import layers

from cnnvis import attribution
from cnnvis.images import cifar10
from cnnvis.network.outputs import layer_outputs
from tests.explore.conftest import AGREES, FEW, Tab, make
from tests.explore.test_page_numbers import bent, number

try:
    from playwright.sync_api import expect
except ImportError:
    expect = None

pytestmark = pytest.mark.once
POINTS = [(0, 0), (3, 20), (9, 9), (15, 16), (16, 30), (20, 5), (27, 13), (31, 31)]


def compute(tab, method):
    """Let the page compute a map of the image as it is."""
    tab.view("Importance")
    if tab.page.get_by_role("button", name="Computed here").count():
        tab.page.get_by_role("button", name="Computed here").click()
    tab.page.get_by_role("button", name=method, exact=True).click()
    tab.page.locator(".live .legend").wait_for()


def values_at(tab, points, size=(32, 32)):
    box = tab.page.locator(".overlay").bounding_box()
    found = []
    for row, column in points:
        x, y = (column + 0.5) / size[1] * box["width"], (row + 0.5) / size[0] * box["height"]
        tab.page.mouse.move(box["x"] + x, box["y"] + y)
        expect(tab.page.locator(".overlaid figcaption")).to_contain_text(f"Row {row}, column {column}:")
        found.append(float(tab.page.locator(".overlaid [data-value]").get_attribute("data-value")))
    return found


@pytest.mark.parametrize(("button", "method"), [("Occlusion", "occlusion"), ("Grad-CAM", "gradcam")])
def test_maps_are_those_of_the_script(tab, small, samples, button, method):
    """Of an image that is stored, and of one that was changed."""
    tab.choose(2)
    for changed in (False, True):
        if changed:
            tab.page.locator(".stage").press("Enter")
            tab.page.mouse.move(1, 1)
        image = tab.pixels().astype("float32") if changed else samples[2].astype("float32")
        expected = attribution.explain(small[1], image[None], method=method)
        compute(tab, button)
        largest = np.abs(expected.importance).max()
        correct = [expected.importance[0][point] for point in POINTS]
        np.testing.assert_allclose(values_at(tab, POINTS), correct, rtol=1e-3, atol=1e-3 * largest)
        assert np.ptp(correct) > 0.1 * largest
    if method == "occlusion":
        sentence = tab.page.locator(".live [role=status]").inner_text()
        assert (
            f"{expected.hidden_probability[0]:.0%}" in sentence or f"{expected.hidden_probability[0]:.1%}" in sentence
        )


def test_it_names_the_commands_that_answer_more(tab):
    tab.view("Importance")
    for button in ("Stored: Banzhaf values", "Computed here"):
        tab.page.get_by_role("button", name=button).click()
        commands = tab.page.locator(".scripts code").all_inner_texts()
        assert len(commands) == 2
        for _, script, *options in map(str.split, commands):
            __import__(script.removesuffix(".py")).options().parse_args(options)


def test_a_map_for_another_class(tab, small, samples):
    tab.choose(1)
    tab.view("Importance")
    tab.page.get_by_role("button", name="Computed here").click()
    tab.page.locator(".live select").select_option(index=7)
    compute(tab, "Grad-CAM")
    expected = attribution.explain(small[1], samples[1:2], np.array([7]), method="gradcam").importance[0]
    correct = [expected[point] for point in POINTS]
    np.testing.assert_allclose(values_at(tab, POINTS), correct, rtol=1e-3, atol=1e-3 * np.abs(expected).max())


def test_another_image_is_asked_for_its_own_class(tab, small, samples):
    first, second = small[1].probabilities(samples[1:3]).argmax(axis=1)
    tab.choose(1)
    tab.view("Importance")
    tab.page.get_by_role("button", name="Computed here").click()
    asked = tab.page.locator(".live select")
    expect(asked).to_have_value(str(first))
    other = next(k for k in range(10) if k not in (first, second))
    asked.select_option(index=other)
    expect(asked).to_have_value(str(other))
    tab.choose(2)
    tab.settled()
    expect(asked).to_have_value(str(second))


def test_occlusion_can_be_cancelled_and_stops_when_the_image_changes(tab):
    tab.page.evaluate(
        """() => {
            const send = Worker.prototype.postMessage;
            Worker.prototype.postMessage = function (message, ...rest) {
                if (message.what !== "run" || !window.slow) return send.call(this, message, ...rest);
                window.sent = (window.sent ?? 0) + 1;
                setTimeout(() => send.call(this, message, ...rest), 200);
            };
        }"""
    )
    tab.view("Importance")
    tab.page.get_by_role("button", name="Computed here").click()
    tab.page.evaluate("window.slow = true")
    progress = tab.page.get_by_label("Progress of the heat map")
    tab.page.get_by_role("button", name="Occlusion", exact=True).click()
    progress.wait_for()
    tab.page.get_by_role("button", name="Cancel").click()
    expect(progress).to_have_count(0)
    expect(tab.page.locator(".live .legend")).to_have_count(0)
    tab.page.get_by_role("button", name="Occlusion", exact=True).click()
    progress.wait_for()
    tab.choose(5)
    expect(progress).to_have_count(0)
    tab.page.evaluate("window.slow = false")
    compute(tab, "Occlusion")


def flat():
    keras.utils.set_random_seed(3)
    return keras.Sequential([keras.Input((16, 16, 3)), layers.Flatten(), layers.Dense(10, "softmax", name="end")])


def residual():
    """Beside the last CONV layer, its input leads to the verdict, too."""
    keras.utils.set_random_seed(4)
    x = inputs = keras.Input((24, 24, 3))
    x = layers.Conv2D(6, 3, padding="same", strides=2, activation="relu", name="first")(layers.Rescaling(1 / 128)(x))
    side = layers.Conv2D(6, 3, padding="same", name="last_conv")(x)
    side = layers.ReLU(6.0, name="last_relu")(layers.BatchNormalization(name="norm")(side))
    x = layers.Concatenate(name="both")([x, side])
    x = layers.AveragePooling2D(3, strides=2, name="average")(x)
    x = layers.GlobalAveragePooling2D(name="pool")(layers.MaxPooling2D(2, name="largest")(x))
    return keras.Model(inputs, layers.Dense(10, activation="softmax", name="end")(x))


def test_grad_cam_of_a_foreign_network_in_which_something_bypasses_the_last_conv_layer(chromium, tmp_path):
    path, classifier = make(tmp_path, residual(), *FEW)
    tab = Tab(chromium, path).alive()
    image = tab.pixels().astype("float32")
    expected = attribution.explain(classifier, image[None], method="gradcam").importance[0]
    compute(tab, "Grad-CAM")
    points = [(0, 0), (5, 12), (12, 12), (18, 7), (23, 23)]
    correct = [expected[point] for point in points]
    largest = np.abs(expected).max()
    np.testing.assert_allclose(values_at(tab, points, (24, 24)), correct, rtol=1e-3, atol=1e-3 * largest)
    assert not tab.errors
    tab.page.close()


def test_a_network_without_conv_layers_has_no_grad_cam_but_occlusion(chromium, tmp_path):
    path, classifier = make(tmp_path, flat(), *FEW)
    tab = Tab(chromium, path).alive()
    tab.view("Importance")
    expect(tab.page.locator(".live")).to_contain_text("Grad-CAM needs a CONV layer with feature maps")
    expect(tab.page.get_by_role("button", name="Grad-CAM", exact=True)).to_be_disabled()
    expected = attribution.explain(classifier, tab.pixels()[None].astype("float32"), method="occlusion").importance[0]
    compute(tab, "Occlusion")
    points = [(0, 0), (8, 8), (15, 3)]
    correct = [expected[point] for point in points]
    np.testing.assert_allclose(values_at(tab, points, (16, 16)), correct, rtol=1e-3, atol=1e-3 * np.abs(expected).max())
    tab.page.close()


@pytest.mark.slow
def test_probabilities_of_foreign_networks_are_keras_own(chromium, tmp_path, samples):
    """With ReLU6, a concatenation and softmax in Dense, for stored images and drawn ones."""
    for name, model in (("bypassed", residual()), ("bent", bent())):
        path, classifier = make(tmp_path, model, *FEW, name=name)
        tab = Tab(chromium, path).alive()
        for index in (0, 3, 7):
            tab.choose(index)
            expected = classifier.probabilities(tab.pixels()[None])[0]
            np.testing.assert_allclose(tab.probabilities(), expected, atol=AGREES)
        tab.page.get_by_role("button", name="Draw").click()
        tab.page.get_by_role("button", name="Blank").click()
        tab.page.locator(".stage").press("Enter")
        tab.page.locator(".stage").press("Tab")
        drawn = tab.pixels()
        np.testing.assert_allclose(tab.probabilities(), classifier.probabilities(drawn[None])[0], atol=AGREES)
        expect(tab.page.locator(".status")).not_to_contain_text("differ")
        tab.page.close()


def ask_why(tab):
    tab.page.get_by_role("button", name="Why this verdict?").click()
    steps = tab.page.get_by_label("Steps from the verdict to the image").get_by_role("listitem")
    steps.first.wait_for()
    return steps.all_inner_texts()


def test_the_strongest_path_is_followed_back_to_the_pixel(tab, small, samples):
    """Worked out again from Keras's own weights and outputs."""
    steps = ask_why(tab)
    model, image = small[1], samples[0]
    names = ("first", "shrink", "second", "average", "hidden")
    _, shrink, second, average, hidden = layer_outputs(model, image, names).values()
    kernel = {name: model.layers[name].layer.get_weights() for name in ("first", "second", "hidden", "last")}
    verdict = int(model.probabilities(image[None])[0].argmax())

    def strongest(name, inputs, unit):
        products = inputs * kernel[name][0][..., unit]
        by_channel = products.reshape(-1, products.shape[-1]).sum(axis=0)
        channel = int(by_channel.argmax())
        return channel, by_channel[channel], by_channel.sum() + kernel[name][1][unit], products[..., channel]

    def told(step):
        added, total = re.search(r"adds (\S+) of (\S+) to", step).groups()
        return number(added), number(total)

    unit, added, total, _ = strongest("last", hidden, verdict)
    assert steps[0].startswith(f"hidden unit {unit} adds ")
    assert steps[0].endswith(f"last {cifar10.CLASSES[verdict]}: the most of 12.")
    np.testing.assert_allclose(told(steps[0]), (added, total), rtol=0.01)
    channel, added, total, _ = strongest("hidden", average, unit)
    assert steps[1].startswith(f"average unit {channel} adds ")
    np.testing.assert_allclose(told(steps[1]), (added, total), rtol=0.01)
    row, column = np.unravel_index(second[..., channel].argmax(), second.shape[:2])
    assert steps[2].startswith(f"second channel {channel}, row {row}, column {column}: ")
    padded = np.pad(shrink, ((1, 1), (1, 1), (0, 0)))
    source, added, total, products = strongest("second", padded[row : row + 3, column : column + 3], channel)
    r, c = np.unravel_index(products.argmax(), products.shape)
    assert steps[3].startswith(f"shrink channel {source}, row {row + r - 1}, column {column + c - 1} adds ")
    np.testing.assert_allclose(told(steps[3]), (added, total), rtol=0.01)
    assert steps[-1].startswith("The path ends in the image: image ")
    tiles = tab.page.locator(".network .on-path")
    assert {tile.split(", ")[0] for tile in tiles.evaluate_all("all => all.map(tile => tile.ariaLabel)")} >= {
        *names,
        "image",
        "last softmax",
    }
    assert tab.page.locator(".lines.strongest path").count() == tiles.count() - 1


def test_the_path_is_walked_by_keyboard_and_follows_the_image(tab):
    before = ask_why(tab)
    first = tab.page.get_by_label("Steps from the verdict to the image").get_by_role("button").first
    first.focus()
    tab.page.keyboard.press("Enter")
    expect(tab.page.locator(".inspector h2")).to_contain_text("hidden unit")
    tab.choose(4)
    tab.settled()
    expect(tab.page.get_by_label("Steps from the verdict to the image")).not_to_contain_text(before[-1])
    first.focus()
    tab.page.keyboard.press("Escape")
    expect(tab.page.locator(".path-panel")).to_have_count(0)
    expect(tab.page.get_by_role("button", name="Why this verdict?")).to_be_focused()


def in_half_precision():
    keras.utils.set_random_seed(6)
    half = keras.dtype_policies.DTypePolicy("mixed_bfloat16")
    convolution = layers.Conv2D(8, 3, activation="relu", dtype=half)
    stack = [layers.Rescaling(1 / 255), convolution, layers.Flatten(), layers.Dense(10, dtype=half)]
    return keras.Sequential([keras.Input((16, 16, 3)), *stack, layers.Softmax(dtype="float32")])


def test_the_page_says_how_far_a_network_in_half_precision_is_from_keras(chromium, tmp_path):
    path, classifier = make(tmp_path, in_half_precision(), *FEW)
    tab = Tab(chromium, path).alive()
    difference = np.abs(tab.probabilities() - classifier.probabilities(tab.pixels()[None])[0]).max()
    assert AGREES < difference < 100 * AGREES
    status = tab.page.locator(".status").inner_text()
    told = float(re.search(r"differ from Keras's by up to (\S+)\. ", status).group(1))
    assert difference <= 1.1 * told < 0.01
    tab.page.close()
