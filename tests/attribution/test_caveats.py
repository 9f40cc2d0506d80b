"""What is said of maps that are 0, the same everywhere, or coarse."""

import keras
import numpy as np
import pytest
from keras import layers

from cnnvis import attribution
from cnnvis.attribution import METHODS, caveats, explanation
from cnnvis.network.classifier import Classifier

VARIED = np.arange(16.0).reshape(1, 4, 4)
ZERO, SAME = 0 * VARIED, 0 * VARIED + 0.3


def said(capsys, maps, method, *, image=7, baseline=3, score="logit", **of_layer):
    images, baselines = (np.full((1, 4, 4, 3), value, "uint8") for value in (image, baseline))
    caveats.say_caveats(maps, method, images=images, baselines=baselines, score=score, **of_layer)
    return capsys.readouterr().err.strip()


@pytest.mark.parametrize("method", METHODS)
def test_nothing_is_said_of_a_map_that_varies(method, capsys):
    assert said(capsys, VARIED, method) == ""
    assert said(capsys, VARIED, method, layer="conv", grid=(4, 9)) == ""


@pytest.mark.parametrize("method", [name for name in METHODS if name != "gradcam"])
def test_an_image_that_is_its_own_baseline_needs_another(method, capsys):
    cause = f"A map by {method} is 0 everywhere, as the image is the same as its baseline: choose --baseline"
    assert said(capsys, ZERO, method, image=7, baseline=7) == f"{cause} zero."
    assert said(capsys, ZERO, method, image=0, baseline=0) == f"{cause} noise."


def test_options_are_named_only_for_the_methods_that_they_are_for(capsys):
    for method in ("banzhaf", "occlusion"):
        advice = "as the probability doesn't change: choose another --score, --window or --baseline."
        assert said(capsys, ZERO, method, score="probability") == f"A map by {method} is 0 everywhere, {advice}"
        assert said(capsys, SAME, method).endswith("choose a smaller --window.")
    for method in ("gradients", "smoothgrad"):
        assert said(capsys, ZERO, method).endswith("as the logit doesn't change: choose another --score or --baseline.")
        assert "--window" not in said(capsys, SAME, method)
    of_layer = {"layer": "conv", "grid": (4, 4)}
    for baseline in (3, 7):  # which Grad-CAM has none of
        words = said(capsys, ZERO, "gradcam", image=7, baseline=baseline, **of_layer)
        assert words.endswith("as the feature maps of conv are, or their gradients: choose another --layer or --score.")
    assert said(capsys, SAME, "gradcam", **of_layer).endswith("conv counts more than another: choose another --layer.")


@pytest.mark.parametrize("side", [1, 2, 3, 4])
def test_few_places_of_a_layer_are_said(side, capsys):
    pixels = keras.Input((16, 16, 3))
    maps = layers.Conv2D(3, 16 // side, strides=16 // side, name="places")(pixels)
    classifier = Classifier(keras.Model(pixels, layers.Dense(3)(layers.Flatten()(maps))), (0, 1))
    image = np.random.default_rng(2).integers(0, 256, (1, 16, 16, 3), dtype="uint8")
    explained = attribution.explain(classifier, image, method="gradcam")
    coarse = "places has only {0}x{0} places, so the map by gradcam is coarse: an earlier --layer may have more.\n"
    constant = "A map by gradcam is the same everywhere, as places has 1x1 places: choose an earlier --layer.\n"
    expected = {1: constant, 2: coarse.format(2), 3: coarse.format(3), 4: ""}
    if side == 3:  # 16 pixels have three steps of 5 pixels
        assert classifier.layers["places"].output.shape[1:3] == (3, 3)
    assert capsys.readouterr().err.endswith(expected[side]) or not expected[side]
    assert explained.in_order.tolist() == [side > 1]


@pytest.mark.parametrize("method", [name for name in METHODS if name != "gradcam"])
def test_an_image_that_is_its_own_baseline_has_a_map_of_zeros(method):
    """Whatever the rounding errors of a network, whose output may depend on an image's place in the batch."""

    class Unsteady:
        def logits(self, images):
            return np.random.default_rng(len(images)).normal(size=(len(images), 2)) * 1e-7

        def gradients(self, score, images, targets):
            return np.full(images.shape, 1e-7)

    images = np.full((2, 8, 8, 3), 90, "uint8")
    images[1, 2:5, 3] = 200
    maps = explanation.heat_maps(Unsteady(), images, np.array([0, 1]), method=method)
    assert not maps[0].any()
    assert maps[1].any()
