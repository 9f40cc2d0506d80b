"""Confident learning against the formulas of the paper, one image at a time."""

import tracemalloc

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from cnnvis.evaluation import findings, label_errors, metrics

PROBABILITIES = np.array([[0.9, 0.1], [0.8, 0.2], [0.1, 0.9], [0.55, 0.45], [0.3, 0.7], [0.65, 0.35]])
LABELS = np.array([0, 0, 0, 0, 1, 1])


def test_by_hand():
    """The thresholds are (0.9 + 0.8 + 0.1 + 0.55) / 4 = 0.5875 and (0.7 + 0.35) / 2 = 0.525."""
    least = label_errors.thresholds(PROBABILITIES, LABELS)
    np.testing.assert_allclose(least, [0.5875, 0.525])
    assert label_errors.confident_classes(PROBABILITIES, least).tolist() == [0, 0, 1, -1, 1, 0]
    assert label_errors.confident_joint(PROBABILITIES, LABELS).tolist() == [[2, 1], [1, 1]]
    indices, classes = label_errors.suspects(PROBABILITIES, LABELS)
    assert indices.tolist() == [2, 5]
    assert classes.tolist() == [1, 0]


def test_a_class_that_is_rarely_probable_has_a_lower_threshold():
    """In the last image, class 0 is more probable, but below its threshold; class 1 reaches its own."""
    probabilities = np.array([[1, 0, 0], [0.9, 0, 0.1], [0.6, 0.4, 0], [0, 0.1, 0.9], [0.5, 0.45, 0.05]])
    indices, classes = label_errors.suspects(probabilities, np.array([0, 0, 1, 2, 2]))
    assert indices.tolist() == [4]
    assert classes.tolist() == [1]


@given(seed=st.integers(0, 1000))
def test_against_the_paper(seed):
    rng = np.random.default_rng(seed)
    probabilities = rng.dirichlet(np.full(4, 0.4), 30)
    labels = rng.integers(-1, 3, 30)  # no image is labelled 3, and some have no label
    least = {j: np.mean([p[j] for p, y in zip(probabilities, labels) if y == j]) for j in set(labels) - {-1}}
    joint, margins = np.zeros((4, 4)), {}
    for number, (p, y) in enumerate(zip(probabilities, labels)):
        confident = [j for j in least if p[j] >= least[j]]
        if y >= 0 and confident:
            best = max(confident, key=lambda j: p[j])
            joint[y, best] += 1
            if best != y:
                margins[number] = p[y] - max(p[j] for j in range(4) if j != y)
    np.testing.assert_array_equal(label_errors.confident_joint(probabilities, labels), joint)
    indices, _ = label_errors.suspects(probabilities, labels)
    assert indices.tolist() == sorted(margins, key=margins.get)


def test_swapped_labels_are_found():
    """A classifier with an accuracy of 90 %, and 1 % of the labels swapped."""
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 5, 5000)
    seen = np.where(rng.random(5000) < 0.9, truth, rng.integers(0, 5, 5000))
    probabilities = rng.dirichlet(np.ones(5), 5000) * 0.5 + 0.5 * np.eye(5)[seen]
    swapped = rng.choice(5000, 50, replace=False)
    labels = truth.copy()
    labels[swapped] = (truth[swapped] + rng.integers(1, 5, 50)) % 5
    indices, classes = label_errors.suspects(probabilities, labels)
    found = np.isin(swapped, indices)
    assert found.mean() > 0.5
    assert found.sum() / len(indices) > 5 * 0.01  # 1 % of all images are swapped
    named = dict(zip(indices, classes))
    assert np.mean([named[i] == truth[i] for i in swapped[found]]) > 0.9


def test_blocks_change_nothing(monkeypatch):
    def found():
        return [*label_errors.suspects(PROBABILITIES, LABELS), metrics.top_k_accuracy(PROBABILITIES, LABELS, 1)]

    whole = found()
    monkeypatch.setattr(metrics, "VALUES_AT_ONCE", 3)
    for part, array in zip(found(), whole):
        np.testing.assert_array_equal(part, array)


def test_many_classes_take_little_memory_besides_their_probabilities():
    """The worst case of 20,000 images and 1,000 classes: every label is suspect."""
    labels = np.arange(20_000) % 1000
    probabilities = np.full((20_000, 1000), 1e-4, "float32")
    probabilities[np.arange(20_000), (labels + 1) % 1000] = 0.5
    tracemalloc.start()
    found = findings.evaluate(probabilities, labels, 5)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(found.suspects) == 20_000
    assert peak < probabilities.nbytes / 2


def test_perfect_predictions_have_no_suspects():
    indices, classes = label_errors.suspects(np.eye(3), np.arange(3))
    assert len(indices) == len(classes) == 0
