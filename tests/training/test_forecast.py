"""How long a training will take, computed by hand, with a clock that moves only when it is told to."""

import time

import keras
import numpy as np
import pytest
from keras import layers

from cnnvis.network.classifier import Classifier
from cnnvis.training import forecast
from tests.conftest import small_sequential


class Clock:
    """A clock on which a step takes `step` seconds, and nothing else takes any time."""

    def __init__(self, step):
        self.now, self.step = 100.0, step

    def __call__(self):
        return self.now


def told(monkeypatch, step, epochs, batches, *, evaluated=0, seconds_per_image=0.0, before=0):
    """What a training says whose steps take `step` seconds each, and the first one 50 more: list of str."""
    clock, said = Clock(step), []
    monkeypatch.setattr(forecast.time, "perf_counter", clock)
    model = keras.Sequential([keras.Input((1,)), layers.Dense(1)])
    model.compile("sgd", "mse", jit_compile=False)
    model.optimizer.build(model.trainable_variables)
    model.optimizer.iterations.assign(before)

    class Pass(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            clock.now += step + (50 if not clock.now > 100 else 0)

    def measure():
        clock.now += 1
        return seconds_per_image

    whole = forecast.Forecast(
        arch="deep",
        epochs=epochs,
        steps=batches,
        batch_size=10,
        evaluated=evaluated,
        seconds_per_image=measure,
        say=said.append,
    )
    pixels = np.ones((10 * batches, 1))
    first = before // batches
    model.fit(pixels, pixels, batch_size=10, epochs=epochs, initial_epoch=first, callbacks=[Pass(), whole], verbose=0)
    return said


def test_the_forecast_by_hand(monkeypatch):
    """Said after two steps of warm-up and five of 1 s, of 80; the first takes 50 s longer, and measuring 1 s."""
    assert told(monkeypatch, 1.0, 4, 20, evaluated=100, seconds_per_image=0.2) == [
        "This takes about 2.5 min on this machine: 2.2 min of training at 10 images/s, 20 s of testing."
    ]


def test_short_epochs_are_enough(monkeypatch):
    assert told(monkeypatch, 0.01, 2, 4) == [
        "This takes about 51 s on this machine: 51 s of training at 1,000 images/s, 0 s of testing."
    ]


def test_a_resumed_run_counts_what_is_left(monkeypatch):
    assert told(monkeypatch, 1.0, 4, 20, before=60)[0].startswith("This takes about 71 s")


def test_above_half_an_hour_it_says_what_is_quicker(monkeypatch):
    said = told(monkeypatch, 100.0, 4, 10)
    assert said[0].startswith("This takes about 68 min on")
    assert said[1] == "Quicker, in half an hour or less: --epochs 1 or --limit 100 or --arch basic."
    assert len(said) == 2


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.2, "0 s"),
        (98.6, "99 s"),
        (99, "1.6 min"),
        (204, "3.4 min"),
        (720, "12 min"),
        (5900, "98 min"),
        (9000, "2.5 h"),
    ],
)
def test_durations(seconds, words):
    assert forecast.duration(seconds) == words


def test_durations_are_rounded_by_less_than_a_twentieth():
    units = {"s": 1, "min": 60, "h": 3600}
    for seconds in np.geomspace(10, 1e6, 997):
        number, unit = forecast.duration(seconds).split()
        assert float(number) * units[unit] == pytest.approx(seconds, rel=0.05)


@pytest.mark.parametrize(
    ("arch", "ways"),
    [("deep", "--epochs 6 or --limit 25000 or --arch basic"), ("basic", "--epochs 6 or --limit 25000")],
)
def test_quicker_ways_take_half_an_hour(arch, ways):
    """180 images/s are 324,000 in half an hour: 6 epochs of 50,000, or 13 of 24,900."""
    assert forecast.quicker(
        arch, 13, images=50_000, rate=180.0
    ) == f"Quicker, in half an hour or less: {ways}.".replace("25000", "24900")


def test_the_forward_pass_is_measured_without_its_tracing(images):
    classifier, calls = Classifier(small_sequential()), []
    logits = classifier.logits
    classifier.logits = lambda some: calls.append(len(some)) or logits(some)
    began = time.perf_counter()
    assert 0 < 7 * forecast.seconds_per_image(classifier, images) < time.perf_counter() - began
    assert calls == [7, 7]
