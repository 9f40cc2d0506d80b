"""Photos of twelve megapixels for a network that takes any size, in every script as a user runs it."""

import signal
import sys
import time

import keras
import numpy as np
import pytest
from keras import layers
from PIL import Image

import explore
import visualize_pixel_importance
import visualize_results
from cnnvis.network import cost
from tests.scripts.test_scripts import VISUALIZERS, read, run, start

QUICK = {
    "hidden_layer_activation": ["--steps", "2", "--num", "1"],
    "pixel_importance": ["--method", "occlusion", "--window", "150", "--stride", "150"],
}


def save_model(path, size=(None, None), filters=2):
    keras.utils.set_random_seed(0)
    model = [keras.Input((*size, 3)), layers.Conv2D(filters, 3, 2), layers.GlobalAveragePooling2D(), layers.Dense(2)]
    keras.Sequential(model).save(path)


@pytest.fixture
def options(tmp_path):
    """A model that takes any size, and a photo of 12 megapixels."""
    save_model(tmp_path / "any.keras")
    noise = np.random.default_rng(0).integers(0, 256, (3, 4, 3), dtype="uint8")
    Image.fromarray(noise).resize((4000, 3000)).save(tmp_path / "photo.jpg")
    return "--model", tmp_path / "any.keras", "--input-range", 0, 255, "--images", tmp_path / "photo.jpg"


@pytest.mark.parametrize("topic", VISUALIZERS)
def test_a_photo_is_computed_at_a_size_that_is_said(topic, options, tmp_path, capsys):
    size = (222, 296) if topic == "hidden_layer_activation" else (627, 836)
    some = [*map(str, options), *QUICK.get(topic, []), "--out", str(tmp_path)]
    assert VISUALIZERS[topic].main(some) == 0
    said = "Images are computed at {}×{} pixels (height×width); the first has 3000×4000. --image-size N".format(*size)
    assert said in capsys.readouterr().err
    name = {"results": None, "hidden_layer_output": "image"}.get(topic, "images")
    arrays = read(tmp_path / f"{topic}.h5")
    shapes = [array.shape[-3:-1] for key, array in arrays.items() if name and key.split("/")[-1] == name]
    assert set(shapes) <= {size}


def test_a_page_is_made_of_a_photo(options, tmp_path, capsys):
    few = ["--explained", "0", "--filters", "1", "--steps", "1", "--out", tmp_path / "page.html"]
    assert explore.main([*map(str, (*options, *few))]) == 0
    assert "at 222×296 pixels" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("sides", "more"), [((None, None), ["--image-size", "60"]), ((None, 80), []), ((60, None), [])]
)
def test_the_photo_has_the_size_that_is_asked_for_or_that_the_network_takes(sides, more, options, tmp_path, capsys):
    save_model(tmp_path / "any.keras", sides)
    photo = Image.open(tmp_path / "photo.jpg").resize((80, 60), Image.Resampling.BICUBIC)
    logits = keras.saving.load_model(tmp_path / "any.keras")(np.asarray(photo, "float32")[None]).numpy()
    assert visualize_results.main([*map(str, options), *more, "--out", str(tmp_path)]) == 0
    assert "at 60×80 pixels (height×width); the first has 3000×4000.\n" in capsys.readouterr().err
    expected = np.exp(logits - logits.max()) / np.exp(logits - logits.max()).sum()
    np.testing.assert_allclose(read(tmp_path / "results.h5")["probabilities"], expected, atol=1e-4)


@pytest.mark.slow
def test_a_size_that_needs_too_much_memory_is_refused_in_one_line(options, tmp_path):
    status, _out, err = run("visualize_results", *options, "--image-size", "8000", "--out", tmp_path)
    assert status == 2
    assert err.splitlines()[-1].endswith("(8000, 10667, 3) for one image: choose --image-size 4095 or smaller")


def test_how_long_a_heavy_network_takes_is_said(options, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(cost, "HEAVY", 1)
    monkeypatch.setattr(cost, "_speed", lambda: 1e6)
    some = [*map(str, options), "--image-size", "200", *QUICK["pixel_importance"], "--out", str(tmp_path)]
    assert visualize_pixel_importance.main(some) == 0
    size, once, whole = capsys.readouterr().err.splitlines()[:3]
    assert "at 200×267 pixels" in size
    assert once.startswith("Computing an image once takes about ")
    assert whole.startswith("Explaining takes about ")


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signal")
@pytest.mark.parametrize("method", ["banzhaf", "gradients"])
def test_ctrl_c_ends_the_computation_of_a_photo(method, options, tmp_path):
    save_model(tmp_path / "any.keras", filters=400)
    out = tmp_path / "out"
    process = start("visualize_pixel_importance", *options, "--method", method, "--out", out)
    while not process.stderr.readline().startswith("Explaining takes about "):
        assert process.poll() is None
    time.sleep(2)  # the network is being computed, or traced for it
    assert process.poll() is None
    process.send_signal(signal.SIGINT)
    _out, err = process.communicate(timeout=60)  # on a busy machine
    assert process.returncode == 130
    assert err.strip().splitlines()[-1] == "interrupted"  # behind how long the bar takes, maybe
    assert not list(out.iterdir())
