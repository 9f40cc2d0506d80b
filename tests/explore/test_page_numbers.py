"""The arithmetic that the page shows, worked again from the numbers that a reader sees."""

import math
import re

import keras
import numpy as np
import pytest
from keras import layers

from cnnvis.network.classifier import Classifier
from tests.explore.conftest import FEW, make

try:
    from playwright.sync_api import expect
except ImportError:
    expect = None

BENT = {  # activations, as the network names its layers
    "relu6": lambda: layers.ReLU(6.0, name="relu6"),
    "leaky": lambda: layers.LeakyReLU(negative_slope=0.25, name="leaky"),
    "elu": lambda: layers.ELU(alpha=0.5, name="elu"),
    "capped": lambda: layers.ReLU(4.0, negative_slope=0.5, threshold=1.0, name="capped"),
    "silu": lambda: layers.Activation("silu", name="silu"),
    "tanh": lambda: layers.Activation("tanh", name="tanh"),
    "strange": lambda: layers.Activation("squareplus", name="strange"),
}


def bent():
    """A chain of activation functions, and of everything else of which the page shows single values."""
    keras.utils.set_random_seed(5)
    x = inputs = keras.Input((16, 16, 3))
    x = layers.Rescaling(1 / 40, offset=-3, name="scaled")(x)
    for number, activation in enumerate(BENT.values()):
        x = activation()(layers.Conv2D(4, 3, padding="same", name=f"conv{number}")(x))
    side = layers.DepthwiseConv2D(3, padding="same", activation="relu6", name="depthwise")(x)
    x = layers.Add(name="added")([x, side])
    x = layers.AveragePooling2D(3, strides=2, padding="same", name="average")(x)
    x = layers.MaxPooling2D(2, name="largest")(x)
    x = layers.Dense(6, activation="gelu", name="hidden")(layers.Flatten(name="flat")(x))
    return keras.Model(inputs, layers.Dense(10, activation="softmax", name="end")(x))


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return make(tmp_path_factory.mktemp("bent"), bent(), *FEW, name="bent")[0]


@pytest.fixture
def tab(opened):
    return opened.fresh()


def number(text):
    return float(text.replace("−", "-").replace("+", ""))


def decimals(text):
    return len(text.partition(".")[2])


def holds(computed, shown):
    """Whether a number, rounded as the one that is shown, is that one."""
    half = 0.5 * 10.0 ** -decimals(shown)
    return abs(computed - number(shown)) <= half * (1 + 1e-9)


def cells(table):
    return [number(text) for text in table.locator("td").all_inner_texts() if text not in ("·", "")]


def choose(tab, layer, channel=0):
    """Open a channel of a layer in the inspector."""
    button = tab.page.locator(f".network button[aria-label^='{layer}, ']").nth(channel)
    button.click()
    expect(button).to_have_attribute("aria-pressed", "true")
    tab.page.locator(".inspector").locator(".sum, .softmax").first.wait_for()
    expect(tab.page.locator(".inspector .waiting")).to_have_count(0)
    return tab.page.locator(".inspector")


@pytest.mark.once
@pytest.mark.parametrize("layer", ["conv0", "conv3", "depthwise", "hidden", "end"])
def test_products_and_sums_hold_on_a_calculator(tab, layer):
    for channel in (0, 2):
        panel = choose(tab, layer, channel)
        addends = []
        for row in panel.locator(".inputs .sum, .totals .sum:not(.final):has(.result)").all():
            if row.locator(".activated, .terms").count():  # through the activation function, after the sum
                continue
            addends.append(row.locator(".result").inner_text())
            tables = row.locator("table")
            if tables.count() == 2:
                inputs, weights = cells(tables.first), cells(tables.last)
                assert len(inputs) == len(weights)
                assert holds(sum(x * w for x, w in zip(inputs, weights)), addends[-1])
        assert len(addends) >= 2  # of a depthwise layer: one channel and the bias
        assert holds(sum(map(number, addends)), panel.locator(".final .result").inner_text())


def point(panel, shares):
    """Move the pointer to a place in the map, in shares of its height and width."""
    size = panel.locator(".large").bounding_box()
    panel.locator(".large").hover(position={"x": shares[1] * size["width"], "y": shares[0] * size["height"]})


RULES = {
    "relu6": lambda x: min(max(x, 0), 6),
    "leaky": lambda x: max(x, 0.25 * x),
    "elu": lambda x: x if x > 0 else 0.5 * (math.exp(x) - 1),
    "capped": lambda x: 4 if x >= 4 else x if x >= 1 else 0.5 * (x - 1),
    "silu": lambda x: x / (1 + math.exp(-x)),
    "tanh": math.tanh,
}


@pytest.mark.once
@pytest.mark.parametrize("name", [*RULES])
def test_an_activation_is_explained_with_its_own_numbers(tab, name):
    for channel in range(3):
        panel = choose(tab, name, channel)
        for place in ((0.01, 0.01), (0.2, 0.3), (0.4, 0.1)):
            point(panel, place)
            terms = panel.locator(".terms").inner_text()
            x = re.search(r"x = (\S+)", terms).group(1)
            assert holds(RULES[name](number(x)), panel.locator(".activated").inner_text()), terms
            network = float(panel.locator(".whole [data-value]").get_attribute("data-value"))
            assert RULES[name](number(x)) == pytest.approx(network, abs=0.006 * max(1, abs(network)))
    if name == "relu6":
        expect(panel.locator(".terms")).to_contain_text("at most 6")


@pytest.mark.once
def test_an_activation_that_the_page_does_not_know_is_not_explained(tab):
    panel = choose(tab, "strange")
    expect(panel.locator(".activated")).to_have_count(0)
    expect(panel.locator(".terms").last).to_contain_text("→")


@pytest.mark.once
def test_gelu_is_a_product_that_holds_on_a_calculator(tab):
    for channel in range(4):
        panel = choose(tab, "hidden", channel)
        expect(panel.locator(".totals .from").last).to_have_text("through GELU")
        terms = panel.locator(".totals .terms").inner_text()
        x, share = (number(re.search(rf"{name} = ([−.\d]+)", terms).group(1)) for name in ("y", r"Φ\(y\)"))
        assert holds(x * share, panel.locator(".activated").inner_text()), terms
        assert share == pytest.approx((1 + math.erf(x / math.sqrt(2))) / 2, abs=0.006)


@pytest.mark.once
@pytest.mark.parametrize("layer", ["average", "largest"])
def test_pooling_holds_on_a_calculator(tab, layer):
    panel = choose(tab, layer)
    for place in ((0.01, 0.01), (0.5, 0.5), (0.99, 0.99)):  # in a corner there is padding
        point(panel, place)
        values = cells(panel.locator(".numbers"))
        computed = np.mean(values) if layer == "average" else max(values)
        assert holds(computed, panel.locator(".result").inner_text())


@pytest.mark.once
def test_scale_and_sum_hold_on_a_calculator(tab):
    panel = choose(tab, "scaled", 1)
    text = panel.locator(".terms").inner_text().replace("\n", " ")
    x, scale, sign, shift, result = re.search(r"(\S+) × (\S+) ([+−]) (\S+) = (\S+)", text).groups()
    assert holds(number(x) * number(scale) + number(sign + shift), result)
    panel = choose(tab, "added", 1)
    *addends, total = panel.locator(".result").all_inner_texts()
    assert len(addends) == 2
    assert holds(sum(map(number, addends)), total)


@pytest.mark.once
def test_softmax_within_an_fc_layer_is_a_step_of_its_own(tab, samples):
    panel = choose(tab, "end softmax")
    rows = [row.locator("td").all_inner_texts() for row in panel.locator("tbody tr").all()]
    total = panel.locator("tfoot td").nth(1).inner_text()
    for score, power, share in rows:
        digits = len(power.replace(".", "").lstrip("0"))
        assert float(f"{math.exp(number(score)):.{digits}g}") == pytest.approx(number(power), rel=1e-9)
        if not share.startswith("<"):
            assert holds(100 * number(power) / number(total), share.removesuffix("%"))
    assert sum(number(power) for _, power, _ in rows) == pytest.approx(number(total), rel=0.02)
    classifier = Classifier(bent())
    scores = classifier.model_to(classifier.layers["end"].linear)(
        np.asarray(keras.ops.image.resize(samples[:1].astype("float32"), (16, 16)))
    )
    assert len(rows) == np.shape(scores)[1]
    assert tab.page.locator(".inspector .softmax").count() == 1


@pytest.mark.once
def test_the_network_gets_the_colours_that_are_displayed(tab):
    """A hidden patch has the mean colour, rounded as a screen rounds it."""
    box = tab.page.locator(".stage").bounding_box()
    tab.page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    tab.page.mouse.move(1, 1)
    colour = tab.pixels()[8, 8]
    panel = tab.page.locator(".inspector")
    for channel in range(3):
        tab.page.locator(".network button[aria-label^='image, ']").nth(channel).click()
        point(panel, (8.5 / 16, 8.5 / 16))
        expect(panel.locator(".whole")).to_contain_text("Row 8, column 8")
        assert float(panel.locator(".whole [data-value]").get_attribute("data-value")) == colour[channel]
