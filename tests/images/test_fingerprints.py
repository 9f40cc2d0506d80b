"""A data set that changed since a training run began: refused, with what changed."""

import pytest
from sklearn import datasets

from cnnvis.images.fingerprints import fingerprint


@pytest.fixture
def photos(tmp_path, monkeypatch):
    """A folder of two classes with five images each, from where it is called photos."""
    monkeypatch.chdir(tmp_path)
    for label in ("cat", "dog"):
        (tmp_path / "photos" / label).mkdir(parents=True)
        for number in range(5):
            (tmp_path / "photos" / label / f"{number}.jpg").write_bytes(b"12345")
    return tmp_path / "photos"


def add(photos):
    for number in range(5, 10):
        (photos / "cat" / f"{number}.jpg").touch()


def remove(photos):
    (photos / "dog" / "3.jpg").unlink()


def edit(photos):
    (photos / "dog" / "3.jpg").write_bytes(b"123456")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (add, "15 images, the run began with 10 (new or changed: 5, such as cat/5.jpg)"),
        (remove, "9 images, the run began with 10 (gone or changed: 1)"),
        (edit, "10 images, the run began with 10 (new or changed: 1, such as dog/3.jpg; gone or changed: 1)"),
    ],
)
def test_what_changed_is_said(change, said, photos):
    before = fingerprint("photos")
    assert fingerprint("photos", before=before) == before
    change(photos)
    with pytest.raises(ValueError, match="photos") as refused:
        fingerprint("photos", before=before)
    assert str(refused.value) == f"photos has {said}: restore them, or start anew with --overwrite"


def test_another_split_is_another_data_set(photos, monkeypatch):
    before = fingerprint("photos")
    monkeypatch.setattr("cnnvis.images.folders.ONE_IN", 2)
    with pytest.raises(ValueError, match="the classes of photos, or which images are for testing, changed"):
        fingerprint("photos", before=before)


def test_the_pixels_of_the_digits_count(monkeypatch):
    before = fingerprint("digits")
    digits = datasets.load_digits()
    monkeypatch.setattr(datasets, "load_digits", lambda: digits)
    assert fingerprint("digits", before=before) == before
    digits.images[5, 3, 3] += 1
    with pytest.raises(ValueError, match=r"digits .*changed since the run began: restore them, or start anew"):
        fingerprint("digits", before=before)
