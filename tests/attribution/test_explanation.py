"""Explanations against their parts and by hand."""

import re

import numpy as np
import pytest

from cnnvis.attribution import METHODS, banzhaf, explanation, faithfulness, methods, occlusion
from cnnvis.network import cost

WITHOUT_LAYERS = [name for name, method in METHODS.items() if not method.of_layer]


class LinearClassifier:
    """The logit of class k is the sum of the pixels times (k + 1) / 10,000; three classes."""

    cost = cost.Cost(values=192, multiplications=576)

    def logits(self, images):
        return np.asarray(images, "float64").sum(axis=(1, 2, 3))[:, None] * [1, 2, 3] / 10_000

    def probabilities(self, images):
        powers = np.exp(self.logits(images))
        return (powers / powers.sum(axis=1, keepdims=True)).astype("float32")

    def gradients(self, score, images, targets):
        return np.broadcast_to((np.asarray(targets)[:, None, None, None] + 1) / 10_000, images.shape)


@pytest.fixture
def images():
    return np.random.default_rng(8).integers(0, 256, (2, 8, 8, 3), dtype="uint8")


def test_a_map_of_zeros_is_said(images, capsys):
    classifier = LinearClassifier()
    classifier.logits = lambda x: np.zeros((len(x), 3))
    explanation.explain(classifier, images, method="occlusion")
    assert "0 everywhere, as the logit doesn't change" in capsys.readouterr().err


@pytest.mark.parametrize("method", WITHOUT_LAYERS)
def test_how_long_it_takes_is_said_before_anything_is_computed(method, images, capsys, monkeypatch):
    """As many passes as there are, where a gradient counts as three."""
    classifier, passes, said = LinearClassifier(), [], []
    classifier.cost = cost.Cost(values=192, multiplications=cost.HEAVY)
    monkeypatch.setattr(cost, "_speed", lambda: cost.HEAVY)  # a second each

    def counted(function, weight):
        def count(*arguments):
            said.append(capsys.readouterr().err)
            passes.append(weight * max(len(part) for part in arguments if not isinstance(part, str)))
            return function(*arguments)

        return count

    for name, weight in (("logits", 1), ("probabilities", 1), ("gradients", 3)):
        setattr(classifier, name, counted(getattr(LinearClassifier(), name), weight))
    explanation.explain(classifier, images, [0, 2], method=method)
    forecast = int(re.match(r"Explaining takes about .* (min|h): ([\d,]+) passes", said[0])[2].replace(",", ""))
    assert forecast * 2 == sum(passes) - 2 * 2  # the last say how probable a class is with the patch and without


@pytest.mark.parametrize("method", WITHOUT_LAYERS)
def test_a_linear_network_is_explained_exactly_by_every_method(method, images):
    explained = explanation.explain(
        LinearClassifier(), images, [0, 2], method=method, windows=[1], stride=1, baseline="zero"
    )
    exact = images.sum(axis=-1) * np.array([1, 3])[:, None, None] / 10_000
    np.testing.assert_allclose(explained.importance, exact, rtol=1e-4, atol=1e-6)
    for values, (top, left, bottom, right) in zip(exact, explained.patches):
        assert values[top, left] == values.max()
        assert (bottom - top, right - left) == (1, 1)


@pytest.mark.parametrize("method", ["banzhaf", "occlusion"])
def test_an_explanation_equals_its_parts(method, images):
    classifier, targets = LinearClassifier(), np.array([1, 2])
    how = {"method": method, "windows": [2, 3], "stride": 2, "baseline": 40.0, "seed": 5}
    explained = explanation.explain(classifier, images, targets, **how)
    baselines = np.full(images.shape, 40.0, "float32")
    if method == "banzhaf":
        maps = banzhaf.banzhaf_maps(classifier.logits, images, targets, baselines, [2, 3], 2, seed=5)
    else:
        maps = occlusion.occlusion_maps(classifier.logits, images, targets, baselines, [2, 3], 2)
    np.testing.assert_allclose(explained.importance, maps, atol=1e-6)
    checked = faithfulness.deletion_insertion(classifier.probabilities, images, baselines, maps, targets)
    np.testing.assert_allclose([explained.deletion, explained.insertion], checked, atol=1e-6)
    for n, (top, left, bottom, right) in enumerate(explained.patches):
        hidden = images[n].astype("float32")
        hidden[top:bottom, left:right] = 40
        assert bottom - top == 3
        np.testing.assert_allclose(
            [explained.probability[n], explained.hidden_probability[n]],
            classifier.probabilities(np.stack([images[n], hidden]))[:, targets[n]],
            rtol=1e-5,
        )
    again = explanation.explain(classifier, images, targets, **how)
    np.testing.assert_array_equal(again.random_deletion, explained.random_deletion)
    assert len(explained[1:]) == 1
    np.testing.assert_array_equal(explained[1:].patches, explained.patches[1:])


@pytest.mark.parametrize("method", ["banzhaf", "occlusion"])
def test_random_maps_are_as_smooth_as_those_of_the_method(method):
    rng = np.random.default_rng(9)
    scattered = methods.random_maps("gradients", (4, 16, 16), rng, windows=[8], stride=2)
    smooth = methods.random_maps(method, (4, 16, 16), rng, windows=[4, 8], stride=2)
    for maps in (scattered, smooth):
        assert maps.shape == (4, 16, 16)
        assert maps.dtype == np.float32
        assert abs(maps.mean()) < 0.3
    roughness = [np.abs(np.diff(maps, axis=2)).mean() / maps.std() for maps in (scattered, smooth)]
    assert roughness[1] < roughness[0] / 2


def test_patches_scale_with_the_image():
    assert methods.windows_for("banzhaf", (32, 32)) == ([8], 2)
    assert methods.windows_for("banzhaf", (224, 300)) == ([56], 14)
    assert methods.windows_for("occlusion", (32, 32)) == ([5, 10, 15], 2)
    assert methods.windows_for("occlusion", (224, 300)) == ([35, 70, 105], 14)
    assert methods.windows_for("occlusion", (8, 8)) == ([1, 2, 4], 1)
    assert methods.windows_for("banzhaf", (1, 1)) == ([1], 1)
    assert methods.windows_for("banzhaf", (32, 32), [7, 3]) == ([3, 7], 2)
    assert methods.windows_for("banzhaf", (32, 32), [1]) == ([1], 1)
    with pytest.raises(ValueError, match="--window 9 doesn't fit"):
        methods.windows_for("banzhaf", (8, 20), [9])
    with pytest.raises(ValueError, match="--stride 4 skips"):
        methods.windows_for("occlusion", (8, 8), [3], 4)
