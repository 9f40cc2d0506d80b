"""The networks of bench/depth.py: two CONV layers before each POOL are `basic`, and each other has more or fewer."""

import re

import numpy as np
import pytest

from bench import depth
from models import convnet

pytestmark = pytest.mark.once  # independent of versions


@pytest.fixture
def built(monkeypatch):
    def build(count):
        monkeypatch.setitem(convnet.ARCHITECTURES, "plain", depth.plain(count))
        monkeypatch.setitem(convnet.WIDTHS, "plain", convnet.WIDTHS["basic"])
        return convnet.build_model("plain", 10, seed=3)

    return build


def test_two_layers_are_basic(built):
    ours, basic = built(2), convnet.build_model("basic", 10, seed=3)
    assert [layer.name for layer in ours.layers] == [layer.name for layer in basic.layers]
    for weight, same in zip(ours.get_weights(), basic.get_weights(), strict=True):
        np.testing.assert_array_equal(weight, same)


@pytest.mark.parametrize("count", depth.LAYERS)
def test_only_the_number_of_conv_layers_differs(built, count):
    names = [layer.name for layer in built(count).layers]
    assert [name for name in names if name.startswith("conv")] == [f"conv{n}" for n in range(1, 2 * count + 1)]
    assert built(count).get_layer("fc1").kernel.shape == (4096, 256)


@pytest.mark.slow
def test_it_measures_each_network(cifar10, capfd):
    assert depth.main(["--trainings", "1", "--epochs", "1", "--limit", "11000"]) == 0
    rows = re.findall(r"^\| (\d) \| ([\d,]+) \| ([\d.]+)% \(.*\) \| 1 \|$", capfd.readouterr().out, re.MULTILINE)
    assert [row[0] for row in rows] == ["2", "4", "6"]
    assert rows[1][1] == "1,116,970"
    assert all(float(accuracy) > 12 for *_, accuracy in rows)  # by chance, 10
