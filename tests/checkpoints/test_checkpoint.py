"""Checkpoints are complete or absent, and load without our code; other files are refused in one sentence."""

import contextlib
import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import h5py
import keras
import numpy as np
import pytest
from keras import layers

from cnnvis.checkpoints import checkpoint
from cnnvis.network.classifier import Classifier
from models.convnet import build_model
from tests.conftest import small_sequential

FIXTURES = Path(__file__).parents[1] / "fixtures"


@pytest.mark.parametrize("arch", ["basic", "deep"])
def test_saved_and_loaded(arch, tmp_path, images):
    model = build_model(arch, 10)
    path = tmp_path / "new folder" / "network.keras"
    checkpoint.save(model, {"classes": list("abcdefghij"), "trained_at": "2026"}, path)
    loaded = checkpoint.load(path)
    for weight, kept in zip(model.get_weights(), loaded.model.get_weights(), strict=True):
        np.testing.assert_array_equal(kept, weight)
    np.testing.assert_allclose(loaded.model(images / 1.0), model(images / 1.0), rtol=1e-3, atol=1e-5)
    assert loaded.metadata["classes"] == list("abcdefghij")
    assert sorted(os.listdir(path.parent)) == ["network.json", "network.keras"]


@pytest.mark.parametrize("file", ["own.keras", "foreign.h5", FIXTURES / "keras2_sequential.h5"])
def test_no_file_is_open_when_it_is_replaced_or_removed(file, windows, tmp_path):
    """The `windows` fixture stands in for Windows, which would refuse. Temporary copies count, too."""
    path = tmp_path / file
    for _ in range(2):
        if path.suffix == ".keras":
            checkpoint.save(build_model("basic", 10), {"seed": 0}, path)
        elif path.parent == tmp_path:
            small_sequential().save(path)
        checkpoint.load(path)
    assert not windows


def test_a_copy_that_keras_leaves_open_is_no_error(windows, tmp_path, monkeypatch):
    """The `windows` fixture stands in for Windows, which doesn't remove an open file."""
    load = keras.saving.load_model
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    small_sequential().save(tmp_path / "model.keras")
    with contextlib.ExitStack() as opened:

        def load_and_keep(path, **options):
            opened.enter_context(open(path, "rb"))
            return load(path, **options)

        monkeypatch.setattr(keras.saving, "load_model", load_and_keep)
        checkpoint.load(tmp_path / "model.keras")
    assert windows


def test_plain_keras_loads_a_checkpoint(tmp_path):
    checkpoint.save(build_model("deep", 10), {}, tmp_path / "network.keras")
    code = "import keras; print(keras.saving.load_model('network.keras').count_params())"
    out = subprocess.run([sys.executable, "-I", "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert int(out.stdout) == build_model("deep", 10).count_params()


def test_options_that_an_older_keras_would_refuse_are_dropped(tmp_path):
    path = tmp_path / "network.keras"
    checkpoint.save(build_model("deep", 10), {}, path)
    with zipfile.ZipFile(path) as archive:
        config = archive.read("config.json").decode()
    for option in ("optional", "quantization_config", "renorm", "input_axes"):
        assert f'"{option}' not in config
    assert '"momentum": 0.9' in config


def test_an_earlier_checkpoint_survives_a_failed_save(tmp_path, monkeypatch):
    path = tmp_path / "network.keras"
    checkpoint.save(build_model("basic", 10), {}, path)
    before = path.read_bytes()
    model = build_model("basic", 10, seed=1)

    def fail(_source, unfinished):
        Path(unfinished).write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(shutil, "copyfile", fail)
    with pytest.raises(OSError, match="No space left"):
        checkpoint.save(model, {"seed": 1}, path)
    assert path.read_bytes() == before
    assert checkpoint.read_metadata(path) == {}
    assert sorted(os.listdir(tmp_path)) == ["network.json", "network.keras"]


def test_the_default_is_the_users_network_with_the_latest_training_not_the_newest_file(tmp_path):
    times = {"a": "2026-02-01", "b": "2026-03-01", "c": "2026-01-01", "cifar10_basic": "2027-01-01"}
    for name, time in times.items():
        (tmp_path / f"{name}.keras").touch()
        (tmp_path / f"{name}.json").write_text(json.dumps({"architecture": "deep", "trained_at": time}))
    assert checkpoint.find(folder=tmp_path).stem == "b"
    (tmp_path / ".1.z.keras").touch()
    assert checkpoint.find(folder=tmp_path).stem == "b"


def test_the_default_without_a_users_network_is_the_included_deep(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"run train\.py"):
        checkpoint.find(folder=tmp_path)
    for name in ("cifar10_basic", "cifar10_deep"):
        (tmp_path / f"{name}.keras").touch()
    assert checkpoint.find(folder=tmp_path).stem == "cifar10_deep"


@pytest.mark.parametrize("name", ["deep", "basic"])
def test_included_networks_have_short_names(name):
    network = checkpoint.load(name)
    assert network.model.name == network.metadata["architecture"] == name
    assert checkpoint.find(f"{name}.keras") == Path(f"{name}.keras")


@pytest.mark.parametrize("name", ["sequential.keras", "sequential.h5", "functional.keras", "functional.h5"])
def test_foreign_models(name, tmp_path, images):
    model = small_sequential()
    if name.startswith("functional"):
        model = keras.Model(model.inputs, model.outputs)
    model.compile("adam", "sparse_categorical_crossentropy")
    model.save(tmp_path / name)
    loaded = checkpoint.load(tmp_path / name)
    np.testing.assert_allclose(loaded.model(images / 255), model(images / 255), rtol=1e-5)
    assert loaded.metadata == {}


@pytest.mark.parametrize("name", ["keras2_sequential.h5", "keras2_transfer.h5", "keras2_transfer.keras"])
def test_files_that_keras_2_wrote(name):
    """Files from `tests/fixtures/make_keras2_models.py`, against the outputs of Keras 2 for the same images."""
    model = checkpoint.load(FIXTURES / name).model
    images = np.linspace(0, 1, 2 * 16 * 16 * 3, dtype="float32").reshape(2, 16, 16, 3)
    with h5py.File(FIXTURES / "expected.h5") as file:
        np.testing.assert_allclose(keras.tree.flatten(model(images, training=False))[0], file[name][()], rtol=1e-4)
        np.testing.assert_allclose(Classifier(model, (0, 1)).probabilities(images * 255), file[name][()], rtol=1e-3)


def rewritten(path, change):
    """A model of Keras 2 at `path`, whose configuration is changed: str -> str."""
    with h5py.File(FIXTURES / "keras2_sequential.h5") as old, h5py.File(path, "w") as new:
        for name in old:
            old.copy(name, new)
        new.attrs["keras_version"] = old.attrs["keras_version"]
        new.attrs["model_config"] = change(old.attrs["model_config"])
    return path


def with_policies(text):
    written = json.loads(text)
    for layer in written["config"]["layers"][1:]:
        layer["config"]["dtype"] = {
            "module": "keras.mixed_precision",
            "class_name": "Policy",
            "config": {"name": "float32"},
            "registered_name": None,
        }
    return json.dumps(written)


def with_a_nested_beginning(text):
    """As TensorFlow's tutorial on data augmentation: the first layer is a model whose first layer has the shape."""
    written = json.loads(text)
    start, *others = written["config"]["layers"]
    shape = start["config"]["batch_input_shape"]
    flip = {"name": "flip", "dtype": "float32", "batch_input_shape": shape, "rng_type": "stateful"}
    flip |= {"mode": "horizontal", "seed": None, "trainable": True}
    nested = {"name": "augment", "layers": [start, {"class_name": "RandomFlip", "config": flip}]}
    written["config"]["layers"] = [start, {"class_name": "Sequential", "config": nested}, *others]
    return json.dumps(written)


def as_a_list(text):
    """As Keras 2.2.2 and older: a Sequential is a list of layers, of which the first says the shape."""
    written = json.loads(text)
    start, first, *others = written["config"]["layers"]
    first["config"]["batch_input_shape"] = start["config"]["batch_input_shape"]
    written["config"] = [first, *others]
    return json.dumps(written)


@pytest.mark.parametrize("change", [with_policies, with_a_nested_beginning, as_a_list])
def test_ways_in_which_keras_2_wrote_the_same_model(change, tmp_path):
    model = checkpoint.load(rewritten(tmp_path / "model.h5", change)).model
    images = np.linspace(0, 1, 2 * 16 * 16 * 3, dtype="float32").reshape(2, 16, 16, 3)
    with h5py.File(FIXTURES / "expected.h5") as file:
        expected = file["keras2_sequential.h5"][()]
    np.testing.assert_allclose(model(images, training=False), expected, rtol=1e-4)
    assert not [layer for layer in model.layers if layer.dtype_policy.name != "float32"]


def refused(path):
    with pytest.raises((ValueError, OSError)) as caught:
        checkpoint.load(path)
    return str(caught.value)


@pytest.mark.parametrize("kind", [".keras", ".h5"])
def test_what_keras_loses_in_a_h5_file(kind, tmp_path):
    """A list of axes, and the statistics of a Normalization in a nested model."""
    images = np.random.default_rng(0).uniform(0, 255, (4, 6, 6, 3)).astype("float32")
    scaled = layers.Normalization(axis=-1, name="scaled")
    scaled.adapt(images)
    nested = keras.Sequential([keras.Input((6, 6, 3)), scaled, layers.Conv2D(4, 3)])
    unit = layers.UnitNormalization(axis=[1, 2, 3])
    model = keras.Sequential([keras.Input((6, 6, 3)), nested, unit, layers.GlobalMaxPooling2D()])
    model.save(tmp_path / f"model{kind}")
    np.testing.assert_allclose(checkpoint.load(tmp_path / f"model{kind}").model(images), model(images), rtol=1e-4)


def test_operations_in_a_h5_file(tmp_path):
    """Keras 3 writes them there without their modules, and doesn't find them, or takes them for layers."""
    images = np.random.default_rng(0).uniform(0, 255, (4, 6, 6, 3)).astype("float32")
    x = inputs = keras.Input((6, 6, 3))
    x = keras.ops.reshape(x[:, ::-1, 1:] / 255 - np.array([0.1, 0.2, 0.3], "float32"), (-1, 5, 6, 3))
    nested = keras.Input((5, 6, 3))
    nested = keras.Model(nested, nested + layers.Conv2D(3, 3, padding="same")(nested))
    x = keras.ops.mean(layers.Add()([x, nested(x)]), axis=(1, 2))
    model = keras.Model(inputs, x)
    model.save(tmp_path / "model.h5")
    np.testing.assert_allclose(checkpoint.load(tmp_path / "model.h5").model(images), model(images), rtol=1e-4)


@keras.saving.register_keras_serializable("tests")
class Ones(keras.initializers.Initializer):
    def __call__(self, shape, dtype=None):
        return keras.ops.ones(shape, dtype)


def test_what_only_training_needs_is_ignored(tmp_path, images):
    model = keras.Sequential([keras.Input((32, 32, 3)), layers.Flatten(), layers.Dense(3, kernel_initializer=Ones())])
    model.save(tmp_path / "model.keras")
    keras.saving.get_custom_objects().pop("tests>Ones")
    loaded = checkpoint.load(tmp_path / "model.keras").model
    np.testing.assert_allclose(loaded(images / 255), model(images / 255), rtol=1e-4)


@pytest.mark.parametrize("mode", ["int8", "int4", "float8"])
def test_quantized_models(mode, tmp_path, images):
    model = keras.Sequential(
        [keras.Input((32, 32, 3)), layers.AveragePooling2D(4), layers.Flatten(), layers.Dense(16, activation="relu")]
    )
    model.add(layers.Dense(4, activation="softmax"))
    model.quantize(mode)
    model.save(tmp_path / "model.keras")
    network = Classifier(checkpoint.load(tmp_path / "model.keras").model, (0, 1))
    np.testing.assert_allclose(network.probabilities(images), model(images / 255.0), atol=1e-4)
    assert np.abs(network.gradients("logit", images, np.zeros(len(images), int))).max(axis=(1, 2, 3)).all()


def test_a_layer_that_is_not_keras_is_named_with_what_to_do(tmp_path):
    def named(text):
        return text.replace('"Dropout"', '"MyDropout"')

    reason = refused(rewritten(tmp_path / "model.h5", named))
    assert "its MyDropout layer 'dropout' is none of Keras 3's own" in reason
    assert reason.endswith("load these weights with model.load_weights, and save it as a .keras file")


def test_keras_reasons_are_given_without_configurations(tmp_path):
    def wrong(text):
        return text.replace('"rate": 0.25', '"rate": 25')

    reason = refused(rewritten(tmp_path / "model.h5", wrong))
    assert "rate" in reason
    assert "config" not in reason
    assert ". Rebuild the model in Keras 3, load these weights with model.load_weights, and save it" in reason


def test_a_file_of_keras_2_that_keras_3_cannot_load_is_converted_by_keras_2(monkeypatch):
    def fail(*_args, **_options):
        raise ValueError("layers differ")

    monkeypatch.setattr(keras.saving, "load_model", fail)
    path = FIXTURES / "keras2_transfer.keras"
    convert = f"import tf_keras; tf_keras.models.load_model({str(path)!r}).save({f'{path}.h5'!r})"
    assert f'layers differ. Keras 2 may open it: run pip install tf-keras, then python -c "{convert}"' in refused(path)


def test_bfloat16_in_a_h5_file_is_named(tmp_path):
    model = keras.Sequential([keras.Input((4, 4, 3)), layers.Flatten(), layers.Dense(2, dtype="bfloat16")])
    model.save(tmp_path / "model.h5")
    assert "bfloat16, which Keras can't read from a .h5 file" in refused(tmp_path / "model.h5")


def test_files_that_are_not_models(tmp_path):
    assert "there is no model" in refused(tmp_path / "gone.keras")
    for content, what in {
        b"hello": "is damaged or not a Keras model",
        b"": "is empty",
        b"version https://git-lfs.github.com/spec/v1\n": "git lfs pull",
        b"\n<!DOCTYPE html>": "a web page",
        b"PK\x03\x04 and no more": "is incomplete",
    }.items():
        for name in ("file.keras", "file.h5", "file.bin"):
            (tmp_path / name).write_bytes(content)
            assert what in refused(tmp_path / name)
    with h5py.File(tmp_path / "arrays.h5", "w") as file:
        file["x"] = [1, 2]
    assert "arrays without a model" in refused(tmp_path / "arrays.h5")


@pytest.mark.parametrize("name", ["model.keras", "model.h5"])
def test_a_truncated_file(name, tmp_path):
    path = tmp_path / name
    small_sequential().save(path)
    for size in (10, path.stat().st_size // 2, path.stat().st_size - 1):
        path.write_bytes(path.read_bytes()[:size])
        assert "copy or download it again" in refused(path)


def test_models_that_are_not_image_classifiers(tmp_path):
    def refused_when_saved(model):
        model.save(tmp_path / "model.keras")
        return refused(tmp_path / "model.keras")

    text = keras.Sequential([keras.Input((20,)), layers.Dense(2)])
    assert "it takes (20,), not (height, width, 1 to 4)" in refused_when_saved(text)
    segmentation = keras.Sequential([keras.Input((8, 8, 3)), layers.Conv2D(2, 3)])
    assert "it outputs (6, 6, 2), not one number for each class" in refused_when_saved(segmentation)
    assert "not an image classifier" in refused_when_saved(keras.Sequential([layers.Dense(2)]))
    two = [keras.Input((8, 8, 3)), keras.Input((8, 8, 3))]
    assert "one input and one output" in refused_when_saved(
        keras.Model(two, layers.Dense(2)(layers.Flatten()(layers.add(two))))
    )


def test_a_lambda_layer_is_not_run(tmp_path):
    marker = tmp_path / "was_here"
    code = f"lambda x: (open({str(marker)!r}, 'w').close(), x)[1]"
    model = keras.Sequential([keras.Input((8, 8, 3)), layers.Lambda(eval(code)), layers.Flatten(), layers.Dense(2)])
    model.save(tmp_path / "model.keras")
    marker.unlink(missing_ok=True)
    assert "can't be loaded" in refused(tmp_path / "model.keras")
    assert not marker.exists()


def test_other_json_beside_a_model_does_not_stop_it(tmp_path, capsys):
    path = tmp_path / "network.keras"
    small_sequential().save(path)
    beside = path.with_suffix(".json")
    for text, why in {
        "{": "is not JSON",
        "[]": "is not the metadata",
        "[" * 100_000: "is not JSON",
        "{}" + " " * 2**20: "is not the metadata",
        json.dumps({"classes": ["a", "b"]}): "names 2 classes, the model has 10: they are ignored",
        json.dumps({"classes": {"0": "cat"}}): "classes is ignored",
        json.dumps({"data": "imagenet", "statistics": {}, "trained_at": "2030"}): "",
        small_sequential().to_json(): "",
    }.items():
        beside.write_text(text)
        loaded = checkpoint.load(path)
        assert (loaded.classes, loaded.data, loaded.metadata) == (None, "cifar10", {})
        assert why in capsys.readouterr().err
    if hasattr(os, "mkfifo"):
        beside.unlink()
        os.mkfifo(beside)
        assert checkpoint.load(path).metadata == {}


def test_class_names_of_teachable_machine(tmp_path, capsys):
    for name, pixels in {"other.h5": None, "keras_model.h5": [-1, 1]}.items():
        small_sequential().save(tmp_path / name)
        (tmp_path / "labels.txt").write_text("\n".join(f"{number} class {number}" for number in range(10)))
        loaded = checkpoint.load(tmp_path / name)
        assert loaded.classes == [f"class {number}" for number in range(10)]
        assert loaded.input_range == pixels
        assert "labels.txt names the classes" in capsys.readouterr().err
        (tmp_path / "labels.txt").write_text("0 cat\n1 dog\n")
        assert checkpoint.load(tmp_path / name).metadata == {}


def test_models_of_other_kinds_are_named(tmp_path):
    for name, words in {
        "a.pt": "PyTorch",
        "a.onnx": "onnx2keras",
        "a.tflite": "taken apart",
        "a.pb": "SavedModel",
        "a.ckpt": "weights without their model",
        "a.pkl": "may run code",
        "a.tar.gz": "unpack it",
        "a.json": "no weights",
    }.items():
        (tmp_path / name).write_bytes(b"x")
        assert words in refused(tmp_path / name)
    saved = tmp_path / "saved model"
    saved.mkdir()
    assert "name the .keras or .h5 file in it" in refused(saved)
    (saved / "saved_model.pb").write_bytes(b"x")
    assert "without Keras's layers" in refused(saved)
    (saved / "saved_model.pb").write_bytes(b"x" * (2**20 - 4) + b"_tf_keras_layer")
    assert f"tf_keras.models.load_model('{saved}').save('{saved}.h5')" in refused(saved)
    small_sequential().save_weights(tmp_path / "a.weights.h5")
    assert "weights without their model" in refused(tmp_path / "a.weights.h5")


@pytest.mark.parametrize("kind", [".keras", ".h5"])
@pytest.mark.parametrize("name", ["A.H5", "a.hdf5", "A.KERAS", "a.v1.0", "a"])
def test_the_content_tells_the_kind_of_file(name, kind, tmp_path):
    small_sequential().save(tmp_path / f"model{kind}")
    (tmp_path / f"model{kind}").rename(tmp_path / name)
    assert checkpoint.load(tmp_path / name).class_count == 10


def test_invalid_metadata_of_ours(tmp_path):
    path = tmp_path / "network.keras"
    small_sequential().save(path)
    ours = {"architecture": "basic"}
    path.with_suffix(".json").write_text(json.dumps(ours | {"classes": ["a", "b"]}))
    assert "names 2 classes, the model has 10" in refused(path)
    path.with_suffix(".json").write_text(json.dumps(ours)[:-1])
    assert "is not JSON" in refused(path)
    names = [f"class {i}" for i in range(9)]
    for key, values in {
        "classes": [
            3,
            "ab",
            [*names, 1],
            [*names, None],
            [*names, {}],
            [*names, "a\0b"],
            [*names, "class 1"],
            [*names, "a" * 256],
        ],
        "input_range": ["0-1", "tf", [0], [0, 1, 2], [None, None], ["0", "255"], [255, 0], [0, 10**400], [False, True]],
        "data": ["", 3, None, "a\0b", "a" * 4097],
        "trained_at": [None, 2026],
    }.items():
        for value in values:
            path.with_suffix(".json").write_text(json.dumps(ours | {key: value}))
            assert f"{key} is invalid" in refused(path)
