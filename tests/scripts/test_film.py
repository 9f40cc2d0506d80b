"""train.py --film, as a user runs it: whatever is trained, there is a film of it at the end."""

import json
import shlex

import numpy as np
import pytest
from PIL import Image
from tensorflow.python.framework import config  # the public API switches determinism on, but not off

import train
from cnnvis import images, plots, training
from tests.scripts.test_scripts import DIVERGES, NARROW, refused
from tests.training.test_resume import interrupt_after_the_first_epoch, names

FINISHED = ["run.csv", "run.gif", "run.json", "run.keras", "run.png", "run_film.png"]


@pytest.fixture
def films(monkeypatch):
    """The films that are drawn meanwhile: a list."""
    drawn, film_frames = [], plots.film_frames
    monkeypatch.setattr(plots, "film_frames", lambda film, track: drawn.append(film) or film_frames(film, track))
    return drawn


def test_a_film_of_digits(tmp_path, films, capsys):
    options = [*NARROW, "--validation", "50", "--film", "--name", "run", "--out", str(tmp_path)]
    assert train.main(options) == 0
    assert names(tmp_path) == FINISHED
    assert {str(tmp_path / name) for name in FINISHED} == {*capsys.readouterr().out.splitlines()[-6:]}
    (film,) = films
    test = images.load("digits", "test", size=(32, 32))
    np.testing.assert_array_equal(film.image, test.images[0])
    assert (film.label, film.classes) == (test.labels[0], test.classes)
    assert [frame.step for frame in film.frames] == [0, 1, 2, 4, 6, 12]
    rows = [line.split(",") for line in (tmp_path / "run.csv").read_text().splitlines()]
    last = dict(zip(rows[0], map(float, rows[-1])))
    assert (film.frames[-1].accuracy, film.frames[-1].held_out) == (last["accuracy"], last["val_accuracy"])
    with Image.open(tmp_path / "run.gif") as gif:
        assert (gif.size, gif.n_frames) == ((704, 880), 7)
        still = np.asarray(gif.convert("RGB"), "int")
        gif.seek(6)
        assert np.abs(still - np.asarray(gif.convert("RGB"))).max() < 40  # each has a palette of its own
    assert Image.open(tmp_path / "run_film.png").width == 704
    assert (tmp_path / "run.gif").stat().st_size < 5_000_000
    command = json.loads((tmp_path / "run.json").read_text())["command"]
    assert train.options().parse_args(shlex.split(command)[2:]).film

    for name in {*FINISHED} - {"run.gif"}:
        (tmp_path / name).unlink()
    assert "run.gif exists: choose another --name" in refused(capsys, "train", *options)


@pytest.mark.slow
def test_a_resumed_run_has_the_same_film(tmp_path, films, monkeypatch, capsys):
    options = [*NARROW, "--film", "--deterministic", "--out", str(tmp_path)]
    where = ["--name", "run", "--out", str(tmp_path)]
    try:
        assert train.main([*options, "--name", "whole"]) == 0
        with monkeypatch.context() as patched:
            interrupt_after_the_first_epoch(patched)
            assert train.main([*options, "--name", "run"]) == 130
        assert "run.resume.film.npz" in names(tmp_path)
        assert train.main([*where, "--resume"]) == 0
    finally:
        config.disable_op_determinism()
    assert names(tmp_path) == sorted([*FINISHED, *(name.replace("run", "whole") for name in FINISHED)])
    whole, resumed = films
    assert [frame.step for frame in resumed.frames] == [frame.step for frame in whole.frames]
    np.testing.assert_array_equal(resumed.channels, whole.channels)
    for one, other in zip(resumed.frames, whole.frames):
        for part in ("probabilities", "maps", "filters", "accuracy", "held_out"):
            np.testing.assert_array_equal(getattr(one, part), getattr(other, part))


def test_a_run_without_a_film_stays_without(tmp_path, capsys):
    training.Run(tmp_path, "run").begin({"arch": "basic", "data": "digits"})
    line = refused(capsys, "train", "--name", "run", "--out", tmp_path, "--resume", "--film")
    assert "the run 'run' was started with film False, not True: omit that option" in line


def test_a_diverged_training_leaves_no_film(tmp_path, capsys):
    line = refused(capsys, "train", *DIVERGES, "--film", "--name", "run", "--out", tmp_path)
    assert "training diverged" in line
    assert not names(tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "layer", "inputs"),
    [
        (["--arch", "deep", "--recipe", "widths=4,8,8", "--strategy", "mirrored"], "conv1", 24),
        (["--image-size", "64", "--recipe", "widths=4,4,8"], "conv1", 3),
        (["--start-from", "basic", "--recipe", "tuned=0.5"], "conv3", 32),
    ],
    ids=["mirrored", "larger", "transfer"],
)
def test_whatever_is_trained(options, layer, inputs, tmp_path, films, capsys):
    less = ["--data", "digits", "--limit", "100", "--batch-size", "50", "--epochs", "2", "--film", "--name", "run"]
    less += [] if "--arch" in options or "--start-from" in options else ["--arch", "basic"]
    assert train.main([*less, *options, "--out", str(tmp_path)]) == 0
    assert names(tmp_path) == FINISHED
    assert [(film.layer, film.inputs, film.learns) for film in films] == [(layer, inputs, True)]
