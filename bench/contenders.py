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
from cnnvis import images, training
from models import convnet


class Enough(Exception):
    """All steps that were asked for are timed."""


class Stopwatch(keras.callbacks.Callback):
    """Times every step, including the wait for its images, and ends the training by raising `Enough`.

    Work between two epochs is left out, as in the seconds that train.py reports.
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
    """Train for some steps and time all but the first ones.

    Parameters
    ----------
    name : str
        Key of `TRAININGS`.
    contender : peers.Contender
    steps, warm_up, seed : int

    Returns
    -------
    dict
        `images_per_second` (float), `flops_per_image` (int) of a training step, `precision` (str).
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
    # The tutorial's generator, in Keras 3 a legacy API: NumPy and SciPy, one image at a time.
    generator = tf.keras.preprocessing.image.ImageDataGenerator(
        zoom_range=0.1, width_shift_range=0.05, height_shift_range=0.05, horizontal_flip=True
    )
    fit(model, contender, watch, generator.flow(*tutorial_data(), batch_size=contender.batch_size))


def fit(model, contender, watch, *data, **options):
    model.fit(*data, epochs=contender.epochs, callbacks=[watch], verbose=2, **options)


def tutorial_data():
    """Pixels 0-1 and one-hot labels: (50000, 32, 32, 3) and (50000, 10) float arrays."""
    dataset = images.load("cifar10", "train")
    return dataset.images.astype("float32") / 255, keras.utils.to_categorical(dataset.labels, 10)


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
    """The network of train.py, trained with plain Keras in float32 and without augmentation."""
    dataset = images.load("cifar10", "train")
    recipe = training.RECIPES["deep"]
    model = training.build("deep", dataset, recipe, seed, variant=convnet.Variant(softmax=False))
    optimizer = keras.optimizers.SGD(0.1, momentum=0.9, nesterov=True)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer, loss, metrics=["accuracy"], jit_compile=False)
    fit(model, contender, watch, dataset.images, dataset.labels, batch_size=contender.batch_size)


def ours(arch, contender, seed, watch):
    """Exactly `python train.py`: the stopwatch is added to the callbacks of its `fit`."""
    keras_fit = keras.Model.fit

    def watched_fit(model, *args, callbacks, **options):
        return keras_fit(model, *args, callbacks=[*callbacks, watch], **options)

    keras.Model.fit = watched_fit  # until this process ends
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
