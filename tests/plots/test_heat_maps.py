"""What heat maps say of themselves: titles, headings and captions."""

from dataclasses import replace

import numpy as np
import pytest

from cnnvis import attribution, plots
from cnnvis.attribution import Comparison
from tests.plots.test_plots import border_is_white, explanation, pixels


def captions(figure):
    return [axes.get_xlabel() for axes in figure.axes[:-1] if axes.get_xlabel()]  # the last is the colour bar


def test_a_map_that_is_the_same_everywhere_has_no_scores(tmp_path):
    images, maps = np.zeros((3, 8, 8, 3), "uint8"), np.zeros((3, 8, 8))
    maps[1], maps[2, 0, 0] = 0.3, 1
    explained = explanation(images, maps)
    drawn = plots.heat_maps(explained, ["cat"] * 3, "logit")
    assert captions(drawn)[:4] == ["10%", "0 everywhere", "50%", "the same\neverywhere"]
    assert [len(axes.patches) for axes in drawn.axes[:9]] == [0, 0, 0, 0, 0, 0, 2, 0, 2]
    varied = explanation(images, np.arange(192.0).reshape(3, 8, 8))
    compared = Comparison({"gradcam": explained, "banzhaf": varied}, varied.importance)
    pages = plots.importance_pages(compared, ["cat"] * 3, unit="logit", most=3)
    assert [text for text in captions(pages["pixel_importance"]) if "everywhere" in text] == [
        "0 everywhere",
        "the same\neverywhere",
    ]
    assert border_is_white(pixels(pages["pixel_importance"], tmp_path))


def test_correlations_are_only_of_maps_that_vary(tmp_path):
    images, maps = np.zeros((4, 8, 8, 3), "uint8"), np.arange(256.0).reshape(4, 8, 8)
    others = -maps
    maps[0], others[1], others[2] = 0.3, 0, 0.3
    compared = Comparison({"gradcam": explanation(images, maps)}, None, {"gradcam": others})
    figure = plots.importance_pages(compared, ["cat"] * 4, unit="logit", most=4)["pixel_importance_sanity"]
    under = [text for text in captions(figure) if text != "cat"]
    assert under == ["the same\neverywhere", "0 everywhere", "the same\neverywhere", "correlation\n−1.00"]
    assert "closer their correlation is to 1 or −1, the less" in figure.get_suptitle().replace("\n", " ")
    assert border_is_white(pixels(figure, tmp_path))


@pytest.mark.parametrize("probability", ["probability", "share of the two classes' probability"])
def test_a_comparison_says_of_what_its_scores_are_and_which_is_best(probability, tmp_path):
    varied = explanation(np.zeros((1, 8, 8, 3), "uint8"), np.arange(64.0).reshape(1, 8, 8))
    compared = Comparison(dict.fromkeys(("banzhaf", "occlusion"), varied), varied.importance)
    pages = plots.importance_pages(compared, ["cat"], unit="logit", probability=probability, most=1)
    heading = pages["pixel_importance"].get_suptitle()
    assert heading.replace("\n", " ").startswith(f"{probability.capitalize()} while the most important pixels")
    assert heading.endswith("\nbest: largest insertion − deletion")
    assert border_is_white(pixels(pages["pixel_importance"], tmp_path))


def test_long_names_of_two_classes_are_cut_one_by_one(tmp_path):
    """And both, the probability and the true class are in the title, of which nothing is cut off."""
    names = ["a very long class name of mine", "another long class name of theirs", "Mm" * 20, "M" * 40]
    classes = plots.short_names(names)
    explained = explanation(np.zeros((2, 8, 8, 3), "uint8"), np.arange(128.0).reshape(2, 8, 8))
    explained = replace(explained, target=np.array([0, 0]), probability=np.ones(2))
    wide = attribution.titles(replace(explained, target=np.array([2, 2])), [0, 0], classes, against=3)
    titles = [*attribution.titles(explained[:1], [1], classes, against=1), wide[1]]
    assert titles[0] == "a very lo…of mine rather than another l…f theirs: 100% of the two (true: another l…f theirs)"
    unit = "share of the two classes' probability"
    drawn = plots.heat_maps(explained, titles, unit)
    assert drawn.axes[0].texts[0].get_text().replace("\n", " ") == titles[0]
    drawn.draw_without_rendering()
    left, middle, right = (axes.get_position() for axes in drawn.axes[:3])
    np.testing.assert_allclose(middle.x0 - left.x1, right.x0 - middle.x1, atol=0.01)  # no title pushes them apart
    assert unit in drawn.axes[-1].get_xlabel().replace("\n", " ")
    for figure in (drawn, plots.heat_maps(explained[:1], titles[:1], unit)):
        assert border_is_white(pixels(figure, tmp_path))
    compared = Comparison(dict.fromkeys(("banzhaf", "occlusion"), explained[:1]), explained.importance[:1])
    figure = plots.importance_pages(compared, titles[:1], unit=unit, probability=unit, most=2)["pixel_importance"]
    assert figure.axes[0].get_xlabel().replace("\n", " ") == titles[0]
    assert border_is_white(pixels(figure, tmp_path))
