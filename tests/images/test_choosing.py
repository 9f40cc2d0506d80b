"""Which images are looked at, and how their labels become a network's classes."""

import numpy as np
import pytest
from PIL import Image

from cnnvis.images import Dataset, choosing, cifar10, classes, sources


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
    assert "has no training images: using its test images instead" in capsys.readouterr().err


def test_a_folder_without_test_images_gives_its_training_images(tmp_path, capsys):
    (tmp_path / "a").mkdir()
    Image.new("RGB", (5, 4), "red").save(tmp_path / "a" / "0.png")
    assert len(choosing.choose(name=str(tmp_path))) == 1
    assert "has no test images: using its training images instead" in capsys.readouterr().err


def test_classes_with_few_training_images_are_named(tmp_path, capsys):
    for label, count in (("a", 14), ("b", 11)):  # of which 2 are test images
        (tmp_path / label).mkdir()
        for number in range(count):
            Image.new("RGB", (5, 4)).save(tmp_path / label / f"{number}.png")
    training, held_out, test = choosing.for_training(str(tmp_path))
    assert (len(training), len(held_out), len(test)) == (18, 3, 4)
    assert "Fewer than 10 training images of b (9): " in capsys.readouterr().err


def test_one_in_five_images_of_each_class_of_a_small_folder_is_held_out(tmp_path, capsys, monkeypatch):
    for label, count in (("a", 30), ("b", 10), ("c", 4)):
        (tmp_path / "train" / label).mkdir(parents=True)
        (tmp_path / "test" / label).mkdir(parents=True)
        for number in range(count):
            Image.new("RGB", (5, 4), (number, 0, 0)).save(tmp_path / "train" / label / f"{number}.png")
        Image.new("RGB", (5, 4)).save(tmp_path / "test" / label / "0.png")

    def counts(**options):
        training, held_out, _ = choosing.for_training(str(tmp_path), **options)
        return [np.bincount(part.labels, minlength=3).tolist() for part in (training, held_out)]

    assert counts() == [[24, 8, 4], [6, 2, 0]]
    assert "8 of 44 training images are held out" in capsys.readouterr().err
    first, again, other = (choosing.for_training(str(tmp_path), seed=seed)[1].images for seed in (3, 3, 4))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()
    assert counts(validation=0) == [[30, 10, 4], [0, 0, 0]]
    assert sum(counts(validation=5)[1]) == 5
    monkeypatch.setattr(choosing, "SMALL", 44)
    assert counts() == [[30, 10, 4], [0, 0, 0]]
    digits, held_out, _ = choosing.for_training("digits", limit=100)
    assert (len(digits), len(held_out)) == (100, 0)


def test_photos_are_cropped_for_training(tmp_path):
    stripes = np.zeros((20, 40, 3), "uint8")  # 10 red, 20 green and 10 blue columns
    stripes[:, :10, 0] = stripes[:, 10:30, 1] = stripes[:, 30:, 2] = 255
    for part, label in (("train", "a"), ("train", "b"), ("test", "a")):
        (tmp_path / part / label).mkdir(parents=True)
        Image.fromarray(stripes).save(tmp_path / part / label / "0.png")
    for part in choosing.for_training(str(tmp_path), size=(20, 20), validation=0)[::2]:
        np.testing.assert_array_equal(part.images, np.broadcast_to(stripes[:, 10:30], part.images.shape))
    for crop in (True, False):
        photo = choosing.choose([tmp_path / "test" / "a" / "0.png"], size=(20, 20), crop=crop).images[0]
        assert (photo[:, 0, 1] > 128).all() == crop


@pytest.mark.parametrize("labels", [["a"], ["a", "b"]])
def test_training_needs_two_classes_and_test_images(labels, tmp_path):
    for label in labels:
        (tmp_path / label).mkdir()
        Image.new("RGB", (5, 4)).save(tmp_path / label / "0.png")
    with pytest.raises(ValueError, match="has one class, a: " if len(labels) == 1 else "each class has one image"):
        choosing.for_training(str(tmp_path))


def test_labels_become_indices_into_the_networks_classes():
    names = sorted(cifar10.CLASSES, reverse=True)
    dataset = choosing.choose(name="samples").in_classes(names, 10)
    assert dataset.classes == tuple(names)
    assert [names[label] for label in dataset.labels[:3]] == ["cat", "ship", "ship"]


def test_classes_that_differ_in_case_only_are_the_same():
    names = [name.title() for name in cifar10.CLASSES]
    dataset = choosing.choose(name="samples").in_classes(names, 10)
    assert (dataset.classes[3], dataset.caption(0)) == ("Cat", "Cat #0")


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
    message = "the classes a0, .*, a9 and 990 more; the model has cat, dog: choose other --data"
    with pytest.raises(ValueError, match=message):
        Dataset(
            "many", np.zeros((1, 2, 2, 3), "uint8"), np.zeros(1, int), tuple(f"a{i}" for i in range(1000))
        ).in_classes(("cat", "dog"), 2)


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


@pytest.mark.parametrize(
    ("own", "how", "size"),
    [
        ((30, 40), {}, (30, 40)),
        ((3000, 4000), {}, (627, 836)),
        ((4000, 3000), {"most": 10_000}, (115, 87)),
        ((1, 10**6), {"most": 10_000}, (1, 100_000)),
        ((30, 40), {"image_size": 60}, (60, 80)),
        ((3000, 4000), {"image_size": 3000}, (3000, 4000)),
        ((30, 40), {"taken": (60, None)}, (60, 80)),
        ((30, 40), {"taken": (None, 10)}, (8, 10)),
    ],
)
def test_a_network_of_any_size_keeps_the_aspect_ratio(own, how, size):
    assert choosing.fitting_size(own, **how) == size


@pytest.fixture
def photos(tmp_path):
    """Two classes of one photo each, upright and lying, and the lying one."""
    for name, size in (("a", (40, 30)), ("b", (30, 40))):
        (tmp_path / "test" / name).mkdir(parents=True)
        Image.new("RGB", size, "red").save(tmp_path / "test" / name / "0.png")
    return tmp_path, tmp_path / "test" / "a" / "0.png"


def test_images_for_a_network_of_any_size_have_that_of_the_first_and_a_notice_says_so(photos, capsys):
    folder, file = photos
    assert choosing.choose(name=str(folder)).images.shape == (2, 30, 40, 3)
    assert "at 30×40 pixels (height×width), the size of the first. --image-size N" in capsys.readouterr().err
    assert choosing.choose([file], most=300).images[0].shape == (15, 20, 3)
    assert "at 15×20 pixels (height×width); the first has 30×40. --image-size N" in capsys.readouterr().err
    assert choosing.choose([file], image_size=60).images.shape == (1, 60, 80, 3)
    assert choosing.choose([file], size=(None, 20), split="train").images.shape == (1, 15, 20, 3)
    assert "--image-size" not in capsys.readouterr().err
    assert choosing.choose(name="digits", image_size=20).images[:2].shape == (2, 20, 20, 3)
    assert choosing.choose([file], size=(8, 9)).images.shape == (1, 8, 9, 3)
    assert not capsys.readouterr().err


@pytest.mark.parametrize(("size", "words"), [((32, 48), "32×48"), ((None, 48), "any×48")])
def test_an_image_size_is_refused_for_a_network_of_one_size(size, words):
    with pytest.raises(ValueError, match=rf"takes images of {words} pixels \(height×width\): leave out --image-size"):
        choosing.choose(name="samples", size=size, image_size=20)


def test_an_image_size_that_no_memory_holds_is_refused_before_images_are_read():
    with pytest.raises(ValueError, match=r"--image-size 2000000000 needs too much memory: choose 10000 or smaller"):
        choosing.choose(name="samples", image_size=2 * 10**9, split="train")


def test_training_images_of_the_data_set_of_test_images(tmp_path, capsys):
    """In the classes of the network, and with their numbers."""
    for split, count in (("train", 5), ("test", 2)):
        for label in "ab":
            (tmp_path / split / label).mkdir(parents=True)
            for number in range(count):
                Image.new("RGB", (5, 4), (50 * number, 0, 0)).save(tmp_path / split / label / f"{number}.png")
    (tmp_path / "train" / "a" / "1.png").write_bytes(b"no image")
    test = choosing.choose(name=str(tmp_path), size=(8, 9)).in_classes(("b", "c", "a"), 3)
    with pytest.raises(ValueError, match=r"1\.png"):
        choosing.training_images(test)
    training = choosing.training_images(test, skip_bad=True)
    assert "Skipped 1 of 10 images" in capsys.readouterr().err
    assert training.images.shape == (9, 8, 9, 3)
    assert training.labels.tolist() == [2] * 4 + [0] * 5
    assert training.numbers.tolist() == [0, *range(2, 10)]


def test_there_are_no_training_images_of_samples_and_of_files_that_are_for_testing(tmp_path):
    with pytest.raises(ValueError, match="the 20 samples have no training set"):
        choosing.training_images(choosing.choose(name="samples"))
    (tmp_path / "a").mkdir()
    Image.new("RGB", (5, 4), "red").save(tmp_path / "a" / "0.png")
    with pytest.raises(ValueError, match="are the training images themselves"):
        choosing.training_images(choosing.choose(name=str(tmp_path)))


def test_training_images_have_a_limit(monkeypatch):
    test = choosing.choose(name="digits")
    whole = choosing.training_images(test)
    monkeypatch.setattr(choosing, "MOST_PIXELS", 500 * 32 * 32)
    some = choosing.training_images(test)
    assert some.numbers.tolist() == list(range(0, len(whole), 3))
    np.testing.assert_array_equal(some.images, whole.images[::3])
