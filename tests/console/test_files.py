"""Files are complete, or unchanged."""

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
    """The `windows` fixture stands in for Windows, which refuses both."""
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


def test_files_of_a_killed_writer_are_removed_without_fcntl_too(windows, tmp_path):
    """The `windows` fixture stands in for Windows, which protects a file that a running process has open."""
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


def test_only_one_process_claims_a_name_without_fcntl_too(windows, tmp_path):
    """The `windows` fixture stands in for Windows, whose locks are msvcrt's."""
    path = tmp_path / ".run.lock"
    path.touch()  # left by a killed process
    with claimed(path):
        with pytest.raises(BlockingIOError), claimed(path):
            pass
        assert path.exists()
    assert not path.exists()
    with pytest.raises(ZeroDivisionError), claimed(path):
        path.write_text(str(1 / 0))
    assert not path.exists()
