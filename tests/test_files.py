"""Files are whole, or as they were before."""

from cnnvis.files import complete


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
