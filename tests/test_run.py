"""A run's name is claimed once, and its files are whole or absent."""

import pytest

from cnnvis.run import Run


def test_a_name_is_claimed_once(tmp_path):
    run = Run(tmp_path, "first")
    run.check_free()
    run.begin({"seed": 3})
    with pytest.raises(FileExistsError, match="go on with --resume"):
        Run(tmp_path, "first").check_free()
    assert Run(tmp_path, "first").restore() == {"seed": 3}
    run.end()
    run.checkpoint.touch()
    with pytest.raises(FileExistsError, match="choose another --name"):
        Run(tmp_path, "first").check_free()
    Run(tmp_path, "first").check_free(overwrite=True)
    Run(tmp_path, "first").begin({"seed": 4})
    assert run.restore() == {"seed": 4}
    assert run.checkpoint.exists()


def test_what_a_killed_process_left_is_swept_away(tmp_path):
    mine = [".12.run.keras", ".12.run.resume.npz", ".7.run.csv"]
    others = [".12.other.run.keras", ".run.json", "run.keras", ".12.running.png"]
    for name in mine + others:
        (tmp_path / name).touch()
    run = Run(tmp_path, "run")
    run.begin({"seed": 3})
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([*others, "run.resume.json"])


def test_a_run_that_is_killed_while_it_ends_is_over(tmp_path, monkeypatch):
    """Else `--resume` would train a finished run anew."""
    run = Run(tmp_path, "run")
    run.begin({"seed": 3})
    run.state.touch()
    removed = []
    monkeypatch.setattr(type(run.state), "unlink", lambda path, missing_ok: removed.append(path))
    run.end()
    assert removed == [run.settings, run.state]


def test_nothing_to_resume(tmp_path):
    with pytest.raises(FileNotFoundError, match="no interrupted run 'other'"):
        Run(tmp_path, "other").restore()
    run = Run(tmp_path, "other")
    run.settings.write_text("{")
    with pytest.raises(ValueError, match="is damaged"):
        run.restore()


@pytest.mark.parametrize("name", ["", "a/b", "..", ".hidden", "../x", "x" * 233])
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
