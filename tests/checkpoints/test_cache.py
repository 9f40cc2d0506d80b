"""Results beside a network: read if nothing that they depend on has changed, else computed."""

import os
from types import SimpleNamespace

import numpy as np
import pytest

from cnnvis import checkpoints, features, images, network
from cnnvis.checkpoints import cached
from cnnvis.evaluation import nearest_images
from cnnvis.images import identifying

ARRAYS = {"a": np.arange(3), "b/c": np.eye(2, dtype="float32")}


@pytest.fixture
def keep(tmp_path):
    """A function that returns the arrays, the paths that were written and how often they were computed."""
    computed = []

    def compute():
        computed.append(1)
        return ARRAYS

    def keep(contents=(b"1",), network="00", topic="sums", folders=(tmp_path,), pixels=10**9, names=tuple(ARRAYS)):
        written, before = [], len(computed)
        which = {"checkpoint": SimpleNamespace(path=tmp_path / "net.keras"), "topic": topic, "network": network}
        which |= {"contents": contents, "pixels": pixels, "folders": folders, "tell": written.append}
        return cached(compute, names, **which), written, len(computed) - before

    return keep


def test_what_was_computed_is_read(keep):
    _, (path,), first = keep()
    arrays, written, second = keep()
    assert (first, second, written) == (1, 0, [])
    assert path.name.startswith("net.keras.00-")
    for name, array in ARRAYS.items():
        np.testing.assert_array_equal(arrays[name], array)
        assert arrays[name].dtype == array.dtype


def test_one_array_more_than_the_file_has_is_computed(keep):
    keep()
    with pytest.raises(KeyError):
        keep(names=["a", "d"])[0]["d"]
    assert keep()[2] == 0


@pytest.mark.parametrize("other", [{"contents": (b"2",)}, {"network": "01"}, {"topic": "products"}])
def test_anything_else_is_computed(other, keep):
    keep()
    assert keep(**other)[2] == 1


def test_only_files_of_that_topic_and_of_other_networks_are_removed(keep, tmp_path):
    (of_contents,), (of_topic,) = keep()[1], keep(topic="products")[1]
    assert keep(contents=(b"2",))[1][0].parent == of_contents.parent
    assert of_contents.exists()
    (new,) = keep(network="01")[1]
    assert sorted(tmp_path.iterdir()) == sorted([of_topic, new])


def test_few_pixels_are_not_worth_a_file_nor_a_look_at_what_they_depend_on(keep, tmp_path):
    assert keep(map(no_pass, [1]), pixels=1_999_999)[1:] == ([], 1)
    assert not list(tmp_path.iterdir())


def test_a_folder_that_cannot_be_written_to_is_passed_over(keep, tmp_path):
    (tmp_path / "closed").touch()  # a file in place of a folder stands in for an unwritable one
    assert keep(folders=[tmp_path / "closed", tmp_path])[1][0].parent == tmp_path
    assert keep(topic="products", folders=[tmp_path / "closed"])[1:] == ([], 1)


def test_images_are_identified_by_pixels_or_by_files(tmp_path):
    from PIL import Image

    for name in "ab":
        Image.new("RGB", (4, 4), (9, 9, 9)).save(tmp_path / f"{name}.png")
    dataset = images.open_files([tmp_path / "a.png", tmp_path / "b.png"], size=(4, 4))
    before = [bytes(part) for part in identifying(dataset.images)]
    assert len(before) == 2
    os.utime(tmp_path / "b.png", ns=(0, 0))
    after = [bytes(part) for part in identifying(dataset.images)]
    assert (before[0] == after[0], before[1] == after[1]) == (True, False)
    pixels = dataset.images[:]
    assert [bytes(part) for part in identifying(pixels)] == [pixels.tobytes()]


@pytest.mark.parametrize("arch", ["deep", "basic"])
def test_the_files_that_ship_are_those_that_are_looked_for(arch, cifar10):
    """Nothing is computed: the networks, the images and how files are named are still those of the files."""
    checkpoint = checkpoints.load(arch)
    training, test = (images.load("cifar10", split) for split in ("train", "test"))
    classifier = network.take_apart(checkpoint, training)
    how = {"checkpoint": checkpoint, "folders": [checkpoint.path.parent], "track": no_pass, "tell": no_pass}
    assert len(features.observe(classifier, [], training, **how)) >= 6
    if list(checkpoint.path.parent.glob(f"{checkpoint.path.name}.*.nearest.npz")):
        found = nearest_images.find(network.hidden(classifier), None, test, training, k=5, **how)
        assert found.indices.shape == (10_000, 5)


def no_pass(*_):
    raise AssertionError("it is computed anew")
