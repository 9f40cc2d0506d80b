"""train.py from the first refusal to the last file: names, interrupts, and what a resumed run keeps."""

import json
import signal

import numpy as np
import pytest
from PIL import Image

import train
from cnnvis import checkpoints, evaluation, images, processor
from cnnvis.images import choosing
from cnnvis.training import distribution, journal, loop
from cnnvis.training.run import Run
from cnnvis.training.settings import as_options
from tests.scripts.test_scripts import refused

QUICK = ["--data", "digits", "--limit", "64", "--arch", "basic", "--batch-size", "32", "--epochs", "2"]
QUICK += ["--recipe", "widths=4,8"]
ENDS = "csv", "json", "keras", "png"


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def unfinished(name="run"):
    return [f"{name}.resume.{end}" for end in ("csv", "json", "npz", "png")]


def interrupt(*_arguments, **_options):
    signal.raise_signal(signal.SIGINT)


def interrupt_after_the_first_epoch(monkeypatch):
    save_state = journal.save_state

    def save_and_interrupt(*arguments):
        save_state(*arguments)
        interrupt()

    monkeypatch.setattr(journal, "save_state", save_and_interrupt)


def not_asked(*_arguments, **_options):
    raise AssertionError("a data set is looked for")


def test_a_taken_name_is_refused_before_any_data_set_is_looked_for(tmp_path, capsys, monkeypatch):
    (tmp_path / "run.keras").touch()
    monkeypatch.setattr(images, "available", not_asked)
    monkeypatch.setattr(images, "for_training", not_asked)
    line = refused(capsys, "train", "--data", "auto", "--name", "run", "--out", tmp_path)
    assert "run.keras exists: choose another --name" in line
    assert names(tmp_path) == ["run.keras"]


@pytest.mark.parametrize("name", [[], ["--name", "run"]])
def test_a_wrong_recipe_is_refused_before_any_data_set_is_looked_for(name, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(images, "available", not_asked)
    line = refused(capsys, "train", *name, "--recipe", "widths=4,8", "--out", tmp_path / "out")
    assert "deep has 3 groups of CONV layers, not 2" in line
    assert not names(tmp_path)


def test_workers_that_are_not_alike_leave_an_earlier_run_as_it_is(tmp_path, capsys, monkeypatch):
    Run(tmp_path, "run").begin({"arch": "basic", "data": "digits", "seed": 3})
    before = (tmp_path / "run.resume.json").read_bytes()

    def differ(*_arguments):
        raise ValueError("the workers were not started alike")

    monkeypatch.setattr(distribution, "check_alike", differ)
    for name in ("other", "run"):
        options = [*QUICK, "--overwrite", "--name", name, "--out", tmp_path]
        assert "not started alike" in refused(capsys, "train", *options)
        assert names(tmp_path) == ["run.resume.json"]
    assert (tmp_path / "run.resume.json").read_bytes() == before


def test_an_interrupt_of_the_test_says_how_to_resume(tmp_path, capsys, monkeypatch):
    """And nothing is trained again."""
    options = [*QUICK, "--name", "run", "--out", str(tmp_path)]
    with monkeypatch.context() as patched:
        patched.setattr(evaluation, "accuracies", interrupt)
        assert train.main(options) == 130
    err = capsys.readouterr().err
    assert "Interrupted after epoch 2 of 2. Resume with: python train.py --name run" in err
    assert names(tmp_path) == unfinished()
    rows = (tmp_path / "run.resume.csv").read_text()
    assert train.main(["--name", "run", "--out", str(tmp_path), "--resume"]) == 0
    assert names(tmp_path) == ["run.csv", "run.json", "run.keras", "run.png"]
    assert (tmp_path / "run.csv").read_text() == rows


def test_an_interrupt_after_the_end_has_nothing_to_resume(tmp_path, capsys, monkeypatch):
    end = Run.end
    monkeypatch.setattr(Run, "end", lambda run: end(run) or interrupt())
    assert train.main([*QUICK, "--name", "run", "--out", str(tmp_path)]) == 130
    assert capsys.readouterr().err.strip() == "interrupted"
    assert names(tmp_path) == ["run.csv", "run.json", "run.keras", "run.png"]


def test_an_interrupt_before_the_run_has_started_has_nothing_to_resume(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(Run, "begin", interrupt)
    assert train.main([*QUICK, "--name", "run", "--out", str(tmp_path)]) == 130
    assert capsys.readouterr().err.strip() == "interrupted"
    assert not names(tmp_path)


def test_an_interrupt_of_the_first_epoch_resumes_with_the_first(tmp_path, capsys, monkeypatch):
    with monkeypatch.context() as patched:
        plain = loop.plain
        patched.setattr(loop, "plain", lambda *args, **options: interrupt() or plain(*args, **options))
        assert train.main([*QUICK, "--name", "run", "--out", str(tmp_path)]) == 130
    assert "Interrupted before the first epoch was complete. Resume with: " in capsys.readouterr().err
    assert names(tmp_path) == ["run.resume.json"]
    assert train.main(["--name", "run", "--out", str(tmp_path), "--resume"]) == 0
    assert "No epoch of that run was complete: starting with the first." in capsys.readouterr().err
    assert len((tmp_path / "run.csv").read_text().splitlines()) == 3


def test_a_resumed_run_keeps_precision_data_and_options(tmp_path, capsys, monkeypatch):
    """On a machine that would choose another precision; what is given again must not differ."""
    where = ["--name", "run", "--out", str(tmp_path)]
    with monkeypatch.context() as patched:
        patched.setattr(processor, "multiplies_bfloat16", lambda: True)
        interrupt_after_the_first_epoch(patched)
        assert train.main([*QUICK, "--seed", "3", "--validation", "20", *where]) == 130
    monkeypatch.setattr(processor, "multiplies_bfloat16", lambda: False)
    monkeypatch.setattr(images, "available", lambda name: name if name != "auto" else not_asked())
    assert "was started with precision bfloat16, not float32" in refused(
        capsys, "train", *where, "--resume", "--precision", "float32"
    )
    assert train.main([*where, "--resume", "--recipe", "widths=4,8"]) == 0
    metadata = json.loads((tmp_path / "run.json").read_text())
    found = {name: metadata[name] for name in ("precision", "data", "architecture", "seed", "epochs")}
    assert found == {"precision": "bfloat16", "data": "digits", "architecture": "basic", "seed": 3, "epochs": 2}
    assert metadata["recipe"]["widths"] == [4, 8]
    assert "val_loss" in (tmp_path / "run.csv").read_text().splitlines()[0]


@pytest.mark.slow
def test_a_resumed_run_on_photos_ends_as_it_would_have(tmp_path, monkeypatch, capsys):
    """With images in a file, and early stopping."""
    for label in ("cat", "dog"):
        (tmp_path / "photos" / label).mkdir(parents=True)
        for number in range(10):
            photo = np.random.default_rng([number, len(label)]).integers(0, 256, (50, 70, 3), dtype="uint8")
            Image.fromarray(photo).save(tmp_path / "photos" / label / f"{number}.png")
    monkeypatch.setattr(choosing, "MOST_IN_MEMORY", 0)
    options = ["--data", str(tmp_path / "photos"), "--arch", "basic", "--image-size", "40", "--batch-size", "7"]
    options += ["--epochs", "4", "--recipe", "widths=2,4", "patience=1", "--out", str(tmp_path)]
    assert train.main([*options, "--name", "whole"]) == 0
    with monkeypatch.context() as patched:
        interrupt_after_the_first_epoch(patched)
        assert train.main([*options, "--name", "run"]) == 130
    assert train.main(["--name", "run", "--out", str(tmp_path), "--resume"]) == 0
    whole, resumed = (checkpoints.load(tmp_path / f"{name}.keras").model.get_weights() for name in ("whole", "run"))
    for one, other in zip(whole, resumed, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-4)
    assert sorted(names(tmp_path)) == ["photos", *(f"{name}.{end}" for name in ("run", "whole") for end in ENDS)]


@pytest.mark.parametrize("change", ["hardest=0.5", "small_side=24", "lookahead=on"])
def test_a_run_with_an_entry_that_recipes_no_longer_have_is_not_resumed(change, tmp_path, capsys, monkeypatch):
    """An older version began it."""
    Run(tmp_path, "run").begin({"arch": "deep", "data": "digits", "recipe": ["flip=none", change]})
    monkeypatch.setattr(images, "available", not_asked)
    line = refused(capsys, "train", "--name", "run", "--out", tmp_path, "--resume")
    name = change.split("=")[0]
    assert f"run.resume.json is damaged or from another version (argument --recipe: a recipe has no {name!r};" in line
    assert line.endswith("): start anew with --overwrite")
    assert names(tmp_path) == ["run.resume.json"]


def test_nothing_held_out_is_an_option_that_a_resumed_run_keeps():
    assert as_options({"validation": 0, "limit": None, "deterministic": False, "recipe": []}) == ["--validation", "0"]


def test_a_run_is_not_resumed_on_other_images(tmp_path, capsys, monkeypatch):
    """As after more photos were put into the folder."""
    monkeypatch.chdir(tmp_path)
    for number in range(20):
        photo = tmp_path / "photos" / ("cat" if number % 2 else "dog") / f"{number}.png"
        photo.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (8, 8), (number, 0, 0)).save(photo)
    options = ["--data", "photos", "--arch", "basic", "--epochs", "2", "--recipe", "widths=4,8", "--batch-size", "8"]
    with monkeypatch.context() as patched:
        interrupt_after_the_first_epoch(patched)
        assert train.main([*options, "--name", "run", "--out", "out"]) == 130
    before = names(tmp_path / "out")
    more = tmp_path / "photos" / "cat" / "new.png"
    Image.new("RGB", (8, 8)).save(more)
    assert train.main(["--name", "run", "--out", "out", "--resume"]) == 2
    assert "photos has 21 images, the run began with 20 (new or changed: 1, such as cat/new.png)" in (
        capsys.readouterr().err
    )
    assert names(tmp_path / "out") == before
    more.unlink()
    assert train.main(["--name", "run", "--out", "out", "--resume"]) == 0
    assert "fingerprint" not in (tmp_path / "out" / "run.json").read_text()
