"""Which images a reader of the page can choose from."""

import numpy as np
import pytest

from cnnvis.explore import choosing
from cnnvis.images import sources
from cnnvis.images.dataset import Dataset


@pytest.fixture
def labelled():
    """Nine images in classes that the samples don't have."""
    return Dataset("made", np.zeros((9, 2, 2, 3), "uint8"), np.arange(9) % 3, ("a", "b", "c"))


def test_files_come_first_then_samples_in_the_classes_of_the_network(labelled):
    samples = sources.load("samples", "test")
    order = tuple(reversed(samples.classes))
    network = Dataset("cifar10", np.zeros((3, 32, 32, 3), "uint8"), np.array([0, 1, 2]), order)
    names, images, labels = choosing.to_choose_from(network, (32, 32), 20)
    assert len(names) == len(images) == len(labels) == len(samples)
    assert [order[label] for label in labels] == [samples.classes[label] for label in samples.labels]
    np.testing.assert_array_equal(images, samples.images[np.arange(len(samples))])

    files = Dataset("images", np.full((2, 32, 32, 3), 9, "uint8"), np.array([-1, -1]), samples.classes)
    names, images, labels = choosing.to_choose_from(files, (32, 32), 5)
    assert len(images) == 2 + 5
    assert (images[:2] == 9).all()
    assert labels[:2].tolist() == [-1, -1]

    _, images, labels = choosing.to_choose_from(labelled, (2, 2), 4)  # of classes that the samples don't have
    assert len(images) == 4
    assert set(labels) <= set(labelled.labels)
