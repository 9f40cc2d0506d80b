"""Small models and pictures that many tests share."""

import os

os.environ["MPLBACKEND"] = "Agg"

import cnnvis  # noqa: F401 - before TensorFlow, which it sets up

# isort: split
import keras
import matplotlib
import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from keras import layers

# A busy machine draws slowly, too.
settings.register_profile(
    "suite", deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=25, derandomize=True
)
settings.load_profile("suite")

# Matplotlib 3.11 sets text in another way than those before, and a layout makes room for its text.
OTHER_TEXT = tuple(map(int, matplotlib.__version__.split(".")[:2])) < (3, 11)


@pytest.fixture(autouse=True)
def float32_policy():
    """Training sets Keras's global policy; no test may leave it to the next."""
    keras.config.set_dtype_policy("float32")
    yield
    keras.config.set_dtype_policy("float32")


@pytest.fixture
def cifar10():
    """The folder of the real CIFAR-10; without it the test is skipped."""
    folder = os.environ.get("CIFAR10_DIR")
    if not folder:
        pytest.skip("needs CIFAR-10: set CIFAR10_DIR to the folder of its binary version")
    return folder


@pytest.fixture
def offline(monkeypatch, tmp_path):
    """No CIFAR-10 on the machine, and no server that answers."""

    def refuse(*_args, **_options):
        raise OSError("no network in this test")

    monkeypatch.delenv("CIFAR10_DIR", raising=False)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras_home"))
    monkeypatch.setattr("urllib.request.urlopen", refuse)


def small_sequential(channels=3, classes=10, activation="softmax", size=32):
    """A Sequential of the kind that tutorials make: RELU fused into its CONV and FC layers, unlike in our networks."""
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
