"""Unexpected images, folders and names: the right result, or one line that says what is wrong."""

import io
import os
import socket
import time
from pathlib import Path

import h5py
import numpy as np
import pytest
from markdown_it import MarkdownIt
from matplotlib.text import Text
from PIL import Image

import train
import visualize_hidden_layer_activation
import visualize_hidden_layer_output
import visualize_pixel_importance
import visualize_results
from cnnvis import plots
from cnnvis.console import messages
from cnnvis.console.names import shown
from cnnvis.evaluation import metrics, report
from cnnvis.features.visualization import FilterImages
from cnnvis.images import cifar10, image_files, sources
from tests.conftest import POSIX, rounding, slowness, small_sequential

SCRIPTS = {
    visualize_results: ("--examples", "2"),
    visualize_pixel_importance: ("--window", "4", "--stride", "4", "--num", "2"),
    visualize_hidden_layer_activation: ("--steps", "2", "--num", "1", "--layers", "first"),
    visualize_hidden_layer_output: ("--layers", "first"),
}
NAMES = {
    "spaces": " two  words ",
    "quotes": 'it\'s "quoted"',
    "line break": "line\nbreak\r",
    "letters": "猫 émeu ünï",
    "bytes": os.fsdecode(b"caf\xe9\xff"),
    "dash": "-rf",
    "formula": "$\\frac{$ a_b^c",
    "two dollars": "$x^$",
    "backslash and dollar": "\\$a\\",
    "underscore": "_hidden_",
    "markup": "[bold]x[/] [/red] [link=a]",
    "escape": "\x1b[31mred\x1b[0m\x1b]0;title\x07\x1b[2J",
    "right to left": "a\u202eb",
    "markdown": "*a* _b_ `c` ~~d~~ | <b> &amp; ![x](y) # $e$",
    "percent": "%s {} {0} %(x)d 100%",
}


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "small.keras"
    small_sequential(classes=2, size=16).save(path)
    return path


def noise(seed, side=16):
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (side, side, 3), dtype="uint8"))


@pytest.fixture
def folder(tmp_path):
    """Two classes with five images each."""
    for label in ("a", "b"):
        for split in ("train", "test"):
            (tmp_path / "images" / split / label).mkdir(parents=True)
            for number in range(5):
                noise(number + 10 * (label == "b")).save(tmp_path / "images" / split / label / f"{number}.png")
    return tmp_path / "images"


def run(script, model, *options):
    some = SCRIPTS.get(script, ())
    return script.main(["--model", str(model), "--input-range", "0", "1", *some, *map(str, options)])


def one_line(capsys, status):
    """The single line in which a script reports a mistake."""
    err = capsys.readouterr().err.strip()
    assert status == 2, err
    assert err.isprintable(), err
    return err


def opened(path, size=None):
    image = image_files.open_image(path)
    assert image.mode == "RGB"
    return image_files.resize(image, size or image.size[::-1])


def save(image, path, **options):
    image.save(path, **options)
    return opened(path)


RED, BLUE = Image.new("RGB", (4, 3), (250, 0, 0)), Image.new("RGB", (4, 3), (0, 0, 250))


@pytest.mark.parametrize(("kind", "mark"), [("GIF", "moving.gif"), ("PNG", "moving.png"), ("WEBP", "moving.webp")])
def test_the_first_frame_of_an_animation_is_read(kind, mark, tmp_path):
    options = {"lossless": True} if kind == "WEBP" else {}
    first = save(RED, tmp_path / mark, format=kind, save_all=True, append_images=[BLUE, RED], **options)
    with Image.open(tmp_path / mark) as moving:
        assert moving.n_frames == 3
    assert (first == [250, 0, 0]).all()


def test_the_content_decides_the_format_not_the_suffix(tmp_path):
    smooth = noise(1, 3).resize((48, 40), Image.Resampling.BICUBIC)
    for kind in ("JPEG", "BMP", "TIFF", "WEBP", "PPM", "JPEG2000"):
        image = save(smooth, tmp_path / "a.png", format=kind)
        difference = np.abs(image.astype(int) - np.asarray(smooth))
        assert difference.mean() < (15 if kind in ("JPEG", "WEBP") else 1), kind


def test_transparency_of_every_kind_becomes_white(tmp_path):
    palette = Image.new("P", (4, 3), 1)
    palette.putpalette([0, 0, 0, 10, 20, 30])
    assert save(palette, tmp_path / "palette.png")[0, 0].tolist() == [10, 20, 30]
    assert save(palette, tmp_path / "key.png", transparency=1)[0, 0].tolist() == [255] * 3
    assert save(palette, tmp_path / "half.png", transparency=bytes([255, 51]))[0, 0].tolist() == [206, 208, 210]
    assert save(palette, tmp_path / "key.gif", transparency=1)[0, 0].tolist() == [255] * 3
    assert save(RED, tmp_path / "rgb key.png", transparency=(250, 0, 0))[0, 0].tolist() == [255] * 3
    assert save(Image.new("LA", (4, 3), (0, 0)), tmp_path / "la.png")[0, 0].tolist() == [255] * 3
    levels = np.full((3, 4), 257 * 77, dtype="uint16")
    levels[0, 0] = 500
    sixteen = save(Image.fromarray(levels), tmp_path / "sixteen key.png", transparency=500)
    assert sixteen[0, :2].tolist() == [[255] * 3, [77] * 3]


def test_pixels_of_16_and_32_bits(tmp_path):
    levels = np.array([[0, 257, 257 * 128, 65535]], dtype="uint16")
    for name in ("sixteen.png", "sixteen.tif"):
        assert save(Image.fromarray(levels), tmp_path / name)[0, :, 0].tolist() == [0, 1, 128, 255]
    huge = np.array([[-5, 2**30, 2**31 - 1]], dtype="int32")
    assert save(Image.fromarray(huge), tmp_path / "i.tif")[0, :, 0].tolist() == [0, 128, 255]
    shares = np.array([[np.nan, -np.inf, 0.2, 1, np.inf]], dtype="float32")
    assert save(Image.fromarray(shares), tmp_path / "f.tif")[0, :, 0].tolist() == [0, 0, 51, 255, 255]


@pytest.mark.parametrize("orientation", range(1, 9))
def test_all_orientations_of_exif(orientation, tmp_path):
    upright = np.zeros((8, 16, 3), "uint8")
    upright[:4, :8] = 255
    # The stored image for each orientation: EXIF 2.3 defines where its row 0 and column 0 belong.
    kept = {
        1: upright,
        2: upright[:, ::-1],
        3: upright[::-1, ::-1],
        4: upright[::-1],
        5: upright.transpose(1, 0, 2),
        6: upright.transpose(1, 0, 2)[::-1],
        7: upright.transpose(1, 0, 2)[::-1, ::-1],
        8: upright.transpose(1, 0, 2)[:, ::-1],
    }
    exif = Image.Exif()
    exif[0x0112] = orientation
    image = save(Image.fromarray(np.ascontiguousarray(kept[orientation])), tmp_path / "a.jpg", exif=exif, quality=95)
    assert image.shape == upright.shape
    assert np.abs(image.astype(int) - upright).max() < 30


@pytest.mark.parametrize("size", [(1, 1), (30_000, 1), (1, 30_000)])
def test_images_of_one_pixel_and_of_one_line(size, model, tmp_path):
    Image.new("RGB", size, (9, 90, 200)).save(tmp_path / "a.png")
    assert opened(tmp_path / "a.png").shape == (*size[::-1], 3)
    assert (opened(tmp_path / "a.png", (16, 16)) == [9, 90, 200]).all()
    assert run(visualize_results, model, "--images", tmp_path / "a.png", "--out", tmp_path) == 0


def bomb(side):
    """A PNG of a few KB with a huge number of pixels."""
    content = io.BytesIO()
    Image.new("1", (side, side)).save(content, "PNG", optimize=True)
    return content.getvalue()


def cut(kind):
    content = io.BytesIO()
    noise(3, 64).save(content, kind)
    return content.getvalue()[: len(content.getvalue()) // 2]


def eps():
    """A program that Pillow would run in Ghostscript."""
    content = io.BytesIO()
    RED.save(content, "EPS")
    return content.getvalue()


NO_IMAGES = {
    "text": lambda: b"not at all an image\n",
    "nothing": lambda: b"",
    "zeros": lambda: bytes(5000),
    "bomb": lambda: bomb(20_000),
    "small bomb": lambda: bomb(12_000),  # for which Pillow only warns
    "half a PNG": lambda: cut("PNG"),
    "half a JPEG": lambda: cut("JPEG"),
    "half a GIF": lambda: cut("GIF"),
    "half a WebP": lambda: cut("WEBP"),
    "half a TIFF": lambda: cut("TIFF"),
    "EPS": eps,
    "a TIFF that points to itself": lambda: b"II*\0\x08\0\0\0\0\0\x08\0\0\0" + bytes(50),
}


@pytest.mark.parametrize("name", NO_IMAGES)
def test_a_file_that_is_not_an_image_is_named_in_one_line(name, tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(NO_IMAGES[name]())
    began = time.process_time()
    with pytest.raises(ValueError, match=r"a\.png can't be read as an image") as refused:
        image_files.open_image(path)
    assert time.process_time() - began < 2 * slowness()
    assert len(str(refused.value).splitlines()) == 1
    if name in ("text", "EPS"):
        assert str(refused.value).endswith("unknown format" if name == "text" else "save what it draws as PNG")


def make_socket(path):
    with socket.socket(socket.AF_UNIX) as server:
        before = os.getcwd()
        os.chdir(path.parent)  # a socket's path is limited to 108 bytes
        try:
            server.bind(path.name)
        finally:
            os.chdir(before)


SPECIAL = {
    "pipe": (lambda path: os.mkfifo(path), "it is not a regular file"),
    "device": (lambda path: path.symlink_to("/dev/zero"), "it is not a regular file"),
    "terminal": (lambda path: path.symlink_to("/dev/tty"), "it is not a regular file"),
    "socket": (make_socket, "it is not a regular file"),
    "link to itself": (lambda path: path.symlink_to(path.name), "Too many levels of symbolic links"),
    "link to nowhere": (lambda path: path.symlink_to("nowhere"), "there is no image"),
}


@POSIX
@pytest.mark.parametrize("name", SPECIAL)
def test_a_special_file_is_named_and_never_read(name, folder, model, tmp_path, capsys):
    make, reason = SPECIAL[name]
    make(folder / "test" / "a" / "x.png")
    for options in (["--images", folder / "test" / "a" / "x.png"], ["--data", folder]):
        line = one_line(capsys, run(visualize_results, model, *options, "--out", tmp_path / "out"))
        assert "x.png" in line
        assert reason in line


@POSIX
def test_circular_links(folder, model, tmp_path, capsys):
    (folder / "test" / "a" / "circle").symlink_to(folder)
    assert len(sources.load(str(folder), "test")) == 10
    (folder / "test" / "itself").symlink_to("itself")
    line = one_line(capsys, run(visualize_results, model, "--data", folder, "--out", tmp_path / "out"))
    assert "itself is a broken link" in line


def test_a_folder_that_cannot_be_listed(folder, model, tmp_path, capsys, monkeypatch):
    """Even root must fail here, so scandir is replaced."""
    whole = os.scandir

    def scandir(path):
        if str(path).endswith("test/b"):
            raise PermissionError(13, "Permission denied", str(path))
        return whole(path)

    monkeypatch.setattr(os, "scandir", scandir)
    line = one_line(capsys, run(visualize_results, model, "--data", folder, "--out", tmp_path / "out"))
    assert line.endswith("test/b can't be read (Permission denied): make it readable, or remove it")


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.__name__)
def test_unusual_file_names(script, model, tmp_path, capsys):
    """Every name is printed in printable characters, and no part of it is taken for markup."""
    strange = tmp_path / f"folder {NAMES['escape']}\n[red]"
    labels = "[a]", "$b_$ [/red]".replace("/", "∕")
    classes = strange / ("train" if script is visualize_hidden_layer_activation else "test")
    for label in labels:
        (classes / label).mkdir(parents=True)
    for number, name in enumerate(NAMES.values()):
        noise(number).save(classes / labels[number % 2] / f"{name.replace('/', '∕')}.png")
    out = strange / NAMES["bytes"]
    options = ["--report", out / "report.md"] if script is visualize_results else []
    assert run(script, model, "--data", strange, "--out", out, *options) == 0
    if script is not visualize_hidden_layer_activation:
        some = ["--indices", 3] if script is visualize_hidden_layer_output else []
        assert run(script, model, "--images", *(classes / label for label in labels), "--out", out, *some) == 0
    captured = capsys.readouterr()
    for line in (captured.out + captured.err).splitlines():
        assert line.isprintable(), line
    assert shown(out) in captured.out
    (array,) = out.glob("*.h5") if script is not visualize_hidden_layer_output else [out / "hidden_layer_output.h5"]
    with h5py.File(array) as file:
        assert file.attrs["data"] in ("images", str(strange))


def test_all_figures_show_names_as_they_are():
    name = "$x_$"
    images, labels = np.zeros((2, 8, 8, 3), "uint8"), np.array([0, 1])
    probabilities = np.array([[0.6, 0.4], [0.3, 0.7]])
    gallery = plots.gallery(images, [probabilities], labels, classes=[name] * 2, captions=[name] * 2, title=name)
    pairs = plots.confused_pairs(
        [images], [probabilities[:, 0]], [[name] * 2], classes=[name] * 2, pairs=[(0, 1, 2)], title=name
    )
    layer = FilterImages(
        images=images,
        filters=labels,
        activation=np.ones(2),
        dataset_max=np.ones(2),
        dead=np.zeros(2, bool),
        patches=images[:, None],
        patch_activation=np.ones((2, 1)),
        selectivity=np.ones(2),
        favourite=labels,
    )
    sheets = plots.filter_sheets("sheet", name, layer, classes=[name] * 2).values()
    pages = plots.filter_pages("page", {name: layer}, [name] * 2).values()
    atlas = plots.filter_atlas("atlas", {name: layer}).values()
    network = plots.network_outputs(
        images[0], {name: images[0]}, {name: "CONV"}, probabilities=probabilities[0], classes=[name] * 2, title=name
    )
    figures = gallery, pairs, *sheets, *pages, *atlas, network
    found = [text for figure in figures for text in figure.findobj(Text) if "$" in text.get_text()]
    assert sum(name in text.get_text() for text in found) > 12
    assert not [text for text in found if text.get_parse_math()]


def test_a_comparison_names_networks_as_they_are():
    probabilities, labels = np.array([[0.6, 0.4], [0.3, 0.7]]), np.array([0, 1])
    scores = [metrics.score(probabilities, labels, 1)] * 2
    figure = plots.comparison(
        metrics.compare(probabilities, probabilities, labels), scores, classes="ab", names=("_x", "$y$")
    )
    words = [text for text in figure.axes[0].texts if not text.get_parse_math()]
    assert [text.get_text() for text in words] == ["first, _x: 100.00%", "second, $y$: 100.00%"]


@pytest.mark.parametrize("name", NAMES)
def test_markdown_shows_names_as_they_are(name):
    table = report._table(("image", "n"), [(NAMES[name], "1")])
    html = MarkdownIt("commonmark").enable("table").enable("strikethrough").parse(table)
    cells = [token for token in html if token.type == "inline"]
    assert {child.type for child in cells[2].children} <= {"text", "text_special"}
    assert "".join(child.content for child in cells[2].children) == shown(NAMES[name]).strip()


@pytest.mark.parametrize("name", NAMES)
def test_links_to_figures_point_to_them(name, tmp_path):
    (link,) = report.links(["a"], tmp_path / NAMES[name], tmp_path / "report.md").values()
    (image,) = MarkdownIt("commonmark").parse(link)[1].children
    from urllib.parse import unquote_to_bytes

    assert unquote_to_bytes(image.attrs["src"]) == os.fsencode(f"{NAMES[name]}/a.png")


@pytest.mark.parametrize("name", NAMES)
def test_a_terminal_shows_names_as_they_are(name, monkeypatch, capsys):
    monkeypatch.setattr(messages, "is_terminal", lambda: True)
    assert list(messages.track(NAMES[name])(range(2))) == [0, 1]
    with messages.bar(2) as step:
        step(1, NAMES[name])
    capsys.readouterr()
    messages.print_table("title", ("name",), [(NAMES[name],)])
    messages.say(Path(NAMES[name]))
    messages.notice(NAMES[name])
    messages.shout(NAMES[name])
    captured = capsys.readouterr()
    assert shown(NAMES[name]) in captured.out.splitlines()
    assert all(line.isprintable() for line in (captured.out + captured.err).splitlines())
    bare = shown(NAMES[name]).strip()
    assert captured.out.count(bare) == 2
    for line in NAMES[name].splitlines():
        assert captured.err.count(shown(line).strip()) == 2


def test_a_wrong_option_is_escaped(capsys):
    line = one_line(capsys, visualize_results.main(["--data", "samples", NAMES["escape"]]))
    assert r"\x1b[2J" in line


def test_a_file_name_that_looks_like_an_option(model, tmp_path, monkeypatch):
    noise(1).save(tmp_path / "-rf.png")
    monkeypatch.chdir(tmp_path)
    assert run(visualize_results, model, "--images", "./-rf.png", "--out", tmp_path / "out") == 0


def test_unprintable_names_of_class_folders(folder, model, tmp_path, capsys):
    (folder / "test" / "b").rename(folder / "test" / NAMES["line break"])
    line = one_line(capsys, run(visualize_results, model, "--data", folder, "--out", tmp_path / "out"))
    assert r"an unprintable name, 'line\nbreak\r'" in line


def test_a_network_trained_on_unusual_names_can_be_loaded(tmp_path, capsys):
    place = tmp_path / ("p" * 200) / NAMES["bytes"] / "line\nbreak"
    labels = ["[red] $x$", "n" * 255]
    for number, label in enumerate(labels):
        for split in ("train", "test"):
            (place / split / label).mkdir(parents=True)
            for i in range(2):
                noise(2 * number + i, 32).save(place / split / label / f"{i}.png")
    options = ["--arch", "basic", "--epochs", "1", "--batch-size", "2", "--name", "a", "--out", str(tmp_path)]
    assert train.main(["--data", str(place), *options]) == 0
    captured = capsys.readouterr()
    assert all(line.isprintable() for line in captured.out.splitlines())
    assert visualize_results.main(["--model", str(tmp_path / "a.keras"), "--out", str(tmp_path / "out")]) == 0
    with h5py.File(tmp_path / "out" / "results.h5") as file:
        assert list(file.attrs["classes"]) == labels
        assert r"caf\xe9\xff" in file.attrs["data"]


CLASS_FILES = {
    "BOM": (b"\xef\xbb\xbfcat\ndog\n", None),
    "CRLF": (b"cat\r\ndog\r\n", None),
    "empty lines": (b"\n\ncat\n\n  dog\n\n", None),
    "no line end": (b"cat\ndog", None),
    "duplicates": (b"cat\ncat\n", "names 'cat' twice: give the two classes different names"),
    "too few": (b"cat\n", "1 class names for a model of 2 classes"),
    "too many": (b"cat\ndog\nbird\n", "3 class names for a model of 2 classes"),
    "10 MB": (b"cat\ndog\n" + b"\n" * 10_000_000, "has 10,000,008 bytes, too many for a file of class names"),
    "empty": (b"", "does not name classes: write one per line"),
    "UTF-16": ("cat\ndog\n".encode("utf-16"), "is not text in UTF-8"),
    "Latin-1": ("caf\xe9\ndog\n".encode("latin-1"), "is not text in UTF-8"),
    "control letters": (b"cat\x1b[2J\ndog\n", "does not name classes: write one per line"),
}


@pytest.mark.parametrize("kind", CLASS_FILES)
def test_files_of_class_names(kind, model, tmp_path, capsys):
    content, mistake = CLASS_FILES[kind]
    file = tmp_path / f"{NAMES['line break']}.txt"
    file.write_bytes(content)
    noise(1).save(tmp_path / "a.png")
    options = ["--images", tmp_path / "a.png", "--classes", file, "--out", tmp_path]
    status = run(visualize_results, model, *options)
    if mistake:
        line = one_line(capsys, status)
        assert mistake in line
        assert shown(file) in line or "class names for a model" in line
        return
    assert status == 0
    with h5py.File(tmp_path / "results.h5") as results:
        assert list(results.attrs["classes"]) == ["cat", "dog"]


@pytest.mark.parametrize("name", ["pipe", "device"])
def test_class_names_from_a_pipe_or_device(name, model, tmp_path, capsys):
    SPECIAL[name][0](tmp_path / "classes.txt")
    options = ["--data", "samples", "--classes", tmp_path / "classes.txt", "--out", tmp_path / "out"]
    assert "classes.txt is not a file of class names" in one_line(capsys, run(visualize_results, model, *options))


@pytest.mark.parametrize(
    ("change", "mistake"),
    [
        (lambda content: content[:-1], "has 6,145 bytes, a CIFAR-10 file has 6,146: copy it again"),
        (lambda content: content + b"\0", "has 6,147 bytes"),
        (lambda content: b"", "has 0 bytes"),
        (lambda content: b"\x0a" + content[1:], "record 0 has label 10, CIFAR-10's are 0-9"),
        (lambda content: content[:3073] + b"\xff" + content[3074:], "record 1 has label 255"),
    ],
)
def test_damaged_cifar10(change, mistake, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(cifar10, "RECORDS", 2)
    monkeypatch.setenv("CIFAR10_DIR", str(tmp_path))
    for files in cifar10.FILES.values():
        for file in files:
            (tmp_path / file).write_bytes(bytes(2 * 3073))
    assert len(sources.load("cifar10", "test")) == 2  # batches.meta isn't needed
    (tmp_path / "test_batch.bin").write_bytes(change(bytes(2 * 3073)))
    line = one_line(capsys, train.main(["--data", "cifar10", "--out", str(tmp_path / "out")]))
    assert mistake in line
    assert "test_batch.bin" in line


def spoil(folder, *names):
    for name in names:
        (folder / name).write_bytes(b"spoiled")


@pytest.mark.parametrize("options", [("--data",), ("--images",)])
@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.__name__)
def test_an_unreadable_file_among_readable_ones_is_named(script, options, folder, model, tmp_path, capsys):
    split = "train" if script is visualize_hidden_layer_activation else "test"
    spoil(folder / split, "a/0.png", "b/1.png")
    what = [folder] if options == ("--data",) else sorted((folder / split / "a").iterdir())
    some = [] if script is visualize_hidden_layer_activation else ["--indices", "0"]
    some = some if script is not visualize_results else []
    line = one_line(capsys, run(script, model, *options, *what, *some, "--out", tmp_path / "out"))
    assert line.endswith("a/0.png can't be read as an image: unknown format (--skip-bad skips such files)")
    assert not list((tmp_path / "out").iterdir())


def arrays_of(path):
    with h5py.File(path) as file:
        return {name: file[name][()] for name in file if isinstance(file[name], h5py.Dataset)} | dict(file.attrs)


@POSIX
def test_skipping_gives_the_results_of_a_folder_without_the_unreadable_files(
    folder, model, tmp_path, capsys, monkeypatch
):
    """Rows belong to the readable images; their numbers are their positions in the whole folder."""
    spoil(folder / "test", "a/0.png", "b/1.png")
    (folder / "test" / "b" / "9.png").symlink_to("nowhere")
    monkeypatch.setattr(plots, "findings_pages", lambda *_, **__: {})  # slow, and not tested here
    other = tmp_path / "other.keras"
    small_sequential(classes=2, size=24, channels=1).save(other)
    options = ["--data", folder, "--compare", other, "--compare-input-range", "0", "1", "--examples", "3"]
    assert run(visualize_results, model, *options, "--skip-bad", "--out", tmp_path / "skipped") == 0
    told = capsys.readouterr().err
    assert told.startswith("Skipped 3 of 11 images, which can't be read: ")
    assert all(name in told for name in ("a/0.png", "b/1.png", "b/9.png"))
    found = arrays_of(tmp_path / "skipped" / "results.h5")
    assert found["indices"].tolist() == [1, 2, 3, 4, 5, 7, 8, 9]
    assert found["labels"].tolist() == [0] * 4 + [1] * 4
    assert [Path(name).name for name in found["skipped"]] == ["0.png", "1.png", "9.png"]

    for name in ("a/0.png", "b/1.png", "b/9.png"):
        (folder / "test" / name).unlink()
    assert run(visualize_results, model, *options, "--out", tmp_path / "whole") == 0
    expected = arrays_of(tmp_path / "whole" / "results.h5")
    assert expected["indices"].tolist() == list(range(8))
    assert found.keys() == expected.keys()
    for key in found.keys() - {"indices", "skipped"}:
        if np.asarray(found[key]).dtype.kind == "f":  # computed in batches of 11 and of 8: 400 terms a logit
            np.testing.assert_allclose(found[key], expected[key], rtol=rounding(400), atol=rounding(400), err_msg=key)
        else:
            np.testing.assert_array_equal(found[key], expected[key], err_msg=key)


def test_an_image_is_decoded_once_before_it_is_drawn(folder, model, tmp_path, monkeypatch):
    """No image is decoded just to find out whether it is readable."""
    spoil(folder / "test", "a/0.png")
    looked, whole = [], image_files.open_image
    monkeypatch.setattr(image_files, "open_image", lambda path, **how: looked.append(path) or whole(path, **how))
    for pages in ("findings_pages", "space_pages"):
        monkeypatch.setattr(plots, pages, lambda *_, **__: {})
    options = ["--data", folder, "--skip-bad", "--nearest", 0]
    assert run(visualize_results, model, *options, "--out", tmp_path / "out") == 0
    assert len(looked) == len(set(looked)) == 10
    looked.clear()
    compare = ["--compare", model, "--compare-input-range", "0", "1"]
    assert run(visualize_results, model, *options, *compare, "--out", tmp_path) == 0
    assert len(looked) == 19  # also for the second network, except the unreadable one


def test_captions_keep_an_images_number(folder, tmp_path):
    spoil(folder / "test", "a/0.png", "b/1.png")
    dataset = sources.load(str(folder), "test", (16, 16), skip_bad=True)
    np.testing.assert_array_equal(dataset.streamed[:][[0, 6]], 0)
    good, places = dataset.without_bad()
    assert places.tolist() == [1, 2, 3, 4, 5, 7, 8, 9]
    assert [good.caption(index) for index in (0, 3, 4, 5)] == ["a #1", "a #4", "b #5", "b #7"]
    assert good.source(5).endswith("b/2.png")
    np.testing.assert_array_equal(good.images[5], image_files.read_image(good.source(5), (16, 16)))
    spoil(folder / "test", "b/2.png")  # after the folder was listed
    with pytest.raises(ValueError, match=r"2\.png can't be read"):
        good.images[5]


def test_numbers_mean_the_same_image_everywhere(folder, model, tmp_path, capsys):
    spoil(folder / "test", "a/0.png", "b/1.png")
    options = ["--data", folder, "--skip-bad", "--out", tmp_path, "--indices", "6", "7"]
    expected = image_files.read_image(folder / "test" / "b" / "2.png", (16, 16))
    assert run(visualize_pixel_importance, model, *options) == 0
    explained = arrays_of(tmp_path / "pixel_importance.h5")
    assert explained["indices"].tolist() == [7]
    np.testing.assert_array_equal(explained["images"], [expected])
    assert run(visualize_hidden_layer_output, model, *options) == 0
    shown_image = arrays_of(tmp_path / "hidden_layer_output.h5")
    assert shown_image["index"] == 7
    np.testing.assert_array_equal(shown_image["image"], expected)
    assert capsys.readouterr().err.count("b/1.png can't be read") == 2


def test_random_images_are_readable_ones(folder, model, tmp_path, capsys):
    spoil(folder / "test", *(f"{label}/{number}.png" for label in "ab" for number in range(4)))
    options = ["--data", folder, "--skip-bad", "--out", tmp_path]
    for script in (visualize_pixel_importance, visualize_hidden_layer_output):
        assert run(script, model, *options) == 0
        assert "can't be read" in capsys.readouterr().err
    images = arrays_of(tmp_path / "pixel_importance.h5")["images"]
    good = [image_files.read_image(folder / "test" / label / "4.png", (16, 16)).tolist() for label in "ab"]
    assert all(image.tolist() in good for image in images)


def test_filters_are_compared_with_the_readable_images(folder, model, tmp_path, capsys):
    spoil(folder / "train", "a/0.png", "b/1.png")
    assert run(visualize_hidden_layer_activation, model, "--data", folder, "--skip-bad", "--out", tmp_path) == 0
    captured = capsys.readouterr()
    assert "Comparing with 8 images" in captured.out
    assert captured.err.startswith("Skipped 2 of 10 images")


def test_training_on_the_readable_images(folder, tmp_path, capsys):
    spoil(folder / "train", "a/0.png", "b/1.png")
    spoil(folder / "test", "b/4.png")
    options = ["--data", str(folder), "--arch", "basic", "--epochs", "1", "--batch-size", "2", "--out", str(tmp_path)]
    options += ["--validation", "0"]
    assert "a/0.png can't be read" in one_line(capsys, train.main([*options, "--name", "a"]))
    assert train.main([*options, "--name", "a", "--skip-bad"]) == 0
    captured = capsys.readouterr()
    assert "on 8 images of" in captured.out
    assert [line.split(",")[0] for line in captured.err.splitlines()] == [
        "Skipped 2 of 10 images",
        "Skipped 1 of 10 images",
        "Fewer than 10 training images of a (4)",
    ]
    assert "--skip-bad" in (tmp_path / "a.json").read_text()


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.__name__)
def test_one_line_says_that_no_image_is_readable(script, folder, model, tmp_path, capsys):
    for split in ("train", "test"):
        spoil(folder / split, *(f"{label}/{number}.png" for label in "ab" for number in range(5)))
    out = tmp_path / "out"
    for options in (["--data", folder], ["--images", folder / "test" / "b"]):
        line = one_line(capsys, run(script, model, *options, "--skip-bad", "--out", out))
        assert "images tried can be read; the first: " in line
        assert line.endswith("unknown format")
    assert not list(out.iterdir())


def test_own_images_take_the_size_of_the_first_readable_one(folder):
    spoil(folder / "test", "a/0.png", "a/1.png")
    noise(0, 24).save(folder / "test" / "a" / "2.png")
    dataset = sources.open_files([folder / "test" / "a"], skip_bad=True)
    assert dataset.images.shape == (5, 24, 24, 3)
    with pytest.raises(ValueError, match=r"0\.png can't be read"):
        sources.open_files([folder / "test" / "a"])
    with pytest.raises(FileNotFoundError, match=r"there is no image .*gone\.png"):
        sources.open_files([folder / "gone.png"], skip_bad=True)
