"""Explanations put together: against their parts, and by hand."""

import numpy as np
import pytest

from cnnvis.attribution import banzhaf as halves
from cnnvis.attribution import explanation as importance
from cnnvis.attribution import faithfulness, occlusion


class LinearClassifier:
    """The logit of class k is the sum of the pixels times (k + 1) / 10,000; three classes."""

    def logits(self, images):
        return np.asarray(images, "float64").sum(axis=(1, 2, 3))[:, None] * [1, 2, 3] / 10_000

    def probabilities(self, images):
        powers = np.exp(self.logits(images))
        return (powers / powers.sum(axis=1, keepdims=True)).astype("float32")

    def gradients(self, score, images, targets):
        return np.broadcast_to((np.asarray(targets)[:, None, None, None] + 1) / 10_000, images.shape)


@pytest.fixture
def pictures():
    return np.random.default_rng(8).integers(0, 256, (2, 8, 8, 3), dtype="uint8")


@pytest.mark.parametrize("method", importance.METHODS)
def test_a_linear_network_is_explained_exactly_by_every_method(method, pictures):
    explained = importance.explain(LinearClassifier(), pictures, [0, 2], method, [1], 1, baseline="zero")
    exact = pictures.sum(axis=-1) * np.array([1, 3])[:, None, None] / 10_000
    np.testing.assert_allclose(explained.importance, exact, rtol=1e-4, atol=1e-6)
    for values, (top, left, bottom, right) in zip(exact, explained.sections):
        assert values[top, left] == values.max()
        assert (bottom - top, right - left) == (1, 1)


@pytest.mark.parametrize("method", ["halves", "occlusion"])
def test_what_is_told_of_a_map_is_what_its_parts_compute(method, pictures):
    classifier, targets = LinearClassifier(), np.array([1, 2])
    how = {"method": method, "windows": [2, 3], "stride": 2, "baseline": 40.0, "seed": 5}
    explained = importance.explain(classifier, pictures, targets, **how)
    baselines = np.full(pictures.shape, 40.0, "float32")
    if method == "halves":
        maps = halves.half_maps(classifier.logits, pictures, targets, baselines, [2, 3], 2, seed=5)
    else:
        maps = occlusion.occlusion_maps(classifier.logits, pictures, targets, baselines, [2, 3], 2)
    np.testing.assert_allclose(explained.importance, maps, atol=1e-6)
    checked = faithfulness.deletion_insertion(classifier.probabilities, pictures, baselines, maps, targets)
    np.testing.assert_allclose([explained.deletion, explained.insertion], checked, atol=1e-6)
    for n, (top, left, bottom, right) in enumerate(explained.sections):
        hidden = pictures[n].astype("float32")
        hidden[top:bottom, left:right] = 40
        assert bottom - top == 3
        np.testing.assert_allclose(
            [explained.probability[n], explained.hidden_probability[n]],
            classifier.probabilities(np.stack([pictures[n], hidden]))[:, targets[n]],
            rtol=1e-5,
        )
    again = importance.explain(classifier, pictures, targets, **how)
    np.testing.assert_array_equal(again.random_deletion, explained.random_deletion)
    assert len(explained[1:]) == 1
    np.testing.assert_array_equal(explained[1:].sections, explained.sections[1:])


@pytest.mark.parametrize("method", ["halves", "occlusion"])
def test_random_maps_are_as_smooth_as_those_of_the_method(method):
    rng = np.random.default_rng(9)
    scattered = importance.random_maps("gradient", (4, 16, 16), [8], 2, rng)
    smooth = importance.random_maps(method, (4, 16, 16), [4, 8], 2, rng)
    for maps in (scattered, smooth):
        assert maps.shape == (4, 16, 16)
        assert maps.dtype == np.float32
        assert abs(maps.mean()) < 0.3
    roughness = [np.abs(np.diff(maps, axis=2)).mean() / maps.std() for maps in (scattered, smooth)]
    assert roughness[1] < roughness[0] / 2


def test_windows_grow_with_the_picture():
    assert importance.windows_for("halves", 32, 32) == ([8], 2)
    assert importance.windows_for("halves", 224, 300) == ([56], 14)
    assert importance.windows_for("occlusion", 32, 32) == ([5, 10, 15], 2)
    assert importance.windows_for("occlusion", 224, 300) == ([35, 70, 105], 14)
    assert importance.windows_for("occlusion", 8, 8) == ([1, 2, 4], 1)
    assert importance.windows_for("halves", 1, 1) == ([1], 1)
    assert importance.windows_for("halves", 32, 32, [7, 3]) == ([3, 7], 2)
    assert importance.windows_for("halves", 32, 32, [1]) == ([1], 1)
    with pytest.raises(ValueError, match="a window of 9 pixels"):
        importance.windows_for("halves", 8, 20, [9])
    with pytest.raises(ValueError, match="a stride of 4"):
        importance.windows_for("occlusion", 8, 8, [3], 4)
