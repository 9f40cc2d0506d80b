"""Which layers and filters are shown."""

import keras
import pytest
from keras import layers

from cnnvis.features import choosing
from cnnvis.network.classifier import Classifier


@pytest.fixture(scope="module")
def classifier():
    """CONV layers a, b (not trainable), c and d; FC layers e and f."""
    maps = [layers.Conv2D(n, 3, padding="same", activation="relu", name=name) for n, name in enumerate("abcd", start=2)]
    maps[1].trainable = False
    ends = [layers.Flatten(name="flat"), layers.Dense(7, "relu", name="e"), layers.Dense(3, "softmax", name="f")]
    return Classifier(keras.Sequential([keras.Input((4, 4, 3)), *maps, *ends]), (0, 1))


def test_every_other_learned_conv_layer_and_the_first_fc_layer_are_shown(classifier):
    def names(*asked):
        return [layer.name for layer in choosing.layers_with_filters(classifier, *asked)]

    assert names() == ["a", "d", "e"]
    assert names(["all"]) == ["a", "b", "c", "d", "e", "f"]
    assert names(["f", "b", "f"]) == ["f", "b"]
    with pytest.raises(ValueError, match="flat is neither a CONV nor an FC layer"):
        names(["a", "flat"])


def test_a_network_without_filters_is_an_error():
    network = Classifier(keras.Sequential([keras.Input((4, 4, 3)), layers.GlobalAveragePooling2D(), layers.Softmax()]))
    with pytest.raises(ValueError, match="neither CONV nor FC layers"):
        choosing.layers_with_filters(network)


def test_filters_are_those_asked_for_or_random_ones_in_order(classifier):
    layer = classifier.layer("e")
    assert choosing.filters_of(layer, ["all"], 2, 0).tolist() == [0, 1, 2, 3, 4, 5, 6]
    assert choosing.filters_of(layer, [5, 0, 5], 2, 0).tolist() == [5, 0]
    drawn = [choosing.filters_of(layer, None, 4, seed).tolist() for seed in range(20)]
    assert all(len(set(some)) == 4 and some == sorted(some) for some in drawn)
    assert {number for some in drawn for number in some} == set(range(7))
    assert len({tuple(some) for some in drawn}) > 10
    assert choosing.filters_of(layer, None, 4, 3).tolist() == drawn[3]
    assert choosing.filters_of(layer, None, 40, 3).tolist() == [0, 1, 2, 3, 4, 5, 6]
    with pytest.raises(ValueError, match="e has no filter 7: it has 0 to 6"):
        choosing.filters_of(layer, [1, 7], 2, 0)
