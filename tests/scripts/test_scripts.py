"""Every script as a user runs it: what it writes, what it prints, and how it fails."""

import inspect
import json
import os
import random
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import h5py
import keras
import numpy as np
import pytest
from keras.applications import imagenet_utils
from PIL import Image

import train
import visualize_hidden_layer_activation
import visualize_hidden_layer_output
import visualize_pixel_importance
import visualize_results
from cnnvis import attribution, checkpoints, console, images, network, plots
from tests.attribution.test_occlusion import by_masks
from tests.conftest import LINUX, POSIX, small_sequential

ROOT = Path(__file__).parents[2]
SHIPPED = ROOT / "models" / "stashed" / "cifar10_deep.keras"
KERAS2 = ROOT / "tests" / "fixtures" / "keras2_sequential.h5"
KERAS2_TRANSFER = KERAS2.with_name("keras2_transfer.h5")
CIFAR10_CLASSES = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]
VISUALIZERS = {
    "results": visualize_results,
    "pixel_importance": visualize_pixel_importance,
    "hidden_layer_activation": visualize_hidden_layer_activation,
    "hidden_layer_output": visualize_hidden_layer_output,
}
QUICK = {
    "results": ["--examples", "4"],
    "hidden_layer_activation": ["--steps", "6", "--num", "2"],
    "pixel_importance": ["--window", "8", "--stride", "4", "--num", "2"],
}
ONE_LAYER = ["--model", SHIPPED, "--data", "samples", "--indices", "0", "--layers", "conv1"]  # draws the least
SCRIPTS = {"train": train, **{f"visualize_{topic}": script for topic, script in VISUALIZERS.items()}}


def start(script, *options, **settings):
    return subprocess.Popen(
        [sys.executable, str(ROOT / f"{script}.py"), *map(str, options)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **settings,
    )


def run(script, *options, **settings):
    process = start(script, *options, **settings)
    out, err = process.communicate()
    return process.returncode, out, err


def peak_memory(script, *options):
    """Peak memory of a script in its own process, in KiB."""
    measure = f"import sys, {script} as script; assert script.main(sys.argv[1:]) == 0; "
    measure += "print(next(line for line in open('/proc/self/status') if 'VmHWM' in line).split()[1])"
    command = [sys.executable, "-c", measure, *map(str, options)]
    return int(subprocess.check_output(command, cwd=ROOT, text=True).split()[-1])


def visualize(topic, out, *options):
    """Run a visualize script in this process: its exit status and its arrays."""
    status = VISUALIZERS[topic].main([*QUICK.get(topic, []), *map(str, options), "--out", str(out)])
    path = out / f"{topic}.h5"
    return status, read(path) if status == 0 else None


def read(path):
    arrays = {}
    with h5py.File(path) as file:
        file.visititems(lambda name, node: arrays.update({name: node[()]}) if isinstance(node, h5py.Dataset) else None)
        return arrays | {f"@{name}": value for name, value in file.attrs.items()}


def refused(capsys, script, *options):
    """The one-line error message of a script."""
    capsys.readouterr()
    assert SCRIPTS[script].main([*map(str, options)]) == 2
    err = capsys.readouterr().err.strip()
    assert "\n" not in err, err
    return err


def imported(*arguments):
    """What Python prints with these arguments, and the packages that it imports."""
    command = [sys.executable, "-X", "importtime", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return done.stdout, {line.split("|")[-1].strip().split(".")[0] for line in done.stderr.splitlines()}


@pytest.mark.once
@pytest.mark.parametrize("script", [*SCRIPTS, "explore"])
def test_help_imports_nothing_slow(script):
    """Only the standard library, our own code and lazy_loader."""
    out, packages = imported(ROOT / f"{script}.py", "--help")
    assert "--seed" in out
    standard = {*sys.stdlib_module_names, "org"}  # `copy` looks for org.python, which Jython has
    assert packages - imported("-c", "pass")[1] <= standard | {"cnnvis", "lazy_loader"}


@pytest.fixture
def undrawn(monkeypatch):
    """Scripts save their arrays but draw nothing, which saves most of their time."""
    for name in plots.__all__:
        if inspect.isfunction(getattr(plots, name)) and name not in ("cut", "legible", "short_names"):
            monkeypatch.setattr(plots, name, lambda *_, **__: {})
    monkeypatch.setattr(console, "save_figures", lambda *_, **__: None)


@pytest.mark.slow
@pytest.mark.parametrize("topic", VISUALIZERS)
def test_in_another_folder_with_nothing_but_the_clone(topic, tmp_path, undrawn):
    """With the shipped checkpoint, in its own process, without CIFAR-10 and offline.

    The same seed gives the same arrays in this process.
    """
    environment = {
        **{key: value for key, value in os.environ.items() if key != "CIFAR10_DIR"},
        "KERAS_HOME": str(tmp_path / "home"),
        "https_proxy": "http://127.0.0.1:9",
    }
    few = ["--seed", 3, *(["--layers", "conv1", "fc1"] if "layer" in topic else [])]
    options = ["--model", SHIPPED, *QUICK.get(topic, []), *few]
    status, out, err = run(f"visualize_{topic}", *options, cwd=tmp_path, env=environment)
    assert status == 0, err
    assert "Showing the 20 bundled samples instead" in err
    assert len(err.strip().splitlines()) == 1, err
    written = sorted(path.name for path in (tmp_path / "outputs").iterdir())
    assert f"{topic}.h5" in written
    assert f"{topic}.png" in written
    assert not [name for name in written if name.startswith(".")]
    for name in written:
        assert str(Path("outputs") / name) in out
        if name.endswith(".png"):
            assert Image.open(tmp_path / "outputs" / name).convert("L").getextrema()[0] < 128
    there = read(tmp_path / "outputs" / f"{topic}.h5")
    assert there["@data"] == "samples"
    _, here = visualize(topic, tmp_path, "--model", SHIPPED, "--data", "samples", *few)
    assert here.keys() == there.keys()
    for key in here:
        np.testing.assert_array_equal(here[key], there[key])


@pytest.fixture(scope="module")
def foreign(tmp_path_factory):
    """Foreign models, and images in class folders."""
    folder = tmp_path_factory.mktemp("foreign")
    small_sequential().save(folder / "sequential.h5")
    small_sequential(channels=1, size=24).save(folder / "grey.keras")
    small_sequential(activation=None).save(folder / "logits.keras")
    for label, name in enumerate("abcdefghij"):
        (folder / "images" / "test" / name).mkdir(parents=True)
        for i in range(2):
            noise = np.random.default_rng(10 * label + i).integers(0, 256, (20 + i, 30, 3), dtype="uint8")
            Image.fromarray(noise).save(folder / "images" / "test" / name / f"{i}.png")
    return folder


@pytest.mark.parametrize("topic", VISUALIZERS)
@pytest.mark.parametrize("name", ["sequential.h5", "grey.keras", "logits.keras", KERAS2, KERAS2_TRANSFER])
def test_foreign_models(topic, name, foreign, tmp_path, request):
    """Figures are drawn for two of them, one for colour and one for grey images."""
    if name not in ("sequential.h5", "grey.keras"):
        request.getfixturevalue("undrawn")
    own = ["--indices", "0"] if topic == "pixel_importance" else []
    options = ["--model", foreign / name, "--data", foreign / "images", "--input-range", "0", "1", *own]
    status, arrays = visualize(topic, tmp_path, *options)
    assert status == 0
    assert arrays["@data"] == str(foreign / "images")
    if topic == "hidden_layer_output":
        model = (
            keras.saving.load_model(foreign / name, compile=False) if name not in (KERAS2, KERAS2_TRANSFER) else None
        )
        for key, array in arrays.items():
            if model and key in {layer.name for layer in model.layers}:
                channels = model.inputs[0].shape[-1]
                image = arrays["image"] if channels == 3 else arrays["image"] @ [[0.299], [0.587], [0.114]]
                alone = keras.Model(model.inputs, model.get_layer(key).output)(image[None] / 255)[0]
                np.testing.assert_allclose(array, alone, rtol=1e-3, atol=1e-5)


def test_layer_names_that_differ_by_case_in_a_folder_with_non_ascii_names(tmp_path, capsys):
    """No two files differ by case only: on Windows and macOS they would be one."""
    folder = tmp_path / "mein Ordner ä 図"
    folder.mkdir()
    names = ("conv", "Conv", "CONV")
    convs = [keras.layers.Conv2D(2, 3, name=name) for name in names]
    ends = [keras.layers.Flatten(), keras.layers.Dense(3, activation="softmax")]
    keras.Sequential([keras.Input((12, 12, 3)), *convs, *ends]).save(folder / "Netz ü.keras")
    noise = np.random.default_rng(0).integers(0, 256, (12, 12, 3), dtype="uint8")
    Image.fromarray(noise).save(folder / "Bild é.png")
    options = ["--model", folder / "Netz ü.keras", "--images", folder / "Bild é.png", "--input-range", "0", "255"]
    status, arrays = visualize("hidden_layer_output", folder / "Ausgabe ß", *options, "--layers", *names)
    assert status == 0, capsys.readouterr().err
    assert {*names} <= arrays.keys()
    written = [path.name for path in (folder / "Ausgabe ß").iterdir()]
    assert len({name.casefold() for name in written}) == len(written) == 2 + len(names)


def test_results_agree_with_the_plain_model(tmp_path, undrawn):
    status, arrays = visualize("results", tmp_path, "--model", SHIPPED, "--data", "samples", "--batch-size", 7)
    assert status == 0
    samples = images.load("samples", "test")
    plain = keras.saving.load_model(SHIPPED).predict(samples.images.astype("float32"), verbose=0)
    np.testing.assert_allclose(arrays["probabilities"], plain, rtol=1e-4, atol=1e-6)
    np.testing.assert_array_equal(arrays["labels"], samples.labels)
    assert arrays["labels"].dtype == arrays["confusion"].dtype == np.int64
    assert arrays["probabilities"].dtype == np.float32
    confusion = np.zeros((10, 10), int)
    for label, predicted in zip(samples.labels, plain.argmax(axis=1)):
        confusion[label, predicted] += 1
    np.testing.assert_array_equal(arrays["confusion"], confusion)
    assert arrays["@accuracy"] == np.mean(samples.labels == plain.argmax(axis=1))
    assert list(arrays["@classes"]) == CIFAR10_CLASSES


def test_two_networks_are_compared(tmp_path, capsys):
    """They differ in image size, pixel range and order of the classes."""
    classes = sorted(CIFAR10_CLASSES, reverse=True)
    other = small_sequential(size=24)
    other.save(tmp_path / "other.keras")
    (tmp_path / "other.json").write_text(json.dumps({"classes": classes, "input_range": [0, 1]}))
    options = ["--data", "samples", "--report", tmp_path / "texts" / "report.md", "--examples", 30]
    status, arrays = visualize(
        "results", tmp_path / "out", "--model", SHIPPED, "--compare", tmp_path / "other.keras", *options
    )
    assert status == 0
    small = images.load("samples", "test", (24, 24)).images[:] / 255
    plain = other.predict(small, verbose=0)[:, [classes.index(name) for name in CIFAR10_CLASSES]]
    np.testing.assert_allclose(arrays["other_probabilities"], plain, rtol=1e-3, atol=1e-5)
    labels = arrays["labels"]
    rights = arrays["probabilities"].argmax(axis=1) == labels, plain.argmax(axis=1) == labels
    assert set(arrays["only_first"]) == set(np.flatnonzero(rights[0] & ~rights[1]))
    assert set(arrays["only_second"]) == set(np.flatnonzero(~rights[0] & rights[1]))
    assert arrays["@other_accuracy"] == rights[1].mean()
    printed, report = capsys.readouterr().out, (tmp_path / "texts" / "report.md").read_text()
    headline = f"{rights[0].sum()} of 20 right: {rights[0].mean():.2%}"
    for words in (headline, f"other: {rights[1].mean():.2%}", "exact test, p ="):
        assert words in printed
        assert words in report
    links = re.findall(r"!\[.*\]\(<(.*)>\)", report)
    figures = {Path(link).name for link in links}
    assert figures == {path.name for path in (tmp_path / "out").glob("*.png")}
    assert {"results.png", "results_random.png", "results_compare.png", "results_only_left.png"} <= figures
    assert all((tmp_path / "texts" / link).is_file() for link in links)


def test_each_of_two_networks_has_its_own_pixel_range(tmp_path, undrawn, capsys):
    """Both are the same one, whose metadata state a range that the option of the first overrides."""
    model, samples = small_sequential(), images.load("samples", "test").images[:].astype("float32")
    model.save(tmp_path / "model.keras")
    (tmp_path / "model.json").write_text(json.dumps({"input_range": [-1, 1]}))
    options = ["--model", tmp_path / "model.keras", "--compare", tmp_path / "model.keras", "--data", "samples"]
    options += ["--input-range", "0", "1", "--compare-input-range", "caffe"]
    status, arrays = visualize("results", tmp_path / "out", *options)
    assert status == 0, capsys.readouterr().err
    assert "pixel range" not in capsys.readouterr().err
    assert arrays["@input_range"].tolist() == [0, 1]
    assert arrays["@other_input_range"] == "caffe"
    bgr = imagenet_utils.preprocess_input(samples.copy(), mode="caffe")
    for name, pixels in (("probabilities", samples / 255), ("other_probabilities", bgr)):
        np.testing.assert_allclose(arrays[name], model(pixels), rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("topic", VISUALIZERS)
def test_arrays_say_which_pixels_the_network_takes(topic, tmp_path, undrawn, capsys):
    """Its first layer says so, unless an option does."""
    model = keras.Sequential([keras.Input((32, 32, 3)), keras.layers.Rescaling(255), *small_sequential().layers])
    model.save(tmp_path / "model.keras")
    options = ["--model", tmp_path / "model.keras", "--data", "samples"]
    assert visualize(topic, tmp_path, *options)[1]["@input_range"].tolist() == [0, 1]
    assert "The pixel range of model.keras is 0 to 1: its first layers say so." in capsys.readouterr().err
    status, arrays = visualize(topic, tmp_path, *options, "--input-range", "torch")
    assert status == 0
    assert arrays["@input_range"] == "torch"
    assert "pixel range" not in capsys.readouterr().err
    if topic == "hidden_layer_output":
        pixels = imagenet_utils.preprocess_input(arrays["image"][None].astype("float32"), mode="torch")
        first = model.get_layer("first")(255 * pixels)[0]
        np.testing.assert_allclose(arrays["first"], first, rtol=1e-3, atol=1e-2)


def test_networks_with_different_classes_are_not_compared(tmp_path, capsys):
    small_sequential().save(tmp_path / "digits.keras")
    (tmp_path / "digits.json").write_text(json.dumps({"classes": list("0123456789"), "input_range": [0, 1]}))
    options = ["--model", SHIPPED, "--data", "samples", "--compare", tmp_path / "digits.keras"]
    options += ["--out", tmp_path / "out"]
    assert "digits.keras has other classes: 0, 1, 2" in refused(capsys, "visualize_results", *options)


def test_a_report_names_the_files_of_wrong_predictions(foreign, tmp_path):
    options = ["--model", foreign / "sequential.h5", "--data", foreign / "images", "--input-range", "0", "1"]
    status, arrays = visualize("results", tmp_path, *options, "--report", tmp_path / "a report.md")
    assert status == 0
    report = (tmp_path / "a report.md").read_text().replace("\\_", "_")
    wrong = np.flatnonzero(arrays["probabilities"].argmax(axis=1) != arrays["labels"])
    assert len(wrong)
    for index in wrong:
        assert str(foreign / "images" / "test" / "abcdefghij"[arrays["labels"][index]] / f"{index % 2}.png") in report
    assert "(<./results_wrong.png>)" in report


@pytest.mark.slow
@LINUX
def test_a_folder_of_20_000_images_takes_no_more_memory_than_one_of_500(tmp_path):
    """All of them together would take 246 MB; the map of 10,000 of them takes some 60."""
    layers = [keras.layers.AveragePooling2D(32), keras.layers.Flatten(), keras.layers.Dense(2, activation="softmax")]
    keras.Sequential([keras.Input((64, 64, 3)), *layers]).save(tmp_path / "model.keras")
    peaks = []
    for count in (500, 20_000):
        folders = [tmp_path / str(count) / "test" / name for name in ("a", "b")]
        for number, folder in enumerate(folders):
            folder.mkdir(parents=True)
            Image.new("RGB", (64, 64), (200 * number, 90, 40)).save(folder / "0.png")
        for i in range(1, count // 2):
            for folder in folders:
                os.link(folder / "0.png", folder / f"{i}.png")
        options = ["--model", tmp_path / "model.keras", "--input-range", "0", "1"]
        peaks.append(
            peak_memory("visualize_results", *options, "--data", tmp_path / str(count), "--out", tmp_path / "out")
        )
        assert len(read(tmp_path / "out" / "results.h5")["labels"]) == count
    assert peaks[1] - peaks[0] < 120_000


def test_results_of_own_images(tmp_path, undrawn):
    files = [ROOT / "imgs" / "samples" / name for name in ("00_cat.png", "11_truck.png")]
    status, arrays = visualize("results", tmp_path, "--model", SHIPPED, "--images", *files)
    assert status == 0
    assert arrays["labels"].tolist() == [-1, -1]
    assert np.isnan(arrays["@accuracy"])
    assert arrays["confusion"].sum() == 0


@pytest.mark.parametrize("score", ["logit", "probability"])
def test_pixel_importance_agrees_with_the_formula(score, tmp_path, undrawn):
    options = ["--model", KERAS2, "--data", "samples", "--input-range", "0", "1", "--indices", "4", "9", "--class", "3"]
    options += ["--baseline", "zero", "--score", score]
    status, arrays = visualize("pixel_importance", tmp_path, *options)
    assert status == 0
    model = checkpoints.load(KERAS2).model
    hidden = keras.Model(model.inputs, model.layers[-2].output)
    kernel, bias = model.layers[-1].get_weights()

    def value(images):
        scaled = (images / 255).astype("float32")
        return model(scaled).numpy() if score == "probability" else hidden(scaled).numpy() @ kernel + bias

    assert arrays["target"].tolist() == [3, 3]
    for image, importance in zip(arrays["images"].astype("float64"), arrays["importance"]):
        expected = by_masks(value, image, 3, np.zeros_like(image), [8], 4)
        np.testing.assert_allclose(importance, expected, atol=1e-4)
    assert arrays["importance"].dtype == np.float32
    assert arrays["@windows"].tolist() == [8]
    assert arrays["@stride"] == 4
    assert (arrays["@baseline"], arrays["@score"]) == ("zero", score)
    assert {"probability", "deletion", "insertion"} <= set(arrays)


@pytest.mark.parametrize(
    ("options", "method", "windows"),
    [
        ([], "banzhaf", [4]),  # for 16 pixels
        (["--method", "banzhaf", "--window", "8", "6", "--stride", "4"], "banzhaf", [6, 8]),
        (["--window", "8", "--stride", "4"], "occlusion", [8]),
        (["--stride", "2"], "occlusion", [2, 5, 8]),
    ],
)
def test_the_method_is_banzhaf_unless_windows_are_given(options, method, windows, tmp_path, undrawn):
    model = checkpoints.load(KERAS2).model
    common = ["--model", str(KERAS2), "--data", "samples", "--input-range", "0", "1", "--indices", "4", "--seed", "3"]
    assert visualize_pixel_importance.main([*common, *options, "--out", str(tmp_path)]) == 0
    with h5py.File(tmp_path / "pixel_importance.h5") as file:
        used, maps, explained, targets = dict(file.attrs), file["importance"][:], file["images"][:], file["target"][:]
    assert used["method"] == method
    assert used["windows"].tolist() == windows
    baselines = np.broadcast_to(explained.mean(axis=(1, 2), keepdims=True), explained.shape)
    how = {"baselines": baselines, "windows": windows, "stride": used["stride"]}
    compute = {"banzhaf": partial(attribution.banzhaf_maps, seed=3), "occlusion": attribution.occlusion_maps}[method]
    expected = compute(network.Classifier(model, (0, 1)).logits, explained, targets, **how)
    np.testing.assert_allclose(maps, expected, atol=1e-4)


def test_integrated_gradients_sum_to_the_difference_of_the_scores(tmp_path):
    options = ["--model", KERAS2, "--data", "samples", "--input-range", "0", "1", "--indices", "4", "--class", "3"]
    options += ["--method", "gradients", "--baseline", "zero"]
    status, arrays = visualize("pixel_importance", tmp_path, *options)
    assert status == 0
    model = checkpoints.load(KERAS2).model
    hidden = keras.Model(model.inputs, model.layers[-2].output)
    kernel, _ = model.layers[-1].get_weights()
    whole = arrays["images"].astype("float32") / 255
    difference = (hidden(whole).numpy() - hidden(np.zeros_like(whole)).numpy()) @ kernel
    np.testing.assert_allclose(arrays["importance"].sum(), difference[0, 3], rtol=2e-2, atol=1e-3)
    assert arrays["@method"] == "gradients"


@pytest.mark.slow
@LINUX
def test_memory_does_not_grow_with_the_number_of_large_images(tmp_path):
    small_sequential(size=224).save(tmp_path / "large.keras")
    options = ["--model", tmp_path / "large.keras", "--input-range", "0", "1", "--data", "samples", "--window", "112"]
    small, large = (
        peak_memory("visualize_pixel_importance", *options, "--out", tmp_path, "--indices", *range(count))
        for count in (1, 10)
    )
    assert large - small < 150_000


def test_wrong_predictions_are_explained_side_by_side(tmp_path):
    options = ["--model", KERAS2, "--data", "samples", "--input-range", "0", "1", "--wrong", "--separate"]
    status, arrays = visualize("pixel_importance", tmp_path, *options)
    assert status == 0
    figures = sorted(path.name for path in tmp_path.glob("*.png"))
    assert figures == ["pixel_importance.png", "pixel_importance_2.png"]
    assert len(arrays["images"]) == 2 * 2  # --num of QUICK, each for two classes
    labels = images.load("samples", "test").labels[arrays["indices"]]
    assert (arrays["target"][::2] != labels[::2]).all()
    assert (arrays["target"][1::2] == labels[1::2]).all()
    np.testing.assert_array_equal(arrays["images"][::2], arrays["images"][1::2])
    assert (arrays["probability"][::2] > arrays["probability"][1::2]).all()


def test_pixel_importance_of_one_class_shows_correctly_classified_images(tmp_path):
    status, arrays = visualize("pixel_importance", tmp_path, "--model", SHIPPED, "--data", "samples", "--class", "dog")
    assert status == 0
    samples = images.load("samples", "test")
    dogs = samples.images[samples.labels == 5]
    assert len(arrays["images"]) == 2
    assert {image.tobytes() for image in arrays["images"]} <= {dog.tobytes() for dog in dogs}
    assert (arrays["probability"] > 0.5).all()


def test_activation_is_that_of_the_stored_image(tmp_path, undrawn):
    options = ["--model", SHIPPED, "--data", "samples", "--layers", "conv2", "fc1", "--filters", "5", "0"]
    status, arrays = visualize("hidden_layer_activation", tmp_path, *options)
    assert status == 0
    model = keras.saving.load_model(SHIPPED)
    samples = images.load("samples", "test").images.astype("float32")
    for name in ("conv2", "fc1"):
        part = keras.Model(model.input, model.get_layer(name).output)

        def mean(images, part=part):
            outputs = part(images, training=False).numpy()
            return outputs.mean(axis=(1, 2)) if outputs.ndim == 4 else outputs

        assert arrays[f"{name}/filters"].tolist() == [5, 0]
        assert arrays[f"{name}/images"].dtype == np.uint8
        stored = mean(arrays[f"{name}/images"].astype("float32"))[[0, 1], [5, 0]]
        np.testing.assert_allclose(arrays[f"{name}/activation"], stored, rtol=1e-3, atol=1e-5)
        np.testing.assert_allclose(
            arrays[f"{name}/dataset_max"], mean(samples)[:, [5, 0]].max(axis=0), rtol=1e-3, atol=1e-5
        )
        assert arrays[f"{name}/dead"].tolist() == [False, False]


def test_dead_filters_are_counted(tmp_path, capsys):
    model = small_sequential()
    kernel, bias = model.get_layer("first").get_weights()
    bias[1] = -100
    model.get_layer("first").set_weights([kernel, bias])
    model.save(tmp_path / "model.keras")
    options = ["--model", tmp_path / "model.keras", "--data", "samples", "--input-range", "0", "1"]
    _, arrays = visualize("hidden_layer_activation", tmp_path, *options, "--layers", "first", "--filters", "1", "2")
    assert arrays["first/dead"].tolist() == [True, False]
    assert "1 are dead" in capsys.readouterr().out


def test_all_filters_fill_sheets_and_an_atlas(tmp_path):
    keras.utils.set_random_seed(3)
    model = keras.Sequential([keras.Input((32, 32, 3)), keras.layers.Conv2D(30, 3, name="my.conv")])
    model.add(keras.layers.GlobalMaxPooling2D())
    model.add(keras.layers.Dense(10, name="fc"))
    model.save(tmp_path / "model.keras")
    options = ["--model", tmp_path / "model.keras", "--data", "samples", "--input-range", "0", "1", "--layers", "all"]
    status, arrays = visualize("hidden_layer_activation", tmp_path / "out", *options, "--filters", "all")
    assert status == 0
    assert arrays["my.conv/filters"].tolist() == list(range(30))
    assert arrays["fc/filters"].tolist() == list(range(10))
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "hidden_layer_activation.h5",
        "hidden_layer_activation.png",
        "hidden_layer_activation_01_my_conv.png",
        "hidden_layer_activation_02_fc.png",
    ]
    assert arrays["my.conv/patches"].shape == (30, 9, 3, 3, 3)


def test_a_gif_shows_the_ascent(tmp_path, capsys):
    options = ["--model", SHIPPED, "--data", "samples", "--layers", "conv1", "--filters", "5", "0", "--gif"]
    status, arrays = visualize("hidden_layer_activation", tmp_path, *options)
    assert status == 0
    steps = arrays["conv1/frame_steps"]
    assert steps.tolist() == list(range(7))  # of the six steps in QUICK
    assert arrays["conv1/frames"].shape == (7, 2, 32, 32, 3)
    np.testing.assert_array_equal(arrays["conv1/frames"][-1], arrays["conv1/images"])
    np.testing.assert_array_equal(arrays["conv1/frame_activation"][-1], arrays["conv1/activation"])
    assert (arrays["conv1/frame_activation"][-1] > arrays["conv1/frame_activation"][0]).all()
    path = tmp_path / "hidden_layer_activation.gif"
    assert path.stat().st_size < 2_000_000
    with Image.open(path) as animation:
        assert animation.n_frames == len(steps)
        assert animation.info["loop"] == 0
    line = refused(capsys, "visualize_hidden_layer_activation", *options[:6], "--filters", "all", "--gif")
    assert "--gif shows at most 24 filters of a layer" in line


def test_responses_to_training_images_are_cached_beside_the_model(foreign, tmp_path, monkeypatch, capsys):
    """A folder's training images are used, once; if there are none, its test images are, with a notice."""
    monkeypatch.setattr("cnnvis.checkpoints.cache.WORTH_KEEPING", 1)
    shutil.copy(foreign / "sequential.h5", tmp_path / "model.h5")
    shutil.copytree(foreign / "images", tmp_path / "images")
    options = ["--model", tmp_path / "model.h5", "--data", tmp_path / "images", "--input-range", "0", "1"]
    _, of_test = visualize("hidden_layer_activation", tmp_path / "test", *options)
    assert "has no training images: using its test images instead" in capsys.readouterr().err
    for label, folder in enumerate(sorted((tmp_path / "images" / "test").iterdir())):
        for file in folder.iterdir():
            goal = tmp_path / "images" / "train" / folder.name / file.name
            goal.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(255 - np.asarray(Image.open(file)) // (1 + label % 2)).save(goal)
    _, of_train = visualize("hidden_layer_activation", tmp_path / "train", *options)
    printed = capsys.readouterr()
    assert not printed.err
    kept = [path for path in tmp_path.iterdir() if path.name.endswith(".top_images.npz")]
    assert len(kept) == 2
    assert [str(path) for path in kept if str(path) in printed.out]
    assert (of_train["first/dataset_max"] != of_test["first/dataset_max"]).any()
    _, again = visualize("hidden_layer_activation", tmp_path / "train", *options)
    assert not [path for path in kept if str(path) in capsys.readouterr().out]
    for name, array in of_train.items():
        np.testing.assert_array_equal(array, again[name])


def test_image_statistics_come_from_the_checkpoint(foreign, tmp_path, capsys, undrawn):
    """Images made for filters depend on the statistics in the JSON file, not on the data; damaged ones are refused."""
    shutil.copy(foreign / "logits.keras", tmp_path / "model.keras")
    ours = json.loads(SHIPPED.with_suffix(".json").read_text())
    ours = {key: ours[key] for key in ("architecture", "statistics")}
    options = ["--model", tmp_path / "model.keras", "--input-range", "0", "1", "--layers", "first"]
    drawn = []
    for words in ({}, ours, ours):
        (tmp_path / "model.json").write_text(json.dumps(words))
        dataset = ["--data", "digits" if len(drawn) == 2 else "samples"]
        _, arrays = visualize("hidden_layer_activation", tmp_path, *options, *dataset)
        drawn.append(arrays["first/images"])
    assert (drawn[0] != drawn[1]).any()
    np.testing.assert_array_equal(drawn[1], drawn[2])
    ours["statistics"]["mean"] = [0.5, "NaN", 0.5]
    (tmp_path / "model.json").write_text(json.dumps(ours))
    line = refused(capsys, "visualize_hidden_layer_activation", *options, "--data", "samples", "--out", tmp_path)
    assert f"{tmp_path / 'model.json'}: statistics are damaged: mean needs 3 finite numbers" in line


def test_layer_output_shows_a_truck(tmp_path, undrawn):
    status, arrays = visualize("hidden_layer_output", tmp_path, "--model", SHIPPED, "--data", "samples")
    assert status == 0
    samples = images.load("samples", "test")
    assert samples.classes[samples.labels[arrays["@index"]]] == "truck"
    np.testing.assert_array_equal(arrays["image"], samples.images[arrays["@index"]])
    assert list(arrays["@layers"])[-1] == "fc2"
    assert arrays["conv6"].shape == keras.saving.load_model(SHIPPED).get_layer("conv6").output.shape[1:]


def test_layer_outputs_of_several_images(tmp_path):
    options = ["--model", SHIPPED, "--data", "samples", "--indices", 11, 4, "--layers", "conv2", "fc1"]
    status, first = visualize("hidden_layer_output", tmp_path, *options)
    assert status == 0
    second = read(tmp_path / "hidden_layer_output_image4.h5")
    samples = images.load("samples", "test").images
    model = keras.saving.load_model(SHIPPED)
    part = keras.Model(model.input, [model.get_layer(name).output for name in ("conv2", "fc1")])
    for index, arrays in ((11, first), (4, second)):
        np.testing.assert_array_equal(arrays["image"], samples[index])
        for name, alone in zip(("conv2", "fc1"), part(samples[[index]].astype("float32"))):
            np.testing.assert_allclose(arrays[name], alone[0], rtol=1e-3, atol=1e-4)
    assert len(list(tmp_path.glob("hidden_layer_output_image4*.png"))) == 3


def test_own_images_are_all_shown_and_a_channel_is_computed(foreign, tmp_path):
    files = [ROOT / "imgs" / "samples" / name for name in ("00_cat.png", "11_truck.png")]
    options = ["--model", foreign / "grey.keras", "--images", *files, "--input-range", "0", "1", "--channel", "7"]
    status, _ = visualize("hidden_layer_output", tmp_path, *options)
    assert status == 0
    figures = sorted(path.name for path in tmp_path.glob("*channel7.png"))  # `first` has only six channels
    assert figures == [
        "hidden_layer_output_03_second_channel7.png",
        "hidden_layer_output_image1_03_second_channel7.png",
    ]


@pytest.mark.once
@pytest.mark.parametrize(
    ("script", "options", "line"),
    [
        ("visualize_results", ["--topk", "11"], "--topk 11 is more than the 10 classes"),
        ("visualize_results", ["--model", "nowhere.keras"], "there is no model nowhere.keras"),
        ("visualize_results", ["--compare", "nowhere.keras"], "there is no model nowhere.keras"),
        (
            "visualize_results",
            ["--compare", KERAS2_TRANSFER],
            "the pixel range of keras2_transfer.h5 is unknown: give --compare-input-range",
        ),
        (
            "visualize_results",
            ["--images", ROOT / "imgs/samples/00_cat.png", "--report", "x.md"],
            "whose class is known",
        ),
        ("visualize_results", ["--data", "nowhere"], "no data set or folder is called 'nowhere'"),
        ("visualize_results", ["--images", "nowhere.png"], "there is no image nowhere.png"),
        ("visualize_results", ["--images", ""], "names no file"),
        ("visualize_results", ["--topk", "0"], "'0' is not a whole number from 1 to"),
        ("visualize_pixel_importance", ["--baseline", "grey"], "neither mean, zero, blur, noise nor"),
        ("visualize_hidden_layer_activation", ["--size", "9999999999"], "not a whole number"),
        ("visualize_results", ["--input-range", "0", "inf"], "a smaller and a larger number"),
        ("visualize_results", ["--compare-input-range", "caffe"], "is for the network of --compare: give both"),
        ("visualize_results", ["--classes", "nowhere.txt"], "nowhere.txt: No such file"),
        (
            "visualize_pixel_importance",
            ["--window", "33"],
            "--window 33 doesn't fit the image (32 pixels): choose 1 to 32",
        ),
        (
            "visualize_pixel_importance",
            ["--window", "3", "--stride", "4"],
            "--stride 4 skips pixels between patches (3 pixels): choose 1 to 3",
        ),
        ("visualize_pixel_importance", ["--class", "unicorn"], "no class is called 'unicorn'; there are airplane"),
        ("visualize_pixel_importance", ["--indices", "20"], "there is no image 20: there are 0 to 19"),
        (
            "visualize_hidden_layer_activation",
            ["--layers", "conv99"],
            "no layer is called 'conv99'; similar are conv",
        ),
        ("visualize_hidden_layer_activation", ["--layers", "pool1"], "pool1 is neither a CONV nor an FC layer"),
        ("visualize_hidden_layer_activation", ["--layers", "conv1", "--filters", "999"], "conv1 has no filter 999"),
        ("visualize_hidden_layer_output", ["--layers", "conv1", "x"], "no layer is called 'x'"),
        ("visualize_hidden_layer_output", ["--indices", "2", "20"], "there is no image 20"),
        ("visualize_hidden_layer_output", ["--channel", "999"], "no CONV layer has a channel 999"),
        ("visualize_hidden_layer_output", ["--channel", "1", "--layers", "pool1"], "pool1 is not a CONV layer"),
        ("visualize_hidden_layer_output", ["--channel", "24", "--layers", "whitening"], "whitening has no channel 24"),
    ],
)
def test_errors(script, options, line, tmp_path, capsys):
    out = tmp_path / "out"
    defaults = [] if "--data" in options else ["--data", "samples"]
    defaults += [] if "--model" in options else ["--model", SHIPPED]
    assert line in refused(capsys, script, *defaults, *options, "--out", out)
    assert not out.exists() or not list(out.iterdir())


def test_an_output_folder_that_is_a_file(tmp_path, capsys):
    (tmp_path / "file").write_text("precious")
    for script in SCRIPTS:
        data = ["--data", "digits"] if script == "train" else []
        assert "file" in refused(capsys, script, *data, "--out", tmp_path / "file")
    assert (tmp_path / "file").read_text() == "precious"


@pytest.mark.parametrize("topic", VISUALIZERS)
def test_a_full_disk_leaves_no_incomplete_file(topic, foreign, tmp_path, file_size, capsys):
    """A limit on file size stands in for the full disk."""
    (tmp_path / f"{topic}.h5").write_text("from an earlier run")
    options = ["--model", foreign / "sequential.h5", "--data", "samples", "--input-range", "0", "1", "--out", tmp_path]
    file_size(3000)
    assert "File too large" in refused(capsys, f"visualize_{topic}", *options, *QUICK.get(topic, []))
    assert [path.name for path in tmp_path.iterdir()] == [f"{topic}.h5"]
    assert (tmp_path / f"{topic}.h5").read_text() == "from an earlier run"


@pytest.mark.once
def test_a_closed_pipe_does_not_stop_a_script(tmp_path):
    """As in `visualize_hidden_layer_output.py | head -1`."""
    process = start("visualize_hidden_layer_output", *ONE_LAYER, "--out", tmp_path)
    process.stdout.close()
    err = process.stderr.read()
    assert process.wait() == 0, err
    assert not err
    assert (tmp_path / "hidden_layer_output.h5").exists()


@pytest.mark.once
@POSIX
def test_closed_streams(tmp_path):
    options = [*ONE_LAYER, "--out", tmp_path]
    command = shlex.join(map(str, [sys.executable, ROOT / "visualize_hidden_layer_output.py", *options]))
    assert subprocess.run(f"{command} >&- 2>&-", shell=True, check=False).returncode == 0
    assert (tmp_path / "hidden_layer_output.h5").exists()


@pytest.mark.once
@pytest.mark.parametrize("topic", VISUALIZERS)
def test_strange_class_names(topic, foreign, tmp_path):
    """Names that rich would take for markup, or Matplotlib for formulas."""
    names = ["[/red]", "[bold]", "$\\frac$", "$x^$", "a_b^c", "%s", "{}", "猫", "two words", "n" * 300]
    (tmp_path / "classes.txt").write_text("\n".join(names))
    options = ["--model", foreign / "sequential.h5", "--data", "samples", "--input-range", "0", "1"]
    options += ["--indices", "0"] if topic == "pixel_importance" else []
    status, _ = visualize(topic, tmp_path / "out", *options, "--classes", tmp_path / "classes.txt")
    assert status == 0


def test_a_layer_called_image_does_not_replace_the_image(tmp_path):
    model = keras.Sequential(
        [
            keras.Input((32, 32, 3)),
            keras.layers.Conv2D(2, 3, name="image"),
            keras.layers.Flatten(),
            keras.layers.Dense(10),
        ]
    )
    model.save(tmp_path / "model.keras")
    options = ["--model", tmp_path / "model.keras", "--data", "samples", "--input-range", "0", "1", "--indices", "2"]
    status, arrays = visualize("hidden_layer_output", tmp_path, *options)
    assert status == 0
    np.testing.assert_array_equal(arrays["image"], images.load("samples", "test").images[2])
    assert arrays["image_layer"].shape == (30, 30, 2)


@pytest.mark.once
def test_thousands_of_classes(tmp_path):
    small_sequential(classes=6000).save(tmp_path / "model.keras")
    (tmp_path / "classes.txt").write_text("\n".join(f"a rather long name of class {i}" for i in range(6000)))
    image = ROOT / "imgs" / "samples" / "00_cat.png"
    options = ["--model", tmp_path / "model.keras", "--images", image, "--input-range", "0", "1"]
    status, arrays = visualize("results", tmp_path, *options, "--classes", tmp_path / "classes.txt")
    assert status == 0
    assert len(arrays["@classes"]) == 6000


SHORT = ["--data", "digits", "--limit", "300", "--arch", "basic", "--batch-size", "50", "--epochs", "2"]
NARROW = [*SHORT, "--recipe", "widths=4,8"]  # for tests that don't depend on the network's size
DIVERGES = [*SHORT, "--learning-rate", "1000", "--recipe", "optimizer=sgd", "start_rate=1", "logits_scale=10000"]


def test_train_writes_a_checkpoint_that_the_other_scripts_find(tmp_path, capsys, monkeypatch):
    status = train.main([*NARROW, "--validation", "100", "--name", "first", "--out", str(tmp_path)])
    assert status == 0
    assert sorted(os.listdir(tmp_path)) == ["first.csv", "first.json", "first.keras", "first.png"]
    metadata = json.loads((tmp_path / "first.json").read_text())
    assert metadata["architecture"] == "basic"
    again = train.options().parse_args(shlex.split(metadata["command"])[2:])
    assert (again.limit, again.data, again.learning_rate) == (300, "digits", metadata["recipe"]["learning_rate"])
    assert metadata["data"] == "digits"
    assert metadata["training_images"] == 300
    assert metadata["input_range"] == [0, 255]
    rows = (tmp_path / "first.csv").read_text().splitlines()
    assert len(rows) == 3
    assert "val_accuracy" in rows[0]
    test = images.load("digits", "test")
    model = keras.saving.load_model(tmp_path / "first.keras")
    assert {weight.dtype for weight in model.weights} == {"float32"}
    predicted = model.predict(test.images.astype("float32"), verbose=0).argmax(axis=1)
    assert metadata["test_accuracy"] == pytest.approx((predicted == test.labels).mean(), abs=1e-9)

    monkeypatch.setattr("cnnvis.checkpoints.checkpoint.STASH", tmp_path)
    status, arrays = visualize("results", tmp_path / "out")
    assert status == 0
    assert arrays["@model"] == str(tmp_path / "first.keras")
    assert arrays["@accuracy"] == pytest.approx(metadata["test_accuracy"], abs=1e-9)

    assert "first.keras exists" in refused(capsys, "train", *SHORT, "--name", "first", "--out", tmp_path)
    before = (tmp_path / "first.keras").read_bytes()
    assert train.main([*NARROW, "--seed", "1", "--name", "first", "--out", str(tmp_path), "--overwrite"]) == 0
    assert (tmp_path / "first.keras").read_bytes() != before


INTERRUPTED = """
import signal, sys
import train
from cnnvis.training import journal

save_state = journal.save_state

def save_and_interrupt(*arguments):
    save_state(*arguments)
    signal.raise_signal(signal.SIGINT)

journal.save_state = save_and_interrupt
sys.exit(train.main(sys.argv[1:]))
"""


@pytest.mark.slow
def test_a_resumed_run_ends_in_the_same_weights(tmp_path):
    """Ctrl-C is sent by the process itself once the state of the first epoch is saved: from here it might be late."""
    options = [*SHORT, "--epochs", "6", "--deterministic", "--out", tmp_path]
    assert run("train", *options, "--name", "whole")[0] == 0
    command = [sys.executable, "-c", INTERRUPTED, *map(str, options), "--name", "resumed"]
    interrupted = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert interrupted.returncode == 130, interrupted.stdout + interrupted.stderr
    assert "after epoch 1 of 6" in interrupted.stderr
    assert "--name resumed" in interrupted.stderr
    assert "--resume" in interrupted.stderr
    assert not (tmp_path / "resumed.keras").exists()
    status, _, err = run("train", *options, "--name", "resumed")
    assert status == 2
    assert "resume it with --resume" in err
    status, _, err = run("train", "--name", "resumed", "--out", tmp_path, "--resume", "--seed", "7")
    assert status == 2
    assert "was started with seed 0, not 7" in err
    status, _, err = run("train", "--name", "resumed", "--out", tmp_path, "--resume")
    assert status == 0, err
    whole, resumed = (
        keras.saving.load_model(tmp_path / f"{name}.keras").get_weights() for name in ("whole", "resumed")
    )
    for a, b in zip(whole, resumed):
        np.testing.assert_array_equal(a, b)
    assert len((tmp_path / "resumed.csv").read_text().splitlines()) == 7
    assert not list(tmp_path.glob("*.resume.*"))


@pytest.mark.slow
@POSIX
def test_a_run_that_is_killed_repeatedly_ends_in_the_same_weights(tmp_path):
    """KILLS=20 in the environment kills it more often; the moments are random, from SEED."""
    options = [*SHORT, "--epochs", "8", "--recipe", "widths=4,8", "--deterministic", "--out", tmp_path]
    began = time.perf_counter()
    assert run("train", *options, "--name", "whole")[0] == 0
    seconds = time.perf_counter() - began
    moments = random.Random(int(os.environ.get("SEED", "0")))
    tables, checkpoint = [tmp_path / f"killed{end}" for end in (".csv", ".resume.csv")], tmp_path / "killed.keras"

    def begin_or_resume():
        again = (tmp_path / "killed.resume.json").exists()
        return start("train", "--name", "killed", *(["--out", tmp_path, "--resume"] if again else options))

    def check_finished():
        pair = (keras.saving.load_model(tmp_path / f"{name}.keras").get_weights() for name in ("whole", "killed"))
        for a, b in zip(*pair, strict=True):
            np.testing.assert_array_equal(a, b)

    epochs = kills = 0
    while kills < int(os.environ.get("KILLS", "4")):
        process = begin_or_resume()
        time.sleep(moments.uniform(0.3, 1) * seconds)
        process.kill()
        _, err = process.communicate()
        assert process.returncode in (0, -signal.SIGKILL), err
        kills += process.returncode != 0
        rows = next((table.read_text().splitlines()[1:] for table in tables if table.exists()), [])
        assert all(row.count(",") == 5 for row in rows)
        assert len(rows) >= epochs - 1  # the row of an epoch is written before its state
        epochs = len(rows)
        if checkpoint.exists():
            check_finished()
            for path in tmp_path.glob("killed.*"):
                path.unlink()
            epochs = 0
            seconds *= 0.8  # the machine may be faster now
    process = begin_or_resume()
    _, err = process.communicate()
    assert process.returncode == 0, err
    check_finished()
    ends = (".csv", ".json", ".keras", ".png")
    assert sorted(os.listdir(tmp_path)) == [f"{name}{end}" for name in ("killed", "whole") for end in ends]


def test_a_damaged_state_is_reported(tmp_path, capsys):
    (tmp_path / "run.resume.json").write_text('{"arch": "huge"}')
    resume = ["--name", "run", "--out", tmp_path, "--resume"]
    assert "run.resume.json is damaged" in refused(capsys, "train", *resume)
    (tmp_path / "run.resume.json").write_text("[]")
    assert "run.resume.json is damaged" in refused(capsys, "train", *resume)
    (tmp_path / "run.resume.json").write_text('{"arch": "basic", "data": "digits", "epochs": 2, "limit": 64}')
    (tmp_path / "run.resume.npz").write_bytes(b"half")
    assert "run.resume.npz is damaged" in refused(capsys, "train", *resume)


@pytest.mark.slow
@pytest.mark.parametrize("kilobytes", [3, 300, 5000])
def test_a_disk_that_fills_up_while_training(kilobytes, tmp_path):
    """The settings or curves exceed the limit, the state of the first epoch does, or nothing does."""
    resource = pytest.importorskip("resource", reason="Windows limits no file's size")

    def small_files_only():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000 * kilobytes, 1000 * kilobytes))

    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "earlier.keras").write_text("precious")
    options = [*SHORT, "--name", "run", "--out", tmp_path / "out"]
    status, _, err = run("train", *options, preexec_fn=small_files_only)
    assert status == 2, err
    assert len(err.strip().splitlines()) == 1, err
    assert str(tmp_path / "out" / "run") in err
    assert not [path for path in (tmp_path / "out").iterdir() if path.name.startswith(".")]
    assert (tmp_path / "out" / "earlier.keras").read_text() == "precious"
    status, _, err = run("train", "--name", "run", "--out", tmp_path / "out", "--resume")
    assert status == 0, err


def test_a_folder_with_one_class_is_refused(tmp_path, capsys):
    for split in ("train", "test"):
        (tmp_path / "data" / split / "only").mkdir(parents=True)
        Image.new("RGB", (32, 32)).save(tmp_path / "data" / split / "only" / "0.png")
    assert "has one class" in refused(capsys, "train", "--data", tmp_path / "data", "--out", tmp_path)


def test_train_falls_back_to_digits_with_a_warning(tmp_path, offline, capsys):
    options = [*NARROW[2:], "--epochs", "1", "--name", "run", "--out", str(tmp_path)]
    assert train.main(options) == 0
    err = capsys.readouterr().err
    assert "DIGITS of scikit-learn instead of CIFAR-10" in " ".join(err.replace("│", " ").split())
    assert json.loads((tmp_path / "run.json").read_text())["data"] == "digits"


def test_train_on_cifar10_never_falls_back(tmp_path, offline, capsys):
    line = refused(capsys, "train", "--data", "cifar10", "--name", "run", "--out", tmp_path)
    assert "CIFAR-10 is not on this machine" in line
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("options", "line"),
    [
        (["--name", "a/b"], "can't be the name of a file"),
        (["--resume"], "--resume needs the --name"),
        (["--resume", "--name", "x"], "no interrupted run 'x'"),
        (["--name", "x" * 233], "can't be the name of a file"),
        (["--name", ""], "can't be the name of a file"),
        (DIVERGES, "training diverged (the loss is NaN) in epoch 1: try a smaller --learning-rate"),
        (["--validation", "1437"], "leaves none of the 1437 images"),
        (["--batch-size", "2000"], "1437 training images can't fill a batch of 2000"),
        (["--data", "samples"], "not for training"),
    ],
)
def test_errors_in_training(options, line, tmp_path, capsys):
    assert line in refused(capsys, "train", "--data", "digits", "--out", tmp_path, *options)
    assert not list(tmp_path.iterdir())  # the name is still free


def test_train_on_a_folder(tmp_path, capsys):
    for split in ("train", "test"):
        for name, color in (("red", (200, 0, 0)), ("blue", (0, 0, 200))):
            (tmp_path / "data" / split / name).mkdir(parents=True)
            for i in range(8):
                Image.new("RGB", (20, 16), tuple(c + i for c in color)).save(
                    tmp_path / "data" / split / name / f"{i}.png"
                )
    options = ["--data", tmp_path / "data", "--arch", "basic", "--epochs", "4"]
    options += ["--recipe", "widths=4,8", "--name", "two", "--out", tmp_path]
    assert train.main([*map(str, options)]) == 0
    metadata = json.loads((tmp_path / "two.json").read_text())
    assert metadata["classes"] == ["blue", "red"]
    status, arrays = visualize("results", tmp_path / "out", "--model", tmp_path / "two.keras", "--topk", "1")
    assert status == 0
    assert list(arrays["@classes"]) == ["blue", "red"]


def test_bfloat16_ends_in_a_float32_checkpoint_of_kerass_own_layers(tmp_path):
    deep = ["--arch", "deep", "--recipe", "widths=4,8,8"]
    assert train.main([*SHORT, *deep, "--precision", "bfloat16", "--name", "half", "--out", str(tmp_path)]) == 0
    model = keras.saving.load_model(tmp_path / "half.keras")
    assert {layer.compute_dtype for layer in model.layers} == {"float32"}
    assert {vars(keras.layers).get(type(layer).__name__) for layer in model.layers} == {*map(type, model.layers)}
    assert json.loads((tmp_path / "half.json").read_text())["precision"] == "bfloat16"


@pytest.mark.slow
def test_training_in_bfloat16_gives_a_network_that_works_in_float32(tmp_path):
    """A network once learned the rounding errors of grey digits: 91% in training, 10% in the test.

    A narrow one, since processors without bfloat16 take minutes for a wide one.
    """
    options = ["--data", "digits", "--epochs", "2", "--precision", "bfloat16", "--name", "run", "--out", tmp_path]
    options += ["--recipe", "widths=16,32,32"]
    assert train.main([*map(str, options)]) == 0
    assert json.loads((tmp_path / "run.json").read_text())["test_accuracy"] > 0.85


def test_accuracy_of_the_shipped_checkpoint_on_the_first_test_images(cifar10):
    """With its accuracy on all 10,000 test images, 471 of 500 are expected right, with a standard deviation of 5."""
    test = images.load("cifar10", "test").take(slice(500))
    probabilities = network.Classifier(checkpoints.load(SHIPPED).model).probabilities(test.images)
    assert (probabilities.argmax(axis=1) == test.labels).mean() > 0.91


@pytest.mark.slow
def test_the_shipped_checkpoint_has_the_accuracy_in_its_metadata(shipped_results):
    metadata = json.loads(SHIPPED.with_suffix(".json").read_text())
    arrays = read(shipped_results / "results.h5")
    assert len(arrays["labels"]) == 10_000
    assert arrays["@accuracy"] >= 0.943
    assert arrays["@accuracy"] == pytest.approx(metadata["test_accuracy"], abs=5e-4)
