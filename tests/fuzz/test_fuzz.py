"""Damaged files give a valid result, ValueError or OSError, in time; `make fuzz` searches longer and deeper."""

import random
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from cnnvis.images import cifar10
from fuzz import files
from tests.conftest import slowness

SOON = 5  # seconds of a fast processor; a file takes some milliseconds
VALID = {reader: list(seeds()) for reader, (_, seeds, _) in files.READERS.items()}


@pytest.fixture(autouse=True)
def few_and_small(monkeypatch):
    monkeypatch.setattr(cifar10, "RECORDS", cifar10.RECORDS)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", Image.MAX_IMAGE_PIXELS)
    files.few_and_small()


@st.composite
def damaged(draw, valid):
    """A valid file with bytes changed, removed, inserted, or taken from another file."""
    contents = [content for _, content in valid]
    content = bytearray(draw(st.sampled_from(contents)))
    for _ in range(draw(st.integers(1, 6))):
        start = draw(st.integers(0, len(content)))
        stop = min(len(content), start + draw(st.integers(0, 64)))
        how = draw(st.sampled_from(("flip", "cut", "end", "put", "splice")))
        if how == "flip" and start < len(content):
            content[start] ^= 1 << draw(st.integers(0, 7))
        elif how == "cut":
            del content[start:stop]
        elif how == "end":
            del content[start:]
        elif how == "put":
            content[start:stop] = draw(st.binary(max_size=16))
        elif how == "splice":
            other = draw(st.sampled_from(contents))
            content[start:] = other[draw(st.integers(0, len(other))) :]
    return bytes(content)


def read(reader, path, readers=files.READERS):
    """Whether the reader can read a file; checks its promises, and its time."""
    began, reason = time.process_time(), None
    try:
        readers[reader][0](path)
    except (ValueError, OSError) as error:
        reason = str(error)
    assert time.process_time() - began < SOON * slowness()
    assert reason is None or path.name in reason
    return reason is None


@pytest.mark.parametrize("reader", VALID)
def test_damaged_files(reader, tmp_path):
    path = tmp_path / f"file{files.READERS[reader][2]}"
    seen = {True: 0, False: 0}

    @settings(max_examples=300)
    @given(damaged(VALID[reader]))
    def damage(content):
        path.write_bytes(content)
        seen[read(reader, path)] += 1

    damage()
    assert min(seen.values()) > 5, seen  # some were read, some refused


@pytest.mark.parametrize(("reader", "name"), [(reader, name) for reader in VALID for name, _ in VALID[reader]])
def test_whole_files_are_read_and_truncated_ones_are_valid_or_refused(reader, name, tmp_path):
    path = tmp_path / f"file{files.READERS[reader][2]}"
    content = dict(VALID[reader])[name]
    path.write_bytes(content)
    assert read(reader, path)
    for length in range(0, len(content), 1 + len(content) // 20):
        path.write_bytes(content[:length])
        read(reader, path)


@pytest.mark.slow
@pytest.mark.parametrize("reader", ["keras", "hdf5"])
def test_damaged_models(reader, tmp_path):
    """Their configurations, arrays and archives are changed, which random bytes rarely achieve."""
    from fuzz import models, mutations

    path = tmp_path / f"file{models.READERS[reader][2]}"
    seen, unreadable = {True: 0, False: 0}, set()
    for name, content in models.READERS[reader][1]():
        path.write_bytes(content)
        if not read(reader, path, models.READERS):
            unreadable.add(name)
        for seed in range(2):
            path.write_bytes(mutations.mutated(content, random.Random(f"{name} {seed}")))
            seen[read(reader, path, models.READERS)] += 1
    assert min(seen.values()) > 2, seen
    assert unreadable <= {"quantised", "operations"}  # operations in .h5 files, which Keras can't read either
