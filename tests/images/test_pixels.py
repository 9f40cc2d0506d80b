"""Pixels of every kind look as in a viewer: compared with the 8 bits that they were made of."""

import struct
import zlib

import numpy as np
import pytest
from PIL import Image, ImageCms, TiffImagePlugin

from cnnvis.images import open_image
from cnnvis.images.pixels import value_range

GREY = np.linspace(9, 222, 8 * 6).reshape(6, 8).round().astype(int)
RGB = np.stack([GREY, GREY[::-1], GREY[:, ::-1]], axis=-1)
BITS, PHOTOMETRIC, SAMPLE_FORMAT, MAX_SAMPLE_VALUE = 258, 262, 339, 281


def opened(path):
    return np.asarray(open_image(path)).astype(int)


def reopened(image, path, **options):
    image.save(path, **options)
    return opened(path)


def levels(bits, eight=GREY):
    return np.rint(eight * ((2**bits - 1) / 255))


def check_grey(image, eight=GREY):
    np.testing.assert_allclose(image, np.repeat(eight[..., None], 3, axis=-1), atol=1)


@pytest.mark.parametrize("suffix", ["png", "tif"])
@pytest.mark.parametrize("bits", [8, 10, 12, 14, 16])
def test_grey_that_uses_some_of_16_bits(bits, suffix, tmp_path):
    check_grey(reopened(Image.fromarray(levels(bits).astype("uint16")), tmp_path / f"a.{suffix}"))


@pytest.mark.parametrize("step", [256, 257])
def test_dark_grey_that_was_8_bits_stays_dark(step, tmp_path):
    check_grey(reopened(Image.fromarray((GREY // 16 * step).astype("uint16")), tmp_path / "a.png"), GREY // 16)


def test_the_stated_maximum_of_16_bits_decides(tmp_path):
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags[MAX_SAMPLE_VALUE] = 2**16 - 1
    dark = Image.fromarray((GREY * 3).astype("uint16"))
    check_grey(reopened(dark, tmp_path / "a.tif", tiffinfo=tags), np.rint(GREY * 3 / 257))
    (tmp_path / "b.pgm").write_bytes(b"P5 8 6 65535\n" + (GREY * 3).astype(">u2").tobytes())
    check_grey(opened(tmp_path / "b.pgm"), np.rint(GREY * 3 / 257))
    (tmp_path / "c.pgm").write_bytes(b"P5 8 6 1023\n" + levels(10).astype(">u2").tobytes())
    check_grey(opened(tmp_path / "c.pgm"))


@pytest.mark.parametrize("bits", [8, 10, 12, 16, 31])
@pytest.mark.parametrize("compression", [None, "tiff_lzw"])
def test_grey_that_uses_some_of_32_bits(bits, compression, tmp_path):
    check_grey(
        reopened(Image.fromarray(levels(bits).astype("int32")), tmp_path / "a.tif", compression=compression),
    )


@pytest.mark.parametrize("white", [1, 255, 1023, 65535])
def test_floats(white, tmp_path):
    check_grey(reopened(Image.fromarray((GREY * (white / 255)).astype("float32")), tmp_path / "a.tif"))


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([np.nan, -np.inf, 0.2, 1, np.inf], (0, 1)),
        ([-0.02, 0.5, 1.02], (0, 1)),  # resizing goes a little beyond
        ([-3, 200, 261], (0, 255)),
        ([-1, 0.3, 1], (-1, 1)),
        ([0, 0.5, 1.7], (0, 1)),  # highlights
        ([0, 1e30], (0, 1e30)),
        ([np.nan], (0, 1)),
    ],
)
def test_the_range_of_floats(values, expected):
    assert value_range(np.array(values, "float32")) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("values", "kind", "expected"),
    [
        ([-32768, 32767], "int16", (-32768, 32767)),
        ([-2000, 1990], "int16", (-2048, 2047)),
        ([-5, 200], "int16", (0, 255)),
        ([0, 4095], "uint16", (0, 4095)),
        ([0, 30000], "uint16", (0, 65535)),
        ([0, 2**31], "uint32", (0, 2**32 - 1)),
        ([0, 0], "uint16", (0, 255)),
    ],
)
def test_the_range_of_ints(values, kind, expected):
    assert value_range(np.array(values, kind)) == expected


def png(values, kind):
    """A PNG of 16 bits with this kind of colour; Pillow writes grey ones only."""
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    header = struct.pack(">IIBBBBB", values.shape[1], values.shape[0], 16, kind, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    parts = [struct.pack(">I", len(c)) + n + c + struct.pack(">I", zlib.crc32(n + c)) for n, c in chunks]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


@pytest.mark.parametrize("bits", [10, 12, 16])
def test_colours_and_alpha_that_use_some_of_16_bits(bits, tmp_path):
    path, alpha = tmp_path / "a.png", np.full((6, 8, 1), 0.6)
    path.write_bytes(png(levels(bits, RGB), 2))
    np.testing.assert_allclose(opened(path), RGB, atol=1)
    path.write_bytes(png(np.concatenate([levels(bits, RGB), levels(bits, 255 * alpha)], axis=-1), 6))
    np.testing.assert_allclose(opened(path), RGB * 0.6 + 255 * 0.4, atol=2)
    path.write_bytes(png(np.concatenate([levels(bits)[..., None], levels(bits, 255 * alpha)], axis=-1), 4))
    check_grey(opened(path), np.rint(GREY * 0.6 + 255 * 0.4))
    path.write_bytes(png(np.concatenate([levels(bits, RGB), levels(16, 255 * alpha)], axis=-1), 6))
    np.testing.assert_allclose(opened(path), RGB * 0.6 + 255 * 0.4, atol=2)


def test_lab(tmp_path):
    srgb, lab = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
    image = ImageCms.profileToProfile(Image.fromarray(RGB.astype("uint8")), srgb, lab, outputMode="LAB")
    assert np.abs(reopened(image, tmp_path / "a.tif") - RGB).mean() < 3  # LAB of 8 bits is coarse


def swapped_profile():
    """The profile of a camera whose red is sRGB's blue."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for old, new in ((b"rXYZ", b"----"), (b"bXYZ", b"rXYZ"), (b"----", b"bXYZ")):
        profile = profile.replace(old, new)
    return profile.replace("sRGB".encode("utf-16-be"), "BGR!".encode("utf-16-be"))


def test_an_embedded_profile_is_applied(tmp_path):
    image = Image.fromarray(RGB.astype("uint8"))
    for suffix in ("png", "tif"):
        path = tmp_path / f"a.{suffix}"
        np.testing.assert_allclose(reopened(image, path, icc_profile=swapped_profile()), RGB[..., ::-1], atol=2)
    half = image.copy()
    half.putalpha(51)
    expected = np.rint(RGB[..., ::-1] * 0.2 + 255 * 0.8)
    np.testing.assert_allclose(reopened(half, tmp_path / "b.png", icc_profile=swapped_profile()), expected, atol=2)


def test_a_profile_that_does_not_fit_is_passed_over(tmp_path):
    image = Image.fromarray(RGB.astype("uint8"))
    np.testing.assert_array_equal(reopened(image, tmp_path / "a.png", icc_profile=b"spoiled" * 40), RGB)
    grey = Image.fromarray(GREY.astype("uint8"))
    check_grey(reopened(grey, tmp_path / "b.png", icc_profile=swapped_profile()))


@pytest.mark.parametrize("orientation", [3, 6])
def test_deep_pixels_are_turned_too(orientation, tmp_path):
    exif = Image.Exif()
    exif[0x0112] = orientation
    kept = {3: GREY[::-1, ::-1], 6: GREY.T[::-1]}[orientation]
    for suffix in ("png", "tif"):
        image = Image.fromarray(np.ascontiguousarray(levels(12, kept)).astype("uint16"))
        check_grey(reopened(image, tmp_path / f"a.{suffix}", exif=exif))
