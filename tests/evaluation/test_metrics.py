"""Every metric against one computed by hand, or by scikit-learn."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import top_k_accuracy_score

from cnnvis.evaluation import metrics

PROBABILITIES = np.array([[0.7, 0.2, 0.1], [0.1, 0.3, 0.6], [0.5, 0.4, 0.1], [0.2, 0.2, 0.6], [0.3, 0.4, 0.3]])
LABELS = np.array([0, 2, 1, 0, 1])


def test_by_hand():
    assert metrics.accuracy(PROBABILITIES, LABELS) == 3 / 5
    assert metrics.top_k_accuracy(PROBABILITIES, LABELS, 2) == 5 / 5
    predicted = PROBABILITIES.argmax(axis=1)
    assert predicted.tolist() == [0, 2, 0, 2, 1]
    confusion = metrics.confusion_matrix(LABELS, predicted, 3)
    assert confusion.dtype == np.int64
    assert confusion.tolist() == [[1, 0, 1], [1, 1, 0], [0, 0, 1]]
    assert metrics.most_confused(confusion) == [(0, 2, 1), (1, 0, 1)]
    assert metrics.confident_mistakes(PROBABILITIES, LABELS).tolist() == [3, 2]
    assert metrics.uncertain_hits(PROBABILITIES, LABELS).tolist() == [4, 1, 0]
    np.testing.assert_allclose(
        metrics.class_report(LABELS, predicted, 3),
        [[1 / 2, 1 / 2, 1 / 2, 2], [1, 1 / 2, 2 / 3, 2], [1 / 2, 1, 2 / 3, 1]],
    )


def test_no_images_have_an_empty_confusion_matrix():
    assert metrics.confusion_matrix(np.array([]), np.array([]), 2).tolist() == [[0, 0], [0, 0]]


def test_ties_go_to_the_earlier_class():
    tied = np.array([[0.2, 0.4, 0.4]])
    assert [metrics.top_k_accuracy(tied, [1], k) for k in (1, 2, 3)] == [1, 1, 1]
    assert [metrics.top_k_accuracy(tied, [2], k) for k in (1, 2, 3)] == [0, 1, 1]
    assert [metrics.top_k_accuracy(tied, [0], k) for k in (1, 2, 3)] == [0, 0, 1]


def test_a_class_that_never_appears_counts_as_zero():
    report = metrics.class_report(np.array([0]), np.array([0]), 2)
    assert report.tolist() == [[1, 1, 1, 1], [0, 0, 0, 0]]


@pytest.mark.parametrize(
    ("right", "count", "low", "high"), [(9400, 10000, 0.93517, 0.94449), (0, 10, 0, 0.27754), (10, 10, 0.72246, 1)]
)
def test_interval_is_wilsons(right, count, low, high):
    np.testing.assert_allclose(metrics.accuracy_interval(right, count), (low, high), atol=1e-5)


@given(seed=st.integers(0, 1000), k=st.integers(1, 4))
def test_top_k_agrees_with_scikit_learn(seed, k):
    rng = np.random.default_rng(seed)
    probabilities = rng.dirichlet(np.ones(5), 30)
    labels = rng.integers(0, 5, 30)
    expected = top_k_accuracy_score(labels, probabilities, k=k, labels=range(5))
    assert metrics.top_k_accuracy(probabilities, labels, k) == pytest.approx(expected)


def test_calibration_by_hand():
    """Confidence 0.7 (right), 0.6 (right), 0.5 (wrong), 0.6 (wrong), 0.4 (right), in bins up to 1/2 and above."""
    calibration = metrics.calibration(PROBABILITIES, LABELS, bins=2)
    assert calibration.count.tolist() == [2, 3]  # 0.5 is in the lower bin, as its upper end
    np.testing.assert_allclose(calibration.confidence, [0.45, 1.9 / 3])
    np.testing.assert_allclose(calibration.accuracy, [1 / 2, 2 / 3])
    assert calibration.error == pytest.approx(2 / 5 * 0.05 + 3 / 5 * (2 / 3 - 1.9 / 3))
    assert calibration.overconfidence == pytest.approx((0.7 + 0.6 + 0.5 + 0.6 + 0.4) / 5 - 3 / 5)


def test_empty_bins_count_for_nothing():
    calibration = metrics.calibration(np.array([[1.0, 0.0]]), np.array([0]), bins=4)
    assert calibration.count.tolist() == [0, 0, 0, 1]
    assert np.isnan(calibration.accuracy[:3]).all()
    assert calibration.error == 0


@given(seed=st.integers(0, 1000))
def test_calibration_error_against_its_definition(seed):
    rng = np.random.default_rng(seed)
    probabilities = rng.dirichlet(np.ones(3), 40)
    labels = rng.integers(0, 3, 40)
    error = 0
    for low in range(15):
        inside = [(p.max(), p.argmax() == y) for p, y in zip(probabilities, labels) if low < 15 * p.max() <= low + 1]
        if inside:
            confidence, rights = zip(*inside)
            error += len(inside) / 40 * abs(np.mean(confidence) - np.mean(rights))
    assert metrics.calibration(probabilities, labels).error == pytest.approx(error)


def test_brier_score_by_hand():
    probabilities = np.array([[0.7, 0.2, 0.1], [0.0, 0.0, 1.0]], "float32")
    assert metrics.brier_score(probabilities, np.array([0, 0])) == pytest.approx((0.09 + 0.04 + 0.01 + 1 + 1) / 2)
    assert metrics.brier_score(np.full((5, 4), 0.25), np.arange(5) % 4) == pytest.approx(1 - 1 / 4)


def test_scores_leave_out_images_without_a_label():
    unknown = np.append(LABELS, -1)
    scores = metrics.score(np.vstack([PROBABILITIES, [0.1, 0.8, 0.1]]), unknown, topk=2)
    assert (scores.right, scores.count, scores.accuracy, scores.topk_accuracy) == (3, 5, 3 / 5, 1)
    assert scores.interval == metrics.accuracy_interval(3, 5)
    assert scores.confusion.tolist() == [[1, 0, 1], [1, 1, 0], [0, 0, 1]]
    assert scores.by_class[:, 3].tolist() == [2, 2, 1]
    assert scores.brier == metrics.brier_score(PROBABILITIES, LABELS)
    assert scores.calibration.count.sum() == 5
    for indices in (metrics.confident_mistakes, metrics.uncertain_hits):
        assert 5 not in indices(np.vstack([PROBABILITIES, [0.1, 0.8, 0.1]]), unknown)


def test_comparison_by_hand():
    """Only the first is right about 1, 4, 5; only the second about 3: 2 (1 + 4) of 16 outcomes are as uneven."""
    first = np.array([[0.9, 0.1], [0.6, 0.4], [0.2, 0.8], [0.7, 0.3], [0.8, 0.2], [0.1, 0.9], [0.5, 0.5]])
    second = np.array([[0.8, 0.2], [0.3, 0.7], [0.3, 0.7], [0.1, 0.9], [0.4, 0.6], [0.9, 0.1], [0.5, 0.5]])
    found = metrics.compare(first, second, np.array([0, 0, 0, 1, 0, 1, -1]))
    assert [only.tolist() for only in found.only] == [[5, 4, 1], [3]]
    assert (found.both, found.neither) == (1, 1)
    assert found.p_value == pytest.approx(10 / 16)
    assert metrics.compare(first, first, np.array([0, 0, 0, 1, 0, 1, -1])).p_value == 1
