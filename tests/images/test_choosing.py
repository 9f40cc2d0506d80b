"""Which images are looked at, and how their labels become a network's classes."""

import numpy as np
import pytest
from PIL import Image

from cnnvis.images import choosing, cifar10, classes, sources


def test_samples_stand_in_for_cifar10_with_a_notice(offline, capsys):
    assert choosing.choose(trained_on="cifar10").name == "samples"
    assert "20 bundled samples" in capsys.readouterr().err
    with pytest.raises(cifar10.Unavailable):
        choosing.choose(name="cifar10")


def test_without_a_name_it_is_the_data_set_that_the_network_was_trained_on():
    dataset = choosing.choose(trained_on="digits", size=(20, 24))
    np.testing.assert_array_equal(dataset.images, sources.load("digits", "test", (20, 24)).images)
    assert choosing.choose(name="samples", trained_on="digits").name == "samples"


def test_files_come_before_a_data_set(tmp_path):
    Image.new("RGB", (5, 4), "red").save(tmp_path / "a.png")
    dataset = choosing.choose([tmp_path / "a.png"], "digits")
    assert (dataset.name, dataset.images.shape) == ("images", (1, 4, 5, 3))


def test_a_folder_without_training_images_gives_its_test_images(tmp_path, capsys):
    (tmp_path / "test" / "a").mkdir(parents=True)
    Image.new("RGB", (5, 4), "red").save(tmp_path / "test" / "a" / "0.png")
    assert len(choosing.choose(name=str(tmp_path), split="train")) == 1
    assert "has no folder train/" in capsys.readouterr().err


def test_labels_become_indices_into_the_networks_classes():
    names = sorted(cifar10.CLASSES, reverse=True)
    dataset = choosing.choose(name="samples").in_classes(names, 10)
    assert dataset.classes == tuple(names)
    assert [names[label] for label in dataset.labels[:3]] == ["cat", "ship", "ship"]


def test_classes_from_a_file(tmp_path):
    file = tmp_path / "classes.txt"
    file.write_text("\n".join(f"class {i}" for i in range(10)) + "\n")
    names, dataset = classes.class_names(file), choosing.choose(name="samples")
    assert dataset.in_classes(names, 10).classes[3] == "class 3"
    with pytest.raises(ValueError, match="10 class names for a model of 4 classes"):
        dataset.in_classes(names, 4)
    file.write_text("\n")
    with pytest.raises(ValueError, match="does not name classes"):
        classes.class_names(file)


def test_data_of_other_classes_are_refused():
    with pytest.raises(ValueError, match="choose other --data"):
        choosing.choose(name="samples").in_classes(None, 4)


def test_a_download_that_fails_leaves_the_digits(tmp_path, monkeypatch, capsys):
    """The server answers, and then breaks off."""

    def broken():
        raise OSError("connection reset")

    monkeypatch.delenv("CIFAR10_DIR", raising=False)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setattr(cifar10, "_answers", lambda url: True)
    monkeypatch.setattr("keras.datasets.cifar10.load_data", broken)
    assert choosing.available("auto") == "digits"
    assert "DIGITS" in capsys.readouterr().err
    assert choosing.available("samples") == "samples"
