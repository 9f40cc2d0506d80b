"""Files are written as they can be read again."""

import os

import h5py
import numpy as np

from cnnvis import saving


def test_names_that_are_no_utf8_are_written_as_far_as_they_can_be(tmp_path):
    name = os.fsdecode(b"caf\xe9")
    saving.save_text(tmp_path / "x.md", f"{name}\n")
    assert (tmp_path / "x.md").read_text(encoding="utf-8") == "caf?\n"
    saving.save_arrays(tmp_path / "x.h5", {}, {"data": name, "classes": [name, "é"], "layers": []})
    with h5py.File(tmp_path / "x.h5") as file:
        assert file.attrs["data"] == "caf\\xe9"
        assert list(file.attrs["classes"]) == ["caf\\xe9", "é"]


def test_arrays_and_attributes(tmp_path, capsys):
    saving.save_arrays(tmp_path / "x.h5", {"group/a": np.arange(3)}, {"classes": ["é", "b"], "accuracy": 0.5})
    assert str(tmp_path / "x.h5") in capsys.readouterr().out
    with h5py.File(tmp_path / "x.h5") as file:
        assert file["group/a"][()].tolist() == [0, 1, 2]
        assert list(file.attrs["classes"]) == ["é", "b"]
