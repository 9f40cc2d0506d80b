"""Every number against one worked out by hand, or against scikit-learn's own."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import top_k_accuracy_score

from cnnvis import results

PROBABILITIES = np.array([[0.7, 0.2, 0.1], [0.1, 0.3, 0.6], [0.5, 0.4, 0.1], [0.2, 0.2, 0.6], [0.3, 0.4, 0.3]])
LABELS = np.array([0, 2, 1, 0, 1])


def test_by_hand():
    assert results.accuracy(PROBABILITIES, LABELS) == 3 / 5
    assert results.top_k_accuracy(PROBABILITIES, LABELS, 2) == 5 / 5
    predicted = results.ranking(PROBABILITIES)[:, 0]
    assert predicted.tolist() == [0, 2, 0, 2, 1]
    confusion = results.confusion_matrix(LABELS, predicted, 3)
    assert confusion.dtype == np.int64
    assert confusion.tolist() == [[1, 0, 1], [1, 1, 0], [0, 0, 1]]
    assert results.most_confused(confusion) == [(0, 2, 1), (1, 0, 1)]
    assert results.confident_mistakes(PROBABILITIES, LABELS).tolist() == [3, 2]
    np.testing.assert_allclose(
        results.class_report(LABELS, predicted, 3),
        [[1 / 2, 1 / 2, 1 / 2, 2], [1, 1 / 2, 2 / 3, 2], [1 / 2, 1, 2 / 3, 1]],
    )


def test_of_no_pictures_there_is_no_confusion():
    assert results.confusion_matrix(np.array([]), np.array([]), 2).tolist() == [[0, 0], [0, 0]]


def test_ties_go_to_the_earlier_class():
    assert results.ranking([[0.2, 0.4, 0.4]])[0].tolist() == [1, 2, 0]


def test_a_class_that_never_appears_counts_as_zero():
    report = results.class_report(np.array([0]), np.array([0]), 2)
    assert report.tolist() == [[1, 1, 1, 1], [0, 0, 0, 0]]


@pytest.mark.parametrize(
    ("correct", "count", "low", "high"), [(9400, 10000, 0.93517, 0.94449), (0, 10, 0, 0.27754), (10, 10, 0.72246, 1)]
)
def test_interval_is_wilsons(correct, count, low, high):
    np.testing.assert_allclose(results.accuracy_interval(correct, count), (low, high), atol=1e-5)


@given(seed=st.integers(0, 1000), k=st.integers(1, 4))
def test_top_k_agrees_with_scikit_learn(seed, k):
    rng = np.random.default_rng(seed)
    probabilities = rng.dirichlet(np.ones(5), 30)
    labels = rng.integers(0, 5, 30)
    expected = top_k_accuracy_score(labels, probabilities, k=k, labels=range(5))
    assert results.top_k_accuracy(probabilities, labels, k) == pytest.approx(expected)
