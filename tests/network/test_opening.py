"""A checkpoint becomes a classifier: the metadata or the user state the pixel range, or the images decide."""

import json
import os

import keras
import numpy as np
import pytest
from PIL import Image

from cnnvis import checkpoints, images
from cnnvis.network import opening
from tests.conftest import small_sequential


def opened(tmp_path, name=None, metadata=None, input_range=None):
    path = tmp_path / "model.keras"
    small_sequential().save(path)
    if metadata is not None:
        path.with_suffix(".json").write_text(json.dumps(metadata))
    checkpoint = checkpoints.load(path)
    dataset = images.choose(name=name, trained_on=checkpoint.data, size=checkpoint.size)
    dataset = dataset.in_classes(checkpoint.classes, checkpoint.class_count)
    return opening.take_apart(checkpoint, dataset, input_range), dataset


def test_metadata_decide_where_no_option_does(tmp_path):
    metadata = {"architecture": "own", "data": "digits", "input_range": [-1, 1], "classes": list("0123456789")}
    classifier, dataset = opened(tmp_path, None, metadata)
    assert dataset.name == "digits"
    raw = small_sequential()(dataset.images[:2] / 127.5 - 1)
    np.testing.assert_allclose(classifier.probabilities(dataset.images[:2]), raw, rtol=1e-3)


def test_an_option_takes_precedence_over_the_metadata(tmp_path):
    classifier, dataset = opened(tmp_path, "samples", {"input_range": [-1, 1]}, input_range=(0, 1))
    raw = small_sequential()(dataset.images[:2] / 255)
    np.testing.assert_allclose(classifier.probabilities(dataset.images[:2]), raw, rtol=1e-3)


def test_an_unknown_range_is_asked_for(tmp_path):
    with pytest.raises(ValueError, match="give --input-range"):
        opened(tmp_path, "samples")
    with pytest.raises(ValueError, match="a smaller and a larger"):
        opened(tmp_path, "samples", input_range=(1, 0))
    with pytest.raises(ValueError, match="give --input-range"):
        opening.load(tmp_path / "model.keras")


def test_the_range_is_the_one_on_which_the_model_is_best(tmp_path, capsys):
    """A model that recognises digits by their pixels / 255, and nothing at 0-255."""
    keras.utils.set_random_seed(1)
    digits = images.load("digits", "train")
    model = small_sequential()
    model.compile("adam", "sparse_categorical_crossentropy")
    model.optimizer.learning_rate = 0.01
    model.fit(digits.images / 255, digits.labels, epochs=12, verbose=0)
    model.save(tmp_path / "model.keras")
    dataset = images.load("digits", "test")
    classifier = opening.take_apart(checkpoints.load(tmp_path / "model.keras"), dataset)
    assert "model.keras seems to be 0 to 1: " in capsys.readouterr().err
    np.testing.assert_allclose(
        classifier.probabilities(dataset.images[:3]), model(dataset.images[:3] / 255), rtol=1e-3, atol=1e-6
    )


def red_and_blue(folder, count):
    """A data set of two classes, of one colour each."""
    for name, color in (("a", (200, 0, 0)), ("b", (0, 0, 200))):
        (folder / "test" / name).mkdir(parents=True)
        Image.new("RGB", (8, 8), color).save(folder / "test" / name / "0.png")
        for i in range(1, count):
            os.link(folder / "test" / name / "0.png", folder / "test" / name / f"{i}.png")
    return images.load(str(folder), "test", size=(8, 8))


def of_mean_colour(path, kernel, bias):
    """A saved model whose logits depend on the mean colour."""
    dense = keras.layers.Dense(2, activation="softmax")
    model = keras.Sequential([keras.Input((8, 8, 3)), keras.layers.GlobalAveragePooling2D(), dense])
    dense.set_weights([np.array(kernel), np.array(bias)])
    model.save(path)
    return checkpoints.load(path)


def test_the_range_is_found_on_images_of_all_classes(tmp_path, capsys):
    """The folder lists 600 images of one class first, which this model recognises whatever the range."""
    dataset = red_and_blue(tmp_path / "data", 600)
    checkpoint = of_mean_colour(tmp_path / "model.keras", [[0, 0], [0, 0], [0, 0.1]], [10, 0])  # bright blue is b
    classifier = opening.take_apart(checkpoint, dataset)
    assert "seems to be 0 to 255: 100% of 200 are right, 50% with" in capsys.readouterr().err
    assert classifier.probabilities(dataset.images[[0, -1]]).argmax(axis=1).tolist() == [0, 1]


def test_preprocessing_is_found_where_no_plain_range_will_do(tmp_path, capsys):
    """The first channel is blue, and its mean is subtracted: it is positive for blue images, and for no others."""
    dataset = red_and_blue(tmp_path / "data", 4)
    checkpoint = of_mean_colour(tmp_path / "model.keras", [[0, 1], [0, 0], [0, 0]], [0, 0])
    classifier = opening.take_apart(checkpoint, dataset)
    assert classifier.input_range == "caffe"
    assert "seems to be caffe: 100% of 8 are right, 0% with" in capsys.readouterr().err


def test_a_plain_range_is_preferred_to_preprocessing_that_is_no_better(tmp_path):
    """The one from -1 to 1 and torch differ little."""
    dataset = red_and_blue(tmp_path / "data", 10)
    checkpoint = of_mean_colour(tmp_path / "model.keras", [[1, 0], [0, 0], [0, 0]], [0, 0])  # red is positive
    assert opening.take_apart(checkpoint, dataset).input_range == (-1, 1)


def test_a_few_images_more_may_be_chance(tmp_path):
    """All of two images with one range, none with the others."""
    checkpoint = of_mean_colour(tmp_path / "model.keras", [[0, 1], [0, 0], [0, 0]], [0, 0])
    with pytest.raises(ValueError, match="is unknown: give --input-range 0 255, 0 1, -1 1, caffe or to"):
        opening.take_apart(checkpoint, red_and_blue(tmp_path / "data", 1))


def test_a_notice_says_which_range_the_layers_state(tmp_path, capsys):
    first = keras.layers.Rescaling(255)
    model = keras.Sequential([keras.Input((8, 8, 3)), first, keras.layers.Flatten(), keras.layers.Dense(2)])
    model.save(tmp_path / "model.keras")
    assert opening.load(tmp_path / "model.keras").input_range == (0, 1)
    assert "The pixel range of model.keras is 0 to 1: its first layers say so.\n" in capsys.readouterr().err
    assert opening.load(tmp_path / "model.keras", "torch").input_range == "torch"
    (tmp_path / "model.json").write_text(json.dumps({"input_range": "caffe"}))
    assert opening.load(tmp_path / "model.keras").input_range == "caffe"
    assert "pixel range" not in capsys.readouterr().err
