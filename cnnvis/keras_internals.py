"""The private parts of Keras and TensorFlow that we use, all in one place.

Each docstring says why the public API isn't enough. All of them work in Keras 3.12.4 and 3.15.1 and in TensorFlow 2.20
and 2.21, the lowest and highest versions that `requirements.txt` allows. `tests/test_keras_internals.py` fails if one
of them disappears or changes.
"""

import math
import os
import sys
from contextlib import contextmanager


def is_functional(model):
    """Whether a model is a graph of layers that can be called one by one. Keras has no public class for such models."""
    return hasattr(model, "_run_through_graph")


def run_through_graph(model, x, call):
    """Run a functional model, but replace each layer's call by `call`: (layer, *inputs, **options) -> outputs.

    The public `clone_model` copies a graph; nothing public runs one. Inputs in a dict go by their names.
    """
    if isinstance(x, dict) and not isinstance(model.input, dict):
        x = [x[tensor.name] for tensor in model.inputs]
    return model._run_through_graph(x, operation_fn=lambda operation: operation, call_fn=call)


def mark_dense(tensors):
    """Mark symbolic tensors as dense: Keras marks every product of one and a number as sparse, and offers no change."""
    import keras

    for tensor in keras.tree.flatten(tensors):
        tensor._sparse = False


def all_layers(model):
    """A model's layers, including those of nested models, each of which counts as one layer in `Model.layers`."""
    return model._flatten_layers()


def variable_index(optimizer, variable):
    """A variable's index in the optimizer's lists of momenta; nothing public gives it."""
    return optimizer._get_variable_index(variable)


def random_states(model):
    """The state variables of the model's seed generators, as in Dropout; some Keras omit them in `Model.variables`."""
    return [layer.seed_generator.state for layer in model.layers if hasattr(layer, "seed_generator")]


def uses_onednn():
    """Whether TensorFlow uses oneDNN's kernels; the public API doesn't say."""
    from tensorflow.python.util import _pywrap_util_port

    return _pywrap_util_port.IsMklEnabled()


def frozen(function):
    """A concrete function with its variables turned into constants, as tf.lite and TensorFlow.js do; not exported."""
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

    return convert_variables_to_constants_v2(function)


@contextmanager
def default_settings(folder):
    """Import Keras without reading the user's keras.json; afterwards, it keeps its data sets in `folder`.

    Both TensorFlow and Keras read the file when they are imported, and stop if it is damaged. There is no public way to
    move Keras's folder later.
    """
    if "keras" in sys.modules:
        yield
        return
    before = os.environ.get("KERAS_HOME")
    os.environ["KERAS_HOME"] = os.path.join(os.devnull, "keras")  # can't exist
    try:
        yield
        from keras.src.backend import config
    finally:
        del os.environ["KERAS_HOME"]
        os.environ.update({} if before is None else {"KERAS_HOME": before})
    config._KERAS_DIR = str(folder)


@contextmanager
def at_most(weights):
    """Raise ValueError as soon as Keras creates more than this many weights, before it allocates memory for them.

    Keras creates weights in many places, always by `keras.Variable`. That class is public, but replacing its `__init__`
    is not foreseen.
    """
    import keras
    import numpy as np

    make, left = keras.Variable.__init__, weights

    def make_if_few(self, initializer, shape=None, *args, **options):
        nonlocal left
        left -= math.prod(np.atleast_1d(np.array(shape or (), "object")).tolist())
        if left < 0:
            raise ValueError(
                f"it describes layers with more weights than the {weights:,} that a file of its size can hold"
            )
        make(self, initializer, shape, *args, **options)

    keras.Variable.__init__ = make_if_few
    try:
        yield
    finally:
        keras.Variable.__init__ = make


@contextmanager
def convolutions_by(functions):
    """Make CONV layers compute their convolutions by other functions: {layer: (images, kernel) -> outputs}.

    Keras documents that a subclass of a CONV layer may override `convolution_op`; we replace it in existing layers.
    """
    for layer, function in functions.items():
        layer.convolution_op = function
    try:
        yield
    finally:
        for layer in functions:
            del layer.convolution_op
