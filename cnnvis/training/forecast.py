"""How long a training will take on this machine, said after its first steps: before the time is spent."""

import time
from statistics import median

import keras

WARM_UP = 2  # steps of an epoch that don't count: the first ones trace the network, and fill memory
IMAGES = 250  # that its test is timed on
STEPS, SECONDS = 5, 5.0  # that a forecast is made from, unless the first epoch is over before
LONG = 30 * 60  # seconds from which on it says what is quicker


class Forecast(keras.callbacks.Callback):
    """Say once how long the training takes, and what follows each epoch and the last one.

    Parameters
    ----------
    epochs, steps, batch_size : int
        Of the whole training; steps an epoch; images a step.
    others : int
        Images that the network is measured on: held-out ones after each epoch that is to come, test images at the end.
    seconds_an_image : callable
        Finds out how long that takes an image.
    say : callable
        Takes a sentence.
    """

    def __init__(self, epochs, steps, batch_size, others, seconds_an_image, say):
        super().__init__()
        self.epochs, self.steps, self.batch_size, self.others = epochs, steps, batch_size, others
        self.seconds_an_image, self.say = seconds_an_image, say
        self.seconds, self.said = [], False

    def on_train_begin(self, logs=None):
        self.began = time.perf_counter()

    def on_train_batch_end(self, batch, logs=None):
        now = time.perf_counter()
        if batch >= WARM_UP:
            self.seconds.append(now - self.ended)
        self.ended = now
        if len(self.seconds) >= STEPS and sum(self.seconds) >= SECONDS:
            self._tell()

    def on_epoch_end(self, epoch, logs=None):
        if self.seconds:
            self._tell()

    def _tell(self):
        if self.said:
            return
        self.said = True
        step = median(self.seconds)
        to_come = step * (self.epochs * self.steps - int(self.model.optimizer.iterations.numpy()))
        testing = self.others * self.seconds_an_image()
        training = time.perf_counter() - self.began + to_come
        self.say(
            f"This takes about {duration(training + testing)} on this machine: {duration(training)} of training at "
            f"{self.batch_size / step:,.0f} images/s, {duration(testing)} of testing."
        )
        if training + testing > LONG:
            self.say(quicker(self.model.name, self.epochs, self.steps * self.batch_size, self.batch_size / step))


def duration(seconds):
    """A time in words, rounded by less than a twentieth: "0 s", "95 s", "3.4 min", "12 min", "2.5 h"."""
    for unit, length in (("h", 3600), ("min", 60)):
        if seconds >= 1.65 * length:
            return f"{seconds / length:.{int(seconds < 10 * length)}f} {unit}"
    return f"{seconds:.0f} s"


def quicker(arch, epochs, images, rate):
    """What to choose instead of a training that takes longer than half an hour.

    Parameters
    ----------
    arch : str
    epochs, images : int
        Of that training; images an epoch.
    rate : float
        Images a second.

    Returns
    -------
    str
        A sentence with options of train.py.
    """
    seen = LONG * rate  # images in half an hour
    ways = [f"--epochs {int(seen / images)}"] if seen >= images else []
    ways += [f"--limit {max(100, int(seen / epochs) // 100 * 100)}"]
    ways += ["--arch basic"] if arch != "basic" else []
    return f"Quicker, in half an hour or less: {' or '.join(ways)}."


def seconds_an_image(classifier, images):
    """How long a classifier's forward pass takes an image, measured on some (N, H, W, 3) images: float."""
    classifier.logits(images)  # which traces the network
    began = time.perf_counter()
    classifier.logits(images)
    return (time.perf_counter() - began) / len(images)
