"""Whatever the user's own settings are, scripts give the same files. Each runs in a process of its own."""

import os

import keras
import numpy as np
import pytest
from PIL import Image

import train
import visualize_hidden_layer_output
from tests.scripts.test_scripts import ONE_LAYER, SHORT, run

TRAIN = [*SHORT, "--recipe", "widths=4,8", "--precision", "float32", "--deterministic", "--name", "a"]
KERAS = '{"backend": "jax", "floatx": "float16", "epsilon": 0.01, "image_data_format": "channels_first"}'
MATPLOTLIB = """
backend: svg
savefig.dpi: 300
savefig.transparent: True
text.usetex: True
font.size: 24
figure.facecolor: black
image.cmap: jet
nonsense: 1
"""
FIGURE = "hidden_layer_output_01_conv1.png"


@pytest.fixture
def surroundings(tmp_path, monkeypatch):
    """A function that runs a script under a user's variables, keras.json and matplotlibrc: (status, stderr).

    In a folder whose modules are called like ours and Keras.
    """
    monkeypatch.delenv("MPLBACKEND")
    for name in ("cnnvis.py", "models.py", "keras.py"):
        (tmp_path / name).write_text("raise SystemExit('another one')")
    home = tmp_path / "keras home"
    home.mkdir()

    def run_in(script, *options, keras_json="", matplotlibrc="", **variables):
        (home / "keras.json").write_text(keras_json or "{}")
        (tmp_path / "matplotlibrc").write_text(matplotlibrc)
        kept = {name: value for name, value in os.environ.items() if name not in ("KERAS_BACKEND", "KERAS_HOME")}
        settings = {"KERAS_HOME": str(home), **variables}
        status, _, err = run(script, *options, env=kept | settings, cwd=tmp_path)
        return status, err

    return run_in


@pytest.fixture(scope="module")
def usual(tmp_path_factory):
    """The figure of a layer in the usual surroundings: (height, width, 3) uint8."""
    folder = tmp_path_factory.mktemp("usual")
    assert visualize_hidden_layer_output.main([*map(str, ONE_LAYER), "--out", str(folder)]) == 0
    return pixels(folder)


def pixels(folder):
    return np.asarray(Image.open(folder / FIGURE).convert("RGB"))


@pytest.mark.slow
def test_training_under_other_settings_of_keras_gives_the_same_network(surroundings, tmp_path):
    status, err = surroundings("train", *TRAIN, "--out", tmp_path / "theirs", keras_json=KERAS)
    assert (status, err) == (0, "Your settings make Keras use 'jax'; cnnvis uses TensorFlow.\n")
    assert train.main([*TRAIN, "--out", str(tmp_path / "ours")]) == 0
    ours, theirs = (keras.saving.load_model(tmp_path / name / "a.keras") for name in ("ours", "theirs"))
    for a, b in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.once
@pytest.mark.parametrize(
    "settings",
    [
        {"matplotlibrc": MATPLOTLIB},
        {"keras_json": "[]", "KERAS_BACKEND": "torch", "MPLBACKEND": "module://matplotlib_inline.backend_inline"},
        {"PYTHONOPTIMIZE": "2", "PYTHONWARNINGS": "error", "COLUMNS": "5", "TF_USE_LEGACY_KERAS": "1"},
        {"HOME": "/nonexistent", "TMPDIR": "/nonexistent", "MPLCONFIGDIR": "/nonexistent", "LC_ALL": "C"},
    ],
    ids=["matplotlibrc", "notebook", "Python", "no home"],
)
def test_a_figure_is_the_same(settings, surroundings, usual, tmp_path):
    status, err = surroundings("visualize_hidden_layer_output", *ONE_LAYER, "--out", tmp_path / "out", **settings)
    assert status == 0, err
    assert "Traceback" not in err
    np.testing.assert_array_equal(pixels(tmp_path / "out"), usual)
