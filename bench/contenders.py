"""The trainings that `peers.py` compares, and the stopwatch that times them."""

import contextlib
import io
import tempfile
import time
from functools import partial

import keras
import tensorflow as tf
from keras import layers

import train
from bench.flops import training_flops
from cnnvis.images import sources as data
from cnnvis.training import recipes


class Enough(Exception):
    """As many steps were timed as were asked for."""


class Stopwatch(keras.callbacks.Callback):
    """Notes the seconds of every step, the wait for its pictures included, and ends the training by `Enough`.

    What happens between two epochs is left out, as in the seconds that train.py writes down.
    """

    def __init__(self, steps):
        super().__init__()
        self.steps, self.seconds = steps, []

    def on_epoch_begin(self, epoch, logs=None):
        self.began = time.perf_counter()

    def on_train_batch_end(self, batch, logs=None):
        now = time.perf_counter()
        self.seconds.append(now - self.began)
        self.began = now
        if len(self.seconds) == self.steps:
            raise Enough


def measure(name, contender, steps, warm_up, seed):
    """Train for some steps, of which the first are not timed.

    Parameters
    ----------
    name : str
        Of `TRAININGS`.
    contender : peers.Contender
    steps, warm_up, seed : int

    Returns
    -------
    dict
        `images_per_second` (float), `flops_per_image` (int) in training, `precision` (str) of the arithmetic.
    """
    keras.utils.set_random_seed(seed)
    watch = Stopwatch(warm_up + steps)
    with contextlib.suppress(Enough), contextlib.redirect_stdout(io.StringIO()):
        TRAININGS[name](contender, seed, watch)
    return {
        "images_per_second": contender.batch_size * steps / sum(watch.seconds[warm_up:]),
        "flops_per_image": training_flops(watch.model),
        "precision": watch.model.dtype_policy.compute_dtype,
    }


def tutorial_basic(contender, seed, watch):
    model = tutorial_model(basic_layers())
    fit(model, contender, watch, *tutorial_data(), batch_size=contender.batch_size)


def tutorial_deeper(contender, seed, watch):
    model = tutorial_model(deeper_layers())
    # The generator of the tutorial's time, which Keras 3 keeps as legacy: NumPy and SciPy, one picture at a time.
    generator = tf.keras.preprocessing.image.ImageDataGenerator(
        zoom_range=0.1, width_shift_range=0.05, height_shift_range=0.05, horizontal_flip=True
    )
    fit(model, contender, watch, generator.flow(*tutorial_data(), batch_size=contender.batch_size))


def fit(model, contender, watch, *pictures, **options):
    model.fit(*pictures, epochs=contender.epochs, callbacks=[watch], verbose=2, **options)


def tutorial_data():
    """Pixels 0-1 and one-hot labels: (50000, 32, 32, 3) and (50000, 10) float arrays."""
    pictures = data.load("cifar10", "train")
    return pictures.images.astype("float32") / 255, keras.utils.to_categorical(pictures.labels, 10)


def tutorial_model(stack):
    model = keras.Sequential([keras.Input((32, 32, 3)), *stack])
    model.compile("adam", "categorical_crossentropy", metrics=["accuracy"], jit_compile=False)
    return model


def basic_layers():
    for filters in (32, 64):
        yield layers.Conv2D(filters, 3, activation="relu")
        yield layers.Conv2D(filters, 3, activation="relu")
        yield layers.MaxPooling2D()
        yield layers.Dropout(0.25)
    yield layers.Flatten()
    yield layers.Dense(256, activation="relu")
    yield layers.Dropout(0.5)
    yield layers.Dense(10, activation="softmax")


def deeper_layers():
    for filters in (32, 64, 128):
        yield layers.Conv2D(filters, 3, activation="relu", padding="same")
        yield layers.Conv2D(filters, 3, activation="relu", padding="same")
        yield layers.MaxPooling2D()
        yield layers.Dropout(0.25)
    yield layers.Flatten()
    for units in (512, 256):
        yield layers.Dense(units, activation="relu")
        yield layers.Dropout(0.5)
    yield layers.Dense(10, activation="softmax")


def stock_deep(contender, seed, watch):
    """The network of train.py as Keras's own means train it, in float32 and without augmentation."""
    pictures = data.load("cifar10", "train")
    args = train.options().parse_args(["--arch", "deep", "--seed", str(seed)])
    model = train.build(args, recipes.RECIPES["deep"], pictures, softmax=False)
    optimizer = keras.optimizers.SGD(0.1, momentum=0.9, nesterov=True)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer, loss, metrics=["accuracy"], jit_compile=False)
    fit(model, contender, watch, pictures.images, pictures.labels, batch_size=contender.batch_size)


def ours(arch, contender, seed, watch):
    """What `python train.py` does, to the letter: the watch is slipped into its `fit`."""
    keras_fit = keras.Model.fit

    def watched_fit(model, *args, callbacks, **options):
        return keras_fit(model, *args, callbacks=[*callbacks, watch], **options)

    keras.Model.fit = watched_fit  # for the rest of this process
    with tempfile.TemporaryDirectory() as folder:
        options = ["--arch", arch, "--data", "cifar10", "--seed", str(seed), "--out", folder]
        train.train(train.options().parse_args(options))


TRAININGS = {
    "tutorial_basic": tutorial_basic,
    "tutorial_deeper": tutorial_deeper,
    "stock_deep": stock_deep,
    "ours_deep": partial(ours, "deep"),
    "ours_basic": partial(ours, "basic"),
}
