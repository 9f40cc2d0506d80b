"""Small models and images that many tests share.

pytest-xdist's controller loads this file, too, although it runs no test. So slow imports are inside the functions that
need them.
"""

import contextlib
import errno
import functools
import gc
import os
import random
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
POSIX = pytest.mark.skipif(os.name != "posix", reason="Windows has no such files, streams and signals")
LINUX = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads Linux's /proc")
NEEDS_CIFAR10 = "needs CIFAR-10: set CIFAR10_DIR to the folder of its binary version"

# Without deadlines: a busy machine draws examples slowly.
settings.register_profile(
    "suite", deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=25, derandomize=True
)
settings.load_profile("suite")

# Matplotlib 3.11 renders text differently from earlier versions, and layouts depend on the size of text.
OTHER_TEXT = tuple(map(int, metadata.version("matplotlib").split(".")[:2])) < (3, 11)


def rounding(terms, magnitude=1.0):
    """The largest difference of two float32 sums of `terms` products that are added in different orders.

    Every step rounds to 24 bits, so a sum has an error of at most terms · 2⁻²⁴ · the sum of the terms' magnitudes
    (Higham, Accuracy and Stability of Numerical Algorithms, 2002, eq. 3.5). For several layers in sequence, `terms` is
    the sum of theirs.
    """
    return 2 * terms * 2.0**-24 * magnitude


def pytest_configure():
    """Let tests send Ctrl-C, which a process ignores if a shell starts it in the background."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items):
    """Run slow tests first, so that none of them is left alone on one core at the end."""
    long = ("test_distribution", "test_loop")

    def order(item):
        return item.get_closest_marker("slow") is None, item.path.stem not in long

    items.sort(key=order)


def pytest_collection_finish():
    """Exclude imported modules from garbage collection, which took an eighth of the time."""
    gc.collect()
    gc.freeze()


@functools.cache
def slowness():
    """How many times slower Python is here than on a fast machine, at least 1: a factor for limits on time."""

    def seconds():
        began = time.process_time()
        sum(i * i for i in range(10**6))
        return time.process_time() - began

    return max(1, min(seconds() for _ in range(3)) / 0.03)


@pytest.fixture(autouse=True)
def float32_policy():
    """Reset Keras's global policy, which training sets, after each test."""
    yield
    if "keras" in sys.modules:
        sys.modules["keras"].config.set_dtype_policy("float32")


@pytest.fixture
def cifar10():
    """The folder of the real CIFAR-10; the test is skipped without it."""
    folder = os.environ.get("CIFAR10_DIR")
    if not folder:
        pytest.skip(NEEDS_CIFAR10)
    return folder


@pytest.fixture
def offline(monkeypatch, tmp_path):
    """A machine without CIFAR-10 and without a network."""

    def refuse(*_args, **_options):
        raise OSError("no network in this test")

    monkeypatch.delenv("CIFAR10_DIR", raising=False)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras_home"))
    monkeypatch.setattr("urllib.request.urlopen", refuse)


@pytest.fixture
def file_size():
    """A function that limits the size of files in bytes (None: no limit) until the end of the test."""
    resource = pytest.importorskip("resource", reason="Windows limits no file's size")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    any_number = resource.RLIM_INFINITY
    yield lambda size: resource.setrlimit(resource.RLIMIT_FSIZE, (any_number if size is None else size, before[1]))
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.fixture
def windows(monkeypatch):
    """Imitate Windows: no file can be replaced or removed while this process has it open, and locks are msvcrt's.

    A file that is open only for reading can't be synchronised either. Yields the list of refused paths.
    """
    fcntl = pytest.importorskip("fcntl", reason="stands in for Windows elsewhere")
    refused = []

    def refuse_open(path, folder=None):
        with contextlib.suppress(FileNotFoundError):
            sought = os.stat(path, dir_fd=folder, follow_symlinks=False)
            for number in map(int, os.listdir("/dev/fd")):
                try:
                    same = os.path.samestat(os.fstat(number), sought)
                except OSError:  # the descriptor of /dev/fd itself
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
    """A read-only folder that `make` fills once for all processes of pytest-xdist."""
    base = tmp_path_factory.getbasetemp()
    base = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    while not (base / name).exists():
        try:
            with files.claimed(base / f"{name}.lock"):
                if not (base / name).exists():
                    unfinished = tmp_path_factory.mktemp(name)
                    make(unfinished)
                    unfinished.rename(base / name)
        except BlockingIOError:  # another process is filling it
            time.sleep(0.1)
    return base / name


@pytest.fixture(scope="session")
def shipped_results(tmp_path_factory):
    """The output folder of visualize_results.py for the included network on CIFAR-10's whole test set."""
    import visualize_results

    if not os.environ.get("CIFAR10_DIR"):
        pytest.skip(NEEDS_CIFAR10)
    options = ["--model", str(ROOT / "models" / "stashed" / "cifar10_deep.keras"), "--data", "cifar10", "--out"]

    def make(folder):
        assert visualize_results.main([*options, str(folder)]) == 0

    return shared(tmp_path_factory, "shipped_results", make)


def small_sequential(channels=3, classes=10, activation="softmax", size=32):
    """A Sequential as in tutorials: unlike in our networks, the ReLUs are part of the CONV and FC layers."""
    import keras
    from keras import layers

    random.seed(1)  # all that initializers need; Keras's own function makes TensorFlow forget its kernels
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
def images():
    """Seven random images: (7, 32, 32, 3) uint8."""
    return np.random.default_rng(0).integers(0, 256, (7, 32, 32, 3), dtype="uint8")
