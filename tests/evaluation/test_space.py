"""A map, the nearest training images of mistakes, near-duplicates and doubtful labels, of a real small network."""

import hashlib
from dataclasses import replace
from types import SimpleNamespace

import keras
import numpy as np
import pytest
from keras import layers

from cnnvis import evaluation, images, network
from cnnvis.evaluation import nearest_images, report, space
from cnnvis.evaluation.nearest_images import NearestImages
from tests.conftest import rounding

K = 3


@pytest.fixture(scope="module")
def digits():
    return {split: images.load("digits", split) for split in ("train", "test")}


@pytest.fixture(scope="module")
def classifier():
    keras.utils.set_random_seed(0)
    steps = [layers.AveragePooling2D(4), layers.Flatten(), layers.Dense(20, activation="relu", name="fc1")]
    model = keras.Sequential([keras.Input((32, 32, 3)), *steps, layers.Dense(10, activation="softmax")])
    return network.Classifier(model, (0, 1))


@pytest.fixture
def explored(classifier, digits, tmp_path, monkeypatch):
    """A function that explores the space of some digits: Space, and the files that were written."""

    def explore(test, train=None, k=K, classifier=classifier, **how):
        if train is not None:
            monkeypatch.setattr(space, "training_images", lambda *_: train)
        hidden = network.hidden(classifier)
        probabilities, features = network.predict(classifier, test.images, hidden)
        found, written = evaluation.evaluate(probabilities, test.labels), []
        loaded = SimpleNamespace(path=tmp_path / "model.keras", digest=hashlib.sha256(b"a network").hexdigest())
        how = {"checkpoint": loaded, "folders": [tmp_path], "tell": written.append, **how}
        return evaluation.explore_space(hidden, features, test, found, probabilities, k=k, **how), written

    return explore


def some(dataset, count):
    return replace(dataset, images=dataset.images[:count], labels=dataset.labels[:count])


def in_memory(dataset):
    return replace(dataset, numbers=np.arange(len(dataset)))


def test_nearest_images_are_those_of_brute_force(explored, classifier, digits):
    test = some(digits["test"], 60)
    found, _ = explored(test)
    before = keras.Model(classifier.model_to(classifier.exit).input, classifier.layers["fc1"].output)
    ours, theirs = (before.predict(part.images.astype("float32"), verbose=0) for part in (test, digits["train"]))
    ours, theirs = (rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in (ours, theirs))
    cosines = (ours @ theirs.T)[found.mistakes]
    tolerance = 100 * rounding(64)
    np.testing.assert_allclose(found.similarity, -np.sort(-cosines, axis=1)[:, :K], atol=tolerance)
    np.testing.assert_allclose(np.take_along_axis(cosines, found.nearest, 1), found.similarity, atol=tolerance)
    arrays = found.arrays()
    assert {name: array.shape for name, array in arrays.items()} == {
        "embedding": (60, 2),
        "mistakes": (len(found.mistakes),),
        "nearest": (len(found.mistakes), K),
        "nearest_similarity": (len(found.mistakes), K),
        "label_doubtful": (len(found.mistakes),),
        "near_duplicates": (len(found.pairs), 2),
        "near_duplicates_similarity": (len(found.pairs),),
    }
    assert all(np.isfinite(array).all() for array in arrays.values())
    assert found.layer == "fc1"


def test_images_have_their_numbers_in_the_whole_training_set(explored, digits):
    train = replace(digits["train"].take(np.arange(0, 400, 4)), numbers=np.arange(0, 400, 4))
    test = some(digits["test"], 20)
    found, _ = explored(test, train)
    np.testing.assert_array_equal(found.arrays()["nearest"], 4 * found.nearest)


def test_copies_with_another_label_are_named(explored, digits):
    test, train = some(digits["test"], 20), some(digits["train"], 200)
    images_, labels = train.images.copy(), train.labels.copy()
    images_[[50, 60]], labels[[50, 60]] = test.images[[3, 7]], [test.labels[3], (test.labels[7] + 1) % 10]
    found, _ = explored(test, in_memory(replace(train, images=images_, labels=labels)))
    assert sorted(found.pairs.tolist()) == [[3, 50], [7, 60]]
    np.testing.assert_allclose(found.pair_similarity, 1, atol=1e-4)
    first, second, *_ = report.space_sentences(found, test)
    assert first.startswith("2 test images have near-duplicates among the training images")
    names = test.classes[test.labels[7]], test.classes[(test.labels[7] + 1) % 10]
    assert second.endswith("one of which is wrong: #7 and training #60 ({}, {})".format(*names))


def test_which_labels_are_doubtful():
    """Images 0 and 1 are right; 2 is suspect, and near to images of what was predicted; 3 is farther away, 4 between
    two classes; 5 has a near-duplicate that is labelled as predicted."""
    labels, seen = np.array([0, 1, 0, 0, 0, 0]), np.array([0, 1, 1, 1, 1, 1])
    probabilities = np.eye(2)[seen] * 0.8 + 0.1
    similarity = np.array([[0.9, 0.9], [0.9, 0.9], [0.95, 0.8], [0.85, 0.8], [0.99, 0.98], [0.1, 0.1]], "float32")
    indices = np.array([[0, 0], [1, 1], [1, 1], [1, 1], [1, 0], [0, 0]])
    near = NearestImages(indices, similarity, np.array([[5, 1]]), np.array([0.9], "float32"))
    found = SimpleNamespace(wrong=np.array([5, 2, 3, 4]), suspects=np.array([2, 3, 4]))
    doubtful = space._doubtful(near, np.array([0, 1]), labels, probabilities, found)
    assert doubtful.tolist() == [True, True, False, False]


def test_a_second_run_reads_what_the_first_wrote(explored, digits, monkeypatch, tmp_path):
    monkeypatch.setattr("cnnvis.checkpoints.cache.WORTH_KEEPING", 1)
    test, train = some(digits["test"], 20), in_memory(some(digits["train"], 100))
    (tmp_path / "model.keras.0-0.nearest.npz").touch()
    first, (path,) = explored(test, train)
    assert path.name.startswith("model.keras.")
    assert path.stat().st_size < 10_000
    assert [other.name for other in tmp_path.iterdir()] == [path.name]  # none of an earlier network
    with monkeypatch.context() as patched:
        patched.setattr(nearest_images, "_compute", None)
        second, nothing = explored(test, train)
    assert not nothing
    for name, array in first.arrays().items():
        np.testing.assert_array_equal(second.arrays()[name], array)
    path.write_bytes(path.read_bytes()[:50])
    assert explored(test, train)[1] == [path]
    images_ = train.images.copy()
    images_[0, 0, 0] += 1
    assert explored(test, replace(train, images=images_))[1] != [path]
    assert explored(test, train, k=2)[1] != [path]


@pytest.mark.parametrize("count", [1, 2])
def test_fewer_training_images_than_are_asked_for(count, explored, digits, capsys):
    test = some(digits["test"], 10)
    found, _ = explored(test, in_memory(some(digits["train"], count)))
    assert found.nearest.shape == (len(found.mistakes), count)
    assert f"The training set is smaller than {K}" in capsys.readouterr().err


def test_one_image_and_one_class(explored, digits):
    for count in (1, 2):
        test = replace(some(digits["test"], count), labels=np.zeros(count, int))
        found, _ = explored(test)
        assert found.embedding.shape == (count, 2)
        assert np.isfinite(found.embedding).all()


def test_without_training_images_it_says_so_and_maps(explored, capsys):
    found, _ = explored(images.load("samples", "test"))
    assert capsys.readouterr().out == "No nearest training images: the 20 samples have no training set.\n"
    assert list(found.arrays()) == ["embedding"]
    assert report.space_sentences(found, None) == []


def test_training_images_that_cannot_be_read_are_named(explored, digits, capsys, monkeypatch):
    def refuse(*_):
        raise PermissionError(13, "Permission denied", "a/train")

    monkeypatch.setattr(space, "training_images", refuse)
    found, _ = explored(some(digits["test"], 10))
    assert "No nearest training images: a/train: Permission denied." in capsys.readouterr().out
    assert found.training is None


def test_none_are_looked_for_if_none_are_asked_for(explored, digits, monkeypatch):
    monkeypatch.setattr(space, "training_images", None)
    assert explored(some(digits["test"], 10), k=0)[0].training is None


@pytest.mark.parametrize(
    ("value", "said"), [(1.0, "is the same for all images"), (np.inf, "outputs values that are not finite")]
)
def test_a_layer_that_tells_nothing(value, said, digits, capsys):
    test, features = some(digits["test"], 10), np.full((10, 4), value)
    found, hidden = evaluation.evaluate(np.full((10, 10), 0.1), test.labels), SimpleNamespace(names=("fc1",))
    assert evaluation.explore_space(hidden, features, test, found, np.full((10, 10), 0.1)) is None
    assert said in capsys.readouterr().err


def test_without_a_hidden_layer_images_are_compared_by_pixels(explored, digits, capsys):
    model = keras.Sequential([keras.Input((32, 32, 3)), layers.Flatten(), layers.Dense(10)])
    found, _ = explored(some(digits["test"], 10), classifier=network.Classifier(model))
    assert "no hidden layer before the logits: images are compared by their pixels" in capsys.readouterr().err
    assert found.layer == "the pixels"
