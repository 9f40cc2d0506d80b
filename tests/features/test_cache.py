"""Responses to real images are cached; the cache is never used for other images or networks, nor if damaged."""

import functools
import hashlib
from types import SimpleNamespace

import numpy as np
import pytest

from cnnvis.features import cache, top_images
from cnnvis.images.dataset import Dataset
from cnnvis.network.classifier import Classifier
from tests.conftest import small_sequential


@pytest.fixture(autouse=True)
def worth_keeping(monkeypatch):
    monkeypatch.setattr("cnnvis.checkpoints.cache.WORTH_KEEPING", 1)


@pytest.fixture
def looks(monkeypatch):
    """One entry for each time that responses were computed."""
    calls, observe = [], top_images.observe

    def counted(*arguments, **options):
        calls.append(arguments)
        return observe(*arguments, **options)

    monkeypatch.setattr(top_images, "observe", counted)
    return calls


@pytest.fixture
def real(images):
    return Dataset("some", images, np.arange(7) % 3, tuple("abcdefghij"))


@pytest.fixture
def model(tmp_path):
    """The file of a network, of which only the digest counts."""
    (tmp_path / "model.keras").write_bytes(b"a network")
    return tmp_path / "model.keras"


@functools.cache
def usual(input_range):
    return Classifier(small_sequential(), input_range)


def see(model, real, folders, network=None, input_range=(0, 1), names=("first", "hidden")):
    classifier = Classifier(network, input_range) if network else usual(input_range)
    written = []
    layers = [classifier.layer(name) for name in names]
    loaded = SimpleNamespace(path=model, digest=hashlib.sha256(model.read_bytes()).hexdigest())
    return cache.observe(classifier, layers, real, loaded, folders, tell=written.append), written


def assert_same(first, second, rtol=0):
    """To the last bit if one was read from a file."""
    assert first.keys() == second.keys()
    for name in first:
        for key in top_images.FilterResponses.__dataclass_fields__:
            a, b = getattr(first[name], key), getattr(second[name], key)
            assert a.dtype == b.dtype
            np.testing.assert_allclose(a, b, rtol, rtol)


def test_the_second_run_computes_nothing(model, real, looks, tmp_path):
    first, written = see(model, real, [tmp_path])
    second, nothing = see(model, real, [tmp_path])
    assert len(looks) == 1
    assert_same(first, second)
    assert [path.parent for path in written] == [tmp_path]
    assert not nothing


def test_the_file_contains_no_images(model, real, tmp_path):
    _, (path,) = see(model, real, [tmp_path])
    with np.load(path) as file:
        assert not [name for name in file.files if file[name].dtype == np.uint8]
        assert {name.split("/")[0] for name in file.files} == {"first", "second", "hidden", "last"}


def test_one_file_serves_any_choice_of_layers(model, real, looks, tmp_path):
    see(model, real, [tmp_path])
    seen, written = see(model, real, [tmp_path], names=["second"])
    assert "second" in seen
    assert (len(looks), written) == (1, [])


def test_other_images_labels_and_ranges_are_computed_again(model, real, looks, tmp_path):
    see(model, real, [tmp_path])
    brighter, labels = real.images.copy(), real.labels.copy()
    brighter[3, 0, 0, 0] ^= 1
    labels[2] = -1
    others = [
        (Dataset("some", brighter, real.labels, real.classes), {}),
        (Dataset("some", real.images, labels, real.classes), {}),
        (real, {"input_range": (0, 255)}),
    ]
    for number, (dataset, options) in enumerate(others, 2):
        see(model, dataset, [tmp_path], **options)
        assert len(looks) == number


def test_another_network_of_that_name_replaces_it(model, real, looks, tmp_path):
    old_seen, (old,) = see(model, real, [tmp_path])
    (tmp_path / "model.keras.notes.txt").touch()
    network = small_sequential()
    network.get_layer("first").bias.assign(np.ones(6))
    model.write_bytes(b"another network")
    seen, (new,) = see(model, real, [tmp_path], network)
    assert len(looks) == 2
    assert not old.exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([model.name, "model.keras.notes.txt", new.name])
    np.testing.assert_allclose(seen["first"].largest, old_seen["first"].largest + 1, rtol=1e-3, atol=1e-4)


def test_no_file_is_open_when_it_is_replaced_or_removed(model, real, windows, tmp_path):
    """Windows, by substitution, would refuse."""
    for content in (b"", b"no archive at all", b"PK\3\4 half of one"):
        _, (path,) = see(model, real, [tmp_path])
        path.write_bytes(content)
    model.write_bytes(b"another")
    see(model, real, [tmp_path])
    assert not path.exists()
    assert not windows


@pytest.mark.parametrize("damage", ["cut", "flipped", "empty", "text", "another"])
def test_damage_is_noticed(damage, model, real, looks, tmp_path):
    first, (path,) = see(model, real, [tmp_path])
    content = bytearray(path.read_bytes())
    if damage == "another":
        np.savez(path, something=np.arange(3))
    else:
        middle = len(content) // 2
        content[middle] ^= 255
        path.write_bytes(
            {"cut": content[:middle], "flipped": content, "empty": b"", "text": b"no archive at all"}[damage]
        )
    second, _ = see(model, real, [tmp_path])
    assert len(looks) == 2
    assert_same(first, second, rtol=1e-4)
    third, _ = see(model, real, [tmp_path])
    assert len(looks) == 2
    assert_same(second, third)


def test_the_next_folder_is_used_if_the_first_is_not_writable(model, real, looks, tmp_path):
    (tmp_path / "closed").touch()  # a file in place of a folder stands in for an unwritable one
    out = tmp_path / "out"
    out.mkdir()
    for _ in range(2):
        see(model, real, [tmp_path / "closed", out])
    assert len(looks) == 1
    assert len(list(out.iterdir())) == 1
    see(model, real, [tmp_path / "closed"])
    assert len(looks) == 2


def test_responses_to_a_few_images_are_not_cached(model, real, tmp_path, monkeypatch):
    monkeypatch.setattr("cnnvis.checkpoints.cache.WORTH_KEEPING", real.images[..., 0].size + 1)
    _, written = see(model, real, [tmp_path])
    assert not written
    assert [path.name for path in tmp_path.iterdir()] == ["model.keras"]
