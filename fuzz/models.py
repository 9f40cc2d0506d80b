"""Small models of many kinds to start fuzzing from, and what loading promises for any file."""

import gc
import sys
import sysconfig
import tempfile
import warnings
from pathlib import Path

from cnnvis.checkpoints import load  # isort: skip
import h5py
import keras
import numpy as np
from keras import layers, ops

from cnnvis.network import take_apart

SECRET = 12345.678  # in a file that no model may read
OUTSIDE = Path(tempfile.gettempdir()) / "cnnvis_fuzz_outside.h5"
INNOCENT = [
    *("/proc", "/sys", "/dev", "/etc", str(Path(__file__).parents[1])),
    *{*sysconfig.get_paths().values(), sys.prefix, sys.base_prefix},
]
RUNS_CODE = ("os.system", "os.exec", "os.posix_spawn", "subprocess.Popen", "socket.connect", "pickle.find_class")
watched = {"on": False, "forbidden": []}


def watch(event, args):
    """Note when a model runs a program, connects, unpickles, or opens a file that is none of its own."""
    if watched["on"]:
        opens = event == "open" and isinstance(args[0], str | bytes)
        name = str(Path(args[0].decode() if isinstance(args[0], bytes) else args[0]).absolute()) if opens else ""
        elsewhere = opens and not name.startswith((*INNOCENT, watched["folder"]))
        if elsewhere or event in RUNS_CODE:
            watched["forbidden"].append((event, args))


sys.addaudithook(watch)


def model(path):
    """Check that loading a model and taking it apart runs no code and reads no other file, whether or not it works."""
    watched.update(on=True, folder=tempfile.gettempdir(), forbidden=[])
    try:
        checkpoint = load(path)
        weights = np.concatenate([np.ravel(ops.convert_to_numpy(w)) for w in checkpoint.model.weights] or [[]])
        assert not np.isclose(weights.astype("float32"), SECRET).any(), "it read another file"
        size = checkpoint.size or (8, 8)
        classifier = take_apart(checkpoint, input_range=(0, 255), size=size)
        images = np.random.default_rng(0).integers(0, 256, (3, *size, 3), "uint8")
        probabilities = classifier.probabilities(images)
        assert probabilities.shape == (3, classifier.classes), probabilities.shape
        assert ((probabilities > -1e-3) & (probabilities < 1.001)).all(), probabilities
    finally:
        watched["on"] = False
        keras.backend.clear_session()
        gc.collect()
        assert not watched["forbidden"], watched["forbidden"]


def models():
    """Name and model, of few weights, of each kind."""

    def sequential(*middle, shape=(8, 8, 3)):
        return keras.Sequential([keras.Input(shape), *middle, layers.Flatten(), layers.Dense(2, "softmax")])

    convolutions = [layers.Rescaling(1 / 255), layers.Conv2D(2, 3, activation="relu"), layers.MaxPooling2D()]
    yield "sequential", sequential(*convolutions)
    yield "flat", sequential(layers.Reshape((8, 8, 3)), shape=(192,))
    yield "nested", sequential(keras.Sequential([keras.Input((8, 8, 3)), layers.Conv2D(2, 3)]), layers.Dropout(0.5))
    yield "recurrent", sequential(layers.Reshape((8, 24)), layers.Bidirectional(layers.GRU(2, return_sequences=True)))
    yield "normalized", sequential(layers.BatchNormalization(), layers.LayerNormalization(), layers.PReLU())
    yield "augmented", sequential(layers.RandomFlip(), layers.RandomRotation(0.1), layers.SeparableConv2D(2, 3))
    yield "half", sequential(layers.Conv2D(2, 3, dtype="mixed_float16"))
    quantised = sequential(layers.Dense(2))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about the layers that have no int8
        quantised.quantize("int8")
    yield "quantised", quantised
    inputs = keras.Input((8, 8, 3))
    shared = layers.Conv2D(3, 3, padding="same")
    x = layers.Add()([shared(inputs), shared(shared(inputs))])
    x = layers.Concatenate()([layers.UpSampling2D()(layers.AveragePooling2D(2)(x)), layers.ReLU()(x)])
    x = layers.MultiHeadAttention(1, 2)(x, x)
    yield "functional", keras.Model(inputs, layers.Dense(1, "sigmoid")(layers.GlobalAveragePooling2D()(x)))
    inputs = keras.Input((8, 8, 3))
    x = ops.relu(ops.pad(inputs / 255 - 0.5, ((0, 0), (1, 1), (1, 1), (0, 0))))
    x = ops.concatenate([ops.mean(x, axis=(1, 2)), ops.max(x[:, :2], axis=(1, 2))], axis=-1)
    yield "operations", keras.Model(inputs, ops.softmax(ops.matmul(x, np.ones((6, 2), "float32"))))


def seeds(kind):
    """Pairs of name and content of the files: `kind` is ".keras" or ".h5"."""
    with h5py.File(OUTSIDE, "w") as file:
        file["data"] = np.full(1000, SECRET, "float32")
    for name, made in models():
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"{name}{kind}"
            made.save(path)
            yield name, path.read_bytes()
        if kind == ".h5" and name in ("sequential", "nested"):
            yield f"{name}_keras2", _of_keras_2(made)


READERS = {  # as in `files`
    "keras": (model, lambda: seeds(".keras"), ".keras"),
    "hdf5": (model, lambda: seeds(".h5"), ".h5"),
}


def _of_keras_2(made):
    """The content of a `.h5` file of a Sequential, with a configuration as Keras 2 wrote it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.h5"
        made.save(path)
        with h5py.File(path, "r+") as file:
            text = file.attrs["model_config"]
            for new, old in (('"batch_shape"', '"batch_input_shape"'), ('"module": "keras.layers", ', "")):
                text = text.replace(new, old)
            file.attrs["model_config"], file.attrs["keras_version"] = text, "2.15.0"
        return path.read_bytes()
