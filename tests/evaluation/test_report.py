"""What is said of results, in words and in Markdown."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from markdown_it import MarkdownIt

from cnnvis.evaluation import findings, report
from cnnvis.images.sources import Pictures

PROBABILITIES = np.array([[0.6, 0.3, 0.1], [0.3, 0.6, 0.1], [0.3, 0.6, 0.1], [0.2, 0.7, 0.1]], "float32")
LABELS = np.array([0, 1, 0, 1])
HOSTILE = [
    "<img src=x onerror=alert(1)>",
    "[x](javascript:alert(1))",
    "![x](http://evil.example/x.png)",
    "a|b`c`*d*_e_~~f~~$g$&lt;",
    "www.evil.example",
    "https://evil.example",
    "me@evil.example",
    "1. one",
    "12) twelve",
    "# head",
    "- dash",
    "===",
    "> quote",
    "back\\slash|",
]


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_shown_as_they_are(name):
    """A name at the beginning of a paragraph, in a heading, in a table and in a picture's file."""
    images = np.zeros((4, 2, 2, 3), "uint8")
    pictures = Pictures(f"/{name.replace('/', '')}", images, LABELS, (name, "dog", "bird"))
    found = findings.examine(PROBABILITIES, LABELS, 1)
    rival = findings.face(PROBABILITIES, PROBABILITIES[::-1], LABELS, 1, (Path("first"), Path("second")))
    rival = replace(rival, names=("first", f"{name}2"))
    words = report.markdown(name, pictures, PROBABILITIES, found, rival, {})
    render = MarkdownIt("gfm-like", {"linkify": False, "html": True}).render(words)
    assert set(re.findall(r"<(\w+)", render)) <= {"h1", "h2", "p", "table", "thead", "tbody", "tr", "th", "td"}
    escaped = name.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    assert f"<td>{escaped}</td>" in render
    assert f"<p>{escaped}2: " in render
    assert not re.search(r"(?<!\\)://|www\.|[^\\]@", words)  # what others make links of


def test_how_many_are_among_all_classes_is_not_said():
    two = findings.examine(PROBABILITIES[:, :2], LABELS, 2)
    assert "most probable" not in report.headline(two.scores)
    assert "100.00% among the 2 most probable" in report.headline(findings.examine(PROBABILITIES, LABELS, 2).scores)


def test_of_many_classes_the_worst_are_named_first_and_it_says_so():
    """Classes 0 to 4 have pictures; 3 is never recognised, 4 half the time; the 95 others have none."""
    probabilities = np.eye(100)[[0, 1, 2, 0, 4, 0]]
    found = findings.examine(probabilities, np.array([0, 1, 2, 3, 4, 4]), 1)
    names = [str(c) for c in range(100)]
    assert [row[0] for row in report.class_rows(found.scores, names, most=6)] == ["3", "0", "4", "1", "2", "5"]
    assert report.class_choice(found.scores, 6) == "The 6 of 100 classes with the lowest F1:"
    assert report.class_choice(found.scores, 100) == ""


def test_one_suspect_is_not_several():
    probabilities = np.array([[0.9, 0.1], [0.8, 0.2], [0.1, 0.9], [0.3, 0.7]])
    found = findings.examine(probabilities, np.array([0, 0, 0, 1]), 1)
    assert found.suspects.tolist() == [2]
    assert report.suspicion(found).startswith("1 picture is confidently")
    none = findings.examine(PROBABILITIES, LABELS, 1)
    assert report.suspicion(none).startswith("0 pictures are confidently")


def test_figures_on_another_drive_are_linked_to_by_their_whole_path(tmp_path, monkeypatch):
    """By substitution: no Windows here, where no relative path leads to another drive."""

    def other_drive(path, start):
        raise ValueError("path is on mount 'C:', start on mount 'D:'")

    monkeypatch.setattr("os.path.relpath", other_drive)
    folder = tmp_path / "mein Ordner ä 図"
    (link,) = report.links(["a"], folder, Path("report.md")).values()
    assert link == f"![a](<{folder.as_uri()}/a.png>)"
    assert "%20" in link
