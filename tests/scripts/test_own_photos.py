"""A folder of photos, from training to the page: no photo is squeezed, and every script sees the same images."""

import json

import h5py
import numpy as np
import pytest
from PIL import Image, ImageOps

import explore
import train
import visualize_hidden_layer_activation
import visualize_hidden_layer_output
import visualize_pixel_importance
import visualize_results
from tests.scripts.test_scripts import refused

QUICK = ["--arch", "basic", "--image-size", "48", "--epochs", "1", "--recipe", "widths=2,2,4"]


@pytest.fixture
def photos(tmp_path):
    """Ten photos of red, and ten of green, 90 pixels wide and 60 high, with a blue edge on the left and the right."""
    for label, colour in (("red", 0), ("green", 1)):
        (tmp_path / "photos" / label).mkdir(parents=True)
        for number in range(10):
            photo = np.random.default_rng(number).integers(0, 60, (60, 90, 3), dtype="uint8")
            photo[..., colour] += 150
            photo[:, :12, 2] = photo[:, -12:, 2] = 255
            Image.fromarray(photo).save(tmp_path / "photos" / label / f"{number}.png")
    return tmp_path / "photos"


@pytest.fixture
def network(photos, tmp_path, capsys):
    network = tmp_path / "out" / "own.keras"
    assert train.main([*QUICK, "--data", str(photos), "--name", "own", "--out", str(network.parent)]) == 0
    return network


def test_photos_are_cropped(network, photos, tmp_path, capsys):
    said = capsys.readouterr()
    assert "2 of 16 training images are held out" in said.err
    assert "basic on 14 images" in said.out
    assert json.loads(network.with_suffix(".json").read_text())["command"].count("--image-size 48") == 1
    options = ["--model", str(network), "--indices", "0", "--layers", "conv5", "--out", str(tmp_path)]
    assert visualize_hidden_layer_output.main(options) == 0
    with h5py.File(tmp_path / "hidden_layer_output.h5") as file:
        image = file["image"][:]
    cropped = [ImageOps.fit(Image.open(file), (48, 48), Image.Resampling.BICUBIC) for file in photos.glob("*/*.png")]
    assert any((image == np.asarray(photo)).all() for photo in cropped)
    assert image[..., 2].max() < 100  # the edges are cut off


@pytest.mark.slow
def test_all_scripts_take_a_network_for_larger_photos(network, tmp_path):
    options = ["--model", str(network), "--out", str(tmp_path)]
    assert visualize_results.main(options) == 0
    assert visualize_pixel_importance.main([*options, "--num", "1"]) == 0
    assert visualize_hidden_layer_activation.main([*options, "--num", "1", "--steps", "2"]) == 0
    page = ["--model", str(network), "--out", str(tmp_path / "page.html"), "--num", "2", "--tested", "4"]
    assert explore.main([*page, "--explained", "1", "--filters", "1", "--steps", "2"]) == 0


def test_nothing_is_held_out_of_the_few_photos_for_a_trained_network(photos, tmp_path, capsys):
    options = ["--data", str(photos), "--start-from", "basic", "--epochs", "1", "--name", "own", "--out", str(tmp_path)]
    assert train.main(options) == 0
    said = capsys.readouterr()
    assert "held out" not in said.err
    assert "basic on 16 images" in said.out


def test_a_foreign_network_gets_the_whole_photo(photos, tmp_path, sequential):
    sequential.save(tmp_path / "foreign.keras")
    options = ["--model", str(tmp_path / "foreign.keras"), "--images", str(photos / "red" / "0.png")]
    options += ["--input-range", "0", "1", "--layers", sequential.layers[0].name, "--out", str(tmp_path)]
    assert visualize_hidden_layer_output.main(options) == 0
    with h5py.File(tmp_path / "hidden_layer_output.h5") as file:
        assert (file["image"][:, [0, -1], 2] > 200).all()


@pytest.mark.parametrize(
    ("options", "line"),
    [
        (["--image-size", "50"], "argument --image-size: '50' is not a multiple of 8 from 32 to 224"),
        (["--image-size", "64", "--start-from", "basic"], "basic takes images of another size than 64: leave out"),
        (["--image-size", "64", "--recipe", "widths=4,8"], "basic has 3 groups of CONV layers, not 2"),
    ],
)
def test_image_sizes_that_can_not_be(options, line, tmp_path, capsys):
    arch = [] if "--start-from" in options else ["--arch", "basic"]
    assert line in refused(capsys, "train", *arch, *options, "--data", "digits", "--out", tmp_path / "out")
    assert not (tmp_path / "out").exists()
