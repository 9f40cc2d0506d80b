"""Several replicas take the steps that one process takes.

They live in processes of their own, which call functions of this module: TensorFlow must know of them from the start.
"""

import csv
import dataclasses
import json
import os
import signal
import socket
import subprocess
import sys
import time
from itertools import compress
from pathlib import Path
from types import SimpleNamespace

import keras
import numpy as np
import pytest
import tensorflow as tf

import train
from cnnvis.images import channel_statistics, sources
from cnnvis.training import building, distribution, loop, recipes
from cnnvis.training.batches import Batches
from models.convnet import Variant, build_model
from tests.conftest import LINUX, POSIX, rounding
from tests.scripts.test_scripts import refused

ROOT = Path(__file__).parents[2]
SMALL = ["--data", "digits", "--precision", "float32", "--name", "run"]
MULTIWORKER = ["--strategy", "multiworker", *SMALL]
ONE_STEP = ["--epochs", "1", "--limit", "51", "--batch-size", "51"]  # an odd number: shares of 26 and 25
BASIC = ["--arch", "basic", "--recipe", "widths=4,8"]
DEEP = ["--arch", "deep", "--recipe", "widths=4,8,8", "optimizer=sgd"]
ENDS = (".csv", ".gif", ".json", ".keras", ".png", "_film.png")
HANGS = 600  # seconds; on a busy machine TensorFlow alone may take a minute or two to be imported
STARTED = []


@pytest.fixture(autouse=True)
def no_process_outlives_its_test():
    """A worker whose partner is gone might wait for an hour."""
    yield
    while STARTED:
        with STARTED.pop() as process:  # closes its pipes and waits for it
            process.kill()


def call(function, *arguments, **environment):
    """Start a function of this module in a process of its own; the arguments arrive as strings."""
    command = f"import sys; from tests.training import test_distribution; test_distribution.{function}(*sys.argv[1:])"
    process = subprocess.Popen(
        [sys.executable, "-c", command, *map(str, arguments)],
        cwd=ROOT,
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    STARTED.append(process)
    return process


def ended(process):
    """Status, stdout and stderr of a process, once it has ended."""
    out, err = process.communicate(timeout=HANGS)
    return process.returncode, out, err


def start_workers(function, *arguments):
    """Two workers on this machine that call a function of this module; of a pair, each gets its own."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
    addresses = [f"127.0.0.1:{s.getsockname()[1]}" for s in sockets]
    for s in sockets:
        s.close()
    workers = []
    for index in range(2):
        own = [part[index] if isinstance(part, tuple) else part for part in (function, *arguments)]
        config = {"cluster": {"worker": addresses}, "task": {"type": "worker", "index": index}}
        workers.append(call(*own, TF_CONFIG=json.dumps(config)))
    return workers


def train_and_keep(path, *argv):
    """Run train.py, and keep the weights before and after; train.py itself writes those of the chief only."""
    run_epochs = distribution.run_epochs

    def run_and_keep(model, *arguments, **options):
        before = model.get_weights()
        run_epochs(model, *arguments, **options)
        keep(path, before, model.get_weights())

    distribution.run_epochs = run_and_keep
    sys.exit(train.main(argv))


def train_and_go(_path, *argv):
    """Run train.py, but be killed at the end of the third epoch."""
    run_epochs = distribution.run_epochs

    def run_and_go(*arguments, callbacks, **options):
        end = keras.callbacks.LambdaCallback(
            on_epoch_end=lambda epoch, logs: epoch == 2 and os.kill(os.getpid(), signal.SIGKILL)
        )
        run_epochs(*arguments, callbacks=[*callbacks, end], **options)

    distribution.run_epochs = run_and_go
    sys.exit(train.main(argv))


def keep(path, before, after):
    np.savez(path, *before, *after)


def kept(path):
    """Weights before and after."""
    with np.load(path) as file:
        arrays = [file[name] for name in file.files]
    return arrays[: len(arrays) // 2], arrays[len(arrays) // 2 :]


def assert_same_bits(arrays, others):
    assert len(arrays) == len(others)
    for a, b in zip(arrays, others):
        np.testing.assert_array_equal(a, b)


def assert_same_steps(model, before, after, single, rough=()):
    """Assert that weights moved as far as those of a single process, whose batch normalisation is the fused one.

    Sums in another order differ in their last bits. If that makes another value the largest in a POOL layer, or lifts
    one above 0 in a ReLU, a gradient takes another path: that of one unit for one of 51 images. A gradient or a
    statistic of only one share would be wrong by tens of per cent. Steps of the kernels in `rough` are computed in
    bfloat16, which has 8 bits. Running statistics in `rough` are those of ghost batches: where a single process sees
    all of them, the last weighs a little more.
    """
    for weight, start, here, there in zip(model.weights, before, after, single):
        way, expected = here - start, there - start
        # The fused kernel's variance divides by one less than it has numbers.
        if weight.path.endswith("moving_variance") and weight.path not in rough:
            count = 51 * np.prod(model.get_layer(weight.path.split("/")[0]).output.shape[1:-1])
            expected -= 0.1 * (expected / 0.1 + start) / count
        furthest = np.abs(expected).max()
        assert (furthest > 0) == (weight.path != "whitening/kernel")
        tolerance = 0.02 if weight.path in rough else 0.01
        np.testing.assert_allclose(way, expected, rtol=0, atol=tolerance * furthest, err_msg=weight.path)


ORTHOGONAL = ("fc1/kernel", *(f"conv{number}/kernel" for number in range(1, 7)))
STATISTICS = tuple(f"norm{number}/moving_{what}" for number in range(1, 7) for what in ("mean", "variance"))
ROUGH = {"muon, ghost": ORTHOGONAL + STATISTICS}
CASES = {
    "adam": ("basic", 1, {"optimizer": "adam", "learning_rate": 0.002}),
    "sgd, whole": ("deep", 1, {"optimizer": "sgd", "learning_rate": 0.02}),
    "muon, ghost": ("deep", 1, {"optimizer": "muon", "ghost_batch": 25}),
    "six steps": ("basic", 6, {"optimizer": "sgd", "learning_rate": 0.02}),
    "wrong": ("basic", 1, {"optimizer": "sgd", "learning_rate": 0.02}),  # and sure of it: by a logit of 50
}


def take_steps(strategy, case):
    """Fit a network to 51 digits; returns it and its weights before. Dropout is off: each replica has its own."""
    arch, epochs, changes = CASES[case]
    digits = sources.load("digits", "train").take(np.arange(51))
    widths = (4, 8) if arch == "basic" else (4, 8, 8)
    recipe = dataclasses.replace(recipes.RECIPES[arch], epochs=epochs, batch_size=51, widths=widths, **changes)
    with strategy.scope():
        variant = Variant(softmax=False, widths=widths, **distribution.layers(strategy, recipe))
        mean, variance = channel_statistics(digits.images)
        model = build_model(arch, 10, variant, mean=mean, variance=variance)
        for layer in model.layers:
            if isinstance(layer, keras.layers.Dropout):
                layer.rate = 0.0
        if case == "wrong":
            model.get_layer("fc2").bias.assign(50.0 * np.eye(10)[0])
        building.compile_model(model, recipe, epochs)
    before = model.get_weights()
    batches = Batches(digits.images, digits.labels, recipe, seed=0)
    assert distribution.is_distributed(model) == (strategy is not tf.distribute.get_strategy())
    loop.fit(model, recipe, batches)
    return model, before


def take_mirrored_steps(folder):
    """The steps of all cases on two replicas, which end in the same bits, but drop other units."""
    (processor,) = tf.config.list_physical_devices("CPU")
    tf.config.set_logical_device_configuration(processor, [tf.config.LogicalDeviceConfiguration()] * 2)
    strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    for case in CASES:
        model, before = take_steps(strategy, case)
        for weight in model.weights:
            assert_same_bits(*([value.numpy()] for value in strategy.experimental_local_results(weight.value)))
        for layer in model.layers:
            if isinstance(layer, keras.layers.Dropout):
                first, second = strategy.experimental_local_results(layer.seed_generator.state.value)
                assert (first.numpy() != second.numpy()).any()
        keep(f"{folder}/{case}.npz", before, model.get_weights())


@pytest.mark.slow
def test_two_mirrored_replicas_take_the_steps_of_one(tmp_path):
    process = call("take_mirrored_steps", tmp_path)
    single = {case: take_steps(tf.distribute.get_strategy(), case) for case in CASES}
    status, _, err = ended(process)
    assert status == 0, err
    for case, (model, start) in single.items():
        before, after = kept(tmp_path / f"{case}.npz")
        assert_same_bits(before, start)
        assert_same_steps(model, before, after, model.get_weights(), rough=ROUGH.get(case, ()))


@pytest.mark.slow
def test_two_workers_take_the_step_of_one(tmp_path, monkeypatch):
    monkeypatch.setattr(loop, "recompute_statistics", lambda network, parts: None)  # the step's own are compared
    options = [*ONE_STEP, *DEEP, "--validation", "101", "--film"]
    folders = (tmp_path / "chief", tmp_path / "other")
    paths = (tmp_path / "0.npz", tmp_path / "1.npz")
    workers = start_workers("train_and_keep", paths, *MULTIWORKER, *options, "--out", folders)
    assert train.main([*SMALL, *options, "--out", str(tmp_path / "single")]) == 0
    (status, out, err), (other_status, other_out, other_err) = map(ended, workers)
    assert (status, other_status) == (0, 0), err + other_err
    (before, after), (other_before, other_after) = kept(tmp_path / "0.npz"), kept(tmp_path / "1.npz")
    assert_same_bits(before, other_before)
    assert_same_bits(after, other_after)
    single = keras.saving.load_model(tmp_path / "single" / "run.keras")
    assert_same_steps(single, before, after, single.get_weights())

    chief = keras.saving.load_model(tmp_path / "chief" / "run.keras")
    learned = [not weight.path.split("/")[-1].startswith("moving_") for weight in chief.weights]
    assert_same_bits(*(list(compress(weights, learned)) for weights in (after, chief.get_weights())))
    assert sorted(os.listdir(tmp_path / "chief")) == [f"run{end}" for end in ENDS]
    assert not (tmp_path / "other").exists()
    assert "Test accuracy" in out
    assert len(other_out.splitlines()) == 2, other_out
    ours, theirs = (read_rows(tmp_path / name) for name in ("chief", "single"))
    assert ours[0].keys() == theirs[0].keys()
    assert ours[0]["epoch"] == theirs[0]["epoch"] == 1
    terms = sum(np.prod(weight.shape[:-1]) for weight in single.trainable_weights if weight.path.endswith("kernel"))
    for key in ("loss", "learning_rate"):  # before the step: a share's loss would be off by per cents
        assert ours[0][key] == pytest.approx(theirs[0][key], rel=rounding(terms)), key
    assert ours[0]["val_loss"] == pytest.approx(theirs[0]["val_loss"], rel=1e-2)  # that variance again
    for key, count in (("accuracy", 51), ("val_accuracy", 101)):  # one image may be a tie
        assert ours[0][key] == pytest.approx(theirs[0][key], abs=1.5 / count), key


def read_rows(folder, table="run.csv"):
    with open(folder / table, newline="") as file:
        return [{key: float(value) for key, value in row.items()} for row in csv.DictReader(file)]


@POSIX
@pytest.mark.slow
def test_a_lost_worker_ends_the_others_and_all_resume(tmp_path):
    options = [*MULTIWORKER, *DEEP, "--epochs", "12", "--limit", "100", "--batch-size", "50"]
    options += ["--out", tmp_path]
    chief, other = start_workers(("train_and_keep", "train_and_go"), tmp_path / "unfinished.npz", *options)
    status, _, err = ended(chief)
    assert status == 2, err
    assert err.splitlines()[-1].endswith("a worker was lost: start all of them again, with --resume")
    assert ended(other)[0] == -signal.SIGKILL
    rows = read_rows(tmp_path, "run.resume.csv")
    assert len(rows) in (2, 3)
    paths = (tmp_path / "0.npz", tmp_path / "1.npz")
    workers = start_workers("train_and_keep", paths, *MULTIWORKER, "--resume", "--out", tmp_path)
    for status, _, err in map(ended, workers):
        assert status == 0, err
    assert_same_bits(*(kept(path)[1] for path in paths))
    resumed = read_rows(tmp_path)
    assert [row["epoch"] for row in resumed] == list(range(1, 13))
    assert resumed[: len(rows) - 1] == rows[:-1]  # of the last, the state may not have been written
    assert not list(tmp_path.glob("*.resume.*"))


def test_workers_that_are_not_alike_are_refused(images):
    """The gathering of two workers' digests is simulated here; the other tests do it with real workers."""
    recipe = dataclasses.replace(recipes.RECIPES["basic"], batch_size=7)
    digests = []

    def gather(digest, axis):
        digests.append(digest)
        return tf.concat([digests[0], digest], axis)

    def model(weight):
        strategy = SimpleNamespace(cluster_resolver="of TF_CONFIG", gather=gather)
        return SimpleNamespace(distribute_strategy=strategy, get_weights=lambda: [np.full((2, 3), weight)])

    labels = np.arange(7)
    alike = (model(0.5), recipe, Batches(images, labels, recipe, seed=0))
    others = [
        (model(0.25), *alike[1:]),
        (alike[0], dataclasses.replace(recipe, epochs=3), alike[2]),
        (*alike[:2], Batches(images, labels, recipe, seed=1)),
        (*alike[:2], Batches(images, labels, recipe, seed=0, epoch=1)),
        (*alike[:2], Batches(images, labels[::-1], recipe, seed=0)),
    ]
    distribution.check_alike(*alike)
    distribution.check_alike(*alike)
    for other in others:
        with pytest.raises(ValueError, match="not started alike"):
            distribution.check_alike(*other)


def seconds_of(pid):
    """Processor time of a process."""
    with open(f"/proc/{pid}/stat") as file:
        return sum(map(int, file.read().rsplit(")", 1)[1].split()[11:13])) / os.sysconf("SC_CLK_TCK")


@pytest.mark.slow
@pytest.mark.once
@LINUX
def test_waiting_for_workers_can_be_ended(tmp_path):
    options = [*ONE_STEP, *BASIC, "--out", tmp_path]
    worker, other = start_workers("train_and_keep", tmp_path / "0.npz", *MULTIWORKER, *options)
    other.kill()
    other.wait()
    assert worker.stdout.readline() == "Waiting for the other workers.\n"
    before = 0
    while (now := seconds_of(worker.pid)) > before + 0.05:  # until it does little but wait
        before = now
        time.sleep(0.5)
    worker.send_signal(signal.SIGINT)
    assert worker.wait(timeout=HANGS) in (-signal.SIGINT, 130)
    assert {*os.listdir(tmp_path)} <= {".run.lock"}  # whose lock went with the process


def cluster(*jobs, **task):
    return json.dumps({"cluster": {job: ["host0:2222", "host1:2222"] for job in jobs}, "task": task})


@pytest.mark.parametrize(
    "config",
    [
        None,
        "",
        "[]",
        "{}",
        '{"cluster": {"worker": ["host0:2222"]}}',
        '{"cluster": {"worker": "host0:2222"}, "task": {"type": "worker", "index": 0}}',
        cluster("worker", type="worker", index=2),
        cluster("worker", type="worker", index="first"),
        cluster("worker", type="chief", index=0),
        cluster("worker", "ps", type="worker", index=0),
    ],
)
def test_a_damaged_tf_config(config, tmp_path, capsys, monkeypatch):
    monkeypatch.delenv("TF_CONFIG", raising=False)
    if config is not None:
        monkeypatch.setenv("TF_CONFIG", config)
    line = refused(capsys, "train", *MULTIWORKER, "--out", tmp_path / "out")
    assert "needs the environment variable TF_CONFIG" in line
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        (cluster("worker", type="worker", index=0), True),
        (cluster("worker", type="worker", index="0"), True),
        (cluster("worker", type="worker", index=1), False),
        (cluster("chief", "worker", type="worker", index=0), False),
        (cluster("chief", "worker", type="chief", index=0), True),
    ],
)
def test_the_chief_is_the_first(config, expected, monkeypatch):
    monkeypatch.setenv("TF_CONFIG", config)
    assert distribution.is_chief("multiworker") is expected
    assert distribution.is_chief("mirrored")


@pytest.mark.parametrize("options", [["--batch-size", "7"], ["--batch-size", "8", "--validation", "7"]])
def test_too_few_images_to_share(options, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(tf.distribute, "MirroredStrategy", lambda: SimpleNamespace(num_replicas_in_sync=8))
    line = refused(capsys, "train", *SMALL, "--strategy", "mirrored", *options, "--out", tmp_path)
    assert "8 replicas can't share 7 images" in line
    assert not os.listdir(tmp_path)


@pytest.mark.slow
@pytest.mark.once
@pytest.mark.parametrize("arch", [BASIC, DEEP], ids=["basic", "deep"])
def test_one_mirrored_replica_does_what_a_single_process_does(arch, tmp_path):
    """Over epochs, with dropout and validation: shuffles, crops, flips and masks are the same."""
    options = [*SMALL, *arch, "--epochs", "2", "--limit", "100", "--batch-size", "50", "--validation", "30"]
    for strategy in ("none", "mirrored"):
        assert train.main([*options, "--strategy", strategy, "--out", str(tmp_path / strategy)]) == 0
    single, mirrored = (read_rows(tmp_path / strategy) for strategy in ("none", "mirrored"))
    assert len(single) == len(mirrored) == 2
    for ours, theirs in zip(mirrored, single):
        assert list(ours) == list(theirs)
        for key in ("loss", "val_loss", "learning_rate"):
            assert ours[key] == pytest.approx(theirs[key], rel=1e-4), key
    assert json.loads((tmp_path / "mirrored" / "run.json").read_text())["strategy"] == "mirrored"
