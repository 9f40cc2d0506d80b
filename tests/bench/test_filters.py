"""The comparison of feature visualisations: its measures, its table, and runs of the contenders."""

import numpy as np
import pytest

from bench import filters
from cnnvis.features import ascent
from cnnvis.images import image_statistics
from cnnvis.network import Classifier

pytestmark = pytest.mark.once  # independent of versions


def stripes(period, size=32):
    wave = 100 + 50 * np.cos(2 * np.pi * np.arange(size) / period)
    return np.broadcast_to(wave[:, None, None], (size, size, 3))


def test_fine_energy_by_hand():
    smooth, fine, flat = stripes(8), stripes(2), np.full((32, 32, 3), 7.0)
    energy = filters.fine_energy(np.stack([smooth, fine, flat, smooth + fine]))
    # A cosine of period 2 has twice the energy of one that doesn't hit its peaks only: mean square 1 against 1/2.
    np.testing.assert_allclose(energy, [0, 1, 0, 2 / 3], atol=1e-12)


def test_the_table():
    own = {"seconds": 0.5, "above": [1.0, 2.0, 3.0], "fine": [0.1, 0.2, 0.3]}
    other = {"seconds": 5.0, "above": [-1.0, 1.0, 9.0], "fine": [0.5, 0.5, 0.5]}
    header, line, first, second = filters.table({"ours": {"conv1": own}, "other": {"conv1": other}}).splitlines()
    assert header == f"| {filters.COLUMNS} |"
    assert line.count("|") == header.count("|")
    assert first == "| conv1 | ours | 0.50 | 3 of 3 | 100% | 20% |"
    assert second == "| conv1 | other | 5.00 | 2 of 3 | 50% | 50% |"


def test_ours_is_features_ascend_and_smoother_than_plain_ascent(sequential, images):
    classifier = Classifier(sequential, (0, 1))
    model = classifier, classifier.layer("second")
    statistics = image_statistics(images)
    ours, plain = (
        filters.CONTENDERS[name][1](model, [1, 3], statistics, steps=30, seed=0) for name in ("ours", "plain")
    )
    assert ours.shape == plain.shape == (2, 32, 32, 3)
    assert (
        np.abs(
            ours.astype(int) - ascent.ascend(*model, [1, 3], statistics=statistics, ascent=ascent.Ascent(steps=30))[0]
        ).mean()
        < 1
    )
    assert filters.fine_energy(ours).mean() < filters.fine_energy(plain).mean()


def test_tf_keras_vis_draws(sequential, images):
    pytest.importorskip("tf_keras_vis")
    classifier = Classifier(sequential, (0, 1))
    model = classifier, classifier.layer("second")
    for name, (_, draw) in filters.CONTENDERS.items():
        made = draw(model, [1, 3], image_statistics(images), steps=10, seed=0)
        assert made.shape == (2, 32, 32, 3), name
        assert made.dtype == np.uint8


def test_without_tf_keras_vis(capsys, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert filters.main([]) == 2
    assert "tf-keras-vis is not installed: pip install -r bench/requirements.txt" in capsys.readouterr().err
