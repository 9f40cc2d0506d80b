"""Options and metadata name a classifier and pictures; what neither says is found out, or asked for."""

import json
import os

import keras
import numpy as np
import pytest
from PIL import Image

from cnnvis.checkpoints import checkpoint
from cnnvis.console import options as cli
from cnnvis.images import inputs
from cnnvis.images import sources as data
from tests.conftest import small_sequential


def opened(tmp_path, argv, metadata=None, **options):
    path = tmp_path / "model.keras"
    small_sequential(**options).save(path)
    if metadata is not None:
        path.with_suffix(".json").write_text(json.dumps(metadata))
    args = cli.visualize_parser("A test.").parse_args(argv)
    return inputs.open_classifier(args, checkpoint.load(path))


def test_samples_stand_in_for_cifar10_with_a_notice(tmp_path, offline, capsys):
    _, pictures = opened(tmp_path, ["--input-range", "0", "1"])
    assert pictures.name == "samples"
    assert "20 bundled samples" in capsys.readouterr().err
    with pytest.raises(data.Unavailable):
        opened(tmp_path, ["--input-range", "0", "1", "--data", "cifar10"])


def test_metadata_decide_what_is_not_said(tmp_path):
    metadata = {"data": "digits", "input_range": [-1, 1], "classes": list("0123456789")}
    classifier, pictures = opened(tmp_path, [], metadata)
    assert pictures.name == "digits"
    raw = small_sequential()(pictures.images[:2] / 127.5 - 1)
    np.testing.assert_allclose(classifier.probabilities(pictures.images[:2]), raw, rtol=1e-3)


def test_labels_count_in_the_models_classes(tmp_path):
    classes = sorted(data.CIFAR10_CLASSES, reverse=True)
    _, pictures = opened(tmp_path, ["--data", "samples", "--input-range", "0", "1"], {"classes": classes})
    assert pictures.classes == tuple(classes)
    assert [classes[label] for label in pictures.labels[:3]] == ["cat", "ship", "ship"]


def test_classes_from_a_file(tmp_path):
    file = tmp_path / "classes.txt"
    file.write_text("\n".join(f"class {i}" for i in range(10)) + "\n")
    argv = ["--data", "samples", "--input-range", "0", "1", "--classes", str(file)]
    _, pictures = opened(tmp_path, argv)
    assert pictures.classes[3] == "class 3"
    with pytest.raises(ValueError, match="10 class names for a model of 4 classes"):
        opened(tmp_path, argv, classes=4)
    file.write_text("\n")
    with pytest.raises(ValueError, match="does not name classes"):
        opened(tmp_path, argv)


def test_data_of_other_classes_are_refused(tmp_path):
    with pytest.raises(ValueError, match="choose other --data"):
        opened(tmp_path, ["--data", "samples", "--input-range", "0", "1"], classes=4)


def test_a_range_that_can_not_be_told_is_asked_for(tmp_path):
    with pytest.raises(ValueError, match="Say --input-range"):
        opened(tmp_path, ["--data", "samples"])
    with pytest.raises(ValueError, match="a smaller and a larger"):
        opened(tmp_path, ["--data", "samples", "--input-range", "1", "0"])


def test_a_range_is_told_by_what_the_model_is_good_on(tmp_path, capsys):
    """A model that knows digits by their pixels / 255, and can't tell anything at 0-255."""
    digits = data.load("digits", "train")
    model = small_sequential()
    model.compile("adam", "sparse_categorical_crossentropy")
    model.optimizer.learning_rate = 0.01
    model.fit(digits.images / 255, digits.labels, epochs=12, verbose=0)
    model.save(tmp_path / "model.keras")
    args = cli.visualize_parser("A test.").parse_args(["--data", "digits"])
    classifier, pictures = inputs.open_classifier(args, checkpoint.load(tmp_path / "model.keras"))
    assert "seems to take pixels 0 to 1" in capsys.readouterr().err
    np.testing.assert_allclose(
        classifier.probabilities(pictures.images[:3]), model(pictures.images[:3] / 255), rtol=1e-3, atol=1e-6
    )


def test_the_range_is_found_on_pictures_of_all_classes(tmp_path, capsys):
    """The folder lists 600 pictures of one class first, which this model recognises whatever the range."""
    for name, color in (("a", (200, 0, 0)), ("b", (0, 0, 200))):
        folder = tmp_path / "data" / "test" / name
        folder.mkdir(parents=True)
        Image.new("RGB", (8, 8), color).save(folder / "0.png")
        for i in range(1, 600):
            os.link(folder / "0.png", folder / f"{i}.png")
    dense = keras.layers.Dense(2, activation="softmax")
    model = keras.Sequential([keras.Input((8, 8, 3)), keras.layers.GlobalAveragePooling2D(), dense])
    dense.set_weights([np.array([[0, 0], [0, 0], [0, 0.1]]), np.array([10, 0])])  # b is what has much blue, of 255
    model.save(tmp_path / "model.keras")
    args = cli.visualize_parser("A test.").parse_args(["--data", str(tmp_path / "data")])
    classifier, pictures = inputs.open_classifier(args, checkpoint.load(tmp_path / "model.keras"))
    assert "pixels 0 to 255: 100% of 500 right, 50% with" in capsys.readouterr().err
    assert classifier.probabilities(pictures.images[[0, -1]]).argmax(axis=1).tolist() == [0, 1]
