"""Files are read in order, at once, and no larger than needed; others are named with what to do."""

import threading

import numpy as np
import pytest
from PIL import Image

from cnnvis.images import image_files
from cnnvis.images.image_files import LazyImages, open_image, read_image


@pytest.fixture
def photo(tmp_path):
    """A JPEG of 400x300 pixels without edges of one pixel, like a phone's photo."""
    coarse = np.random.default_rng(0).integers(0, 256, (30, 40, 3), dtype="uint8")
    Image.fromarray(coarse).resize((400, 300), Image.Resampling.BICUBIC).save(tmp_path / "a.jpg", quality=90)
    return tmp_path / "a.jpg"


def test_a_large_jpeg_is_decoded_to_fewer_pixels_and_looks_the_same(photo):
    assert open_image(photo).size == (400, 300)
    assert open_image(photo, at_least=64).size == (100, 75)
    assert open_image(photo, at_least=301).size == (400, 300)
    reduced, whole = read_image(photo, (30, 32)).astype(int), image_files.resize(open_image(photo), (30, 32))
    assert np.abs(reduced - whole).mean() < 1
    assert np.abs(reduced - whole).max() < 10


@pytest.fixture
def files(tmp_path):
    for number in range(20):
        Image.new("RGB", (3, 2), (number, 0, 0)).save(tmp_path / f"{number}.png")
    return [str(tmp_path / f"{number}.png") for number in range(20)]


def test_files_are_read_at_once_and_come_in_order(files, monkeypatch):
    both, whole = threading.Barrier(2, timeout=20), image_files.read_image

    def meet(*arguments):
        both.wait()  # for another file to be read meanwhile
        return whole(*arguments)

    monkeypatch.setattr(image_files, "WORKERS", 2)
    monkeypatch.setattr(image_files, "read_image", meet)
    steps = []
    images = LazyImages(files, (2, 3)).read(
        np.array([[3, 1], [19, 0]]), lambda parts: (steps.append(p) or p for p in parts)
    )
    assert images[..., 0, 0, 0].tolist() == [[3, 1], [19, 0]]
    assert len(steps) == 4


def test_the_first_unreadable_file_is_the_error_and_no_others_are_read(files, monkeypatch):
    read, whole = [], image_files.read_image
    monkeypatch.setattr(image_files, "read_image", lambda path, *more: read.append(path) or whole(path, *more))
    for number in (4, 2):
        open(files[number], "w").close()
    with pytest.raises(ValueError, match=r"2\.png can't be read"):
        LazyImages(files * 50, (2, 3))[:]
    assert len(read) < 900


KINDS = {
    "HEIC needs pillow-heif: pip install pillow-heif, or save it as JPEG": b"\0\0\0\x1cftypheic\0\0\0\0mif1heic",
    "HEIC needs pillow-heif": b"\0\0\0\x1cftypmif1\0\0\0\0mif1heic",
    "it is a video; save an image of it as PNG": b"\0\0\0\x14ftypqt  \0\0\0\0qt  ",
    "it is a camera's raw file; save it as JPEG or PNG": b"\0\0\0\x18ftypcrx \0\0\0\1crx isom",
    "it is a PDF; save the image in it as PNG": b"%PDF-1.4\n%%EOF",
    "it is a drawing in SVG; save it as PNG": b"<?xml version='1.0'?>\n<!-- x -->\n<svg xmlns='http://www.w3.org/2000/svg'/>",
    "it is a web page; save the image itself": b"\n<!DOCTYPE html><title>404</title><svg/>",
    "it is a ZIP archive; unpack it": b"PK\x03\x04" + bytes(100),
    "it is a TIFF of a kind that isn't supported": b"II*\0\x08\0\0\0\0\0\0\0\0\0",
    "unknown format": b"not at all an image\n",
}


@pytest.mark.parametrize("words", KINDS)
def test_a_file_of_another_kind_is_named_with_what_to_do(words, tmp_path, monkeypatch):
    monkeypatch.setattr(image_files, "_formats", lambda: ["PNG", "TIFF"])  # as without pillow-heif
    (tmp_path / "a.jpg").write_bytes(KINDS[words])
    with pytest.raises(ValueError, match=r"a\.jpg can't be read as an image: ") as refused:
        open_image(tmp_path / "a.jpg")
    assert words in str(refused.value)


def test_the_size_limit_is_said(tmp_path, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    for side, pixels in ((40, "1,600"), (100, "10,000")):  # Pillow warns of the one and refuses the other
        Image.new("1", (side, side)).save(tmp_path / "a.png")
        with pytest.raises(ValueError, match=f"it has {pixels} pixels, of at most 1,000; make it smaller"):
            open_image(tmp_path / "a.png")


def test_a_damaged_file_of_a_supported_kind_needs_no_package(tmp_path, monkeypatch):
    (tmp_path / "a.avif").write_bytes(b"\0\0\0\x1cftypavif\0\0\0\0mif1avif")
    for formats, words in ((["PNG", "AVIF"], "the file is damaged"), (["PNG"], "AVIF needs a newer Pillow")):
        monkeypatch.setattr(image_files, "_formats", lambda formats=formats: formats)
        with pytest.raises(ValueError, match=words):
            open_image(tmp_path / "a.avif")
