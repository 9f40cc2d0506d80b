"""What was seen of real pictures is kept; never used for other pictures, other networks, or when it is damaged."""

import hashlib
from types import SimpleNamespace

import numpy as np
import pytest

from cnnvis.features import cache as excitation_cache
from cnnvis.features import top_images as excitation
from cnnvis.images.sources import Pictures
from cnnvis.network.classifier import Classifier
from tests.conftest import small_sequential


@pytest.fixture(autouse=True)
def worth_keeping(monkeypatch):
    monkeypatch.setattr(excitation_cache, "WORTH_KEEPING", 1)


@pytest.fixture
def looks(monkeypatch):
    """How often pictures were looked at: the length of this list."""
    calls, observe = [], excitation.observe

    def counted(*arguments):
        calls.append(arguments)
        return observe(*arguments)

    monkeypatch.setattr(excitation, "observe", counted)
    return calls


@pytest.fixture
def real(pictures):
    return Pictures("some", pictures, np.arange(7) % 3, tuple("abcdefghij"))


@pytest.fixture
def model(sequential, tmp_path):
    sequential.save(tmp_path / "model.keras")
    return tmp_path / "model.keras"


def see(model, real, folders, network=None, input_range=(0, 1), names=("first", "hidden")):
    classifier = Classifier(network or small_sequential(), input_range)
    told = []
    layers = [classifier.layer(name) for name in names]
    loaded = SimpleNamespace(path=model, digest=hashlib.sha256(model.read_bytes()).hexdigest())
    return excitation_cache.observe(classifier, layers, real, loaded, folders, tell=told.append), told


def assert_same(first, second, rtol=0):
    """To the last bit where one was read from a file."""
    assert first.keys() == second.keys()
    for name in first:
        for key in excitation.Excitation.__dataclass_fields__:
            a, b = getattr(first[name], key), getattr(second[name], key)
            assert a.dtype == b.dtype
            np.testing.assert_allclose(a, b, rtol, rtol)


def test_the_second_run_looks_at_no_picture(model, real, looks, tmp_path):
    first, told = see(model, real, [tmp_path])
    second, nothing = see(model, real, [tmp_path])
    assert len(looks) == 1
    assert_same(first, second)
    assert [path.parent for path in told] == [tmp_path]
    assert not nothing


def test_it_holds_no_pictures(model, real, tmp_path):
    _, (path,) = see(model, real, [tmp_path])
    with np.load(path) as file:
        assert not [name for name in file.files if file[name].dtype == np.uint8]
        assert {name.split("/")[0] for name in file.files} == {"first", "hidden"}


def test_other_pictures_labels_ranges_and_layers_are_looked_at_anew(model, real, looks, tmp_path):
    see(model, real, [tmp_path])
    brighter, labels = real.images.copy(), real.labels.copy()
    brighter[3, 0, 0, 0] ^= 1
    labels[2] = -1
    others = [
        (Pictures("some", brighter, real.labels, real.classes), {}),
        (Pictures("some", real.images, labels, real.classes), {}),
        (real, {"input_range": (0, 255)}),
        (real, {"names": ("first", "second")}),
    ]
    for number, (pictures, options) in enumerate(others, 2):
        see(model, pictures, [tmp_path], **options)
        assert len(looks) == number
    see(model, real, [tmp_path])


def test_another_network_of_that_name_replaces_it(model, real, looks, tmp_path):
    old_seen, (old,) = see(model, real, [tmp_path])
    (tmp_path / "model.keras.notes.txt").touch()
    network = small_sequential()
    network.get_layer("first").bias.assign(np.ones(6))
    network.save(model)
    seen, (new,) = see(model, real, [tmp_path], network)
    assert len(looks) == 2
    assert not old.exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([model.name, "model.keras.notes.txt", new.name])
    np.testing.assert_allclose(seen["first"].largest, old_seen["first"].largest + 1, rtol=1e-3, atol=1e-4)


def test_no_file_is_open_when_it_is_replaced_or_removed(model, real, windows, tmp_path):
    """By substitution: no Windows here, which would refuse."""
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


def test_where_the_model_lies_nothing_can_be_written(model, real, looks, tmp_path):
    (tmp_path / "closed").touch()  # a file where a folder should be stands in for one that can't be written into
    out = tmp_path / "out"
    out.mkdir()
    for _ in range(2):
        see(model, real, [tmp_path / "closed", out])
    assert len(looks) == 1
    assert len(list(out.iterdir())) == 1
    see(model, real, [tmp_path / "closed"])
    assert len(looks) == 2


def test_a_few_pictures_are_not_worth_a_file(model, real, tmp_path, monkeypatch):
    monkeypatch.setattr(excitation_cache, "WORTH_KEEPING", real.images[..., 0].size + 1)
    _, told = see(model, real, [tmp_path])
    assert not told
    assert [path.name for path in tmp_path.iterdir()] == ["model.keras"]
