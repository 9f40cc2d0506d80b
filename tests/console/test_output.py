"""Output files can be read back."""

import os
import subprocess
import sys

import h5py
import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image, ImageSequence

from cnnvis.console import output


def test_names_that_are_not_utf8_are_escaped(tmp_path):
    name = os.fsdecode(b"caf\xe9")
    output.save_text(tmp_path / "x.md", f"{name}\n")
    assert (tmp_path / "x.md").read_text(encoding="utf-8") == "caf?\n"
    output.save_arrays(tmp_path / "x.h5", {}, {"data": name, "classes": [name, "é"], "layers": []})
    with h5py.File(tmp_path / "x.h5") as file:
        assert file.attrs["data"] == "caf\\xe9"
        assert list(file.attrs["classes"]) == ["caf\\xe9", "é"]


def test_arrays_and_attributes(tmp_path, capsys):
    output.save_arrays(tmp_path / "x.h5", {"group/a": np.arange(3)}, {"classes": ["é", "b"], "accuracy": 0.5})
    assert str(tmp_path / "x.h5") in capsys.readouterr().out
    with h5py.File(tmp_path / "x.h5") as file:
        assert file["group/a"][()].tolist() == [0, 1, 2]
        assert list(file.attrs["classes"]) == ["é", "b"]


@pytest.mark.parametrize("layout", ["constrained", None])
def test_figures_are_as_saved_by_matplotlib_but_drawn_once(layout, tmp_path, monkeypatch):
    def figure():
        figure = Figure(figsize=(3, 2), dpi=110, layout=layout)
        axes = figure.subplots(1, 2)
        axes[0].imshow(np.arange(12.0).reshape(3, 4))
        axes[1].set(title="a title", xlabel="x", ylabel="y")
        figure.suptitle("above all")
        return figure

    figure().savefig(tmp_path / "theirs.png")
    drawings, draw = [], Figure.draw
    monkeypatch.setattr(Figure, "draw", lambda *given: drawings.append(given) or draw(*given))
    output.save_figures(tmp_path, {"ours": figure()})
    assert len(drawings) == 1
    ours, theirs = (Image.open(tmp_path / f"{name}.png") for name in ("ours", "theirs"))
    np.testing.assert_array_equal(ours.convert("RGB"), theirs.convert("RGB"))
    assert ours.info["dpi"] == theirs.info["dpi"]


def test_paths_of_figures_are_printed_in_order(tmp_path, capsys):
    output.save_figures(tmp_path, {name: Figure(figsize=(1, 1)) for name in ("b", "a")})
    assert capsys.readouterr().out.split() == [str(tmp_path / "b.png"), str(tmp_path / "a.png")]


@pytest.mark.parametrize("backend", ["module://nowhere", "pdf", "agg"])
def test_show_says_so_where_no_window_can_be_opened(backend, tmp_path):
    """The backend is missing, or draws into files."""
    code = "import sys; from pathlib import Path; from matplotlib.figure import Figure; from cnnvis import console\n"
    code += "console.save_figures(Path(sys.argv[1]), {'a': Figure()}, show=True)"
    surroundings = os.environ | {"MPLBACKEND": backend}
    done = subprocess.run([sys.executable, "-c", code, tmp_path], env=surroundings, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stderr == "There is no display for --show: open the files instead.\n"
    assert (tmp_path / "a.png").exists()


def test_file_names_of_layers_differ_by_more_than_case(tmp_path):
    files = [output.layer_file("topic", number, name) for number, name in enumerate(("conv", "Conv", "CONV"), 1)]
    assert len({file.casefold() for file in files}) == 3


def test_a_film_begins_with_its_last_frame_and_has_few_bytes(tmp_path, monkeypatch, capsys):
    figures = [Figure(figsize=(1, 1), facecolor=(grey, grey, grey)) for grey in (0.0, 0.2, 0.4, 0.6, 0.8)]
    for most, expected in ((5_000_000, (204, 0, 51, 102, 153, 204)), (100, (204,))):
        monkeypatch.setattr(output, "FILM_BYTES", most)
        output.save_film(tmp_path / "x.gif", figures)
        with Image.open(tmp_path / "x.gif") as gif:
            shown = [np.asarray(frame.convert("RGB"))[0, 0] for frame in ImageSequence.Iterator(gif)]
        assert [rgb.tolist() for rgb in shown] == [[grey] * 3 for grey in expected]
    assert not capsys.readouterr().out


def test_no_output_file_is_open_when_it_is_renamed(windows, tmp_path):
    """The `windows` fixture stands in for Windows, which would refuse."""
    for _ in range(2):
        output.save_text(tmp_path / "x.md", "text")
        output.save_arrays(tmp_path / "x.h5", {"a": np.arange(3)})
        output.save_figures(tmp_path, {"x": Figure(figsize=(1, 1))})
        output.save_animation(tmp_path / "x.gif", [Figure(figsize=(1, 1)), Figure(figsize=(1, 1))])
    assert {path.name for path in tmp_path.iterdir()} == {"x.md", "x.h5", "x.png", "x.gif"}
    assert not windows
