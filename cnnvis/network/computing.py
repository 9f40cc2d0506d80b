"""Running a Keras model on NumPy batches as fast as TensorFlow can here."""

import re

import keras
import numpy as np
import tensorflow as tf

from cnnvis import keras_internals
from cnnvis.network.winograd import FAST_FROM, fast_convolutions


class Computed(keras.layers.Layer):
    """A function of tensors as a layer of ours in anybody's graph, in float32.

    An operation of `keras.ops` would get a name that an operation of a model that was loaded may have already.

    Parameters
    ----------
    function : callable
        Tensors -> tensor or dict of tensors.
    name : str
    """

    def __init__(self, function, name):
        super().__init__(name=f"cnnvis_{name}", dtype="float32")
        self.function = function

    def call(self, *inputs):
        return self.function(*inputs)


def compiled(model):
    """A function from a NumPy batch of any length to the model's outputs as NumPy float32 arrays.

    It is traced once for small batches and once for large ones. It raises MemoryError if the batch is too large, and
    ValueError if TensorFlow can't compute the model on this machine, or an output isn't one of each image.
    """
    signature = [tf.TensorSpec((None, *model.inputs[0].shape[1:]), tf.float32)]

    @tf.function(input_signature=signature, jit_compile=False, autograph=False)
    def few(pixels):
        return model(pixels, training=False)

    @tf.function(input_signature=signature, jit_compile=False, autograph=False)
    def many(pixels):
        with fast_convolutions(model):
            return model(pixels, training=False)

    def run(images):
        graph = many if len(images) >= FAST_FROM else few
        try:
            outputs = graph(np.asarray(images, "float32"))
        except tf.errors.ResourceExhaustedError as error:
            raise MemoryError(f"there is not enough memory for {len(images)} images at once") from error
        except tf.errors.OpError as error:
            advice = " (TF_ENABLE_ONEDNN_OPTS=1 may help: oneDNN supports more layers)"
            advice = "" if keras_internals.uses_onednn() else advice
            reason = re.search(r"[^\n]+(?=\n\t \[\[)|$", error.message)[0] or error.message  # behind a traceback
            raise ValueError(f"TensorFlow can't compute this model here{advice}: {reason}") from error
        except (AttributeError, LookupError, NotImplementedError, OverflowError, TypeError) as error:
            raise ValueError(f"the model can't be computed on images: {error}") from error  # Keras's, while tracing
        outputs = keras.tree.map_structure(lambda x: x.numpy().astype("float32", copy=False), outputs)
        for name, of_layer in outputs.items() if isinstance(outputs, dict) else [("the model", outputs)]:
            for array in keras.tree.flatten(of_layer):
                if array.shape[:1] != (len(images),):
                    rows = f"{array.shape[0]} outputs for {len(images)} images, such as views or parts of them"
                    raise ValueError(f"{name} has {rows}: choose other --layers")
        return outputs

    return run


class NotANumber(ValueError):
    """A network outputs NaN."""


def numbers(outputs):
    """The array of outputs itself; NotANumber if there is NaN in it."""
    if np.isnan(outputs.min(initial=1)):  # needs no memory, unlike np.isnan(outputs)
        raise NotANumber("the model outputs NaN: its weights or --input-range are wrong")
    return outputs
