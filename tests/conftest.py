"""Small models and images that many tests share.

pytest-xdist's controller loads this file as well, and runs no test: what takes seconds to be imported is imported where
it is used.
"""

import contextlib
import errno
import functools
import gc
import os
import signal
import sys
import time
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace

os.environ["MPLBACKEND"] = "Agg"

import cnnvis  # noqa: F401 - before TensorFlow, which it sets up

# isort: split
import numpy as np
import pytest
from hypothesis import HealthCheck, settings

from cnnvis.console import files

ROOT = Path(__file__).parent.parent
NEEDS_CIFAR10 = "needs CIFAR-10: set CIFAR10_DIR to the folder of its binary version"

# A busy machine draws slowly, too.
settings.register_profile(
    "suite", deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=25, derandomize=True
)
settings.load_profile("suite")

# Matplotlib 3.11 sets text in another way than those before, and a layout makes room for its text.
OTHER_TEXT = tuple(map(int, metadata.version("matplotlib").split(".")[:2])) < (3, 11)


def rounding(terms, magnitude=1.0):
    """How far two float32 sums of so many products may lie apart, whatever the order of their terms.

    Each rounds at every step to 24 bits, so it is off by at most terms · 2⁻²⁴ · the sum of the terms' magnitudes
    (Higham, Accuracy and Stability of Numerical Algorithms, 2002, eq. 3.5). Where several layers follow one another,
    their terms add up.
    """
    return 2 * terms * 2.0**-24 * magnitude


def pytest_configure():
    """A shell that starts the tests in the background has Ctrl-C ignored, which some of them send."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items):
    """What takes long comes first, so that none of it is alone on one core in the end."""
    long = ("test_distribution", "test_training")

    def order(item):
        return item.get_closest_marker("slow") is None, item.path.stem not in long

    items.sort(key=order)


def pytest_collection_finish():
    """What has been imported stays: looking for garbage in it took an eighth of the time."""
    gc.collect()
    gc.freeze()


@functools.cache
def slowness():
    """How many times as long as a fast machine Python takes here, at least 1: a factor for bounds on time."""

    def seconds():
        began = time.process_time()
        sum(i * i for i in range(10**6))
        return time.process_time() - began

    return max(1, min(seconds() for _ in range(3)) / 0.03)


@pytest.fixture(autouse=True)
def float32_policy():
    """Training sets Keras's global policy; no test may leave it to the next."""
    yield
    if "keras" in sys.modules:
        sys.modules["keras"].config.set_dtype_policy("float32")


@pytest.fixture
def cifar10():
    """The folder of the real CIFAR-10; without it the test is skipped."""
    folder = os.environ.get("CIFAR10_DIR")
    if not folder:
        pytest.skip(NEEDS_CIFAR10)
    return folder


@pytest.fixture
def offline(monkeypatch, tmp_path):
    """No CIFAR-10 on the machine, and no server that answers."""

    def refuse(*_args, **_options):
        raise OSError("no network in this test")

    monkeypatch.delenv("CIFAR10_DIR", raising=False)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras_home"))
    monkeypatch.setattr("urllib.request.urlopen", refuse)


@pytest.fixture
def file_size():
    """Sets how many bytes a file may grow to, any number for None, until the test is over."""
    resource = pytest.importorskip("resource", reason="Windows limits no file's size")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    any_number = resource.RLIM_INFINITY
    yield lambda size: resource.setrlimit(resource.RLIMIT_FSIZE, (any_number if size is None else size, before[1]))
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.fixture
def windows(monkeypatch):
    """By substitution: no Windows here. No file is replaced or removed that this process has open; locks are msvcrt's.

    Nor is a file synchronised that is open for reading only. Yields the paths that were refused.
    """
    fcntl = pytest.importorskip("fcntl", reason="stands in for Windows elsewhere")
    refused = []

    def refuse_open(path, folder=None):
        with contextlib.suppress(FileNotFoundError):
            sought = os.stat(path, dir_fd=folder, follow_symlinks=False)
            for number in map(int, os.listdir("/dev/fd")):
                try:
                    same = os.path.samestat(os.fstat(number), sought)
                except OSError:  # it was that of /dev/fd itself
                    continue
                if same:
                    refused.append(path)
                    raise PermissionError(errno.EACCES, "it is open in a process", str(path))

    def replace(source, target, real=os.replace):
        refuse_open(source)
        refuse_open(target)
        real(source, target)

    def unlink(path, *, dir_fd=None, real=os.unlink):
        refuse_open(path, dir_fd)
        real(path, dir_fd=dir_fd)

    def fsync(file, real=os.fsync):
        number = file if isinstance(file, int) else file.fileno()
        if fcntl.fcntl(number, fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDONLY:
            raise OSError(errno.EBADF, "Bad file descriptor")
        real(number)

    def locking(number, _mode, _count):
        try:
            fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise PermissionError(errno.EACCES, "Permission denied") from None

    monkeypatch.setattr(files, "fcntl", None)
    monkeypatch.setattr(files, "msvcrt", SimpleNamespace(locking=locking, LK_NBLCK=2), raising=False)
    for function in (replace, unlink, fsync):
        monkeypatch.setattr(os, function.__name__, function)
    monkeypatch.setattr(os, "remove", unlink)
    return refused


def shared(tmp_path_factory, name, make):
    """A folder that `make` fills, once, whichever of pytest-xdist's processes asks for it first; it is only read."""
    base = tmp_path_factory.getbasetemp()
    base = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    while not (base / name).exists():
        try:
            with files.claimed(base / f"{name}.lock"):
                if not (base / name).exists():
                    unfinished = tmp_path_factory.mktemp(name)
                    make(unfinished)
                    unfinished.rename(base / name)
        except BlockingIOError:  # another process makes it
            time.sleep(0.1)
    return base / name


@pytest.fixture(scope="session")
def shipped_results(tmp_path_factory):
    """The folder to which visualize_results.py wrote what the included network makes of all of CIFAR-10's test set."""
    import visualize_results

    if not os.environ.get("CIFAR10_DIR"):
        pytest.skip(NEEDS_CIFAR10)
    options = ["--model", str(ROOT / "models" / "stashed" / "cifar10_deep.keras"), "--data", "cifar10", "--out"]

    def make(folder):
        assert visualize_results.main([*options, str(folder)]) == 0

    return shared(tmp_path_factory, "shipped_results", make)


def small_sequential(channels=3, classes=10, activation="softmax", size=32):
    """A Sequential of the kind that tutorials make: RELU fused into its CONV and FC layers, unlike in our networks."""
    import keras
    from keras import layers

    keras.utils.set_random_seed(1)
    return keras.Sequential(
        [
            keras.Input((size, size, channels)),
            layers.Conv2D(6, 3, activation="relu", name="first"),
            layers.MaxPooling2D(name="shrink"),
            layers.Conv2D(8, 3, activation="relu", padding="same", name="second"),
            layers.GlobalAveragePooling2D(name="average"),
            layers.Dense(12, activation="relu", name="hidden"),
            layers.Dense(classes, activation=activation, name="last"),
        ]
    )


@pytest.fixture
def sequential():
    return small_sequential()


@pytest.fixture
def pictures():
    """Seven random pictures."""
    return np.random.default_rng(0).integers(0, 256, (7, 32, 32, 3), dtype="uint8")
