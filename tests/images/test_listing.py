"""Which files of a folder count, whatever systems put beside them and wherever links lead."""

import unicodedata

import pytest
from PIL import Image

from cnnvis.images import listing
from tests.conftest import POSIX


def names(folder, **options):
    return [name for name, _ in listing.files_in(folder, **options)]


def test_what_systems_put_into_folders_is_passed_over(tmp_path):
    for name in (".DS_Store", "._a.jpg", ".hidden.png", "Thumbs.db", "DESKTOP.INI", "a.jpg", "b"):
        (tmp_path / name).touch()
    for name in ("__MACOSX", ".ipynb_checkpoints", "c"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "d.jpg").touch()
    assert names(tmp_path) == ["a.jpg", "b", "c/d.jpg"]
    assert names(tmp_path, deep=False) == ["a.jpg", "b"]
    assert [path.name for path in listing.subfolders(tmp_path)] == ["c"]


def test_names_are_the_same_where_letters_are_composed_otherwise(tmp_path):
    """As macOS does it."""
    decomposed = unicodedata.normalize("NFD", "é.jpg")
    (tmp_path / decomposed).touch()
    ((_, path),) = listing.files_in(tmp_path)
    assert names(tmp_path) == ["é.jpg"] != [decomposed]
    assert path == str(tmp_path / decomposed) or path == str(tmp_path / "é.jpg")


def test_a_folder_that_cannot_be_read_is_named(tmp_path):
    """It lost its permissions or, as here, vanished after it was listed."""
    (tmp_path / "cat").mkdir()
    (cat,) = listing.subfolders(tmp_path)
    cat.rmdir()
    with pytest.raises(FileNotFoundError, match=r"^the folder .*cat can't be read \(.+\): make it readable, or remove"):
        listing.files_in(cat)


@POSIX
def test_links_are_followed_once_and_circles_end(tmp_path):
    (tmp_path / "a" / "z").mkdir(parents=True)
    (tmp_path / "b").mkdir()
    for name in ("a/1.jpg", "a/z/2.jpg", "b/3.jpg"):
        (tmp_path / name).touch()
    (tmp_path / "a" / "above").symlink_to(tmp_path.parent)
    (tmp_path / "a" / "again").symlink_to(tmp_path / "a" / "z")
    (tmp_path / "a" / "other").symlink_to(tmp_path / "b")
    (tmp_path / "b" / "back").symlink_to(tmp_path / "a")
    (tmp_path / "b" / "itself.jpg").symlink_to("itself.jpg")
    assert names(tmp_path / "a") == ["1.jpg", "other/3.jpg", "other/itself.jpg", "z/2.jpg"]
    (tmp_path / "c").symlink_to(tmp_path / "b")
    assert names(tmp_path / "c") == ["3.jpg", "back/1.jpg", "back/z/2.jpg", "itself.jpg"]


def test_a_file_without_the_suffix_of_an_image_is_told_by_its_content(tmp_path):
    Image.new("RGB", (2, 2)).save(tmp_path / "a.dat", "PNG")
    (tmp_path / "b.txt").write_text("not at all an image")
    (tmp_path / "c.jpg").write_text("not at all an image, which reading it will tell")
    (tmp_path / "d").touch()
    files = listing.files_in(tmp_path)
    ((path, why),) = listing.take_unreadable(files).items()
    assert path.endswith("b.txt")
    assert "b.txt can't be read as an image" in why
    assert [name for name, _ in files] == ["a.dat", "c.jpg", "d"]
