"""Maps are finite, the same for the same seed, and keep together what is alike."""

import numpy as np
import pytest

from cnnvis.evaluation import embedding


def clusters(images, classes=4, seed=0):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, classes, images)
    return rng.normal(size=(classes, 20))[labels] + 0.1 * rng.normal(size=(images, 20)), labels


def purity(points, labels):
    distances = np.linalg.norm(points[:, None] - points[None], axis=-1) + 1e9 * np.eye(len(points))
    return (labels[distances.argmin(axis=1)] == labels).mean()


@pytest.mark.parametrize(("images", "method"), [(12, "PCA"), (99, "PCA"), (130, "t-SNE")])
def test_what_is_alike_lies_together(images, method):
    features, labels = clusters(images)
    points, used = embedding.embed(features, seed=3)
    assert (points.shape, points.dtype, used) == ((images, 2), np.float32, method)
    assert np.isfinite(points).all()
    assert purity(points, labels) > 0.9
    np.testing.assert_array_equal(embedding.embed(features, seed=3)[0], points)


def test_the_steps_of_t_sne_are_tracked_and_what_it_prints_is_not_shown(capfd):
    """The first part is taken before it begins, the last one ends with it; the map is the same."""
    features, _ = clusters(130)
    taken = []

    def track(parts):
        for part in parts:
            taken.append((part, len(parts)))
            yield part
        taken.append("end")

    points, method = embedding.embed(features, track=track)
    assert method == "t-SNE"
    assert taken == [*((part, 10) for part in range(10)), "end"]
    assert capfd.readouterr() == ("", "")
    np.testing.assert_array_equal(embedding.embed(features)[0], points)


def test_the_length_of_features_does_not_matter():
    features, _ = clusters(30)
    points = embedding.embed(features)[0]
    lengths = np.linspace(1, 5, 30)[:, None]
    np.testing.assert_allclose(embedding.embed(features * lengths)[0], points, atol=1e-4)


def test_pca_by_hand():
    features = np.array([[3.0, 4.0, 0.0], [4.0, 3.0, 0.0], [1.0, 1.0, 0.0]])
    rows = features / np.linalg.norm(features, axis=1, keepdims=True)
    _, _, axes = np.linalg.svd(rows - rows.mean(axis=0))
    expected = (rows - rows.mean(axis=0)) @ axes[:2].T
    np.testing.assert_allclose(np.abs(embedding.embed(features)[0]), np.abs(expected), atol=1e-6)


@pytest.mark.parametrize("shape", [(1, 4), (2, 4), (5, 1), (120, 1), (3, 2)])
def test_few_images_or_values(shape):
    points, method = embedding.embed(np.random.default_rng(0).uniform(-1, 1, shape))
    assert points.shape == (shape[0], 2)
    assert np.isfinite(points).all()
    assert method == "PCA"


@pytest.mark.parametrize("value", [0.0, 7.0])
def test_features_that_are_all_equal_are_one_point(value):
    assert not embedding.embed(np.full((150, 8), value))[0].any()


def test_two_points_many_times():
    features = np.repeat(np.eye(2), 80, axis=0)
    points = embedding.embed(features)[0]
    assert np.isfinite(points).all()
    assert purity(points, np.repeat([0, 1], 80)) == 1


def test_features_that_are_not_finite_are_refused():
    with pytest.raises(ValueError, match="not finite"):
        embedding.embed(np.array([[1.0, np.nan], [0.0, 1.0]]))


def test_more_images_than_are_moved_lie_beside_their_neighbours(monkeypatch):
    monkeypatch.setattr(embedding, "MOST", 120)
    features, labels = clusters(300)
    points, method = embedding.embed(features)
    assert method == "t-SNE"
    assert len(np.unique(points, axis=0)) <= 120
    assert purity(points, labels) > 0.9
