"""The methods of visualize_pixel_importance.py, one by one and side by side, as a user runs them."""

import h5py
import keras
import numpy as np
import pytest
from keras import layers

import visualize_pixel_importance
from cnnvis.attribution import METHODS
from tests.conftest import small_sequential

COMMON = ["--data", "samples", "--input-range", "0", "1"]
PATCHES = ["--window", "8", "--stride", "4"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Models without and with many classes, and with CONV layers of one unit, that take 16 pixels."""
    folder = tmp_path_factory.mktemp("models")
    small_sequential(size=16).save(folder / "small.keras")
    flat = [keras.Input((16, 16, 3)), layers.Flatten(), layers.Dense(10)]
    keras.Sequential(flat).save(folder / "dense.keras")
    one_unit = [layers.Conv2D(4, 16, activation="relu", name="whole"), layers.Flatten(), layers.Dense(1000)]
    keras.Sequential([keras.Input((16, 16, 3)), *one_unit]).save(folder / "thousand.keras")
    pixels = keras.Input((16, 16, 3))
    rounded = keras.ops.round(layers.Rescaling(10)(pixels))
    keras.Model(pixels, layers.Dense(10)(layers.Flatten()(rounded))).save(folder / "rounds.keras")
    return folder


def explained(model, out, *options):
    """Exit status, and the open file of arrays."""
    status = visualize_pixel_importance.main(["--model", str(model), *COMMON, *map(str, options), "--out", str(out)])
    return status, h5py.File(out / "pixel_importance.h5") if status == 0 else None


def test_all_methods_have_a_group_each_and_a_sentence_says_which_to_believe(folder, tmp_path, capsys):
    options = ["--method", "all", "--sanity", "--indices", 0, 3, *PATCHES]
    status, file = explained(folder / "small.keras", tmp_path, *options)
    assert status == 0
    with file:
        assert set(file) == {"indices", *METHODS}
        for method in METHODS:
            group = file[method]
            assert group["importance"].shape == group["random_weights"].shape == (2, 16, 16)
            assert np.isfinite(group["importance"][:]).all()
            assert group["likeness"].shape == group["deletion"].shape == (2,)
            assert group.attrs["windows"].tolist() == [8]
        assert file["gradcam"].attrs["layer"] == "second"
        assert file.attrs["score"] == "logit"
    said = capsys.readouterr().out
    assert "insertion - deletion" in said
    assert "random weights" in said or "learned nothing" in said
    assert {path.name for path in tmp_path.glob("*.png")} == {"pixel_importance.png", "pixel_importance_sanity.png"}


def test_the_maps_of_one_method_are_those_of_all(folder, tmp_path):
    alone, together = (
        explained(folder / "small.keras", tmp_path / method, "--method", method, "--indices", 4, *PATCHES)[1]
        for method in ("gradcam", "all")
    )
    with alone, together:
        np.testing.assert_allclose(alone["importance"][:], together["gradcam/importance"][:], atol=1e-6)
        assert alone.attrs["layer"] == "second"


@pytest.mark.parametrize("method", METHODS)
def test_against_gives_the_difference_of_two_classes(method, folder, tmp_path):
    def maps(*options):
        how = ["--method", method, "--indices", 1, *PATCHES]
        with explained(folder / "small.keras", tmp_path, *how, *options)[1] as file:
            assert file.attrs.get("against") == ("dog" if "--against" in options else None)
            return file["importance"][:], file["probability"][:]

    (cat, p_cat), (dog, p_dog) = maps("--class", "cat"), maps("--class", "dog")
    difference, p = maps("--class", "cat", "--against", "dog")
    np.testing.assert_allclose(difference, cat - dog, atol=1e-4 * np.abs(difference).max())
    np.testing.assert_allclose(p, p_cat / (p_cat + p_dog), rtol=1e-4)


@pytest.mark.parametrize(
    ("model", "options", "line"),
    [
        ("small", ["--class", "cat", "--against", "cat"], "--class and --against are both cat: choose two classes"),
        ("small", ["--against", "unicorn"], "no class is called 'unicorn'"),
        ("small", ["--method", "gradcam", "--layer", "hidden"], "--layer hidden has no feature maps: choose --layer"),
        ("small", ["--method", "all", "--layer", "hidden"], "--layer hidden has no feature maps: choose --layer"),
        ("small", ["--layer", "secnd"], "no layer is called 'secnd'; there are first, shrink, second"),
        ("small", ["--method", "occlusion", "--layer", "first"], "--layer is for --method gradcam, not occlusion"),
        ("dense", ["--method", "gradcam"], "the network has no CONV layer: choose another"),
        ("rounds", ["--method", "smoothgrad"], "no gradient"),
    ],
)
def test_what_cannot_be_explained_is_said_in_a_line(model, options, line, folder, tmp_path, capsys):
    status, _ = explained(folder / f"{model}.keras", tmp_path, "--indices", 0, *options)
    said = capsys.readouterr().err.strip()
    assert status == 2
    assert line in said
    assert "\n" not in said
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("model", "left"), [("dense", {"gradcam"}), ("rounds", {"gradcam", "gradients", "smoothgrad"})]
)
def test_methods_that_a_network_has_no_maps_for_are_left_out_of_all(model, left, folder, tmp_path, capsys):
    status, file = explained(folder / f"{model}.keras", tmp_path, "--method", "all", "--indices", 0, *PATCHES)
    assert status == 0
    with file:
        assert set(METHODS) - set(file) == left
    said = capsys.readouterr().err
    assert all(f"{method} is left out: " in said for method in left)


def test_a_thousand_classes_one_unit_and_a_constant_image(folder, tmp_path, capsys):
    """Feature maps of one unit say the same of every pixel; a constant image has nothing to hide."""
    from PIL import Image

    Image.new("RGB", (16, 16), (90, 90, 90)).save(tmp_path / "grey.png")
    options = ["--images", tmp_path / "grey.png", "--method", "all", "--sanity"]
    arguments = ["--model", folder / "thousand.keras", "--input-range", 0, 1, *options, "--out", tmp_path / "out"]
    assert visualize_pixel_importance.main([*map(str, arguments)]) == 0
    with h5py.File(tmp_path / "out" / "pixel_importance.h5") as file:
        for method in METHODS:
            assert np.isfinite(file[method]["importance"][:]).all()
            assert np.isfinite(file[method]["likeness"][:]).all()
        assert np.ptp(file["gradcam/importance"][:]) < 1e-6
    assert "nan" not in capsys.readouterr().out
