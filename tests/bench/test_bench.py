"""The benchmarks: operations counted by hand, tables whose numbers are consistent, and runs of the scripts."""

import json
import os
import re
import subprocess
import sys
from dataclasses import asdict
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from bench import contenders, contest, defaults, machine, peers, tricks
from bench.flops import forward_flops, training_flops
from cnnvis import images, processor
from cnnvis.training.fast_layers import PackedConv2D
from cnnvis.training.ghost_batches import GhostBatches
from models.convnet import Variant, build_model

pytestmark = pytest.mark.once  # independent of versions

ROOT = Path(__file__).parents[2]
FIELD = {
    "slow": peers.Contender("slow one", epochs=200, batch_size=128, accuracy="~80% (published)"),
    "fast": peers.Contender("fast one", epochs=12, batch_size=500, accuracy="–"),
}


def measured(rate, flops=3_000_000_000, precision="float32"):
    return {"images_per_second": rate, "flops_per_image": flops, "precision": precision}


def cells(markdown):
    """Rows of the table in a Markdown text: list of list of str."""
    lines = [line for line in markdown.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def number(cell):
    return float(cell.split()[0].replace(",", ""))


def test_flops_of_a_tiny_network_by_hand():
    model = keras.Sequential(
        [
            keras.Input((6, 8, 3)),
            layers.Conv2D(4, 3),  # 4 x 6 positions, 4 filters of 3 x 3 x 3
            layers.BatchNormalization(),
            layers.Conv2D(6, (1, 2), strides=2, padding="same", groups=2),  # 2 x 3 positions, 6 filters of 1 x 2 x 2
            layers.Flatten(),
            layers.Dense(5),  # 36 to 5
        ]
    )
    assert forward_flops(model) == 2 * (24 * 4 * 27 + 6 * 6 * 4 + 36 * 5)
    assert training_flops(model) == 3 * forward_flops(model)


def test_flops_of_deep_by_hand():
    convs = [(31, 2, 3, 24), (31, 3, 24, 64), (15, 3, 64, 64), (15, 3, 64, 256), (7, 3, 256, 256), (7, 3, 256, 256)]
    convs += [(3, 3, 256, 256)]
    expected = sum(2 * side**2 * size**2 * inputs * filters for side, size, inputs, filters in convs)
    assert forward_flops(build_model("deep", 10)) == expected + 2 * (256 * 256 + 256 * 10)


@pytest.mark.parametrize(
    ("stack", "epochs", "petaflops"), [(contenders.basic_layers, 200, 0.89), (contenders.deeper_layers, 50, 0.60)]
)
def test_flops_of_the_tutorials_networks(stack, epochs, petaflops):
    flops = training_flops(contenders.tutorial_model(stack()))
    assert flops * 50_000 * epochs / 1e15 == pytest.approx(petaflops, abs=0.005)


def test_the_stopwatch_ends_the_training_and_leaves_out_work_between_epochs(monkeypatch):
    now = iter([0, 1, 3, 1000, 1004, 1012])  # an epoch starts, its two steps end; then another epoch
    monkeypatch.setattr(contenders.time, "perf_counter", lambda: next(now))
    watch = contenders.Stopwatch(4)
    model = keras.Sequential([keras.Input((1,)), layers.Dense(1)])
    model.compile("sgd", "mse", jit_compile=False)
    with pytest.raises(contenders.Enough):
        model.fit(np.ones((2, 1)), np.ones((2, 1)), batch_size=1, epochs=9, callbacks=[watch], verbose=0)
    assert watch.seconds == [1, 2, 4, 8]


def test_warm_up_is_not_timed(monkeypatch):
    def training(contender, seed, watch):
        watch.set_model(build_model("basic", 10))
        watch.seconds = [100, 50, 2, 1, 1]
        raise contenders.Enough

    monkeypatch.setitem(contenders.TRAININGS, "fast", training)
    result = contenders.measure("fast", FIELD["fast"], steps=3, warm_up=2, seed=0)
    assert result["images_per_second"] == 500 * 3 / 4
    assert result["precision"] == "float32"


def test_every_contender_has_a_training():
    assert list(peers.contenders()) == list(contenders.TRAININGS)


def test_the_table_by_hand():
    results = {
        "slow": [measured(rate) for rate in (90.0, 100.0, 2000.0)],
        "fast": [measured(rate, 1_000_000_000, "bfloat16") for rate in (1250.0, 1000.0, 1100.0)],
    }
    assert cells(peers.table(FIELD, results))[2:] == [
        ["slow one", "float32", "128", "100 (90–2,000)", "300", "500.0", "200", "1666.7 min", "~80% (published)"],
        ["fast one", "bfloat16", "500", "1,100 (1,000–1,250)", "1,100", "45.5", "12", "9.1 min", "–"],
    ]


def test_trainings_take_turns(monkeypatch, tmp_path, capsys):
    turns = []

    def run(name, args):
        turns.append(name)
        return measured(100.0 + len(turns))

    monkeypatch.setattr(peers, "run", run)
    monkeypatch.setattr(peers, "contenders", lambda: FIELD)
    monkeypatch.setattr(images, "load", lambda *_: None)
    out = tmp_path / "new" / "table.md"
    assert peers.main(["--rounds", "3", "--steps", "7", "--warm-up", "4", "--out", str(out)]) == 0
    assert turns == ["slow", "fast"] * 3
    said = capsys.readouterr().out
    assert said == out.read_text(encoding="utf-8")
    assert "n = 3 rounds" in said.splitlines()[0]
    assert "7 timed steps of each training after 4 to warm up" in said.splitlines()[0]
    assert [row[3] for row in cells(said)[2:]] == ["103 (101–105)", "104 (102–106)"]


def stash(folder, name, recipe, **changes):
    metadata = {
        "architecture": "deep",
        "data": "cifar10",
        "training_images": 50_000,
        "trained_at": "2026-01-01T00:00:00+00:00",
        "test_accuracy": 0.5,
        "recipe": recipe,
    }
    (folder / f"{name}.keras").touch()
    (folder / f"{name}.json").write_text(json.dumps(metadata | changes))


def test_accuracy_is_that_of_the_newest_stashed_network_of_the_same_recipe(tmp_path):
    assert peers.stashed_accuracy("deep", tmp_path) == "–"
    recipe = asdict(peers.our_recipe("deep"))
    stash(tmp_path, "few", recipe, training_images=5000)
    stash(tmp_path, "digits", recipe, data="digits")
    stash(tmp_path, "basic", recipe, architecture="basic")
    stash(tmp_path, "longer", recipe | {"epochs": 99})
    stash(tmp_path, "from_elsewhere", {"epochs": 99})
    stash(tmp_path, "bare", None)
    stash(tmp_path, "gone", recipe | {"cutout": 8})
    assert peers.stashed_accuracy("deep", tmp_path) == "–"
    stash(
        tmp_path,
        "newer",
        recipe | {"cutout": 0, "small_side": 0},
        test_accuracy=0.8765,
        trained_at="2026-01-02T00:00:00+00:00",
    )
    stash(tmp_path, "older", {key: value for key, value in recipe.items() if key != "widths"})
    assert peers.stashed_accuracy("deep", tmp_path) == "87.65% (newer.json)"


def run(*options, **settings):
    """`make bench-peers` as a user runs it: status, stdout and stderr."""
    environment = os.environ | settings
    command = [sys.executable, str(ROOT / "bench" / "peers.py"), *map(str, options)]
    process = subprocess.run(command, capture_output=True, encoding="utf-8", env=environment)
    return process.returncode, process.stdout, process.stderr


@pytest.fixture(scope="module")
def noise(tmp_path_factory):
    """A folder like CIFAR-10's, of noise."""
    folder = tmp_path_factory.mktemp("noise")
    records = np.random.default_rng(0).integers(0, 256, (10_000, 3073), dtype="uint8")
    records[:, 0] %= 10
    records.tofile(folder / "test_batch.bin")
    for i in range(1, 6):
        (folder / f"data_batch_{i}.bin").symlink_to(folder / "test_batch.bin")
    return folder


@pytest.mark.slow
def test_a_short_run(noise):
    options = ["--steps", 1, "--warm-up", 0, "--rounds", 1]
    status, out, err = run(*options, CIFAR10_DIR=str(noise))
    assert status == 0, err
    header = out.splitlines()[0]
    assert f"TensorFlow {contenders.tf.__version__}, Keras {keras.__version__}; " in header
    assert re.search(r"\d logical cores, bfloat16 by .*; 20\d\d-\d\d-\d\d; n = 1 rounds", header)
    rows = dict(zip(peers.contenders(), cells(out)[2:], strict=True))
    for name, row in rows.items():
        contender = peers.contenders()[name]
        batch, rate, gigaflops, seconds, epochs, minutes = map(number, row[2:8])
        assert (batch, epochs) == (contender.batch_size, contender.epochs)
        assert rate > 0
        assert rate * seconds == pytest.approx(50_000, abs=0.5 * seconds + 0.05 * rate + 1)  # rounded
        assert minutes * 60 == pytest.approx(seconds * epochs, abs=3 + 0.05 * epochs + 1)
        flops = {"tutorial_basic": 29.5e6, "tutorial_deeper": 79.7e6, "ours_basic": 51.1e6}.get(name, 236.4e6)
        assert gigaflops == pytest.approx(3 * flops * rate / 1e9, rel=0.001, abs=0.5 + 1.5 * flops / 1e9)
    native = "bfloat16" if processor.multiplies_bfloat16() else "float32"
    assert [row[1] for row in rows.values()] == ["float32"] * 3 + [native] * 2
    assert len(err.splitlines()) == 5


def test_without_cifar10_one_line_says_so(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("CIFAR10_DIR", str(tmp_path))
    assert peers.main([]) == 2
    out, err = capsys.readouterr()
    assert not out
    assert err.endswith(f": CIFAR10_DIR has no file {tmp_path}/data_batch_1.bin\n")
    assert len(err.splitlines()) == 1


def test_a_training_that_fails_is_named_in_one_line(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("CIFAR10_DIR", str(tmp_path))
    monkeypatch.setattr(images, "load", lambda *_: None)  # here, not in the process of the training
    assert peers.main(["--rounds", "1"]) == 2
    err = capsys.readouterr().err
    assert ": tutorial_basic failed (--debug shows more): peers.py: CIFAR10_DIR has no file" in err
    assert len(err.splitlines()) == 1


def test_output_in_another_encoding_is_no_failure(tmp_path):
    """As on Windows, where processes print in the encoding of the console."""
    script = tmp_path / "mein Ordner ä 図.py"
    script.write_text("import sys; sys.stderr.buffer.write(b'caf\\xe9'); print('{}')", encoding="utf-8")
    assert contest.measured("it", script) == {}


def test_peak_memory_in_the_unit_of_each_system(monkeypatch):
    """By substitution: no Windows or macOS here."""
    usage = SimpleNamespace(RUSAGE_SELF=0, getrusage=lambda _who: SimpleNamespace(ru_maxrss=3_000_000))
    monkeypatch.setitem(sys.modules, "resource", usage)
    for platform, megabytes in (("linux", 3072), ("darwin", 3)):
        monkeypatch.setattr(sys, "platform", platform)
        assert machine.peak_megabytes() == megabytes
    monkeypatch.setitem(sys.modules, "resource", None)
    assert np.isnan(machine.peak_megabytes())


def test_bad_options(tmp_path, capsys):
    for options, words in [
        (["--steps", "5000"], "--warm-up and --steps exceed the"),
        (["--out", str(tmp_path)], "is a folder"),
        (["--rounds", "0"], "not a whole number"),
    ]:
        assert peers.main(options) == 2
        err = capsys.readouterr().err
        assert words in err
        assert len(err.splitlines()) == 1


@pytest.mark.slow
def test_throughput_prints_training_and_ceiling(cifar10, capsys, monkeypatch):
    from bench import throughput

    monkeypatch.setattr(throughput, "MATRIX", 256)
    throughput.main(
        ["--arch", "basic", "--rounds", "1", "--steps", "2", "--batch-size", "64", "--precision", "float32"]
    )
    out = capsys.readouterr().out
    rows = dict(re.findall(r"^\| (training|the kernels alone) \| (\d+ \| \d+ \| \d+) \|", out, re.MULTILINE))
    for rate, flops, milliseconds in (map(int, row.split(" | ")) for row in rows.values()):
        assert rate == pytest.approx(64_000 / milliseconds, rel=0.6 / milliseconds, abs=1)  # rounded
        # basic: conv1 has no gradient of its input to compute
        assert flops == pytest.approx(rate * (3 * 50_987_008 - 1_769_472) * 1e-9, abs=1.5)
    training, ceiling = (int(rows[name].split(" | ")[2]) for name in ("training", "the kernels alone"))
    percent = int(re.search(r"basic trains at (\d+)%", out)[1])
    assert percent == pytest.approx(100 * ceiling / training, rel=0.6 / ceiling + 0.6 / training, abs=1)
    assert re.search(r"^\| a matrix product, 256×256 \| – \| [1-9]\d* \| – \|", out, re.MULTILINE)


@pytest.mark.parametrize("what", ["forward", "d-input", "d-filter"])
@pytest.mark.parametrize("name", ["conv3", "conv5", "fc1"])
def test_all_ways_of_a_kernel_compute_the_same_from_the_same_images(name, what, monkeypatch):
    """Ghost batches side by side, the whole batch, and images packed into rows."""
    from bench import throughput

    numbers = {}

    def same(layer, count, dtype):
        rng = np.random.default_rng(0)
        shapes = (6, *layer.input.shape[1:]), layer.kernel.shape, (6, *layer.output.shape[1:])
        x, kernel, y = (tf.constant(rng.normal(size=shape), dtype) for shape in shapes)
        first = numbers.setdefault(count, 0)
        numbers[count] = (first + count) % 6
        return x[first : first + count], kernel, y[first : first + count]

    monkeypatch.setattr(throughput, "_random_arrays", same)
    parts = partial(GhostBatches, parts=2)
    model = build_model("deep", 10, Variant(widths=(4, 8, 8), convolution=PackedConv2D, network=parts))
    (ways,) = [ways for layer, of, _, ways in throughput.kernels(model, 6, "float32") if (layer, of) == (name, what)]
    put_together = sum if what == "d-filter" else lambda parts: np.concatenate(parts)
    results = [put_together([part.numpy() for part in way()]) for way in ways]
    assert len(results) == (4 if what == "d-filter" and name == "conv5" else 2)
    for result in results[1:]:
        np.testing.assert_allclose(result, results[0], rtol=1e-3, atol=1e-4 * np.abs(results[0]).max())


def test_tricks_are_measured_once_and_compared_seed_by_seed(monkeypatch, tmp_path, capsys):
    asked = []

    def measured(args, changes, seed):
        asked.append((tuple(changes), seed))
        if len(asked) == 4:
            raise KeyboardInterrupt
        whole = {0: 0.90, 1: 0.92}[seed]
        lost = {(): 0, ("trick=off",): (0.01, 0.03)[seed]}[tuple(changes)]
        return [*tricks.key(args, changes, seed), whole - lost, whole + 0.01 - lost, 100 + 20 * seed]

    monkeypatch.setitem(tricks.TRICKS, "deep", {"the recipe": [], "without it": ["trick=off"]})
    monkeypatch.setattr(tricks, "measured", measured)
    options = ["--epochs", "2", "--validation", "10", "--seeds", "2", "--file", str(tmp_path / "tricks.csv")]
    assert tricks.main(options) == 130
    assert tricks.main(options) == 0
    assert asked == [((), 0), (("trick=off",), 0), ((), 1), (("trick=off",), 1), (("trick=off",), 1)]
    assert tricks.main(options) == 0
    assert len(asked) == 5
    assert cells(capsys.readouterr().out)[-2:] == [
        ["the recipe", "", "91.00%", "", "92.00%", "100"],
        ["without it", "`trick=off`", "89.00%", "+2.00 ± 1.00", "90.00%", "100"],
    ]


@pytest.mark.slow
def test_a_trick_is_measured_on_held_out_images(monkeypatch, capsys):
    labels = np.arange(700) % 10
    pixels = np.broadcast_to((25 * labels).astype("uint8")[:, None, None, None], (700, 32, 32, 3))
    dataset = images.Dataset("greys", pixels, labels, tuple("abcdefghij"))
    splits = dataset.take(slice(500)), dataset.take(slice(500, 700)), None  # the test set is not read
    monkeypatch.setattr(images, "for_training", lambda *_args, **_options: splits)
    assert tricks.main(["--arch", "basic", "--epochs", "4", "--changes", "flip=none crop_margin=0"]) == 0
    accuracy, tta, seconds = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert accuracy > 0.3
    assert tta > 0.3
    assert seconds > 0


def turn(seconds, megabytes=100, importing=1.0, drawing=0.5):
    return {"seconds": seconds, "megabytes": megabytes, "importing": importing, "drawing": drawing}


def test_defaults_are_compared_by_medians():
    turns = {
        ("training deep", "as called"): [turn(1), turn(2), turn(30)],
        ("training deep", "neither"): [turn(4, 80), turn(3, 80), turn(5, 80)],
        ("outputs", "as called"): [turn(10), turn(10), turn(10, 120)],
        ("outputs", "neither"): [turn(8), turn(8), turn(80)],
    }
    text = defaults.comparison(turns)
    assert cells(text)[2:] == [
        ["training deep", "2 s (1.00×)", "4 s (2.00×)", "100 / 80"],
        ["outputs", "10 s (1.00×)", "8 s (0.80×)", "100 / 100"],
    ]
    assert "has 80% or more of the speed" in text
    assert cells(defaults.parts(turns))[2:] == [["outputs", "1.0 s", "8.5 s", "0.5 s"]]


def test_the_time_of_nested_drawing_functions_is_counted_once(monkeypatch):
    clock = iter([0, 5, 10, 12])
    monkeypatch.setattr(defaults.time, "perf_counter", lambda: next(clock))
    drawing = type(
        "drawing", (), {"outer": staticmethod(lambda: drawing.inner() + 1), "inner": staticmethod(lambda: 1)}
    )
    seconds = []
    with defaults.timed(seconds, drawing, ["outer", "inner"]):
        assert (drawing.outer(), drawing.inner()) == (2, 1)
    assert seconds == [5, 2]


@pytest.mark.slow
def test_a_job_is_measured_as_a_user_runs_it(cifar10):
    script = [sys.executable, str(ROOT / "bench" / "defaults.py")]
    asked = ["--jobs", "outputs", "--ways", "as called", "--rounds", "1"]
    done = subprocess.run([*script, *asked], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (comparison,), (parts,) = (cells(part)[2:] for part in done.stdout.split("×: relative to")[:2])
    assert number(comparison[1]) == pytest.approx(sum(map(number, parts[1:])), abs=0.2)
    assert int(comparison[-1]) > 100
