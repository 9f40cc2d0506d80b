"""Every source gives its images unchanged; a damaged file is refused by name."""

import os
import shutil

import numpy as np
import pytest
from PIL import Image

from cnnvis.images import channel_statistics, cifar10, image_files, sources

RECORD = 3073


@pytest.fixture
def fake_cifar10(tmp_path, monkeypatch):
    """A CIFAR-10 folder of black airplanes, in sparse files whose bytes the tests change."""
    for file in [*cifar10.FILES["train"], *cifar10.FILES["test"]]:
        with (tmp_path / file).open("wb") as handle:
            handle.truncate(10_000 * RECORD)
    monkeypatch.setenv("CIFAR10_DIR", str(tmp_path))
    return tmp_path


def write_at(path, offset, *values):
    with path.open("r+b") as handle:
        handle.seek(offset)
        handle.write(bytes(values))


def test_the_binary_layout(fake_cifar10):
    record = 7 * RECORD
    write_at(fake_cifar10 / "test_batch.bin", record, 9)
    for plane, value in enumerate((10, 20, 30)):  # red, green, blue of row 2, column 5
        write_at(fake_cifar10 / "test_batch.bin", record + 1 + 1024 * plane + 32 * 2 + 5, value)
    dataset = sources.load("cifar10", "test")
    assert dataset.images.shape == (10_000, 32, 32, 3)
    assert dataset.labels[7] == 9
    assert dataset.images[7, 2, 5].tolist() == [10, 20, 30]
    assert dataset.images.sum() == 60


def test_the_training_files_come_in_order(fake_cifar10):
    for number in range(1, 6):
        write_at(fake_cifar10 / f"data_batch_{number}.bin", 0, number)
    assert sources.load("cifar10", "train").labels[::10_000].tolist() == [1, 2, 3, 4, 5]


def test_a_short_file(fake_cifar10):
    os.truncate(fake_cifar10 / "data_batch_3.bin", 10_000 * RECORD - 1)
    with pytest.raises(ValueError, match=r"data_batch_3\.bin has 30,729,999 bytes, a CIFAR-10 file has 30,730,000"):
        sources.load("cifar10", "train")


def test_a_wrong_label(fake_cifar10):
    write_at(fake_cifar10 / "test_batch.bin", 5 * RECORD, 10)
    with pytest.raises(ValueError, match=r"test_batch\.bin: record 5 has label 10"):
        sources.load("cifar10", "test")


def test_a_missing_file(fake_cifar10):
    (fake_cifar10 / "test_batch.bin").unlink()
    with pytest.raises(FileNotFoundError, match=r"has no file .*test_batch\.bin"):
        sources.load("cifar10", "test")


def test_without_a_network(offline):
    with pytest.raises(cifar10.Unavailable, match="set CIFAR10_DIR"):
        sources.load("cifar10", "test")


def test_the_real_cifar10(cifar10):
    train = sources.load("cifar10", "train")
    assert train.images.shape == (50_000, 32, 32, 3)
    assert np.bincount(train.labels).tolist() == [5000] * 10
    published = np.array([0.49139968, 0.48215841, 0.44653091])  # channel means of the training images
    mean, variance = channel_statistics(train.images)
    np.testing.assert_allclose(np.array(mean) / 255, published, atol=1e-7)
    np.testing.assert_allclose(np.sqrt(variance) / 255, [0.24703, 0.24349, 0.26159], atol=1e-4)
    test = sources.load("cifar10", "test")
    samples = sources.load("samples", "test")
    np.testing.assert_array_equal(samples.images, test.images[:20])
    np.testing.assert_array_equal(samples.labels, test.labels[:20])


def test_statistics_against_numpy(images):
    mean, variance = channel_statistics(images)
    np.testing.assert_allclose(mean, images.mean(axis=(0, 1, 2)))
    np.testing.assert_allclose(variance, images.var(axis=(0, 1, 2)))


def test_digits():
    train, test = sources.load("digits", "train"), sources.load("digits", "test")
    assert len(train) + len(test) == 1797
    assert train.images.shape[1:] == (32, 32, 3)
    assert train.images.dtype == np.uint8
    assert (train.images[..., 0] == train.images[..., 2]).all()
    shares = np.bincount(test.labels) / np.bincount(np.concatenate([train.labels, test.labels]))
    np.testing.assert_allclose(shares, 0.2, atol=0.01)
    np.testing.assert_array_equal(test.images, sources.load("digits", "test").images)
    assert not {image.tobytes() for image in train.images} & {image.tobytes() for image in test.images}


def test_samples():
    samples = sources.load("samples", "test")
    assert len(samples) == 20
    assert [samples.classes[i] for i in samples.labels[[0, 11, 12]]] == ["cat", "truck", "dog"]
    assert sources.load("samples", "test", (48, 40)).images.shape == (20, 48, 40, 3)
    with pytest.raises(ValueError, match="not for training"):
        sources.load("samples", "train")


@pytest.fixture
def folder(tmp_path):
    for split, count in (("train", 3), ("test", 2)):
        for number, name in enumerate(("zebra", "ant hill", "émeu")):
            (tmp_path / split / name).mkdir(parents=True)
            for i in range(count):
                color = (40 * number, 100 * (split == "test"), i)
                Image.new("RGB", (9 + i, 7), color).save(tmp_path / split / name / f"{i}.png")
    return tmp_path


def test_a_folder_of_class_folders(folder):
    train, test = sources.load(str(folder), "train"), sources.load(str(folder), "test", (8, 6))
    assert train.classes == test.classes == ("ant hill", "zebra", "émeu")
    assert train.images.shape == (9, 32, 32, 3)
    assert test.images.shape == (6, 8, 6, 3)
    assert test.labels.tolist() == [0, 0, 1, 1, 2, 2]
    assert test.images[3][0, 0].tolist() == [0, 100, 1]


def test_a_folder_without_images_for_training_or_for_testing(folder, tmp_path):
    shutil.rmtree(folder / "train")
    with pytest.raises(sources.NoImages, match=r"has no training images: put them into folders .*/train/<class>/"):
        sources.load(str(folder), "train")
    (tmp_path / "photos" / "cat").mkdir(parents=True)
    Image.new("RGB", (4, 3)).save(tmp_path / "photos" / "cat" / "0.png")
    with pytest.raises(sources.NoImages, match="has no test images, since each class has one image: add more"):
        sources.load(str(tmp_path / "photos"), "test")


def test_no_folder(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match="no data set or folder is called ''"):
        sources.load("", "test")
    with pytest.raises(ValueError, match="no data set or folder is called 'nowhere'"):
        sources.load("nowhere", "test")


def test_a_text_file_among_images(folder):
    (folder / "test" / "zebra" / "1.png").write_text("not at all an image")
    dataset = sources.load(str(folder), "test")
    with pytest.raises(ValueError, match=r"1\.png can't be read as an image.* \(--skip-bad skips such files\)$"):
        dataset.images[:]


def test_lazy_images_are_indexed_like_an_array(folder, monkeypatch):
    dataset = sources.load(str(folder), "train", (8, 6))
    lazy, whole = dataset.images, np.asarray(dataset.images)
    assert (lazy.shape, lazy.dtype, len(lazy)) == (whole.shape, whole.dtype, len(whole))
    bools = np.arange(9) % 2 == 0
    for key in (4, -1, slice(2, 7), slice(None, None, -2), [5, 1], np.array([[3, 0], [8, 8]]), bools, np.int64(2)):
        np.testing.assert_array_equal(lazy[key], whole[key])
    np.testing.assert_array_equal(list(lazy), whole)
    for key in (9, [0, 9]):
        with pytest.raises(IndexError):
            lazy[key]
    read = []
    monkeypatch.setattr(image_files, "open_image", lambda path, **_: read.append(path) or Image.new("RGB", (6, 8)))
    assert dataset.take([7, 3]).labels.tolist() == [2, 1]
    assert read == [dataset.source(7), dataset.source(3)]
    assert read[0].endswith("1.png")


def test_images_are_resized_when_they_are_indexed():
    samples, larger = sources.load("samples", "test"), sources.load("samples", "test", (48, 40))
    expected = np.asarray(Image.fromarray(samples.images[7]).resize((40, 48), Image.Resampling.BICUBIC))
    np.testing.assert_array_equal(larger.images[7], expected)
    assert larger.source(7) == samples.source(7) == "#7"


def save(image, path, **options):
    image.save(path, **options)
    return image_files.read_image(path, image.size[::-1])


def test_modes(tmp_path):
    red = Image.new("RGB", (4, 3), (200, 10, 20))
    assert save(red, tmp_path / "rgb.png")[1, 1].tolist() == [200, 10, 20]
    assert save(red.quantize(4), tmp_path / "palette.png")[1, 1].tolist() == [200, 10, 20]
    assert save(red.convert("L"), tmp_path / "grey.png")[0, 0].tolist() == [68] * 3
    assert save(Image.new("1", (4, 3), 1), tmp_path / "bit.png")[0, 0].tolist() == [255] * 3
    assert save(Image.new("CMYK", (4, 3), (0, 255, 255, 0)), tmp_path / "cmyk.tif")[0, 0].tolist() == [255, 0, 0]
    half = Image.new("RGBA", (4, 3), (0, 0, 0, 51))
    assert save(half, tmp_path / "alpha.png")[2, 2].tolist() == [204] * 3
    sixteen = Image.fromarray(np.full((3, 4), 257 * 77, dtype="uint16"))
    assert save(sixteen, tmp_path / "sixteen.png")[0, 0].tolist() == [77] * 3
    frames = [Image.new("P", (4, 3)), Image.new("P", (4, 3), 1)]
    assert save(frames[0], tmp_path / "moving.gif", save_all=True, append_images=frames[1:]).shape == (3, 4, 3)


def test_rotation_by_exif(tmp_path):
    image = Image.new("RGB", (4, 2))
    image.putpixel((0, 0), (255, 255, 255))
    exif = Image.Exif()
    exif[0x0112] = 6  # rotated by 90 degrees
    image.save(tmp_path / "rotated.png", exif=exif)
    dataset = sources.open_files([tmp_path / "rotated.png"])
    assert dataset.images.shape == (1, 4, 2, 3)
    assert dataset.images[0][0, 1].tolist() == [255, 255, 255]


def test_own_images_are_resized_to_the_given_size(tmp_path):
    Image.new("RGB", (5, 4), "red").save(tmp_path / "a b.png")
    Image.new("L", (300, 2), 255).save(tmp_path / "ü.jpg")
    dataset = sources.open_files([tmp_path], (32, 30))
    assert dataset.images.shape == (2, 32, 30, 3)
    assert dataset.labels.tolist() == [-1, -1]
    assert dataset.classes == ()


def test_damaged_images(tmp_path):
    image = tmp_path / "image.png"
    Image.effect_noise((64, 64), 50).save(image)
    image.write_bytes(image.read_bytes()[:900])
    with pytest.raises(ValueError, match=r"image\.png can't be read as an image"):
        sources.open_files([image], (32, 32)).images[0]
    (tmp_path / "empty.png").touch()
    with pytest.raises(ValueError, match=r"empty\.png can't be read as an image"):
        sources.open_files([tmp_path / "empty.png"])
    with pytest.raises(FileNotFoundError, match="there is no image"):
        sources.open_files([tmp_path / "gone.png"])
    (tmp_path / "nothing").mkdir()
    with pytest.raises(ValueError, match="no image in"):
        sources.open_files([tmp_path / "nothing"])


def test_a_file_that_vanishes_after_it_was_listed(tmp_path):
    for name in ("cat/0.png", "dog/0.png", "dog/1.png"):
        (tmp_path / "test" / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (5, 4)).save(tmp_path / "test" / name)
    dataset, skipping = (sources.load(str(tmp_path), "test", skip_bad=skip_bad) for skip_bad in (False, True))
    (tmp_path / "test" / "dog" / "0.png").unlink()
    with pytest.raises(FileNotFoundError, match=r"there is no image .*dog.0\.png \(--skip-bad skips such files\)$"):
        dataset.images[:]
    assert skipping.take([0, 1, 2]).labels.tolist() == [0, 1]
    assert list(skipping.bad) == [1]


def test_a_decompression_bomb_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    Image.new("1", (40, 40)).save(tmp_path / "bomb.png")
    with pytest.raises(ValueError, match=r"bomb\.png can't be read as an image"):
        sources.open_files([tmp_path / "bomb.png"])
