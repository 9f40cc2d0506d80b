"""How long a training will take on this machine, forecast after its first steps."""

import time
from statistics import median

import keras

from cnnvis.console import duration

WARM_UP = 2  # steps of an epoch that don't count: the first ones trace the network, and fill memory
STEPS, SECONDS = 5, 5.0  # least number and total duration of the timed steps, unless the first epoch ends earlier
LONG = 30 * 60  # seconds; for a longer training, it says what is quicker


class Forecast(keras.callbacks.Callback):
    """Say once how long training and evaluation take.

    Parameters
    ----------
    arch : str or Base
    epochs, steps, batch_size : int
        Of the whole training: epochs, steps per epoch, images per step.
    evaluated : int
        Images to evaluate: held-out ones after each remaining epoch, test images at the end.
    seconds_per_image : callable
        Measures how many seconds the evaluation of an image takes.
    say : callable
        Takes a sentence.
    """

    def __init__(self, *, arch, epochs, steps, batch_size, evaluated, seconds_per_image, say):
        super().__init__()
        self.arch = arch
        self.epochs, self.steps, self.batch_size, self.evaluated = epochs, steps, batch_size, evaluated
        self.seconds_per_image, self.say = seconds_per_image, say
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
        testing = self.evaluated * self.seconds_per_image()
        training = time.perf_counter() - self.began + to_come
        self.say(
            f"This takes about {duration(training + testing)} on this machine: {duration(training)} of training at "
            f"{self.batch_size / step:,.0f} images/s, {duration(testing)} of testing."
        )
        if training + testing > LONG:
            images, rate = self.steps * self.batch_size, self.batch_size / step
            self.say(quicker(self.arch, self.epochs, images=images, rate=rate))


def quicker(arch, epochs, *, images, rate):
    """Options for a training that takes at most half an hour.

    Parameters
    ----------
    arch : str or Base
    epochs, images : int
        Of the training that takes longer: epochs, images per epoch.
    rate : float
        Images per second.

    Returns
    -------
    str
        A sentence that names options of train.py.
    """
    seen = LONG * rate  # images in half an hour
    ways = [f"--epochs {int(seen / images)}"] if seen >= images else []
    ways += [f"--limit {max(100, int(seen / epochs) // 100 * 100)}"]
    ways += ["--arch basic"] if isinstance(arch, str) and arch != "basic" else []
    return f"Quicker, in half an hour or less: {' or '.join(ways)}."


def seconds_per_image(classifier, images):
    """How many seconds a classifier's forward pass takes per image, measured on (N, H, W, 3) images: float."""
    classifier.logits(images)  # traces the network
    began = time.perf_counter()
    classifier.logits(images)
    return (time.perf_counter() - began) / len(images)
