"""Images in a file are those that would be in memory, and nothing is left of the file."""

from collections import namedtuple

import numpy as np
import pytest
from PIL import Image

from cnnvis.images import choosing, sources, stored


@pytest.fixture
def folder(tmp_path):
    """Photos of two classes, wider than high."""
    rng = np.random.default_rng(0)
    for label, count in (("cat", 12), ("dog", 10)):
        (tmp_path / "photos" / label).mkdir(parents=True)
        for number in range(count):
            photo = Image.fromarray(rng.integers(0, 256, (40, 60, 3), dtype="uint8"))
            photo.save(tmp_path / "photos" / label / f"{number}.png")
    return tmp_path / "photos"


def test_images_are_read_as_from_memory(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(stored, "AT_ONCE", 3 * 32 * 32 * 3)  # three images
    dataset, chosen = sources.load(str(folder), "train", crop=True), np.array([4, 1, 7, 8, 12])
    in_memory, in_file = dataset.take(chosen), stored.store(dataset, chosen, tmp_path)
    assert (in_file.images.shape, in_file.images.dtype) == (in_memory.images.shape, in_memory.images.dtype)
    np.testing.assert_array_equal(in_file.labels, in_memory.labels)
    for key in (3, -1, slice(None), slice(1, 9, 2), np.array([2, 0, 2]), np.array([], int)):
        np.testing.assert_array_equal(in_file.images[key], in_memory.images[key])
    np.testing.assert_array_equal(in_file.take([1, 3]).images, in_memory.images[[1, 3]])
    assert [path.name for path in tmp_path.iterdir()] == ["photos"]


def test_more_images_than_memory_are_trained_on_from_a_file(folder, tmp_path, monkeypatch, capsys):
    in_memory = choosing.for_training(str(folder), folder=tmp_path)
    monkeypatch.setattr(choosing, "MOST_IN_MEMORY", 10_000)
    in_file = choosing.for_training(str(folder), folder=tmp_path)
    assert "The images take 0.0 GB: they are decoded into a file" in capsys.readouterr().err
    for one, other in zip(in_file, in_memory, strict=True):
        assert isinstance(one.images, stored.StoredImages)
        np.testing.assert_array_equal(one.images[:], other.images)
        np.testing.assert_array_equal(one.labels, other.labels)


def test_unreadable_images_are_skipped(folder, tmp_path):
    (folder / "cat" / "3.png").write_bytes((folder / "cat" / "3.png").read_bytes()[:200])
    dataset = sources.load(str(folder), "train", skip_bad=True)
    whole = stored.store(dataset, np.arange(len(dataset)), tmp_path)
    assert len(whole) == len(whole.images) == len(dataset) - 1
    assert list(dataset.bad) == [next(i for i, file in enumerate(dataset.images.sources) if file.endswith("3.png"))]
    with pytest.raises(ValueError, match=r"3\.png can't be read as an image"):
        stored.store(sources.load(str(folder), "train"), np.arange(len(dataset)), tmp_path)
    with pytest.raises(ValueError, match="none of the 1 images tried can be read"):
        stored.store(dataset, np.array(list(dataset.bad)), tmp_path)


def test_a_full_disk_is_noticed_before_images_are_decoded(folder, tmp_path, monkeypatch):
    usage = namedtuple("usage", "free")(200)
    monkeypatch.setattr(stored.shutil, "disk_usage", lambda _folder: usage)
    monkeypatch.setattr(sources.Dataset, "take", lambda *_arguments: pytest.fail("images are decoded"))
    with pytest.raises(OSError, match=r"2 images of 32x32 need 0\.0 GB, of which .* has 0\.0 GB free: make room"):
        stored.store(sources.load(str(folder), "train"), np.arange(2), tmp_path)
