"""How the networks are trained: loss, epochs, and a state to go on from."""

import io
import math
import time

import keras
import numpy as np
import tensorflow as tf

from cnnvis.console.files import complete
from cnnvis.training import augmentation as augment
from cnnvis.training import optimizers
from cnnvis.training.batches import dataset

WHITENING_IMAGES = 5000  # that the whitening filters are computed from
VALIDATION_BATCH = 500  # pictures


class SmoothedCrossEntropy(keras.losses.Loss):
    """Cross-entropy against labels of which a fraction `smoothing` is spread over all classes (Szegedy et al. 2016).

    It takes logits, and is exact for all of them. Probabilities would not do: Keras clips them at 1e-7, and an image
    that is confidently wrong would have no gradient.
    """

    def __init__(self, smoothing):
        super().__init__()
        self.smoothing = smoothing

    def call(self, labels, logits):
        classes = logits.shape[-1]
        targets = tf.one_hot(tf.cast(tf.reshape(labels, [-1]), tf.int32), classes)
        targets = (1 - self.smoothing) * targets + self.smoothing / classes
        return tf.nn.softmax_cross_entropy_with_logits(targets, logits)


def compile_model(model, recipe, steps):
    """Give a model that ends in logits its optimizer, schedule and loss, for a training of so many steps."""
    if isinstance(model.layers[-1], keras.layers.Softmax):
        raise TypeError(f"{model.name} ends in probabilities: build it with softmax=False to train it")
    # XLA is a loss on a CPU: a compiled epoch takes many times as long.
    model.compile(
        optimizers.from_recipe(recipe, steps, model.compute_dtype),
        SmoothedCrossEntropy(recipe.label_smoothing),
        metrics=["accuracy"],
        jit_compile=False,
    )
    model.optimizer.build(model.trainable_variables)  # several replicas can't, once they step together


def whitening_filters(images, filters, epsilon=5e-4):
    """CONV filters that decorrelate 2x2 patches and give each direction the same variance (Page 2018).

    Parameters
    ----------
    images : (N, H, W, C) float array
        Normalised pictures.
    filters : int
        Twice the number of directions wanted: each comes with its negative.
    epsilon : float
        Added to each variance, so that noise is not blown up.

    Returns
    -------
    (2, 2, C, filters) float32 array
        Zero for directions in which the pictures don't vary: there is nothing to see but rounding errors, and in
        bfloat16 a network would learn those.
    """
    patches = np.lib.stride_tricks.sliding_window_view(images, (2, 2), axis=(1, 2))  # (N, H-1, W-1, C, 2, 2)
    patches = patches.transpose(0, 1, 2, 4, 5, 3).reshape(-1, 4 * images.shape[-1])
    variances, directions = np.linalg.eigh(np.cov(patches, rowvar=False))
    kept = np.argsort(variances)[::-1][: filters // 2]
    varies = variances[kept] > 1e-6 * variances.max()  # grey pictures have only four directions of twelve
    kernel = directions[:, kept] * varies / np.sqrt(np.maximum(variances[kept], 0) + epsilon)
    kernel = kernel.reshape(2, 2, images.shape[-1], -1)
    return np.concatenate([kernel, -kernel], axis=-1).astype("float32")


def fit(model, batches, held_out=None, callbacks=()):
    """Train a compiled model, from the next epoch of the batches to the last one of their recipe.

    Parameters
    ----------
    model : keras.Model
    batches : Batches
    held_out : Pictures, optional
        Measured after every epoch.
    callbacks : sequence of keras.callbacks.Callback
    """
    validation = None
    if held_out:
        starts = range(0, len(held_out), VALIDATION_BATCH)

        def parts():
            for start in starts:
                chosen = slice(start, start + VALIDATION_BATCH)
                yield held_out.images[chosen], held_out.labels[chosen]

        validation = dataset(parts, len(starts), next(parts()))
    for stage in batches.stages():
        model.make_train_function(force=True)  # retraced, the old one would take a size that changes for unknown
        model.fit(
            dataset(batches.next_epoch, len(batches), next(batches.of_epoch(stage.start))),
            epochs=stage.stop,
            initial_epoch=stage.start,
            validation_data=validation,
            callbacks=list(callbacks),
            verbose=0,
            shuffle=False,
        )


class Journal(keras.callbacks.Callback):
    """After every epoch, write its row, then keep the state to go on from; in this order, so that no row is missing.

    An epoch's seconds are all that pass from its beginning to its end or, if it has one, to its validation.

    Parameters
    ----------
    run : Run or None
        None writes nothing: another process does.
    rows : list of dict
        Of the epochs before; gets one more each epoch.
    report : callable
        Takes the rows, after every epoch.
    batch_size : int
        Pictures.
    show : callable
        Takes the number of steps made since the first epoch, and words about the last ones, after every batch. What
        it raises ends the training.
    others : list of tf.Variable
        That belong to the state too.
    """

    def __init__(self, run, rows, report, batch_size, show=lambda step, words: None, others=()):
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
        if not self.run:
            return
        self.rows.append(
            {
                "epoch": epoch + 1,
                **logs,
                "learning_rate": float(self.model.optimizer.learning_rate),
                "seconds": self.seconds,
                "images_per_second": self.images / self.seconds,
            }
        )
        self.run.write_rows(self.rows)
        self.report(self.rows)
        save_state(self.model, self.run.state, self.others)

    def _check_loss(self, loss):
        if not math.isfinite(loss):
            self._diverged(f"the loss is {'NaN' if math.isnan(loss) else 'infinite'}")

    def _diverged(self, why):
        """There is nothing to resume: leave the name free, and raise ValueError."""
        if self.run:
            self.run.discard()
        raise ValueError(f"training diverged ({why}) in epoch {self.epoch + 1}: try a smaller --learning-rate")


def save_state(model, path, others=()):
    """Write weights, optimizer, dropout's random state (which Keras's own `save_weights` leaves out) and the others."""
    content = io.BytesIO()
    np.savez(content, *(variable.numpy() for variable in [*_state(model), *others]))
    with complete(path) as unfinished:
        unfinished.write_bytes(content.getbuffer())


def load_state(model, path, steps_per_epoch, others=()):
    """Bring a compiled model to where `save_state` left it; returns the number of epochs that it has had.

    Raises ValueError if the file is damaged or of another network.
    """
    variables = [*_state(model), *others]
    try:
        with np.load(path, allow_pickle=False) as file:
            values = [file[name] for name in file.files]
    except Exception as error:  # zipfile, zlib and NumPy each fail in their own way
        raise ValueError(f"{path} is damaged: start anew with --overwrite") from error
    if [tuple(variable.shape) for variable in variables] != [value.shape for value in values]:
        raise ValueError(f"{path} is not of this network: start anew with --overwrite")
    for variable, value in zip(variables, values):
        variable.assign(value)
    return int(model.optimizer.iterations.numpy()) // steps_per_epoch


def _state(model):
    random = [layer.seed_generator.state for layer in model.layers if hasattr(layer, "seed_generator")]
    return [*model.weights, *model.optimizer.variables, *random]


def accuracies(classifier, images, labels, track=iter):
    """Accuracy on one view of each picture, and on the mean logits of six (mirrored, moved): two floats, 0-1."""
    weights, logits = [], []
    for weight, view in track(list(augment.test_views(images))):
        weights.append(weight)
        logits.append(classifier.logits(view))
    mean = np.tensordot(weights, logits, 1)
    return tuple(float((values.argmax(axis=1) == labels).mean()) for values in (logits[0], mean))
