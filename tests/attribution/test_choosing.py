"""Which images are explained, and for which class."""

import numpy as np
import pytest

from cnnvis.attribution import choosing
from cnnvis.images.dataset import Dataset


class Reader:
    """Predicts the class that is the value of an image's first pixel."""

    def probabilities(self, images):
        return np.eye(3)[images[:, 0, 0, 0]]


@pytest.fixture
def labelled():
    """Nine images, predicted 0, 1, 2, 0, 1, 2, ...: six correctly, then three as the class before theirs."""
    images = np.zeros((9, 2, 2, 3), "uint8")
    images[:, 0, 0, 0] = np.arange(9) % 3
    labels = np.concatenate([np.arange(6) % 3, [1, 2, 0]])
    return Dataset("made", images, labels, ("a", "b", "c"))


def test_correct_predictions_are_chosen(labelled):
    indices, targets = choosing.to_explain(Reader(), labelled, count=20)
    assert sorted(indices) == [0, 1, 2, 3, 4, 5]
    np.testing.assert_array_equal(targets, labelled.labels[indices])
    indices, targets = choosing.to_explain(Reader(), labelled, target=1, count=20)
    assert (sorted(indices), targets.tolist()) == ([1, 4], [1, 1])
    first, _ = choosing.to_explain(Reader(), labelled, count=2, seed=1)
    again, _ = choosing.to_explain(Reader(), labelled, count=2, seed=1)
    assert first.tolist() == again.tolist()


def test_wrong_predictions_are_explained_for_the_predicted_and_for_the_true_class(labelled):
    indices, targets = choosing.to_explain(Reader(), labelled, wrong=True, count=20)
    assert sorted(set(indices)) == [6, 7, 8]
    assert {index: tuple(targets[indices == index]) for index in (6, 7, 8)} == {6: (0, 1), 7: (1, 2), 8: (2, 0)}
    indices, targets = choosing.to_explain(Reader(), labelled, target=2, wrong=True)
    assert (indices.tolist(), targets.tolist()) == ([8, 8], [2, 0])
    indices, targets = choosing.to_explain(Reader(), labelled, [7], wrong=True)
    assert (indices.tolist(), targets.tolist()) == ([7, 7], [1, 2])


@pytest.mark.parametrize("against", [0, 1, 2])
def test_none_is_chosen_of_the_class_to_compare_with(against, labelled):
    indices, targets = choosing.to_explain(Reader(), labelled, against=against, count=20)
    assert sorted(indices) == [index for index in range(6) if index % 3 != against]
    indices, targets = choosing.to_explain(Reader(), labelled, against=against, wrong=True, count=20)
    assert len(indices) == 2
    assert against not in targets
    with pytest.raises(ValueError, match=f"^--class and --against are both {'abc'[against]}: choose two classes$"):
        choosing.to_explain(None, labelled, target=against, against=against, wrong=True)  # before anything is predicted
    with pytest.raises(ValueError, match="itself: choose another --class"):
        choosing.to_explain(Reader(), labelled, [against], against=against)


def test_missing_images_are_an_error(labelled):
    with pytest.raises(ValueError, match="image 3 is not known to be predicted wrongly"):
        choosing.to_explain(Reader(), labelled, [6, 3], wrong=True)
    with pytest.raises(ValueError, match="no image is predicted wrongly"):
        choosing.to_explain(Reader(), labelled.take(slice(6)), wrong=True)
    with pytest.raises(ValueError, match="no image is predicted correctly"):
        choosing.to_explain(Reader(), labelled.take(slice(6, 9)))


@pytest.mark.parametrize(
    ("chosen", "which", "said"),
    [
        ([0, 1, 8], {"target": 2}, "no image of class c is predicted correctly: choose some with --indices"),
        ([0, 1, 8], {"target": 2, "against": 0}, "no image of class c is predicted correctly: choose some with"),
        ([0, 3, 7], {"against": 0}, r"no image is predicted correctly, leaving out a \(--against\): choose"),
        ([0, 7], {"target": 2, "wrong": True}, "no image is predicted wrongly as c: choose some with --indices"),
        ([0, 7], {"against": 2, "wrong": True}, r"no image is predicted wrongly, leaving out c \(--against\): choose"),
    ],
)
def test_the_class_that_leaves_no_image_is_named(chosen, which, said, labelled):
    with pytest.raises(ValueError, match=f"^{said}"):
        choosing.to_explain(Reader(), labelled.take(np.array(chosen)), **which)


def test_unlabelled_images_are_all_explained_for_the_predicted_class(labelled):
    own = Dataset("images", labelled.images, np.full(9, -1), labelled.classes)
    indices, targets = choosing.to_explain(Reader(), own)
    assert indices.tolist() == list(range(9))
    assert targets.tolist() == [0, 1, 2] * 3
    with pytest.raises(ValueError, match="no image is predicted wrongly"):
        choosing.to_explain(Reader(), own, wrong=True)
