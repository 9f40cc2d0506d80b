"""Why one class rather than another: differences of scores, by hand and by finite differences."""

import keras
import numpy as np
import pytest
from keras import layers

from cnnvis import attribution
from cnnvis.attribution import METHODS, Contrast
from cnnvis.network.classifier import Classifier
from tests.conftest import small_sequential


@pytest.fixture(scope="module")
def classifier():
    return Classifier(small_sequential(classes=4))


def test_scores_are_those_of_two_classes(classifier, images):
    contrast, logits = Contrast(classifier, 2), classifier.logits(images)
    np.testing.assert_allclose(contrast.logits(images), logits - logits[:, 2:3], atol=1e-6)
    two = 1 / (1 + np.exp(logits[:, 2:3] - logits))
    np.testing.assert_allclose(contrast.probabilities(images), two, rtol=1e-4)
    np.testing.assert_allclose(contrast.probabilities(images)[:, 2], 0.5, rtol=1e-6)


@pytest.mark.parametrize("score", ["logit", "probability"])
def test_gradients_agree_with_finite_differences(score, classifier, images):
    smooth = keras.Sequential([keras.Input((32, 32, 3)), layers.AveragePooling2D(8), layers.Flatten(), layers.Dense(4)])
    contrast, some = Contrast(Classifier(smooth, (-1, 1)), 1), images[:3].astype("float32")
    targets = np.array([0, 2, 3])
    slopes = contrast.gradients(score, some, targets)
    length = np.sqrt((slopes**2).sum(axis=(1, 2, 3)))
    along = slopes / length[:, None, None, None]
    scores = contrast.logits if score == "logit" else contrast.probabilities
    further, back = (scores(some + sign * 20 * along)[np.arange(3), targets] for sign in (1, -1))
    np.testing.assert_allclose((further - back) / 40, length, rtol=2e-2)


def test_a_map_is_the_difference_of_both_classes_maps(classifier, images):
    """Every method is linear in the score."""
    some, ones = images[:2], np.ones(2, int)
    for method in METHODS:
        how = {"method": method, "seed": 3}
        own, other = (attribution.explain(classifier, some, which, **how).importance for which in (0 * ones, 3 * ones))
        found = attribution.explain(Contrast(classifier, 3), some, 0 * ones, **how).importance
        np.testing.assert_allclose(found, own - other, atol=1e-4 * np.abs(found).max(), err_msg=method)


def test_what_is_relative_is_called_so(classifier, images):
    """A probability is the class's share of two, and a map is in units of a difference."""
    explained = attribution.explain(Contrast(classifier, 3), images[:1], [0], method="gradients")
    (title,) = attribution.titles(explained, [1], ["cat", "bird", "cow", "dog"], against=3)
    assert title == f"cat rather than dog: {explained.probability[0]:.0%} of the two (true: bird)"
    assert attribution.quantities("logit") == ("logit", "probability")
    assert attribution.quantities("logit", 3) == ("difference of logits", "share of the two classes' probability")
    unit, share = attribution.quantities("probability", 3)
    assert unit == share
    heading, *_ = attribution.scores_table(attribution.Comparison({"gradients": explained}), [0], [title], share)
    assert heading.startswith("Mean share of the two classes' probability while")


def test_nothing_is_divided_by_zero():
    class Certain:
        cost = layers = layer = weights = None

        def probabilities(self, images):
            return np.array([[1, 0, 0]], "float32")

        def gradients(self, score, images, targets):
            return np.ones(images.shape)

    contrast, image = Contrast(Certain(), 1), np.zeros((1, 2, 2, 3))
    np.testing.assert_array_equal(contrast.probabilities(image), [[1, 0.5, 0.5]])
    assert np.isfinite(contrast.gradients("probability", image, np.array([2]))).all()
