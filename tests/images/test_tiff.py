"""TIFF files that Pillow can't read, written byte by byte."""

import struct
import zlib

import numpy as np
import pytest

from cnnvis.images import open_image
from tests.images.test_pixels import GREY, RGB, check_grey, levels, opened

SHORT, LONG = 3, 4


def tiff(values, *, order="<", planar=1, deflated=False, predictor=1, white=None, rows=6, extra=None, more=()):
    """A TIFF of an (h, w, channels) array, in strips of so many rows."""
    height, width, channels = values.shape
    kind = values.dtype.newbyteorder(order)
    planes = [values] if planar == 1 else [values[..., i : i + 1] for i in range(channels)]
    if predictor == 2:
        planes = [np.diff(plane, axis=1, prepend=values.dtype.type(0)) for plane in planes]
    strips = [plane[y : y + rows].astype(kind).tobytes() for plane in planes for y in range(0, height, rows)]
    strips = [zlib.compress(strip) for strip in strips] if deflated else strips
    photometric = white if white is not None else 2 if channels >= 3 else 1
    tags = [(256, SHORT, [width]), (257, SHORT, [height]), (258, SHORT, [8 * kind.itemsize] * channels)]
    tags += [(259, SHORT, [8 if deflated else 1]), (262, SHORT, [photometric]), (273, LONG, [0] * len(strips))]
    tags += [(277, SHORT, [channels]), (278, SHORT, [rows]), (279, LONG, [len(strip) for strip in strips])]
    tags += [(284, SHORT, [planar]), (317, SHORT, [predictor])]
    tags += [(338, SHORT, [extra])] if extra is not None else []
    tags += [(339, SHORT, [{"u": 1, "i": 2, "f": 3}[kind.kind]] * channels), *more]
    tags.sort()

    def packed(start, places):
        entries, tail = b"", b""
        for tag, form, numbers in tags:
            numbers = places if tag == 273 else numbers
            content = struct.pack(f"{order}{len(numbers)}{'H' if form == SHORT else 'I'}", *numbers)
            if len(content) > 4:
                content, tail = struct.pack(f"{order}I", start + len(tail)), tail + content
            entries += struct.pack(f"{order}HHI", tag, form, len(numbers)) + content.ljust(4, b"\0")
        return struct.pack(f"{order}H", len(tags)) + entries + bytes(4) + tail

    start = 8 + 2 + 12 * len(tags) + 4
    begin = 8 + len(packed(start, [0] * len(strips)))
    places = [begin + sum(map(len, strips[:i])) for i in range(len(strips))]
    header = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}I", 8)
    return header + packed(start, places) + b"".join(strips)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "a.tif"


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize(
    ("kind", "white"), [("f2", 1), ("f4", 1), ("f4", 255), ("f8", 1), ("u2", 4095), ("u4", 2**32 - 1)]
)
def test_colours(kind, white, order, path):
    path.write_bytes(tiff((RGB * (white / 255)).astype(kind), order=order))
    np.testing.assert_allclose(opened(path), RGB, atol=1)


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize(
    ("kind", "black", "white"),
    [("i1", -128, 127), ("i2", -32768, 32767), ("u4", 0, 2**32 - 1), ("u4", 0, 4095), ("f8", -1, 1)],
)
def test_grey(kind, black, white, order, path):
    values = np.array(black + GREY * ((white - black) / 255))[..., None]
    path.write_bytes(tiff((values if kind[0] == "f" else np.rint(values)).astype(kind), order=order))
    check_grey(opened(path))


@pytest.mark.parametrize("order", "<>")
def test_white_is_0(order, path):
    path.write_bytes(tiff((4095 - levels(12))[..., None].astype("u2"), order=order, white=0))
    check_grey(opened(path))


@pytest.mark.parametrize("planar", [1, 2])
@pytest.mark.parametrize("predictor", [1, 2])
@pytest.mark.parametrize("deflated", [False, True])
def test_strips(deflated, predictor, planar, path):
    path.write_bytes(tiff(levels(12, RGB).astype("u2"), planar=planar, predictor=predictor, deflated=deflated, rows=4))
    np.testing.assert_allclose(opened(path), RGB, atol=1)


@pytest.mark.parametrize(("extra", "alpha"), [(0, 0.6), (1, 0.6), (2, 0.6)])
def test_more_channels(extra, alpha, path):
    opacity = np.full((6, 8, 1), 2**16 - 1) * alpha
    colour = levels(16, RGB) * (alpha if extra == 1 else 1)  # premultiplied
    path.write_bytes(tiff(np.concatenate([colour, opacity], axis=-1).astype("u2"), extra=extra))
    expected = RGB if not extra else RGB * alpha + 255 * (1 - alpha)
    np.testing.assert_allclose(opened(path), expected, atol=2)


def test_a_damaged_file_is_refused(path):
    whole = tiff(levels(12, RGB).astype("u2"), deflated=True)
    path.write_bytes(whole[:-9])
    with pytest.raises(ValueError, match=r"a\.tif can't be read as an image: "):
        open_image(path)
    path.write_bytes(tiff(RGB.astype("f4"))[:-1])
    with pytest.raises(ValueError, match="the file is cut off"):
        open_image(path)
    path.write_bytes(
        tiff(RGB.astype("f4"), rows=2).replace(struct.pack("<HHII", 278, 3, 1, 2), struct.pack("<HHII", 278, 3, 1, 3))
    )
    with pytest.raises(ValueError, match="the file is damaged"):
        open_image(path)


def test_a_height_that_is_no_number_is_refused(path):
    """Multiplied by the width, bytes would fill the memory."""
    whole = tiff(RGB.astype("f4"))
    path.write_bytes(whole.replace(struct.pack("<HHI", 257, 3, 1), struct.pack("<HHI", 257, 1, 1)))
    with pytest.raises(ValueError, match="the file is damaged"):
        open_image(path)


def test_the_preview_of_a_raw_file_is_not_taken_for_the_image(path):
    path.write_bytes(tiff(RGB.astype("u1"), more=[(254, LONG, [1])]))
    with pytest.raises(ValueError, match="only a preview in TIFF, as cameras' raw files do; save it as JPEG or PNG"):
        open_image(path)


def test_a_planar_file_that_pillow_reads_wrongly_is_refused(path):
    whole = tiff(levels(12, RGB).astype("u2"), planar=2)
    path.write_bytes(whole.replace(struct.pack("<HHII", 259, 3, 1, 1), struct.pack("<HHII", 259, 3, 1, 5)))  # LZW
    with pytest.raises(ValueError, match="a TIFF of a kind that isn't supported"):
        open_image(path)
