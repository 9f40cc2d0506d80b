"""Another method of attribution takes an entry in `METHODS`, and nothing else knows its name."""

import h5py
import numpy as np
import pytest

import visualize_pixel_importance
from cnnvis import attribution
from cnnvis.attribution import methods


def grad_times_input(classifier, images, targets, *, baselines, score, track, **_):
    """The gradient of the score, times the distance from the baseline (Shrikumar et al. 2016)."""
    gradients = classifier.gradients(score, images, targets)
    return (gradients * (images - np.asarray(baselines))).sum(axis=-1).astype("float32")


def noise(shape, rng, **_):
    return rng.normal(size=shape).astype("float32")


@pytest.fixture(autouse=True)
def added(monkeypatch):
    method = methods.Method(grad_times_input, noise, windows=(8,))
    monkeypatch.setitem(attribution.METHODS, "gradtimesinput", method)


def test_the_script_finds_it(sequential, tmp_path):
    sequential.save(tmp_path / "model.keras")
    options = ["--model", tmp_path / "model.keras", "--input-range", 0, 1, "--data", "samples", "--indices", 0, 1]
    options += ["--method", "gradtimesinput", "--out", tmp_path]
    assert visualize_pixel_importance.main([*map(str, options)]) == 0
    with h5py.File(tmp_path / "pixel_importance.h5") as file:
        assert file.attrs["method"] == "gradtimesinput"
        assert np.abs(file["importance"][:]).max() > 0
        assert file["deletion"].shape == (2,)


def test_a_method_that_is_unknown_is_named_with_those_that_are_known(capsys):
    assert visualize_pixel_importance.main(["--method", "halves"]) == 2
    said = capsys.readouterr().err
    assert "choose banzhaf, occlusion, gradcam, gradients, smoothgrad, gradtimesinput, or all" in said
