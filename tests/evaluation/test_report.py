"""Findings in sentences, tables and Markdown."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from markdown_it import MarkdownIt

from cnnvis.evaluation import findings, report
from cnnvis.images import Dataset

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
    """A name at the beginning of a paragraph, in a heading, in a table and in a file name."""
    images = np.zeros((4, 2, 2, 3), "uint8")
    dataset = Dataset(f"/{name.replace('/', '')}", images, LABELS, (name, "dog", "bird"))
    found = findings.evaluate(PROBABILITIES, LABELS, 1)
    other = findings.compare_with(
        PROBABILITIES[::-1], PROBABILITIES, LABELS, topk=1, paths=(Path("first"), Path("second"))
    )
    other = replace(other, names=("first", f"{name}2"))
    words = report.markdown(name, dataset, PROBABILITIES, found, other=other, figures={})
    render = MarkdownIt("gfm-like", {"linkify": False, "html": True}).render(words)
    assert set(re.findall(r"<(\w+)", render)) <= {"h1", "h2", "p", "table", "thead", "tbody", "tr", "th", "td"}
    escaped = name.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    assert f"<td>{escaped}</td>" in render
    assert f"<p>{escaped}2: " in render
    assert not re.search(r"(?<!\\)://|www\.|[^\\]@", words)  # which some renderers turn into links


def test_the_accuracy_among_all_classes_is_left_out():
    two = findings.evaluate(PROBABILITIES[:, :2], LABELS, 2)
    assert "most probable" not in report.headline(two.scores)
    assert "100.00% among the 2 most probable" in report.headline(findings.evaluate(PROBABILITIES, LABELS, 2).scores)


def test_of_many_classes_those_with_the_lowest_f1_come_first():
    """Classes 0 to 4 have images; 3 is never predicted right, 4 half the time; the 95 others have none."""
    probabilities = np.eye(100)[[0, 1, 2, 0, 4, 0]]
    found = findings.evaluate(probabilities, np.array([0, 1, 2, 3, 4, 4]), 1)
    names = [str(c) for c in range(100)]
    assert [row[0] for row in report.class_rows(found.scores, names, most=6)] == ["3", "0", "4", "1", "2", "5"]
    assert report.class_choice(found.scores, 6) == "The 6 of 100 classes with the lowest F1:"
    assert report.class_choice(found.scores, 100) == ""


def test_one_suspect_is_not_several():
    probabilities = np.array([[0.9, 0.1], [0.8, 0.2], [0.1, 0.9], [0.3, 0.7]])
    found = findings.evaluate(probabilities, np.array([0, 0, 0, 1]), 1)
    assert found.suspects.tolist() == [2]
    assert report.suspicion(found).startswith("1 image is confidently")
    none = findings.evaluate(PROBABILITIES, LABELS, 1)
    assert report.suspicion(none).startswith("0 images are confidently")


def test_figures_on_another_drive_have_absolute_links(tmp_path, monkeypatch):
    """By substitution: no Windows here, where no relative path leads to another drive."""

    def other_drive(path, start):
        raise ValueError("path is on mount 'C:', start on mount 'D:'")

    monkeypatch.setattr("os.path.relpath", other_drive)
    folder = tmp_path / "mein Ordner ä 図"
    (link,) = report.links(["a"], folder, Path("report.md")).values()
    assert link == f"![a](<{folder.as_uri()}/a.png>)"
    assert "%20" in link


@pytest.mark.parametrize(
    ("highest", "verdict"), [(0.9, "overconfident by 15.0 points"), (0.6, "underconfident by 15.0 points")]
)
def test_calibration_in_words(highest, verdict):
    """Three of four predictions are right."""
    probabilities = np.array([[highest, 1 - highest]] * 4)
    scores = findings.evaluate(probabilities, np.array([0, 0, 0, 1]), 1).scores
    assert report.calibration_sentence(scores).endswith(f"; {verdict} on average")


def test_a_difference_in_words():
    """Ten images that only the first network predicts right: p = 2 / 2**10."""
    labels = np.zeros(10, int)
    right, wrong = np.tile([0.9, 0.1], (10, 1)), np.tile([0.2, 0.8], (10, 1))
    paths = (Path("a/model.keras"), Path("b/model.keras"))
    other = findings.compare_with(wrong, right, labels, topk=1, paths=paths)
    sentence = report.difference(other, findings.evaluate(right, labels, 1).scores)
    assert sentence == (
        f"{paths[1]}: 0.00%, -100.00 points; 10 right by {paths[0]} alone, 0 right by {paths[1]} alone; "
        "the difference is significant (McNemar's exact test, p = 0.002)"
    )
    same = findings.compare_with(right, right, labels, topk=1, paths=paths)
    assert "the difference is not significant" in report.difference(same, same.scores)
