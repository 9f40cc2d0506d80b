"""A run's name is claimed once, and its files are whole or absent."""

import json
import shlex
import signal
import sys
from pathlib import Path

import pytest

from cnnvis.training.run import Run


def test_a_name_is_claimed_once(tmp_path):
    run = Run(tmp_path, "first")
    run.check_free()
    run.begin({"seed": 3})
    with pytest.raises(FileExistsError, match="resume it with --resume"):
        Run(tmp_path, "first").check_free()
    assert Run(tmp_path, "first").command() == ["--seed", "3"]
    run.end()
    run.checkpoint.touch()
    with pytest.raises(FileExistsError, match="choose another --name"):
        Run(tmp_path, "first").check_free()
    Run(tmp_path, "first").check_free(overwrite=True)
    Run(tmp_path, "first").begin({"seed": 4})
    assert run.command() == ["--seed", "4"]
    assert run.checkpoint.exists()


def test_a_name_is_for_one_process_at_a_time(tmp_path):
    (tmp_path / ".run.lock").touch()  # as a killed process leaves it
    with Run(tmp_path, "run").claimed(), Run(tmp_path, "other").claimed():
        with pytest.raises(BlockingIOError, match="'run' is being trained now"), Run(tmp_path, "run").claimed():
            pass
        assert (tmp_path / ".run.lock").exists()
    assert not list(tmp_path.iterdir())
    with Run(tmp_path, "run").claimed():
        pass


@pytest.mark.parametrize(
    "end", ["keras", "json", "csv", "png", "resume.json", "resume.npz", "resume.csv", "resume.png"]
)
def test_a_folder_of_that_name_is_refused(end, tmp_path):
    (tmp_path / f"run.{end}").mkdir()
    with pytest.raises(IsADirectoryError, match=f"run.{end} is a folder"):
        Run(tmp_path, "run").check_free(overwrite=True)


def test_a_film_has_a_name_like_the_other_files(tmp_path):
    """Which is taken only for a run with a film: NAME_film.png may be the curves of another run."""
    for path in (tmp_path / "run.gif", tmp_path / "run_film.png"):
        path.touch()
        Run(tmp_path, "run").check_free()
        with pytest.raises(FileExistsError, match=f"{path.name} exists: choose another --name, or say --overwrite"):
            Run(tmp_path, "run", film=True).check_free()
        Run(tmp_path, "run", film=True).check_free(overwrite=True)
        path.unlink()
    run = Run(tmp_path, "run", film=True)
    run.begin({"film": True})
    run.frames.touch()
    assert run.command() == ["--film"]
    run.begin({"film": True})
    assert [path.name for path in tmp_path.iterdir()] == ["run.resume.json"]
    run.frames.touch()
    run.discard()
    assert not list(tmp_path.iterdir())


def test_half_written_files_of_a_killed_process_are_removed(tmp_path):
    mine = [".12.run.keras", ".12.run.resume.npz", ".7.run.csv", ".7.run.gif", ".7.run_film.png"]
    mine += [".12.run.resume.film.npz"]
    others = [".12.other.run.keras", ".run.json", "run.keras", ".12.running.png", ".12.run_more.gif"]
    for name in mine + others:
        (tmp_path / name).touch()
    with Run(tmp_path, "run").claimed():
        assert sorted(path.name for path in tmp_path.iterdir()) == sorted([*others, ".run.lock"])
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(others)


def test_a_run_that_is_killed_while_it_ends_is_over(tmp_path, monkeypatch):
    """Otherwise `--resume` would train a finished run again."""
    run = Run(tmp_path, "run")
    run.begin({"seed": 3})
    run.state.touch()
    removed = []
    monkeypatch.setattr(type(run.state), "unlink", lambda path, missing_ok: removed.append(path))
    run.end()
    assert removed[:2] == [run.settings, run.state]


def test_a_run_replaces_an_earlier_one_only_when_it_ends(tmp_path):
    run = Run(tmp_path, "run")
    for path in run.finished:
        path.write_text("earlier")
    run.begin({"seed": 3})
    run.write_rows([{"epoch": 1, "loss": 0.5}])
    run.curves.write_text("curves")
    run.state.touch()
    assert [path.read_text() for path in run.finished] == ["earlier"] * 4
    run.end()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run.csv", "run.json", "run.keras", "run.png"]
    assert (tmp_path / "run.csv").read_text() == "epoch,loss\n1,0.5\n"
    assert (tmp_path / "run.png").read_text() == "curves"


@pytest.mark.parametrize("filmed", [True, False])
def test_an_older_film_goes_when_a_run_without_one_ends(filmed, tmp_path):
    """Only if it is a film: run.gif may be the user's own. A run that is resumed knows, too."""
    run = Run(tmp_path, "run")
    command = f"python train.py {'--film ' if filmed else ''}--name run"
    (tmp_path / "run.json").write_text(json.dumps({"architecture": "deep", "command": command}))
    films = {run.animation, run.sheet}
    for path in films:
        path.touch()
    run.check_free(overwrite=True)
    run.begin({"seed": 3})
    (tmp_path / "run.json").write_text(json.dumps({"architecture": "deep", "command": "python train.py --name run"}))
    resumed = Run(tmp_path, "run", resumes=True)
    assert resumed.command() == ["--seed", "3"]
    assert films <= {*tmp_path.iterdir()}
    resumed.end()
    assert films & {*tmp_path.iterdir()} == (set() if filmed else films)


def test_an_older_film_makes_room_for_a_new_one_only_and_not_for_the_curves_of_another_run(tmp_path):
    metadata = json.dumps({"architecture": "deep", "command": "python train.py --film --name run"})
    for settings, others in (({"film": True}, []), ({}, ["run_film.keras"])):
        run = Run(tmp_path, "run", film=bool(settings))
        (tmp_path / "run.json").write_text(metadata)
        for path in (run.animation, run.sheet, *(tmp_path / other for other in others)):
            path.touch()
        run.begin(settings)
        run.end()
        assert run.sheet.exists()
        assert run.animation.exists() == bool(settings)


def test_a_run_that_is_killed_between_two_of_its_last_files_can_end_again(tmp_path, monkeypatch):
    run = Run(tmp_path, "run")
    run.begin({"seed": 3})
    rows = [{"epoch": 1, "loss": 0.5}]
    run.write_rows(rows)
    run.curves.write_text("curves")
    with monkeypatch.context() as patched:
        patched.setattr(Run, "discard", lambda run: signal.raise_signal(signal.SIGINT))
        with pytest.raises(KeyboardInterrupt):
            run.end()
    assert run.command() == ["--seed", "3"]
    assert run.read_rows(1) == rows
    run.end()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run.csv", "run.png"]


def test_discarding_keeps_the_files_of_a_finished_run(tmp_path):
    run = Run(tmp_path, "run")
    for path in (*run.finished, *run.unfinished):
        path.touch()
    run.discard()
    assert {*tmp_path.iterdir()} == {*run.finished}


def test_nothing_to_resume(tmp_path):
    with pytest.raises(FileNotFoundError, match="no interrupted run 'other'"):
        Run(tmp_path, "other").command()
    run = Run(tmp_path, "other")
    run.settings.write_text("{")
    with pytest.raises(ValueError, match="is damaged"):
        run.command()


def test_a_shell_understands_the_command_to_resume(tmp_path):
    words = ["python", "train.py", "--name", "it's", "--out", str(tmp_path / "two words"), "--resume"]
    for strategy, more in (("none", []), ("mirrored", ["--strategy", "mirrored"])):
        run = Run(tmp_path / "two words", "it's", strategy=strategy)
        assert shlex.split(run.resume_command()) == [*words, *more]


def test_a_shell_of_windows_understands_the_command_to_resume(monkeypatch):
    """By substitution: no Windows here, whose shells know double quotation marks only."""
    monkeypatch.setattr(sys, "platform", "win32")
    command = Run(Path("mein Ordner ä 図"), "it's", strategy="mirrored").resume_command()
    assert command == 'python train.py --name "it\'s" --out "mein Ordner ä 図" --resume --strategy mirrored'


def test_a_run_leaves_open_files_alone(windows, tmp_path):
    """By substitution: no Windows here, which neither replaces nor removes them."""
    run = Run(tmp_path, "run")
    with run.claimed():
        for loss in (0.5, 0.25):
            run.begin({"seed": 3})
            run.write_rows([{"epoch": 1, "loss": loss}])
            run.curves.write_text("curves")
            assert run.command() == ["--seed", "3"]
            assert run.read_rows(1) == [{"epoch": 1, "loss": loss}]
            run.end()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run.csv", "run.png"]
    assert not windows


def test_a_name_that_differs_by_case_only_is_taken_where_case_makes_no_difference(tmp_path, monkeypatch):
    """By substitution: no such disk here, as Windows and macOS have."""
    (tmp_path / "a.keras").touch()
    Run(tmp_path, "A").check_free()
    there = {str(path).casefold() for path in tmp_path.iterdir()}
    monkeypatch.setattr(Path, "exists", lambda path, **_: str(path).casefold() in there)
    with pytest.raises(FileExistsError, match=r"A\.keras exists: choose another --name"):
        Run(tmp_path, "A").check_free()


@pytest.mark.parametrize("name", ["", "a/b", "..", ".hidden", "../x", "x" * 233, "x.resume", "x.RESUME"])
def test_names_that_are_no_file_names(tmp_path, name):
    with pytest.raises(ValueError, match="can't be the name of a file"):
        Run(tmp_path, name)


def test_rows_come_back_as_numbers(tmp_path):
    run = Run(tmp_path, "run")
    rows = [{"epoch": 1, "loss": 0.125}, {"epoch": 2, "loss": 1e-9}]
    run.write_rows(rows)
    assert run.read_rows(2) == rows
    assert run.read_rows(1) == rows[:1]
    assert run.read_rows(0) == []
    with pytest.raises(ValueError, match="is damaged"):
        run.read_rows(3)
    run.table.write_text("epoch,loss\n1,0.5\n2")
    with pytest.raises(ValueError, match="is damaged"):
        run.read_rows(2)
