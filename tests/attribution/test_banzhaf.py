"""Banzhaf values by definition and by hand, and properties of the masks."""

import itertools
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnnvis.attribution import banzhaf, occlusion


def test_grids_by_hand():
    assert banzhaf.grids(5, 2, 1).tolist() == [[0, 0, 1, 1, 2], [0, 1, 1, 2, 2]]
    assert banzhaf.grids(6, 4, 3).tolist() == [[0, 0, 0, 0, 1, 1], [0, 0, 0, 1, 1, 1]]
    assert banzhaf.grids(3, 3, 3).tolist() == [[0, 0, 0]]
    with pytest.raises(ValueError, match="--window 4 doesn't fit"):
        banzhaf.grids(3, 4, 1)
    with pytest.raises(ValueError, match="--stride 3 skips"):
        banzhaf.grids(3, 2, 3)


@given(length=st.integers(1, 40), data=st.data())
def test_every_grid_covers_the_axis_with_patches_of_one_size(length, data):
    size = data.draw(st.integers(1, length))
    stride = data.draw(st.integers(1, size))
    shifted = banzhaf.grids(length, size, stride)
    assert len(shifted) == int(np.ceil(size / stride))
    assert len({tuple(row) for row in shifted}) == len(shifted) or length == size
    for row in shifted:
        widths = np.bincount(row)
        assert row[0] == 0
        assert (np.diff(row) >= 0).all()
        assert (widths[1:-1] == size).all()
        assert widths.min() >= 1
        assert widths.max() <= size


@pytest.mark.parametrize(("size", "stride"), [(1, 1), (2, 1), (3, 2)])
def test_patches_are_hidden_together_as_often_as_apart(size, stride):
    masks = banzhaf.Masks((6, 5), [size], stride, np.random.default_rng(1))
    hidden = masks.hidden(np.arange(len(masks)))
    assert hidden.mean(axis=0) == pytest.approx(0.5)
    for start, stop in itertools.pairwise(masks.starts):
        of_grid = hidden[start:stop].reshape(stop - start, -1)
        assert np.array_equal(of_grid[: len(of_grid) // 2], ~of_grid[len(of_grid) // 2 :])
        together = of_grid.T.astype(float) @ of_grid / len(of_grid)
        assert np.isin(together, [0.25, 0.5]).all()  # two patches, or two pixels of one


def test_many_masks_converge_to_the_banzhaf_value():
    """By definition, for a score with interactions of four patches."""

    def score(images):
        a, b, c, d = images.reshape(len(images), 4).T
        return (a * b + np.maximum(c, b) + a * c * d)[:, None]

    image = np.ones((1, 2, 2, 1))
    values = np.zeros(4)
    for others in itertools.product((0, 1), repeat=3):
        for patch in range(4):
            cases = np.insert(np.array([others, others]), patch, [0, 1], axis=1).reshape(2, 2, 2, 1)
            without, with_it = score(cases)[:, 0]
            values[patch] += (with_it - without) / 8
    found = [banzhaf.banzhaf_maps(score, image, [0], 0 * image, [1], seed=seed) for seed in range(300)]
    np.testing.assert_allclose(np.mean(found, axis=0).ravel(), values, atol=0.02)


@given(
    height=st.integers(1, 9),
    width=st.integers(1, 9),
    sizes=st.lists(st.integers(1, 9), min_size=1, max_size=2),
    stride=st.integers(1, 4),
    batch=st.sampled_from([1, 7, 256]),
)
def test_a_linear_scorer_is_explained_exactly_whatever_the_batches(height, width, sizes, stride, batch):
    sizes = [min(size, height, width) for size in sizes]
    stride = min(stride, *sizes)
    rng = np.random.default_rng(height * 10 + width)
    weights = rng.normal(size=(height, width, 2))
    images, baselines = rng.uniform(0, 1, (2, 2, height, width, 2))
    before = images.copy(), baselines.copy()

    def score(shown):
        assert shown.dtype == np.float32
        assert len(shown) <= batch
        total = np.tensordot(shown, weights, 3)
        return np.stack([total, -total], axis=1)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(banzhaf, "images_at_once", lambda height, width: batch)
        maps = banzhaf.banzhaf_maps(score, images, [0, 1], baselines, sizes, stride)
    values = ((images - baselines) * weights).sum(axis=-1) * np.array([1, -1])[:, None, None]
    exact = np.zeros(maps.shape)
    for size in sizes:
        down, across = banzhaf.grids(height, size, stride), banzhaf.grids(width, size, stride)
        for rows, columns in itertools.product(down, across):
            in_one_row, in_one_column = rows[:, None] == rows, columns[:, None] == columns
            of_patch = np.einsum("ih,jw,nhw->nij", in_one_row, in_one_column, values)
            exact += of_patch / (len(down) * len(across) * len(sizes))
    np.testing.assert_allclose(maps, exact, atol=1e-4)
    assert maps.dtype == np.float32
    np.testing.assert_array_equal(images, before[0])
    np.testing.assert_array_equal(baselines, before[1])


def test_the_masks_depend_on_the_seed_only():
    image = np.random.default_rng(2).uniform(0, 1, (1, 6, 6, 3))

    def score(shown):
        return np.tanh(shown.sum(axis=(1, 2, 3)))[:, None]

    def maps(seed):
        return banzhaf.banzhaf_maps(score, image, [0], 0 * image, [2], seed=seed)

    np.testing.assert_array_equal(maps(4), maps(4))
    assert (maps(4) != maps(5)).any()


def test_an_image_has_the_same_map_alone_and_among_others():
    images = np.random.default_rng(3).uniform(0, 1, (3, 6, 5, 3))

    def score(shown):
        return np.tanh(shown.sum(axis=(1, 2)) - 7)

    together = banzhaf.banzhaf_maps(score, images, [0, 1, 2], 0 * images, [2, 3], 2)
    for n in range(3):
        alone = banzhaf.banzhaf_maps(score, images[n : n + 1], [n], 0 * images[:1], [2, 3], 2)
        np.testing.assert_allclose(together[n : n + 1], alone, atol=1e-6)


@pytest.mark.parametrize(("count", "window", "stride"), [(2, 56, 28), (8, 56, 28), (1, 28, 14)])
def test_memory_is_bounded_for_any_number_of_images_and_patches(count, window, stride):
    images = np.random.default_rng(6).integers(0, 256, (count, 224, 224, 3), dtype="uint8")
    baselines = occlusion.baseline_images(images, "mean")
    tracemalloc.start()
    try:
        maps = banzhaf.banzhaf_maps(lambda x: x[:, 0, 0], images, [0] * count, baselines, [window], stride)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 30e6 + 3 * maps.nbytes
