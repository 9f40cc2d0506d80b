"""Which images of a folder are for training, which for testing, and which are not used."""

import hashlib
import unicodedata
from pathlib import Path

import pytest
from PIL import Image

from cnnvis.images import folders
from tests.conftest import POSIX


@pytest.fixture
def make(tmp_path):
    """A function that makes empty files `<place>/0.jpg`, `1.jpg`, … in a folder: place=count."""
    folder = tmp_path / "photos"

    def made(places):
        for place, count in places.items():
            (folder / place).mkdir(parents=True, exist_ok=True)
            for number in range(count):
                (folder / place / f"{number}.jpg").touch()
        return folder

    return made


def counts(found):
    """{class: (training images, test images)}"""
    train, test = (map(len, found.files[part]) for part in ("train", "test"))
    return dict(zip(found.classes, zip(train, test)))


def remarks(folder, found):
    return [remark.replace(str(folder), "photos") for remark in found.remarks]


def test_class_folders_are_split_by_the_hashes_of_names(make):
    folder = make({"cat": 20, "dog": 9, "emu": 2})
    found = folders.read(folder)
    assert counts(found) == {"cat": (16, 4), "dog": (8, 1), "emu": (1, 1)}
    for label, train, test in zip(found.classes, found.files["train"], found.files["test"]):
        hashes = {path: hashlib.sha256(f"{label}/{Path(path).name}".encode()).digest() for path in train + test}
        assert max(hashes[path] for path in test) < min(hashes[path] for path in train)
    assert [Path(path).name for path in found.files["test"][0]] == ["0.jpg", "13.jpg", "3.jpg", "8.jpg"]
    assert remarks(folder, found) == [
        "photos has no train/ and test/: 6 of its 31 images, chosen by name, are the test images."
    ]


def test_the_split_is_the_same_in_any_order_of_files_and_form_of_letters(tmp_path):
    names = [f"é{number}.jpg" for number in range(10)]
    chosen = []
    for form, order in (("NFC", 1), ("NFD", -1)):
        for name in names[::order]:
            place = tmp_path / form / unicodedata.normalize(form, "kälte")
            (place / "ä").mkdir(parents=True, exist_ok=True)
            (place / "ä" / unicodedata.normalize(form, name)).touch()
        found = folders.read(tmp_path / form)
        assert found.classes == ("kälte",)
        chosen.append([unicodedata.normalize("NFC", Path(path).name) for path in found.files["test"][0]])
    assert chosen[0] == chosen[1]
    assert len(chosen[0]) == 2


@pytest.mark.parametrize(
    ("places", "expected", "said"),
    [
        ({"train/cat": 3, "test/cat": 2}, {"cat": (3, 2)}, []),
        ({"Training/cat": 3, "TEST/cat": 2}, {"cat": (3, 2)}, []),
        ({"train/cat": 3, "Valid/cat": 2}, {"cat": (3, 2)}, ["photos: the images in Valid/ are the test images."]),
        (
            {"train/cat": 3, "val/cat": 2, "test/cat": 1},
            {"cat": (3, 1)},
            ["photos: val/ is not used, since test/ is for testing."],
        ),
        ({"test/cat": 2}, {"cat": (0, 2)}, []),
        (
            {"train/cat": 5, "test": 3, "more": 1},
            {"cat": (4, 1)},
            [
                "photos: more/, test/ beside train/ is not used.",
                "photos has no test images: 1 of its 5 images in train/, chosen by name, is the test image.",
            ],
        ),
        ({"train/cat": 3, "test/Cat": 2}, {"cat": (3, 2)}, ["photos: Cat is the same class as cat."]),
        (
            {"train/a": 1, "train/b": 1, "train/c": 1, "train/d": 0, "test/a": 1, "test/e": 2},
            {"a": (1, 1), "b": (1, 0), "c": (1, 0)},
            [
                "photos: d has no images: left out.",
                "photos: e has no training images: left out of testing.",
                "photos: b, c have no test images: used for training only.",
            ],
        ),
        ({"cat": 1, "dog": 1}, {"cat": (1, 0), "dog": (1, 0)}, []),
        (dict.fromkeys(map(str, range(200)), 1), dict.fromkeys(map(str, range(200)), (1, 0)), []),
    ],
)
def test_layouts(make, places, expected, said):
    folder = make(places)
    found = folders.read(folder)
    assert counts(found) == expected
    assert remarks(folder, found) == said


def test_classes_may_be_called_as_parts_are(make):
    assert counts(folders.read(make({"valid": 5, "invalid": 5}))) == {"invalid": (4, 1), "valid": (4, 1)}
    assert counts(folders.read(make({"invalid/2025": 5, "valid/2025": 5}))) == {"invalid": (8, 2), "valid": (8, 2)}


def test_images_above_and_below_class_folders(make):
    folder = make({".": 4, "cat/siamese/kittens": 4, "cat": 1, "dog": 1})
    (folder / "labels.txt").touch()
    found = folders.read(folder)
    assert counts(found) == {"cat": (4, 1), "dog": (1, 0)}
    assert remarks(folder, found)[1:] == [
        "photos: dog has no test images: used for training only.",
        "photos: images outside the class folders are left out: photos/0.jpg, photos/1.jpg, photos/2.jpg and 1 more.",
        "photos: images in folders of a class folder belong to the class, such as photos/cat/siamese/kittens/0.jpg.",
    ]


@pytest.mark.parametrize(
    ("places", "message"),
    [
        ({".": 0}, "photos has no images: it needs them in folders photos/<class>/"),
        ({"cat": 0, "dog": 0}, "photos has no images: it needs them in folders photos/<class>/"),
        ({".": 2}, "photos has images but no class folders: say --images photos, or sort them into folders"),
        ({"Pets/cat": 1, "Pets/dog": 1}, "all classes of photos are in one folder: say --data photos/Pets"),
        ({"a/b/train/cat": 1, "a/b/test/cat": 1}, "all classes of photos are in one folder: say --data photos/a/b"),
        ({"Pets/cat": 1, "Pets/dog": 1, "old": 0}, "all classes of photos are in one folder: say --data photos/Pets"),
        (
            {"train/cat": 1, "train/dog": 1, "test/emu": 1, "test/fox": 0},
            "photos has training images of cat, dog, but test images of emu: give the folders of a class the same name",
        ),
        (
            {"training_set/cat": 1, "training_set/dog": 1, "test_set/cat": 1, "test_set/dog": 1},
            "photos has test_set/, training_set/: rename them to train/ and test/",
        ),
        ({"train": 2, "test": 2}, "photos/test/ has no class folders: sort its images into photos/test/<class>/"),
        ({"val/cat": 1, "valid/cat": 1}, "photos has both val/ and valid/: rename or remove one"),
    ],
)
def test_folders_that_are_no_data_set(make, places, message):
    folder = make(places)
    with pytest.raises(ValueError, match="photos") as refused:
        folders.read(folder)
    assert str(refused.value).replace(str(folder), "photos") == message


def test_other_files_are_named_unless_they_are_skipped(make, capsys):
    folder = make({"cat": 5, "dog": 5})
    (folder / "cat" / "notes.txt").write_text("no image")
    with pytest.raises(ValueError, match=r"notes\.txt can't be read as an image.* \(--skip-bad skips such files\)$"):
        folders.read(folder)
    (folder / "dog" / "film.mp4").write_bytes(bytes(99))
    with pytest.raises(ValueError, match=r"2 files of .*photos can't be read as images: remove them, or"):
        folders.read(folder)
    assert counts(folders.read(folder, skip_bad=True)) == {"cat": (4, 1), "dog": (4, 1)}
    assert "Skipped 2 files of" in (err := capsys.readouterr().err)
    assert "film.mp4" in err


@POSIX
def test_a_folder_that_contains_itself_is_no_endless_data_set(make):
    folder = make({".": 0})
    (folder / "itself").symlink_to(folder)
    with pytest.raises(ValueError, match="has no images"):
        folders.read(folder)
    found = folders.read(make({"cat": 2, "dog": 2}))
    assert found.classes == ("cat", "dog")
    assert "photos: itself has no images: left out." in remarks(folder, found)


def test_many_files_are_not_opened(make, monkeypatch):
    monkeypatch.setattr(Image, "open", lambda *_, **__: pytest.fail("a file is opened"))
    assert counts(folders.read(make({"a": 300, "b": 300}))) == {"a": (240, 60), "b": (240, 60)}
