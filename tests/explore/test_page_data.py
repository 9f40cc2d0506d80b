"""The data of the page: the network itself, and the arrays of the four views."""

import base64
import graphlib
import gzip
import io
import json
import math
import os
import re
from html.parser import HTMLParser
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import layers
from PIL import Image

from cnnvis.explore import browser_network, chapters, page_data
from cnnvis.images import Dataset
from cnnvis.network.classifier import Classifier
from tests.conftest import small_sequential
from tests.network.test_strange_models import SHOWN

ROOT = Path(__file__).parents[2]
MOST_BYTES = 1.3e6  # of the page, before a network is put into it
HOSTILE = ("<script>alert(1)</script>", "</script><img src=x onerror=alert(1)>", "<!-- <script>", "plain", "]]>", '"')


def unpacked(network):
    """The weights as the page reads them: dict of name to array."""
    content, start, arrays = gzip.decompress(network.values), 0, {}
    for weight in network.weights:
        count, stored = math.prod(weight["shape"]), np.dtype(weight["dtype"])
        width = 3 if weight["stored"] == "float24" else stored.itemsize
        planes = np.frombuffer(content, "uint8", count * width, start).reshape(width, count)
        start += planes.size
        planes = np.concatenate([np.zeros((stored.itemsize - width, count), "uint8"), planes])
        arrays[weight["name"]] = np.ascontiguousarray(planes.T).view(stored).reshape(weight["shape"])
    assert start == len(content)
    return arrays


def test_the_weights_of_every_layer_are_there_to_16_significant_bits():
    model = small_sequential()
    network = browser_network.export(Classifier(model))
    arrays = unpacked(network)
    explained = {layer["name"]: layer["arithmetic"] for layer in network.layers}
    for layer in model.layers:
        if layer.weights:
            kernel, bias = layer.get_weights()
            np.testing.assert_allclose(arrays[explained[layer.name]["kernel"]], kernel, rtol=2**-16, atol=0)
            np.testing.assert_allclose(explained[layer.name]["bias"], bias)


def test_weights_of_any_size_survive_24_bits():
    """And the nearest number of 16 significant bits is stored, the even one of two; infinity is never one."""
    for scale in (1e-30, 1e6, 3e38):
        array = np.linspace(-scale, scale, 2048, dtype="float32")
        weights, values = browser_network._packed({"kernel": array})
        network = browser_network.BrowserNetwork({}, "", "", "", [], weights, values)
        assert weights[0]["stored"] == "float24"
        np.testing.assert_allclose(unpacked(network)["kernel"], array, rtol=2**-16, atol=0)
    ties = np.full(1024, 1 + 2**-16, "float32")
    ties[1::2] = 1 + 3 * 2**-16
    weights, values = browser_network._packed({"kernel": ties})
    found = unpacked(browser_network.BrowserNetwork({}, "", "", "", [], weights, values))["kernel"]
    assert {*found} == {1, 1 + 2**-14}
    weights, values = browser_network._packed({"kernel": np.full(1024, np.finfo("float32").max)})
    assert weights[0]["stored"] == "float32"


@pytest.mark.parametrize("name", ["shared and nested", "mixed precision", "float64", "any size", "2x3"])
def test_the_graph_is_complete_and_has_only_types_that_browsers_have(name):
    network = browser_network.export(Classifier(SHOWN[name]()))
    nodes = {node["name"]: node for node in network.graph["node"]}
    for node in nodes.values():
        assert all(source.split(":")[0] in nodes for source in node.get("input", ()))
        assert node["op"] != "NoOp"
    assert not {"DT_HALF", "DT_BFLOAT16", "DT_DOUBLE", "DT_INT64"} & set(
        re.findall(r'"type": "(\w+)"', json.dumps(network.graph))
    )
    assert {w["name"] for w in network.weights} == {name for name, node in nodes.items() if node["op"] == "Const"}
    assert {network.input, network.probabilities, *(layer["node"] for layer in network.layers)} <= set(nodes)
    for place, layer in enumerate(network.layers):
        assert all(source < place for source in layer["sources"])
        assert layer["sources"] or not place


def test_sources_of_a_merge_and_through_a_layer_that_is_not_shown():
    x = inputs = keras.Input((8, 8, 3))
    left, right = layers.Conv2D(4, 3, name="left")(x), layers.Conv2D(4, 3, name="right")(x)
    x = layers.Add(name="both")([left, right])
    x = layers.Reshape((36, 4), name="hidden")(x)  # neither a feature map nor units: it is not shown
    model = keras.Model(inputs, layers.Dense(3, activation="softmax", name="end")(layers.Flatten(name="flat")(x)))
    network = browser_network.export(Classifier(model))
    names = [layer["name"] for layer in network.layers]
    sources = {layer["name"]: [names[place] for place in layer["sources"]] for layer in network.layers}
    assert sources == {
        "image": [],
        "left": ["image"],
        "right": ["image"],
        "both": ["left", "right"],
        "flat": ["both"],
        "end": ["flat"],
        "end softmax": ["end"],
    }


def test_normalisation_is_a_scale_and_a_shift():
    normalize = layers.BatchNormalization(name="norm")
    model = keras.Sequential([keras.Input((4, 4, 3)), normalize, layers.Flatten(), layers.Dense(2)])
    mean, variance = np.array([3.0, -1.0, 2.0]), np.array([4.0, 1.0, 9.0])
    normalize.set_weights([np.array([2.0, 1.0, 3.0]), np.array([0.5, 0.0, -1.0]), mean, variance])
    (told,) = (layer for layer in browser_network.export(Classifier(model)).layers if layer["name"] == "norm")
    scale = np.array([2.0, 1.0, 3.0]) / np.sqrt(variance + normalize.epsilon)
    np.testing.assert_allclose(told["arithmetic"]["scale"], scale, rtol=1e-5)
    np.testing.assert_allclose(told["arithmetic"]["shift"], np.array([0.5, 0.0, -1.0]) - mean * scale, rtol=1e-5)


def test_normalisation_along_another_axis_is_not_computed_by_the_page():
    normalize = layers.BatchNormalization(axis=1)
    model = keras.Sequential([keras.Input((4, 5, 3)), normalize, layers.Flatten(), layers.Dense(2)])
    normalize.set_weights([np.arange(1.0, 5), np.zeros(4), np.zeros(4), np.ones(4)])
    assert browser_network.export(Classifier(model)).layers[1]["arithmetic"] is None


def test_only_an_activation_is_a_function_of_single_values():
    x = inputs = keras.Input((8, 8, 3))
    x = layers.Conv2DTranspose(4, 3, activation="relu", name="transposed")(x)
    x = layers.LSTM(4, name="recurrent")(layers.Reshape((10, 40))(layers.ReLU(name="relu")(x)))
    model = keras.Model(inputs, layers.Dense(3)(x))
    told = {layer["name"]: layer["arithmetic"] for layer in browser_network.export(Classifier(model)).layers}
    assert told["transposed"] is None
    assert told["recurrent"] is None
    numbers = {"negative_slope": 0.0, "threshold": 0.0}
    assert told["relu"] == {"operation": "function", "activation": "relu", "parameters": numbers}


def test_the_numbers_of_activations():
    x = inputs = keras.Input((8, 8, 3))
    x = layers.Conv2D(4, 3, activation=layers.ReLU(6.0), name="within")(x)
    x = layers.LeakyReLU(negative_slope=0.25, name="leaky")(layers.ELU(alpha=0.5, name="elu")(x))
    model = keras.Model(inputs, layers.Dense(3)(layers.Flatten()(x)))
    told = {layer["name"]: layer["arithmetic"] for layer in browser_network.export(Classifier(model)).layers}
    assert told["within"]["parameters"]["max_value"] == 6
    assert told["leaky"]["parameters"] == {"negative_slope": 0.25}
    assert told["elu"]["parameters"] == {"alpha": 0.5}


def test_the_softmax_of_an_fc_layer_is_a_layer_of_its_own():
    model = keras.Sequential([keras.Input((8, 8, 3)), layers.Flatten(), layers.Dense(3, "softmax", name="end")])
    network = browser_network.export(Classifier(model))
    scores, probabilities = network.layers[-2:]
    assert [scores["name"], probabilities["name"]] == ["end", "end softmax"]
    assert scores["arithmetic"]["activation"] == "linear"
    assert probabilities["arithmetic"] == {"operation": "function", "activation": "softmax", "parameters": {}}
    assert probabilities["sources"] == [len(network.layers) - 2]


def test_loops_are_unrolled_and_groups_split_for_the_browser_only():
    x = inputs = keras.Input((8, 8, 3))
    x = layers.Conv2D(4, 3, name="all")(x)
    x = layers.Conv2D(6, 3, groups=2, name="groups")(x)
    x = layers.Bidirectional(layers.GRU(4))(layers.Reshape((4, 24))(x))
    model = keras.Model(inputs, layers.Dense(3)(x))
    image = np.random.default_rng(0).random((2, 8, 8, 3), dtype="float32")
    before, config = model(image), model.get_config()
    known = browser_network.operations(browser_network.export(Classifier(model)))
    assert not {"Enter", "Switch", "While", "StatefulPartitionedCall", "PartitionedCall"} & set(known)
    np.testing.assert_allclose(model(image), before, rtol=1e-4, atol=1e-6)
    assert model.get_config() == config
    assert "convolution_op" not in vars(model.get_layer("groups"))


@pytest.mark.parametrize(("stride", "padding"), [(1, [1, 1]), (2, [0, 0])])
def test_the_padding_above_and_to_the_left(stride, padding):
    """8 pixels with stride 2 and a filter of 3 need one more, which TensorFlow adds at the end."""
    conv = layers.Conv2D(2, 3, strides=stride, padding="same", name="conv")
    model = keras.Sequential([keras.Input((8, 8, 3)), conv, layers.Flatten(), layers.Dense(2)])
    told = browser_network.export(Classifier(model)).layers[1]["arithmetic"]
    assert told["padding"] == padding
    assert told["strides"] == [stride, stride]


def test_each_cell_has_its_most_confident_images():
    probabilities = np.array([[0.9, 0.1], [0.8, 0.2], [0.4, 0.6], [0.7, 0.3], [0.1, 0.9], [0.2, 0.8]])
    labels = np.array([0, 0, 0, 0, 1, -1])
    assert page_data.images_of_cells(probabilities, labels, 2).tolist() == [0, 1, 2, 4]


def test_a_sheet_has_its_images_in_rows():
    images = np.random.default_rng(0).integers(0, 256, (30, 5, 7, 3), dtype="uint8")
    told = page_data.sheet(images)
    whole = np.asarray(Image.open(io.BytesIO(base64.b64decode(told["png"].split(",")[1]))))
    for index, image in enumerate(images):
        row, column = divmod(index, told["columns"])
        np.testing.assert_array_equal(whole[5 * row : 5 * row + 5, 7 * column : 7 * column + 7], image)


def test_without_labels_there_are_no_results(images):
    unknown = Dataset("images", images, np.full(7, -1), ("a", "b"))
    assert page_data.results(unknown, np.arange(7), np.full((7, 2), 0.5), 2) is None


class Scripts(HTMLParser):
    """Every element of a page, and the text of its scripts, as a browser reads them."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.texts, self.script = [], {}, None
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.elements.append(tag)
        self.script = dict(attributes).get("id") if tag == "script" else None

    def handle_data(self, text):
        if self.script:
            self.texts[self.script] = self.texts.get(self.script, "") + text


def test_no_class_name_ends_the_script_element(tmp_path):
    template = tmp_path / "page.html"
    template.write_text('<script id="data">"DATA"</script><p></p><script id="weights">WEIGHTS</script>')
    page = page_data.as_page({"classes": HOSTILE}, "AAAA", template)
    read = Scripts(page)
    assert read.elements == ["script", "p", "script"]
    assert json.loads(read.texts["data"])["classes"] == [*HOSTILE]
    assert read.texts["weights"] == "AAAA"


def test_the_page_forbids_the_network_and_runs_one_script():
    page = page_data.TEMPLATE.read_text(encoding="utf-8")
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]+)"', page).group(1)
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == "'none'"
    assert rules["connect-src"] == "blob:"
    assert re.fullmatch(r"'sha256-[\w+/=]+' 'wasm-unsafe-eval'", rules["script-src"])


def test_the_page_without_a_network_is_small_and_has_each_licence_once():
    page = page_data.TEMPLATE.read_text(encoding="utf-8")
    assert len(page.encode()) <= MOST_BYTES
    notices = re.findall(r"Copyright (?:\(c\) )?(\d{4}[^\n]*)", page)
    assert {"2015-present Jason Miller", "2020 Google LLC. All Rights Reserved."} <= {*notices}
    assert len(notices) <= 20  # some differ in their quotation marks only
    assert page.index("Jason Miller") > page.index("</script>")


def test_the_page_has_the_text_of_the_article():
    """Ready to be shown: nothing of Markdown or TeX is left, and no link leads where there is no site."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    for part in chapters.CHAPTERS:
        chapter = chapters.article()[part]
        assert f"# {chapter['heading']}\n" in text
        words = re.sub(r"<pre.*?</pre>|<[^>]*>", "", chapter["html"], flags=re.DOTALL)
        assert len(words) > 150
        assert not re.search(r"\*\*|\]\(|\$|```|\\", words)
        assert not re.search(r"<h\d|<img|<script", chapter["html"])


PAGE = ROOT / "page" / "src"
BELOW = {  # what each folder of the page's source may import, besides itself
    "arithmetic": {"contract"},
    "network": {"contract", "arithmetic"},
    "state": {"contract", "arithmetic", "network"},
    "views": {"contract", "arithmetic", "network", "state"},
}


def page_imports():
    """Each module of the page and those that it imports, `./x?worker` as well: dict of path to set of paths."""
    modules = {path.relative_to(PAGE).with_suffix("").as_posix(): path for path in PAGE.rglob("*.ts*")}
    imports = {}
    for name, path in modules.items():
        given = re.findall(r'from "(\.[^"?]+)', path.read_text(encoding="utf-8"))
        imports[name] = {os.path.relpath(path.parent / other, PAGE).replace(os.sep, "/") for other in given}
        assert imports[name] <= set(modules), name
    return imports


def test_the_modules_of_the_page_import_in_one_direction():
    """None imports itself, directly or through others."""
    imports = page_imports()
    assert imports["main"] == {"views/App", "contract"}
    assert {"network/weights", "contract"} <= imports["network/inference.worker"]
    graphlib.TopologicalSorter(imports).prepare()  # raises CycleError, which names the modules


def test_the_arithmetic_of_the_page_knows_no_state_and_the_state_no_views():
    for name, others in page_imports().items():
        folder, _, module = name.rpartition("/")
        if folder:
            assert {other.split("/")[0] for other in others} <= BELOW[folder] | {folder}, module
    for path in (PAGE / "arithmetic").glob("*.ts"):
        assert not re.search(r"\b(document|window|preact)\.|from \"preact", path.read_text(encoding="utf-8")), path.name
