"""Several methods side by side, the best of them, and maps with random weights."""

import re
import time
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import spearmanr

from cnnvis import attribution
from cnnvis.attribution import METHODS, comparison, effort, report, sanity
from cnnvis.network.classifier import Classifier
from tests.conftest import small_sequential

HOW = {"windows": None, "stride": None, "baseline": "mean", "layer": None, "score": "logit"}


@pytest.fixture(scope="module")
def classifier():
    return Classifier(small_sequential(size=16))


@pytest.fixture(scope="module")
def small_images():
    return np.random.default_rng(6).integers(0, 256, (2, 16, 16, 3), dtype="uint8")


@pytest.fixture(scope="module")
def compared(classifier, small_images):
    return attribution.compare(classifier, small_images, np.array([1, 2]), **HOW, seed=4)


def test_every_method_has_the_maps_that_it_has_alone(classifier, small_images, compared):
    assert list(compared.explanations) == list(METHODS)
    for method, explained in compared.explanations.items():
        alone = attribution.explain(classifier, small_images, np.array([1, 2]), method=method, seed=4)
        np.testing.assert_allclose(explained.importance, alone.importance, atol=1e-6)
        assert (explained.seconds > 0).all()


def test_the_best_has_the_largest_difference_of_insertion_and_deletion(compared):
    values = {name: each.insertion - each.deletion for name, each in compared.explanations.items()}
    largest = [max(values, key=lambda name: values[name][n]) for n in range(2)]
    floor = compared.of_floor + comparison.LEAST_LEAD
    assert compared.best == [name if values[name][n] > floor[n] else "" for n, name in enumerate(largest)]
    assert len(compared[1:]) == 1
    assert compared[1:].best == compared.best[1:]
    assert scored(banzhaf=[0.5, 0.1, 0.2], gradcam=[0.6, 0.104, -0.1]).best == ["gradcam", "", "banzhaf"]


def scored(**faithful):
    """A comparison with given insertion - deletion of each method; random maps have 0.1.

    NaN stands for a map that is the same everywhere.
    """

    class Scores:
        def __init__(self, values):
            self.in_order = np.isfinite(values)
            self.insertion, self.deletion = np.array(values), np.zeros(len(values))
            self.random_insertion, self.random_deletion = np.full(len(values), 0.1), np.zeros(len(values))

    count = len(next(iter(faithful.values())))
    return comparison.Comparison({name: Scores(values) for name, values in faithful.items()}, np.zeros((count, 2, 2)))


def test_the_verdict_names_the_best_and_whether_its_lead_counts():
    sure = report.verdict(scored(gradcam=[0.5, 0.6, 0.55, 0.5], banzhaf=[0.3, 0.4, 0.36, 0.29]))
    assert sure == (
        "For this network, believe gradcam: insertion - deletion is 0.54 on average of 4 images "
        "(banzhaf 0.34; random maps 0.10)."
    )
    unsure = report.verdict(scored(gradcam=[0.5, 0.1], banzhaf=[0.1, 0.4]))
    assert unsure.endswith("Its lead over banzhaf and random maps may be chance: compare more images.")
    few = report.verdict(scored(gradcam=[0.5, 0.6], banzhaf=[0.3, 0.34]))  # 7 standard errors, but of two images
    assert "Its lead over banzhaf and random maps may be chance" in few
    assert "Its lead over random maps may" in report.verdict(scored(gradcam=[0.5, 0.1, 0.1], banzhaf=[0.39, 0, -0.01]))
    assert "of one image" in report.verdict(scored(gradcam=[0.5], banzhaf=[0.1]))
    assert report.verdict(scored(gradcam=[0.05], banzhaf=[0.1])).startswith("Believe none of the maps")


def test_maps_that_are_the_same_everywhere_do_not_compete():
    """They put pixels in no order: their scores would be those of a sweep from top to bottom."""
    some = scored(banzhaf=[0.5, np.nan, 0.6], gradcam=[np.nan] * 3, gradients=[0.2, 0.3, 0.4])
    assert some.best == ["banzhaf", "gradients", "banzhaf"]
    assert report.verdict(some).startswith(
        "For this network, believe banzhaf: insertion - deletion is 0.55 on average of 2 of 3 images "
        "(gradients 0.30; random maps 0.10; on the rest, a map is the same everywhere). Its lead over"
    )
    alone = report.verdict(scored(banzhaf=[np.nan, np.nan], gradcam=[0.5, 0.51]))
    assert alone.endswith("is 0.51 on average of 2 images (random maps 0.10).")
    for none in (scored(banzhaf=[np.nan], gradcam=[np.nan]), scored(banzhaf=[np.nan, 0.5], gradcam=[0.5, np.nan])):
        assert report.verdict(none).startswith("Which maps to believe can't be said")


def test_the_table_has_no_scores_of_maps_that_are_the_same_everywhere(compared):
    first = compared.first
    constant = replace(first, importance=first.importance * [[[1]], [[0]]] + [[[0]], [[0.3]]])
    _, _, rows = report.scores_table(comparison.Comparison({"banzhaf": constant}), [5, 7], ["cat", "dog"])
    assert rows[0] == ("5: cat", *(f"{getattr(first, field)[0]:.3f}" for field in report.FIELDS))
    assert rows[1] == ("7: dog", *"-----")
    several = replace(compared, explanations={**compared.explanations, "banzhaf": constant})
    _, _, rows = report.scores_table(several, [5, 7], ["cat", "dog"])
    for row, explained in zip(rows, several.explanations.values()):
        assert row[1:-1] == tuple(f"{getattr(explained, field)[0]:.3f}" for field in report.FIELDS)
    none = replace(constant, importance=np.full_like(first.importance, 0.3))
    _, _, rows = report.scores_table(replace(several, explanations={**compared.explanations, "gradcam": none}), [], [])
    assert [set(row[1:-1]) == {"-"} for row in rows] == [False, False, True, False, False]


def test_random_weights_are_the_shuffled_ones_and_are_put_back(classifier, small_images):
    before = classifier.probabilities(small_images)
    kept = [weight.numpy() for weight in classifier.weights]

    def interrupted():
        with sanity.random_weights(classifier, seed=1):
            assert np.abs(classifier.probabilities(small_images) - before).max() > 1e-3
            for weight, values in zip(classifier.weights, kept):
                np.testing.assert_array_equal(np.sort(weight.numpy(), axis=None), np.sort(values, axis=None))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    np.testing.assert_array_equal(classifier.probabilities(small_images), before)


def test_maps_of_random_weights_are_those_of_that_network(classifier, small_images, compared):
    how = {"methods": ["gradients"], "random_weights": True, "seed": 4}
    found = attribution.compare(classifier, small_images, np.array([1, 2]), **HOW, **how)
    assert set(found.likeness) == {"gradients"}
    with sanity.random_weights(classifier, seed=4):
        alone = attribution.explain(classifier, small_images, np.array([1, 2]), method="gradients", seed=4)
    np.testing.assert_allclose(found.random_weights["gradients"], alone.importance, atol=1e-6)
    assert np.abs(found.random_weights["gradients"] - compared.explanations["gradients"].importance).max() > 0


def test_a_network_that_outputs_nan_with_random_weights_has_no_maps_of_them(small_images, capsys):
    """Roots of sums that are positive as long as each weight is in its place; NaN in feature maps or in the output."""
    import keras
    from keras import layers

    signs = np.repeat([1.0, -1.0], 8)
    weights = [np.ones((1, 1, 3, 1)) * signs, np.where(signs > 0, 0.1, 4)]
    pixels = keras.Input((16, 16, 3))
    sums = layers.Conv2D(16, 1, name="sums")(pixels)
    for rooted in (False, True):
        roots = keras.ops.sqrt(sums) if rooted else sums
        pooled = layers.GlobalAveragePooling2D()(roots)
        logits = layers.Dense(3)(pooled if rooted else keras.ops.sqrt(pooled))
        model = keras.Model(pixels, logits)
        model.get_layer("sums").set_weights(weights)
        for method in ("occlusion", "gradcam"):
            how = {"methods": [method], "random_weights": True}
            compared = attribution.compare(Classifier(model, (0, 1)), small_images, np.array([1, 2]), **HOW, **how)
            assert np.isfinite(compared.first.importance).all()
            assert not compared.random_weights
            assert report.sentences(compared) == []
            said = capsys.readouterr().err.strip()
            assert said == "No maps of random weights: the network outputs NaN with them; another --seed may help."


def test_one_forecast_and_one_bar_for_all(classifier, small_images, capsys, monkeypatch):
    """The bar counts passes through the network and never goes back; it ends where its total is."""
    monkeypatch.setattr(effort, "LONG", 0)
    done = []

    @contextmanager
    def bar(total):
        yield lambda step, text: done.append((step / total, text))

    how = {"methods": ["occlusion", "gradients", "gradcam"], "random_weights": True, "bar": bar}
    attribution.compare(classifier, small_images, np.array([1, 2]), track=no_bar_of_its_own, **HOW, **how)
    (said,) = capsys.readouterr().err.splitlines()
    assert re.fullmatch(
        r"Explaining by 3 methods takes about \d+ s: [\d,]+ passes through the network for each image.", said
    )
    shares, words = zip(*done)
    assert shares[0] == 0
    assert (np.diff(shares) >= 0).all()
    assert 0.9 < shares[-1] < 1
    assert (words[0], words[-1]) == ("occlusion: hiding patches", "gradcam, random weights: weighting feature maps")
    count = sum(2 * effort.passes(name, (16, 16)) + 2 * effort.CHECK for name in how["methods"])
    assert f"{count:,} passes" in said


def no_bar_of_its_own(words):
    raise AssertionError


def test_likeness_is_spearmans_rank_correlation():
    rng = np.random.default_rng(7)
    maps, others = rng.normal(size=(2, 3, 6, 5)).round(1)  # with ties
    expected = [spearmanr(a.ravel(), b.ravel()).statistic for a, b in zip(maps, others)]
    np.testing.assert_allclose(sanity.likeness(maps, others), expected)
    np.testing.assert_allclose(sanity.likeness(maps, np.exp(maps)), 1)
    np.testing.assert_array_equal(sanity.likeness(maps, np.zeros_like(maps)), 0)


def test_methods_that_do_not_change_are_not_to_be_believed():
    said = report.sanity_verdict({"gradcam": np.array([0.9, 0.7]), "banzhaf": np.array([0.7, -0.2])})
    assert said.startswith("Don't believe gradcam (0.80): ")
    assert "All maps change" in report.sanity_verdict({"banzhaf": np.array([0.1])})


def test_a_map_that_only_changes_its_sign_does_not_change(compared):
    maps, signs = compared.first.importance, np.array([1, -1])[:, None, None]
    for same in (-maps, signs * maps):
        alike = replace(compared, explanations={"banzhaf": compared.first}, random_weights={"banzhaf": same})
        assert report.sentences(alike)[0].startswith(
            "Don't believe banzhaf (1.00): much the same map, perhaps with its"
        )


def test_what_is_the_same_everywhere_passes_no_sanity_check(classifier, capsys):
    """An image of one colour is its own mean colour: Grad-CAM, which hides nothing, may show something."""
    images = np.full((1, 16, 16, 3), 90, "uint8")
    methods = ("gradcam", "gradients")
    compared = attribution.compare(classifier, images, np.array([1]), methods=methods, random_weights=True, **HOW)
    assert compared.best == [""]
    said = report.sentences(compared)
    assert said[0].startswith("Believe none of the maps")
    assert "All maps change" not in said[1]
    assert "A map by gradients is 0 everywhere" in capsys.readouterr().err
    alone = attribution.compare(classifier, images, np.array([1]), methods=("gradients",), random_weights=True, **HOW)
    assert "can't be said" in report.sentences(alone)[0]


def test_a_network_that_is_0_with_random_weights_passes_no_sanity_check(compared):
    zero = {name: np.zeros_like(each.importance) for name, each in compared.explanations.items()}
    said = report.sentences(replace(compared, random_weights=zero))
    assert "can't be said" in said[1]
    one = zero["banzhaf"].copy()
    one[0, 0, 0] = 1
    said = report.sentences(replace(compared, random_weights={**zero, "banzhaf": one}))
    assert said[1].startswith("All other maps change")


@pytest.mark.slow
def test_the_time_of_a_map_is_without_compiling(small_images):
    class Slow(Classifier):
        """Compiles in ten seconds, or so it seems."""

        compiled = False

        def gradients(self, *args):
            if not self.compiled:
                time.sleep(10)
                self.compiled = True
            return super().gradients(*args)

    slow = Slow(small_sequential(size=16))
    compared = attribution.compare(slow, small_images, np.array([1, 2]), methods=("gradcam", "gradients"), **HOW)
    assert slow.compiled
    assert compared.explanations["gradients"].seconds.sum() < 10


def test_a_network_without_conv_layers_leaves_grad_cam_out(small_images, capsys):
    import keras

    dense = keras.Sequential([keras.Input((16, 16, 3)), keras.layers.Flatten(), keras.layers.Dense(3)])
    compared = attribution.compare(Classifier(dense), small_images, np.array([1, 2]), **HOW)
    assert list(compared.explanations) == [method for method in METHODS if method != "gradcam"]
    said = capsys.readouterr().err
    assert (
        "gradcam is left out: --method gradcam explains by feature maps, and the network has no CONV layer.\n" in said
    )


def test_which_methods_options_ask_for():
    assert attribution.methods_for(None) == ("banzhaf",)
    assert attribution.methods_for(None, patches=[3]) == ("occlusion",)
    assert attribution.methods_for(None, layer="conv1") == ("gradcam",)
    assert attribution.methods_for("all", layer="conv1") == tuple(METHODS)
    with pytest.raises(ValueError, match="--layer is for --method gradcam, not banzhaf"):
        attribution.methods_for("banzhaf", layer="conv1")
