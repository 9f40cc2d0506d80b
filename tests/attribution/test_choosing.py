"""Which pictures are chosen to be explained, and for which class."""

import keras
import numpy as np
import pytest
from keras import layers

from cnnvis.images import choices
from cnnvis.images import sources as data
from cnnvis.images.sources import Pictures
from cnnvis.network.classifier import Classifier


class Reader:
    """Predicts the class that stands in a picture's first pixel."""

    def probabilities(self, images):
        return np.eye(3)[images[:, 0, 0, 0]]


@pytest.fixture
def labelled():
    """Nine pictures: predicted 0, 1, 2, 0, 1, 2, ...; the first six rightly, the others as the class before theirs."""
    images = np.zeros((9, 2, 2, 3), "uint8")
    images[:, 0, 0, 0] = np.arange(9) % 3
    labels = np.concatenate([np.arange(6) % 3, [1, 2, 0]])
    return Pictures("made", images, labels, ("a", "b", "c"))


def test_right_predictions_are_chosen(labelled):
    indices, targets = choices.to_explain(Reader(), labelled, count=20)
    assert sorted(indices) == [0, 1, 2, 3, 4, 5]
    np.testing.assert_array_equal(targets, labelled.labels[indices])
    indices, targets = choices.to_explain(Reader(), labelled, target=1, count=20)
    assert (sorted(indices), targets.tolist()) == ([1, 4], [1, 1])
    first, _ = choices.to_explain(Reader(), labelled, count=2, seed=1)
    again, _ = choices.to_explain(Reader(), labelled, count=2, seed=1)
    assert first.tolist() == again.tolist()


def test_wrong_predictions_are_explained_for_the_predicted_and_for_the_true_class(labelled):
    indices, targets = choices.to_explain(Reader(), labelled, wrong=True, count=20)
    assert sorted(set(indices)) == [6, 7, 8]
    assert {index: tuple(targets[indices == index]) for index in (6, 7, 8)} == {6: (0, 1), 7: (1, 2), 8: (2, 0)}
    indices, targets = choices.to_explain(Reader(), labelled, target=2, wrong=True)
    assert (indices.tolist(), targets.tolist()) == ([8, 8], [2, 0])
    indices, targets = choices.to_explain(Reader(), labelled, [7], wrong=True)
    assert (indices.tolist(), targets.tolist()) == ([7, 7], [1, 2])


def test_pictures_that_are_not_there_are_missed_in_one_line(labelled):
    with pytest.raises(ValueError, match="picture 3 is not known to be predicted wrongly"):
        choices.to_explain(Reader(), labelled, [6, 3], wrong=True)
    with pytest.raises(ValueError, match="no picture is predicted wrongly"):
        choices.to_explain(Reader(), labelled.take(slice(6)), wrong=True)
    with pytest.raises(ValueError, match="no picture is predicted correctly"):
        choices.to_explain(Reader(), labelled.take(slice(6, 9)))


def test_own_pictures_are_all_explained_for_what_is_predicted(labelled):
    own = Pictures("images", labelled.images, np.full(9, -1), labelled.classes)
    indices, targets = choices.to_explain(Reader(), own)
    assert indices.tolist() == list(range(9))
    assert targets.tolist() == [0, 1, 2] * 3
    with pytest.raises(ValueError, match="no picture is predicted wrongly"):
        choices.to_explain(Reader(), own, wrong=True)


@pytest.fixture(scope="module")
def classifier():
    """CONV a, b, c, d, of which b is fixed; FC e and f."""
    maps = [layers.Conv2D(n, 3, padding="same", activation="relu", name=name) for n, name in enumerate("abcd", start=2)]
    maps[1].trainable = False
    ends = [layers.Flatten(name="flat"), layers.Dense(7, "relu", name="e"), layers.Dense(3, "softmax", name="f")]
    return Classifier(keras.Sequential([keras.Input((4, 4, 3)), *maps, *ends]), (0, 1))


def test_every_other_learned_conv_layer_and_the_first_fc_layer_are_shown(classifier):
    def names(*asked):
        return [layer.name for layer in choices.layers_with_filters(classifier, *asked)]

    assert names() == ["a", "d", "e"]
    assert names(["all"]) == ["a", "b", "c", "d", "e", "f"]
    assert names(["f", "b", "f"]) == ["f", "b"]
    with pytest.raises(ValueError, match="flat is neither a CONV nor an FC layer"):
        names(["a", "flat"])


def test_a_network_without_filters_is_told_so():
    network = Classifier(keras.Sequential([keras.Input((4, 4, 3)), layers.GlobalAveragePooling2D(), layers.Softmax()]))
    with pytest.raises(ValueError, match="neither CONV nor FC layers"):
        choices.layers_with_filters(network)


def test_filters_are_those_asked_for_or_random_ones_in_order(classifier):
    layer = classifier.layer("e")
    assert choices.filters_of(layer, ["all"], 2, 0).tolist() == [0, 1, 2, 3, 4, 5, 6]
    assert choices.filters_of(layer, [5, 0, 5], 2, 0).tolist() == [5, 0]
    drawn = [choices.filters_of(layer, None, 4, seed).tolist() for seed in range(20)]
    assert all(len(set(some)) == 4 and some == sorted(some) for some in drawn)
    assert {number for some in drawn for number in some} == set(range(7))
    assert len({tuple(some) for some in drawn}) > 10
    assert choices.filters_of(layer, None, 4, 3).tolist() == drawn[3]
    assert choices.filters_of(layer, None, 40, 3).tolist() == [0, 1, 2, 3, 4, 5, 6]
    with pytest.raises(ValueError, match="e has no filter 7: it has 0 to 6"):
        choices.filters_of(layer, [1, 7], 2, 0)


def test_files_come_first_then_samples_in_the_classes_of_the_network(labelled):
    samples = data.load("samples", "test")
    order = tuple(reversed(samples.classes))
    network = Pictures("cifar10", np.zeros((3, 32, 32, 3), "uint8"), np.array([0, 1, 2]), order)
    names, images, labels = choices.to_choose_from(network, (32, 32), 20)
    assert len(names) == len(images) == len(labels) == len(samples)
    assert [order[label] for label in labels] == [samples.classes[label] for label in samples.labels]
    np.testing.assert_array_equal(images, samples.images[np.arange(len(samples))])

    files = Pictures("images", np.full((2, 32, 32, 3), 9, "uint8"), np.array([-1, -1]), samples.classes)
    names, images, labels = choices.to_choose_from(files, (32, 32), 5)
    assert len(images) == 2 + 5
    assert (images[:2] == 9).all()
    assert labels[:2].tolist() == [-1, -1]

    _, images, labels = choices.to_choose_from(labelled, (2, 2), 4)  # of classes that the samples don't have
    assert len(images) == 4
    assert set(labels) <= set(labelled.labels)
