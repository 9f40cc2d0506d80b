"""A folder of class folders, split by the images' names: the same images for training and testing in every script."""

import hashlib
import json

import numpy as np
import pytest
from PIL import Image

import train
from tests.scripts.test_scripts import visualize


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """Ten photos of each of two classes, and the network that learned from them."""
    folder = tmp_path_factory.mktemp("own") / "photos"
    random = np.random.default_rng(0)
    for label in ("cat", "dog"):
        (folder / label).mkdir(parents=True)
        for number in range(10):
            pixels = random.integers(0, 256, (32, 32, 3), dtype="uint8")
            Image.fromarray(pixels).save(folder / label / f"{number}.png")
    options = ["--data", str(folder), "--arch", "basic", "--epochs", "1", "--batch-size", "8", "--recipe", "widths=4,8"]
    assert train.main([*options, "--name", "own", "--out", str(folder.parent)]) == 0
    return folder


def chosen(photos):
    """The two images of each class whose names have the smallest hashes, in the order of their names."""
    files = []
    for label in ("cat", "dog"):
        order = sorted(range(10), key=lambda number: hashlib.sha256(f"{label}/{number}.png".encode()).digest())
        files += [photos / label / f"{number}.png" for number in sorted(order[:2])]
    return [np.asarray(Image.open(file)).tolist() for file in files]


def test_training_uses_the_images_that_are_not_for_testing(photos):
    metadata = json.loads((photos.parent / "own.json").read_text())
    assert (metadata["training_images"], metadata["test_images"]) == (14, 4)  # 2 are held out
    assert metadata["classes"] == ["cat", "dog"]


def test_every_script_tests_on_the_same_images(photos, tmp_path, capsys):
    model, expected = ["--model", photos.parent / "own.keras"], chosen(photos)
    _, results = visualize("results", tmp_path, *model)
    assert results["labels"].tolist() == [0, 0, 1, 1]
    _, explained = visualize("pixel_importance", tmp_path, *model, "--indices", "0", "1", "2", "3")
    assert explained["images"].tolist() == expected
    for index in (1, 3):
        _, outputs = visualize("hidden_layer_output", tmp_path, *model, "--layers", "conv1", "--indices", index)
        assert outputs["image"].tolist() == expected[index]
    said = "photos has no train/ and test/: 4 of its 20 images, chosen by name, are the test images."
    assert capsys.readouterr().err.count(said) == 4  # once for each script


def test_filters_are_compared_with_the_training_images(photos, tmp_path, capsys):
    model = ["--model", photos.parent / "own.keras", "--layers", "conv1"]
    assert visualize("hidden_layer_activation", tmp_path, *model)[0] == 0
    assert "Comparing with 16 images" in capsys.readouterr().out
