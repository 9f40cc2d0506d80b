"""Files are whole, or as they were before."""

import pytest

from cnnvis.console.files import claimed, complete, write_hdf5


def test_files_are_complete_or_absent(tmp_path):
    path = tmp_path / "file.txt"
    path.write_text("before")
    try:
        with complete(path) as unfinished:
            unfinished.write_text("half")
            raise RuntimeError
    except RuntimeError:
        pass
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]
    with complete(path) as unfinished:
        unfinished.write_text("after")
    assert path.read_text() == "after"
    assert list(tmp_path.iterdir()) == [path]


def test_no_open_file_is_replaced_or_removed(windows, tmp_path):
    """By substitution: no Windows here, which refuses both."""
    path = tmp_path / "file.txt"
    path.write_text("before")
    with pytest.raises(ZeroDivisionError), complete(path) as unfinished:
        unfinished.write_text(str(1 / 0))
    with complete(path) as unfinished:
        unfinished.write_text("after")
    write_hdf5(tmp_path / "file.h5", lambda file: file.create_dataset("a", data=1))
    assert path.read_text() == "after"
    assert sorted(tmp_path.iterdir()) == [tmp_path / "file.h5", path]
    assert not windows


def test_what_a_killed_writer_left_goes_without_fcntl_too(windows, tmp_path):
    """By substitution: no Windows here, which lets nobody remove what a living writer has open."""
    path = tmp_path / "x.png"
    left = tmp_path / ".0123456789abcdef.x.png"
    left.touch()
    with complete(path) as first:
        first.write_text("first")
        with complete(path) as second:
            second.write_text("second")
            assert sorted(tmp_path.iterdir()) == sorted([first, second])
        assert first.read_text() == "first"
    assert path.read_text() == "first"
    assert list(tmp_path.iterdir()) == [path]


def test_a_name_is_claimed_once_without_fcntl_too(windows, tmp_path):
    """By substitution: no Windows here, whose locks are msvcrt's."""
    path = tmp_path / ".run.lock"
    path.touch()  # as a killed process leaves it
    with claimed(path):
        with pytest.raises(BlockingIOError), claimed(path):
            pass
        assert path.exists()
    assert not path.exists()
    with pytest.raises(ZeroDivisionError), claimed(path):
        path.write_text(str(1 / 0))
    assert not path.exists()
