"""After every epoch: its row in the table, its report, and the state from which the run is resumed."""

import io
import math
import time

import keras
import numpy as np

from cnnvis.console import complete
from cnnvis.keras_internals import random_states


class Journal(keras.callbacks.Callback):
    """After every epoch, write its row, then the state; in this order, so that a resumed run misses no row.

    An epoch's seconds are counted from its beginning to its end or, if there is one, to its validation.

    Parameters
    ----------
    run : Run or None
        Without one, nothing is written.
    rows : list of dict
        Of the earlier epochs; one is appended after each epoch.
    batch_size : int
        In images.
    report : callable
        Takes the rows, after every epoch.
    show : callable
        Takes the number of steps since the first epoch, and words about the last ones, after every batch. An exception
        that it raises ends the training.
    others : list of tf.Variable
        Of other callbacks: they belong to the state, too.
    """

    def __init__(self, run, rows, *, batch_size, report=lambda rows: None, show=lambda step, words: None, others=()):
        super().__init__()
        self.run, self.rows, self.report, self.batch_size = run, rows, report, batch_size
        self.show, self.others = show, others

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch, self.began, self.seconds = epoch, time.perf_counter(), None

    def on_train_batch_end(self, batch, logs=None):
        self._check_loss(logs["loss"])
        self.images = (batch + 1) * self.batch_size
        words = f"epoch {self.epoch + 1}   loss {logs['loss']:.3f}   accuracy {logs['accuracy']:.1%}   "
        words += f"{self.images / (time.perf_counter() - self.began):,.0f} images/s"
        self.show(int(self.model.optimizer.iterations.numpy()), words)

    def on_test_begin(self, logs=None):
        self.seconds = time.perf_counter() - self.began

    def on_test_batch_end(self, batch, logs=None):
        self.show(int(self.model.optimizer.iterations.numpy()), "validation")

    def on_epoch_end(self, epoch, logs=None):
        self.seconds = self.seconds or time.perf_counter() - self.began
        self._check_loss(logs.get("val_loss", 0.0))
        if not all(np.isfinite(weight).all() for weight in self.model.get_weights()):
            self._diverged("weights are NaN or infinite")
        self.rows.append(
            {
                "epoch": epoch + 1,
                **logs,
                "learning_rate": float(self.model.optimizer.learning_rate),
                "seconds": self.seconds,
                "images_per_second": self.images / self.seconds,
            }
        )
        if self.run:
            self.run.write_rows(self.rows)
        self.report(self.rows)
        if self.run:
            save_state(self.model, self.run.state, self.others)
            self.run.epochs = epoch + 1

    def _check_loss(self, loss):
        if not math.isfinite(loss):
            self._diverged(f"the loss is {'NaN' if math.isnan(loss) else 'infinite'}")

    def _diverged(self, why):
        """Raise ValueError; nothing is left to resume, so the name of the run is free again."""
        if self.run:
            self.run.discard()
        raise ValueError(f"training diverged ({why}) in epoch {self.epoch + 1}: try a smaller --learning-rate")


def save_state(model, path, others=()):
    """Write weights, optimizer, others, and dropout's random state, which Keras's `save_weights` leaves out."""
    content = io.BytesIO()
    np.savez(content, *(variable.numpy() for variable in [*_state(model), *others]))
    with complete(path) as unfinished:
        unfinished.write_bytes(content.getbuffer())


def load_state(model, path, steps_per_epoch, others=()):
    """Restore the state of a compiled model that `save_state` wrote; returns the number of complete epochs.

    Raises ValueError if the file is damaged or belongs to another network.
    """
    variables = [*_state(model), *others]
    try:
        with np.load(path, allow_pickle=False) as file:
            values = [file[name] for name in file.files]
    except Exception as error:  # zipfile, zlib and NumPy each raise errors of their own
        raise ValueError(f"{path} is damaged: start anew with --overwrite") from error
    if [tuple(variable.shape) for variable in variables] != [value.shape for value in values]:
        raise ValueError(f"{path} belongs to another network: start anew with --overwrite")
    for variable, value in zip(variables, values):
        variable.assign(value)
    return int(model.optimizer.iterations.numpy()) // steps_per_epoch


def _state(model):
    return [*model.weights, *model.optimizer.variables, *random_states(model)]
