"""Full disks, signals, two processes at once, files that vanish: no file is incomplete or lost.

FAULTS=100 in the environment tries more random moments; they come from SEED.
"""

import contextlib
import csv
import errno
import json
import os
import random
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import zipfile
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace

import h5py
import matplotlib.pyplot as plt
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

import train
from cnnvis import checkpoints, console, features, network, plots, training
from cnnvis.checkpoints import checkpoint
from cnnvis.console import interrupts
from cnnvis.images import Dataset
from cnnvis.training import building, journal
from models.convnet import build_model
from tests.conftest import small_sequential
from tests.scripts.test_scripts import QUICK, SCRIPTS, SHIPPED, VISUALIZERS, refused, run, start

if sys.platform == "win32":
    pytest.skip("Windows has no such signals, limits and disks", allow_module_level=True)

FAULTS = int(os.environ.get("FAULTS", "1"))  # signals per script
SHORT = ["--data", "digits", "--limit", "300", "--arch", "basic", "--batch-size", "50", "--epochs", "2"]
NARROW = [*SHORT, "--recipe", "widths=4,8"]  # for tests that don't depend on the network's size


@pytest.fixture
def small_disk(tmp_path):
    """A disk of 64 KiB; only root can mount one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", folder]
    if os.geteuid() or shutil.which("mount") is None or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("needs permission to mount a disk")
    yield folder
    subprocess.run(["mount", "-o", "remount,rw", folder], check=True)
    subprocess.run(["umount", folder], check=True)


@pytest.fixture
def writes(monkeypatch, file_size):
    """Counts the files that are started; number `fails` is limited to ten bytes."""
    counter = SimpleNamespace(count=0, fails=0)
    token = secrets.token_hex

    def counted(size):
        counter.count += 1
        if counter.count == counter.fails:
            file_size(10)
        return token(size)

    monkeypatch.setattr(secrets, "token_hex", counted)
    return counter


def fill(folder, free):
    """Fill a disk up to `free` bytes."""
    with contextlib.suppress(OSError), open(folder / "others", "wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))
    os.truncate(folder / "others", os.path.getsize(folder / "others") - free)


def figure():
    drawn = plt.figure()
    drawn.add_subplot().imshow(np.random.default_rng(0).random((60, 60)))
    plt.close(drawn)
    return drawn


def save_state(folder):
    model = build_model("basic", 10)
    model.compile("sgd")
    journal.save_state(model, folder / "file.resume.npz")


WRITERS = {
    "file.md": lambda folder: console.save_text(folder / "file.md", "x" * 20_000),
    "file.h5": lambda folder: console.save_arrays(folder / "file.h5", {"a": np.random.default_rng(0).random(9000)}),
    "file.png": lambda folder: console.save_figures(folder, {"file": figure()}),
    "file.gif": lambda folder: console.save_animation(folder / "file.gif", [figure(), figure()]),
    "file.resume.csv": lambda folder: training.Run(folder, "file").write_rows(
        [{"epoch": n, "loss": 1 / 3} for n in range(2000)]
    ),
    "file.resume.json": lambda folder: training.Run(folder, "file").begin({"data": "x" * 20_000}),
    "file.resume.npz": save_state,
    "file.keras": lambda folder: checkpoints.save(build_model("basic", 10), {"data": "new"}, folder / "file.keras"),
    "file.json": lambda folder: checkpoints.save(build_model("basic", 10), {"x": "x" * 20_000}, folder / "file.keras"),
}


def content(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


@pytest.mark.parametrize("free", [0, 4096])
@pytest.mark.parametrize("name", WRITERS)
def test_a_full_disk_is_reported_and_earlier_files_are_kept(name, free, small_disk):
    for earlier in {name, "file.keras", "file.json"}:
        (small_disk / earlier).write_text("from an earlier run")
    fill(small_disk, free)
    before = content(small_disk)
    with pytest.raises(OSError, match=r"No space left.*file\.") as caught:
        WRITERS[name](small_disk)
    assert caught.value.errno == errno.ENOSPC
    assert content(small_disk) == before


@pytest.mark.parametrize("name", WRITERS)
def test_a_file_that_exceeds_a_limit_keeps_the_earlier_one(name, file_size, tmp_path):
    """For systems where nobody may mount a disk, a limit stands in for the full one."""
    (tmp_path / name).write_text("from an earlier run")
    before = content(tmp_path)
    file_size(1000)
    with pytest.raises(OSError, match="File too large"):
        WRITERS[name](tmp_path)
    assert content(tmp_path) == before


def test_a_full_disk_for_temporary_files(small_disk, monkeypatch, tmp_path):
    """Loading and saving use some, perhaps on another disk than the network's."""
    path = tmp_path / "network.keras"
    checkpoints.save(build_model("basic", 10), {"data": "old"}, path)
    before = content(tmp_path)
    fill(small_disk, 4096)
    monkeypatch.setattr(tempfile, "tempdir", str(small_disk))
    with pytest.raises((OSError, ValueError), match="No space left"):
        checkpoints.load(path)
    with pytest.raises((OSError, ValueError), match="No space left"):
        checkpoints.save(build_model("basic", 10, seed=1), {"data": "new"}, path)
    assert content(tmp_path) == before
    assert [entry.name for entry in small_disk.iterdir()] == ["others"]


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_folder_that_can_only_be_read(script, small_disk, capsys):
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    data = ["--data", "digits"] if script == "train" else []
    for out in (small_disk, small_disk / "new"):
        line = refused(capsys, script, *data, "--out", out)
        why = "made (Read-only file system)" if out.name == "new" else "written to"
        assert line.endswith(f"{out} can't be {why}: choose another folder with --out")
    assert not list(small_disk.iterdir())


def test_responses_are_right_even_if_they_can_not_be_cached(small_disk, images, tmp_path, monkeypatch):
    monkeypatch.setattr("cnnvis.checkpoints.cache.WORTH_KEEPING", 1)
    small_sequential().save(tmp_path / "model.keras")
    model = checkpoints.load(tmp_path / "model.keras")
    classifier = network.Classifier(model.model, (0, 1))
    real = Dataset("some", images, np.arange(7) % 3, tuple("abcdefghij"))
    layers = [classifier.layer("second")]
    fill(small_disk, 0)
    written, about = [], {"checkpoint": model, "track": iter}
    seen = features.observe(classifier, layers, real, folders=[small_disk], tell=written.append, **about)
    again = features.observe(classifier, layers, real, folders=[tmp_path], tell=written.append, **about)
    assert [path.parent for path in written] == [tmp_path]
    np.testing.assert_allclose(seen["second"].largest, again["second"].largest, rtol=1e-4)
    assert [path.name for path in small_disk.iterdir()] == ["others"]


def test_files_of_killed_writers_are_removed_and_those_of_running_ones_kept(tmp_path):
    path = tmp_path / "x.png"
    left, foreign = tmp_path / ".0123456789abcdef.x.png", tmp_path / ".7.x.png"
    left.touch()
    foreign.touch()
    with console.complete(path) as first:
        first.write_text("first")
        with console.complete(path) as second:
            second.write_text("second")
            assert sorted(tmp_path.iterdir()) == sorted([foreign, first, second])
        assert path.read_text() == "second"
        assert first.read_text() == "first"
    assert content(tmp_path) == {"x.png": b"first", ".7.x.png": b""}


def test_a_claim_ends_with_its_process(tmp_path):
    path = tmp_path / ".run.lock"
    hold = "from pathlib import Path; from cnnvis.console import claimed; import signal\n"
    hold += f"with claimed(Path({str(path)!r})):\n    print(flush=True)\n    signal.pause()"
    process = subprocess.Popen([sys.executable, "-c", hold], stdout=subprocess.PIPE, cwd=train.STASH.parent.parent)
    process.stdout.readline()
    with pytest.raises(BlockingIOError), console.claimed(path):
        pass
    process.kill()
    process.communicate()
    assert path.exists()
    with console.claimed(path):
        pass
    assert not path.exists()


def test_a_second_training_of_the_same_name_is_refused(tmp_path, capsys):
    with training.Run(tmp_path, "twice").claimed():
        for more in ([], ["--overwrite"]):
            line = refused(capsys, "train", *SHORT, "--name", "twice", "--out", tmp_path, *more)
            assert "'twice' is being trained now" in line
    assert not list(tmp_path.iterdir())


def test_a_run_that_another_process_finishes_meanwhile_is_not_trained_again(tmp_path, capsys, monkeypatch):
    """Settings are read only after the name is claimed."""
    finished = training.Run(tmp_path, "run")
    finished.begin({"arch": "basic", "data": "digits", "epochs": 2, "limit": 64})
    claim = training.Run.claimed

    def end_and_claim(run):
        finished.end()
        return claim(run)

    monkeypatch.setattr(training.Run, "claimed", end_and_claim)
    assert "there is no interrupted run 'run'" in refused(
        capsys, "train", "--name", "run", "--out", tmp_path, "--resume"
    )


def not_read(*_arguments, **_options):
    raise AssertionError("images are read")


@pytest.mark.once
@pytest.mark.parametrize(
    ("options", "line"),
    [
        (["--name", "done"], "done.keras exists: choose another --name"),
        (["--name", "table"], "table.csv exists: choose another --name"),
        (["--name", "half"], "the run 'half' was interrupted"),
        (["--name", "folder"], "folder.png is a folder"),
        (["--name", "folder", "--overwrite"], "folder.png is a folder"),
        (["--name", "a/b"], "can't be the name of a file"),
        (["--name", ""], "can't be the name of a file"),
        (["--name", "done", "--resume"], "there is no interrupted run 'done'"),
        (["--resume"], "--resume needs the --name"),
        (["--name", "half", "--resume", "--seed", "7"], "was started with seed 0, not 7"),
        (["--epochs", "0"], "epochs can't be 0: it is a whole number, 1 to 10,000"),
        (["--epochs", "1000000"], "epochs can't be 1000000: it is a whole number, 1 to 10,000"),
        (["--batch-size", "100000"], "batch_size can't be 100000: it is a whole number, 1 to 32,768"),
        (["--learning-rate", "nan"], "learning_rate can't be nan: it is more than 0 and at most 1,000"),
        (["--learning-rate", "-1"], "learning_rate can't be -1: it is more than 0"),
        (["--learning-rate", "20"], "weight_decay can't be 0.06: it is less than 0.05 for a learning rate of 20"),
        (["--recipe", "label_smoothing=3"], "label_smoothing can't be 3: it is 0 to less than 1"),
        (["--recipe", "flip=none", "ghost_batch=1"], "ghost_batch can't be 1: it is a whole number, 0 or 2 to"),
        (["--recipe", "ghost_batch=2", "--batch-size", "500"], "ghost_batch can't be 2: it is 0 or 30 and more"),
        (["--recipe", "widths=4,8"], "deep has 3 groups of CONV layers, not 2"),
        (["--recipe", "widths=4,8,8", "--arch", "basic"], "basic has 2 groups of CONV layers, not 3"),
    ],
)
def test_errors_are_reported_before_images_are_read(options, line, tmp_path, capsys, monkeypatch):
    out = tmp_path / "out"
    out.mkdir()
    (out / "done.keras").touch()
    (out / "table.csv").touch()
    (out / "folder.png").mkdir()
    training.Run(out, "half").begin({"arch": "basic", "data": "digits", "epochs": 2, "limit": 64})
    before = sorted(out.iterdir())
    monkeypatch.setattr("cnnvis.images.sources.load", not_read)
    assert line in refused(capsys, "train", *options, "--out", out)
    assert sorted(out.iterdir()) == before


def test_errors_that_depend_on_images_are_reported_before_a_network_is_built(tmp_path, capsys, monkeypatch):
    def not_built(*_arguments, **_options):
        raise AssertionError("a network is built")

    monkeypatch.setattr("cnnvis.training.building.build", not_built)
    options = ["--data", "digits", "--out", tmp_path / "a" / "b", "--name", "run"]
    for more, line in {
        (
            "--recipe",
            "crop_margin=32",
        ): "crop_margin can't be 32: it is a whole number, 0 to 31 for images of 32 pixels",
        ("--recipe", "cutout=32"): "cutout can't be 32: it is a whole number, 0 to 31 for images of 32 pixels",
        ("--batch-size", "1438"): "1437 training images can't fill a batch of 1438",
        ("--validation", "1437"): "leaves none of the 1437 images",
    }.items():
        assert line in refused(capsys, "train", *options, *more)
        assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("moment", ["opened", "read"])
def test_a_signal_while_images_are_read_leaves_nothing(moment, number, tmp_path, monkeypatch):
    for split in ("train", "test"):
        for name in ("a", "b"):
            (tmp_path / "images" / split / name).mkdir(parents=True)
            for i in range(2):
                Image.new("RGB", (32, 32)).save(tmp_path / "images" / split / name / f"{i}.png")
    seen, interrupted = [], []

    def interrupt(*_arguments, **_options):
        seen.append([path.name for path in out.iterdir()])
        if out not in interrupted:  # images are read in several threads, and a second signal would end the tidying up
            interrupted.append(out)
            signal.raise_signal(number)

    if moment == "opened":
        monkeypatch.setattr("cnnvis.images.sources.load", interrupt)
    else:
        monkeypatch.setattr("cnnvis.images.image_files.read_image", interrupt)
    options = ["--data", str(tmp_path / "images"), "--name", "run"]
    before = sorted(tmp_path.iterdir())
    for out in (tmp_path / "new" / "folder", tmp_path):
        assert train.main([*options, "--out", str(out)]) == {signal.SIGINT: 130, signal.SIGTERM: 143}[number]
        assert sorted(tmp_path.iterdir()) == before
    assert seen[0] == [".run.lock"]  # the name is claimed meanwhile


BASIC = ["--data", "digits", "--limit", "64", "--arch", "basic", "--batch-size", "32", "--recipe", "widths=4,8"]


def poison(model):
    model.get_layer("fc2").bias.assign(np.full(10, np.nan))


def poison_after(epoch, monkeypatch):
    """Make weights NaN once the state of `epoch` epochs is saved."""
    save_state = journal.save_state

    def save_and_poison(model, *arguments):
        save_state(model, *arguments)
        if model.optimizer.iterations.numpy() == 2 * epoch:
            poison(model)

    monkeypatch.setattr(journal, "save_state", save_and_poison)


@pytest.mark.parametrize(
    ("epoch", "options"),
    [
        (1, []),
        (2, ["--validation", "20"]),
        (3, []),
        (1, ["--strategy", "mirrored"]),
        (3, ["--strategy", "mirrored", "--validation", "20"]),
    ],
)
def test_a_run_that_diverges_leaves_its_name_free(epoch, options, tmp_path, capsys, monkeypatch):
    if epoch == 1:
        monkeypatch.setattr(
            building, "compile_model", lambda *given, real=building.compile_model: real(*given) or poison(given[0])
        )
    else:
        poison_after(epoch - 1, monkeypatch)
    where = ["--name", "run", "--out", tmp_path / "out"]
    line = refused(capsys, "train", *BASIC, "--epochs", "3", *options, *where)
    assert f"training diverged (the loss is NaN) in epoch {epoch}: try a smaller --learning-rate" in line
    assert not list(tmp_path.iterdir())


def test_a_resumed_run_that_diverges_leaves_its_name_free(tmp_path, capsys, monkeypatch):
    options = [*BASIC, "--epochs", "3", "--name", "run", "--out", str(tmp_path)]
    with monkeypatch.context() as patched:
        interrupt_after_the_first_epoch(patched)
        assert train.main(options) == 130
    assert sorted(content(tmp_path)) == [f"run.resume.{end}" for end in ("csv", "json", "npz", "png")]
    poison_after(2, monkeypatch)
    line = refused(capsys, "train", "--name", "run", "--out", tmp_path, "--resume")
    assert "training diverged (the loss is NaN) in epoch 3" in line
    assert not list(tmp_path.iterdir())


def interrupt_after_the_first_epoch(monkeypatch):
    save_state = journal.save_state

    def save_and_interrupt(*arguments):
        save_state(*arguments)
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(journal, "save_state", save_and_interrupt)


@pytest.mark.parametrize("end", ["diverges", "is interrupted"])
def test_files_to_overwrite_stay_until_the_new_ones_are_complete(end, tmp_path, capsys, monkeypatch):
    options = [*BASIC, "--epochs", "2", "--name", "run", "--out", str(tmp_path)]
    assert train.main(options) == 0
    before = content(tmp_path)
    assert sorted(before) == ["run.csv", "run.json", "run.keras", "run.png"]
    with monkeypatch.context() as patched:
        if end == "diverges":
            poison_after(1, patched)
            assert "training diverged" in refused(capsys, "train", *options, "--overwrite")
            assert content(tmp_path) == before
            return
        interrupt_after_the_first_epoch(patched)
        assert train.main([*options, "--seed", "1", "--overwrite"]) == 130
    after = content(tmp_path)
    assert {name: after[name] for name in before} == before
    assert sorted({*after} - {*before}) == [f"run.resume.{end}" for end in ("csv", "json", "npz", "png")]
    assert train.main(["--name", "run", "--out", str(tmp_path), "--resume"]) == 0
    after = content(tmp_path)
    assert after.keys() == before.keys()
    assert all(after[name] != before[name] for name in before)


def test_sigterm_ends_as_ctrl_c_does(tmp_path, capsys):
    def stopped_while_it_writes(_args):
        with console.complete(tmp_path / "x") as unfinished:
            unfinished.write_text("half")
            signal.raise_signal(signal.SIGTERM)

    assert console.run(console.parser("A test."), stopped_while_it_writes, []) == 143
    assert capsys.readouterr().err.strip() == "interrupted"
    assert not list(tmp_path.iterdir())
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


@pytest.mark.parametrize(
    ("number", "error"), [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, interrupts.Terminated)]
)
def test_a_signal_is_deferred_and_a_second_is_not(number, error):
    before = signal.getsignal(number)
    with console.deferred() as check:
        check()
        signal.raise_signal(number)
        with pytest.raises(error):
            check()
        with pytest.raises(error):
            signal.raise_signal(number)
    assert signal.getsignal(number) == before


@pytest.mark.parametrize("ask", [lambda: np.ones(2**50), lambda: bytearray(2**60), "TensorFlow"])
def test_out_of_memory_is_one_line(ask, capsys):
    def command(_args):
        if callable(ask):
            ask()
        line = "OOM when allocating tensor with shape[35184372088832] and type float on CPU:0 by allocator cpu"
        raise tf.errors.ResourceExhaustedError(None, None, line)  # TensorFlow itself would take twenty seconds

    assert console.run(console.visualize_parser("A test."), command, []) == 2
    err = capsys.readouterr().err.strip()
    assert "memory ran out: choose a smaller image or network, or close other programs (" in err
    assert "\n" not in err
    assert console.run(console.visualize_parser("A test."), command, ["--image-size", "900"]) == 2
    assert "memory ran out: choose a smaller --image-size, or close other programs (" in capsys.readouterr().err
    with pytest.raises((MemoryError, tf.errors.ResourceExhaustedError)):
        console.run(console.visualize_parser("A test."), command, ["--debug"])


def test_an_image_too_large_for_memory(capsys, tmp_path):
    options = ["--model", SHIPPED, "--data", "samples", "--layers", "conv1", "--num", "1", "--size", "300000"]
    line = refused(capsys, "visualize_hidden_layer_activation", *options, "--out", tmp_path)
    assert "memory ran out: choose a smaller --size or --num" in line
    assert not list(tmp_path.iterdir())


class Jumping(datetime):
    """A clock that jumps to another year whenever it is read."""

    years = iter([])

    @classmethod
    def now(cls, tz=None):
        return datetime(next(cls.years), 1, 1, tzinfo=tz)


@pytest.mark.once
def test_clocks_that_jump(tmp_path, monkeypatch):
    """Seconds are measured by a monotonic clock; the newest checkpoint is the newest by its metadata."""
    ahead = iter(range(10**6))
    monkeypatch.setattr(time, "time", lambda: 4e9 - 1e6 * next(ahead))
    monkeypatch.setattr("cnnvis.training.run.datetime", Jumping)
    monkeypatch.setattr("cnnvis.training.summary.datetime", Jumping)
    Jumping.years = iter([2031, 2030, 2020, 1999])
    options = [*NARROW, "--limit", "100", "--epochs", "1", "--out", str(tmp_path)]
    assert train.main(options) == 0
    assert train.main(options) == 0
    first, second = (tmp_path / f"digits_basic_{year}-01-01_00-00-00.keras" for year in (2031, 2020))
    assert checkpoints.read_metadata(first)["trained_at"] == "2030-01-01T00:00:00+00:00"
    assert checkpoints.find(folder=tmp_path) == first
    for path in (first, second):
        rows = list(csv.DictReader(path.with_suffix(".csv").open()))
        assert all(0 < float(row["seconds"]) < 1e5 and float(row["images_per_second"]) > 0 for row in rows)
        assert 0 < checkpoints.read_metadata(path)["seconds"] < 1e5  # each reading of `time.time` is 1e6 less


@pytest.mark.parametrize("end", [".keras", ".h5"])
@pytest.mark.parametrize("what", ["removed", "replaced"])
def test_a_model_that_changes_while_it_is_read(what, end, tmp_path, monkeypatch):
    path, other = tmp_path / f"model{end}", tmp_path / f"other{end}"
    small_sequential().save(path)
    small_sequential(activation="linear").save(other)
    load = checkpoint.loading.load_model

    def load_and_lose(path):
        model = load(path)
        path.unlink() if what == "removed" else os.replace(other, path)
        return model

    monkeypatch.setattr(checkpoint.loading, "load_model", load_and_lose)
    with pytest.raises(ValueError, match="was replaced or removed while it was read: start again"):
        checkpoints.load(path)


@pytest.mark.once
@pytest.mark.parametrize("topic", VISUALIZERS)
def test_a_network_without_metadata(topic, tmp_path):
    shutil.copyfile(SHIPPED, tmp_path / "network.keras")
    options = ["--model", tmp_path / "network.keras", "--data", "samples", *QUICK.get(topic, [])]
    options += ["--layers", "conv1", "fc1"] if "layer" in topic else []
    assert SCRIPTS[f"visualize_{topic}"].main([*map(str, options), "--out", str(tmp_path / "out")]) == 0


@pytest.mark.once
@pytest.mark.parametrize("name", ["with space", "two\nlines", "猫é", "-x", "%s{}$x^", os.fsdecode(b"no utf-8 \xff")])
def test_strange_folders(name, tmp_path, monkeypatch):
    monkeypatch.setattr(plots, "findings_pages", lambda *_, **__: {"results": figure()})
    out = tmp_path / name
    out.mkdir()
    shutil.copyfile(SHIPPED, out / "network.keras")
    shutil.copyfile(SHIPPED.with_suffix(".json"), out / "network.json")
    options = ["--model", out / "network.keras", "--data", "samples", "--report", out / "report.md"]
    assert SCRIPTS["visualize_results"].main([*map(str, options), f"--out={out}"]) == 0
    assert {path.name for path in out.iterdir()} >= {"results.png", "results.h5", "report.md"}


def test_a_report_that_is_a_folder_is_refused_before_anything_is_computed(tmp_path, capsys):
    (tmp_path / "report.md").mkdir()
    line = refused(capsys, "visualize_results", "--report", tmp_path / "report.md", "--out", tmp_path / "out")
    assert "report.md is a folder" in line


def check_whole(path):
    """Raise an error if a file is not complete and valid."""
    end = path.suffix
    if end in (".png", ".gif"):
        with Image.open(path) as image:
            image.load()
    elif end == ".h5":
        with h5py.File(path) as file:
            file.visititems(lambda name, item: item[()] if isinstance(item, h5py.Dataset) else None)
    elif end in (".npz", ".keras"):
        with zipfile.ZipFile(path) as archive:
            assert archive.testzip() is None
    elif end == ".json":
        json.loads(path.read_text())
    elif end == ".csv":
        counts = {line.count(",") for line in path.read_text().splitlines()}
        assert len(counts) == 1
    else:
        assert path.read_text().endswith("\n")


def hidden(folder):
    return [path.name for path in folder.iterdir() if path.name.startswith(".")]


OPTIONS = {
    "results": [*QUICK.get("results", []), "--report"],
    "hidden_layer_activation": ["--layers", "conv1", "--num", "2", "--steps", "6", "--gif"],
    "pixel_importance": QUICK["pixel_importance"],
    "hidden_layer_output": ["--layers", "conv1", "fc1"],
}


def command(topic, out):
    options = ["--model", SHIPPED, "--data", "samples", "--out", out, *OPTIONS[topic]]
    return f"visualize_{topic}", *map(str, options), *([str(out / "report.md")] if topic == "results" else [])


@pytest.mark.slow
@pytest.mark.parametrize("topic", VISUALIZERS)
def test_each_file_in_turn_exceeds_the_limit(topic, tmp_path, writes, file_size, capsys):
    script, *options = command(topic, tmp_path)
    assert SCRIPTS[script].main(options) == 0
    names = sorted(content(tmp_path))
    assert writes.count == len(names)
    for fails in range(1, len(names) + 1):
        shutil.rmtree(tmp_path)
        writes.count, writes.fails = 0, fails
        line = refused(capsys, script, *options)
        file_size(None)
        assert "File too large" in line
        assert len(content(tmp_path)) == fails - 1
        for path in tmp_path.iterdir():
            assert path.name in names
            check_whole(path)


@pytest.mark.slow
@pytest.mark.parametrize("film", [False, True])
def test_each_file_of_a_training_in_turn_exceeds_the_limit(film, tmp_path, writes, file_size, capsys):
    """Once there is space again, the run can be resumed to its end."""
    options = [*NARROW, "--epochs", "1", "--name", "run", "--out", str(tmp_path), *["--film"] * film]
    assert train.main(options) == 0
    finished = sorted(content(tmp_path))
    assert finished == sorted(["run.csv", "run.json", "run.keras", "run.png", *["run.gif", "run_film.png"] * film])
    assert writes.count == (9 if film else 6)  # settings, frames, table, curves, state, network, metadata, film, sheet
    for fails in (2, 8, 9) if film else range(1, 7):  # those of the film only
        shutil.rmtree(tmp_path)
        writes.count, writes.fails = 0, fails
        line = refused(capsys, "train", *options)
        file_size(None)
        assert "File too large" in line
        assert ("--resume" in line) == (tmp_path / "run.resume.npz").exists() == (fails > 4 + film)
        writes.fails = 0
        for path in tmp_path.glob("*"):  # if the first file doesn't fit, the new folder is removed
            assert not path.name.startswith(".")
            check_whole(path)
        begun = (tmp_path / "run.resume.json").exists()
        assert train.main(["--name", "run", "--out", str(tmp_path), "--resume"] if begun else options) == 0
        assert sorted(content(tmp_path)) == finished
        checkpoints.load(tmp_path / "run.keras")


def send_at_random(number, moments, seconds, process):
    """Send a signal to a script once it imports TensorFlow, and check how it ends."""
    maps = Path(f"/proc/{process.pid}/maps")
    while maps.exists() and process.poll() is None and "tensorflow" not in maps.read_text():
        time.sleep(0.02)  # before that, Python itself is starting
    time.sleep(moments.uniform(0, 0.8) * seconds)
    process.send_signal(number)
    _, err = process.communicate()
    ends = {signal.SIGKILL: -signal.SIGKILL, signal.SIGINT: 130, signal.SIGTERM: 143}
    assert process.returncode in (0, ends[number], -number), err  # -number: while Python exits, with all done
    assert "Traceback" not in err


@pytest.mark.slow
@pytest.mark.parametrize("topic", VISUALIZERS)
def test_signals_at_random_moments_leave_no_incomplete_file(topic, tmp_path):
    moments = random.Random(f"{os.environ.get('SEED', '0')} {topic}")
    once, out = tmp_path / "once", tmp_path / "out"
    began = time.perf_counter()
    status, _, err = run(*command(topic, once))
    assert status == 0, err
    seconds = time.perf_counter() - began
    out.mkdir()
    kills = 0
    for _ in range(FAULTS):
        number = moments.choice([signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
        send_at_random(number, moments, seconds, start(*command(topic, out)))
        kills += number == signal.SIGKILL
        for path in out.iterdir():
            if not path.name.startswith("."):
                check_whole(path)
        assert len(hidden(out)) <= kills  # other signals leave none
    status, _, err = run(*command(topic, out))
    assert status == 0, err
    assert not hidden(out)
    assert sorted(content(out)) == sorted(content(once))


@pytest.mark.slow
def test_signals_at_random_moments_of_a_training(tmp_path):
    moments = random.Random(os.environ.get("SEED", "0"))
    options = [*SHORT, "--epochs", "4", "--name", "run", "--out", tmp_path]
    began = time.perf_counter()
    assert run("train", *options)[0] == 0
    seconds = time.perf_counter() - began
    for _ in range(2 * FAULTS):
        number = moments.choice([signal.SIGINT, signal.SIGTERM])
        again = (tmp_path / "run.resume.json").exists()
        more = ["--name", "run", "--out", tmp_path, "--resume"] if again else [*options, "--overwrite"]
        send_at_random(number, moments, seconds, start("train", *more))
        assert not hidden(tmp_path)
        for path in tmp_path.iterdir():
            check_whole(path)
    status, _, err = run("train", *options, "--overwrite")
    assert status == 0, err
    assert sorted(content(tmp_path)) == ["run.csv", "run.json", "run.keras", "run.png"]


@pytest.mark.slow
def test_two_trainings_with_one_name_at_once(tmp_path):
    both = [start("train", *SHORT, "--name", "run", "--out", tmp_path) for _ in range(2)]
    ends = sorted((process.communicate()[1], process.returncode) for process in both)
    assert sorted(status for _, status in ends) == [0, 2]
    (line,) = (err for err, status in ends if status)
    assert len(line.strip().splitlines()) == 1
    assert "is being trained now" in line or "exists: choose another --name" in line
    assert sorted(content(tmp_path)) == ["run.csv", "run.json", "run.keras", "run.png"]


@pytest.mark.slow
def test_two_scripts_write_to_one_folder_at_once(tmp_path):
    both = [start(*command("hidden_layer_output", tmp_path)) for _ in range(2)]
    for process in both:
        _, err = process.communicate()
        assert process.returncode == 0, err
    assert not hidden(tmp_path)
    for path in tmp_path.iterdir():
        check_whole(path)
