"""visualize_results.py: the space of the last hidden layer, as a user runs it."""

import os

import keras
import numpy as np
import pytest
from PIL import Image

from cnnvis import images
from tests.conftest import POSIX, rounding, small_sequential
from tests.scripts.test_scripts import SHIPPED, undrawn, visualize  # noqa: F401 - a fixture

NAMES = "embedding", "mistakes", "nearest", "nearest_similarity"


@pytest.fixture
def network(tmp_path):
    model = small_sequential()
    model.save(tmp_path / "model.keras")
    return model


def options(tmp_path, data):
    return "--model", tmp_path / "model.keras", "--input-range", "0", "1", "--data", data


def folder(path, train, test=3):
    """Photos of noise in two classes."""
    for split, count in (("train", train), ("test", test)):
        for label in "ab":
            (path / split / label).mkdir(parents=True)
            for number in range(count):
                rng = np.random.default_rng([number, ord(label), len(split)])
                noise = rng.integers(0, 256, (32, 32, 3), dtype="uint8")
                Image.fromarray(noise).save(path / split / label / f"{number}.png")
    (path / "names.txt").write_text("\n".join("abcdefghij"))
    return path


def test_nearest_training_images_are_those_of_brute_force(tmp_path, undrawn, network, capsys):  # noqa: F811
    status, arrays = visualize("results", tmp_path / "out", *options(tmp_path, "digits"))
    assert status == 0, capsys.readouterr().err
    hidden = keras.Model(network.inputs, network.get_layer("hidden").output)
    test, train = (images.load("digits", split).images[:].astype("float32") / 255 for split in ("test", "train"))
    ours, theirs = (hidden.predict(part, verbose=0) for part in (test, train))
    ours, theirs = (rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in (ours, theirs))
    wrong = np.flatnonzero(arrays["probabilities"].argmax(axis=1) != arrays["labels"])
    assert sorted(arrays["mistakes"]) == wrong.tolist()
    certain = arrays["probabilities"].max(axis=1)[arrays["mistakes"]]
    assert (np.diff(certain) <= 0).all()
    cosines = (ours @ theirs.T)[arrays["mistakes"]]
    tolerance = 1000 * rounding(72)
    np.testing.assert_allclose(arrays["nearest_similarity"], -np.sort(-cosines, axis=1)[:, :5], atol=tolerance)
    np.testing.assert_allclose(
        np.take_along_axis(cosines, arrays["nearest"], 1), arrays["nearest_similarity"], atol=tolerance
    )
    assert arrays["embedding"].shape == (len(test), 2)
    assert (arrays["@embedding_method"], arrays["@hidden_layer"]) == ("t-SNE", "hidden")
    again = visualize("results", tmp_path / "out", *options(tmp_path, "digits"), "--nearest", "0")[1]
    np.testing.assert_array_equal(again["embedding"], arrays["embedding"])
    assert not {*NAMES[1:]} & {*again}


def test_samples_have_a_map_only(tmp_path, capsys):
    status, arrays = visualize("results", tmp_path, "--model", SHIPPED, "--data", "samples")
    assert status == 0
    assert capsys.readouterr().out.count("No nearest training images: the 20 samples have no training set.\n") == 1
    assert arrays["embedding"].shape == (20, 2)
    assert np.isfinite(arrays["embedding"]).all()
    assert (tmp_path / "results_embedding.png").stat().st_size > 10_000
    assert not (tmp_path / "results_nearest.png").exists()


def test_the_figures_of_a_folder_of_few_photos(tmp_path, network, capsys):
    photos = folder(tmp_path / "photos", train=1)
    some = [*options(tmp_path, photos), "--classes", photos / "names.txt", "--report", tmp_path / "report.md"]
    status, arrays = visualize("results", tmp_path / "out", *some)
    err = capsys.readouterr().err
    assert status == 0, err
    assert "The training set is smaller than 5: all 2 images are shown beside each mistake.\n" in err
    assert arrays["nearest"].shape == (len(arrays["mistakes"]), 2)
    assert {"results_embedding.png", "results_nearest.png"} <= {path.name for path in (tmp_path / "out").iterdir()}
    assert "## What the last hidden layer finds alike" in (tmp_path / "report.md").read_text()


@POSIX
@pytest.mark.parametrize("trouble", ["damaged", "unreadable", "missing"])
def test_trouble_with_training_images_is_said_in_one_line(trouble, tmp_path, network, capsys, undrawn):  # noqa: F811
    photos = folder(tmp_path / "photos", train=2)
    bad = photos / "train" / "b" / "1.png"
    if trouble == "damaged":
        bad.write_bytes(bad.read_bytes()[:100])
    elif trouble == "unreadable":
        bad.unlink()
        os.symlink(tmp_path / "nowhere", bad)
    else:
        for file in photos.glob("train/*/*.png"):
            file.unlink()
    some = [*options(tmp_path, photos), "--classes", photos / "names.txt"]
    status, arrays = visualize("results", tmp_path / "out", *some)
    captured = capsys.readouterr()
    if status:  # the folder as a whole is refused
        assert len(captured.err.splitlines()) == 1
        return
    assert captured.out.count("No nearest training images: ") == 1
    assert not captured.err
    assert arrays["embedding"].shape == (6, 2)


def test_a_network_without_a_hidden_layer_says_that_pixels_are_compared(tmp_path, capsys, undrawn):  # noqa: F811
    layers = [keras.layers.Flatten(), keras.layers.Dense(10, activation="softmax")]
    keras.Sequential([keras.Input((32, 32, 3)), *layers]).save(tmp_path / "model.keras")
    assert visualize("results", tmp_path / "out", *options(tmp_path, "samples"))[0] == 0
    assert "no hidden layer before the logits: images are compared by their pixels.\n" in capsys.readouterr().err
