"""Nearest neighbours against brute force."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnnvis.evaluation import neighbours
from tests.conftest import rounding


def brute_force(queries, rows):
    """All cosines, in float64."""
    queries, rows = (x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-300) for x in (queries, rows))
    return queries @ rows.T


def parts(rows, sizes):
    return np.split(rows, np.cumsum(sizes)[:-1])


def test_by_hand():
    queries, rows = np.array([[1, 0], [0, -2]]), np.array([[0, 1], [3, 3], [5, 0], [0, -1]])
    indices, similarity = neighbours.nearest(queries, [rows[:1], rows[1:]], k=2)
    assert indices.tolist() == [[2, 1], [3, 2]]
    np.testing.assert_allclose(similarity, [[1, 0.5**0.5], [1, 0]], atol=1e-6)
    assert (indices.dtype, similarity.dtype) == (np.int64, np.float32)


@given(seed=st.integers(0, 1000), k=st.integers(1, 7), at_once=st.sampled_from([1, 40, 10**6]))
def test_against_brute_force(seed, k, at_once):
    rng = np.random.default_rng(seed)
    sizes = rng.integers(0, 9, 6)
    queries, rows = rng.normal(size=(11, 5)), rng.normal(size=(sizes.sum(), 5)) * rng.lognormal(size=(sizes.sum(), 1))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(neighbours, "VALUES_AT_ONCE", at_once)
        indices, similarity = neighbours.nearest(queries, parts(rows, sizes), k)
    cosines = brute_force(queries, rows)
    assert indices.shape == similarity.shape == (11, min(k, sizes.sum()))
    np.testing.assert_allclose(similarity, -np.sort(-cosines, axis=1)[:, :k], atol=rounding(20))
    np.testing.assert_allclose(np.take_along_axis(cosines, indices, 1), similarity, atol=rounding(20))
    assert all(len(set(row)) == len(row) for row in indices.tolist())


def test_equal_rows_are_each_found_once():
    rows = np.ones((10, 3))
    indices, similarity = neighbours.nearest(rows[:2], [rows[:4], rows[4:]], k=3)
    assert all(len(set(row)) == 3 for row in indices.tolist())
    np.testing.assert_allclose(similarity, 1, atol=rounding(10))


def test_zeros_are_similar_to_nothing():
    indices, similarity = neighbours.nearest(np.zeros((1, 4)), [np.eye(4), np.zeros((2, 4))], k=5)
    assert sorted(indices[0]) == [0, 1, 2, 3, 4]
    assert not similarity.any()


def test_large_and_small_values_do_not_overflow():
    rows = np.array([[1.0, 2.0], [2.0, -1.0]])
    for scale in (1e-30, 1e30):
        similarity = neighbours.nearest(rows * scale, [rows], k=2)[1]
        np.testing.assert_allclose(similarity, [[1, 0], [1, 0]], atol=1e-6)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_values_that_are_not_finite_are_refused(bad):
    rows = np.ones((3, 2))
    rows[1, 1] = bad
    with pytest.raises(ValueError, match="not finite"):
        neighbours.nearest(rows, [np.ones((3, 2))])
    with pytest.raises(ValueError, match="not finite"):
        neighbours.nearest(np.ones((3, 2)), [rows])


def test_nothing_to_search():
    assert neighbours.nearest(np.ones((3, 2)), [])[0].shape == (3, 0)
    assert neighbours.nearest(np.ones((0, 2)), [np.ones((3, 2))])[0].shape == (0, 3)


def test_memory_does_not_grow_with_the_rows():
    queries, block = np.random.default_rng(0).normal(size=(2, 1000, 8)).astype("float32")
    tracemalloc.start()
    neighbours.nearest(queries, (block for _ in range(30)), k=5)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 10 * block.shape[0] ** 2 * 4  # some copies of the similarities to one block, of thirty
