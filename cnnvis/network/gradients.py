"""Gradients of a class's score with respect to pixels or feature maps."""

from contextlib import nullcontext
from functools import partial

import numpy as np
import tensorflow as tf

from cnnvis.network import cost
from cnnvis.network.winograd import FAST_FROM, fast_convolutions

NO_GRADIENTS = "the model's output has no gradient (it rounds or looks up pixels, say): choose --method occlusion"


def compiled(model):
    """A function that gives the values of a tensor of the network, and the gradients with respect to it.

    Parameters
    ----------
    model : keras.Model
        (N, H, W, 3) pixels -> that tensor, and (N, K) scores that are computed from it.

    Returns
    -------
    callable
        (N, H, W, 3) float32, (N,) int32 targets -> two tensors of one shape: the values, and the gradients of the
        targets' scores. ValueError if there are none.
    """
    shapes = tf.TensorSpec((None, *model.inputs[0].shape[1:]), tf.float32), tf.TensorSpec((None,), tf.int32)

    def graph(convolutions):
        @tf.function(input_signature=shapes, jit_compile=False, autograph=False)
        def gradients(pixels, targets):
            with tf.GradientTape() as tape:
                tape.watch(pixels)
                with convolutions():
                    values, scores = model(pixels, training=False)
                total = tf.reduce_sum(tf.gather(scores, targets, axis=1, batch_dims=1))
            found = tape.gradient(total, values)
            if found is None:
                raise ValueError(NO_GRADIENTS)
            return tf.cast(values, tf.float32), tf.cast(found, tf.float32)

        return gradients

    few = graph(nullcontext)
    if model.outputs[0] is model.inputs[0]:  # little gain: the way back takes half of the time
        return few
    many = graph(partial(fast_convolutions, model))
    return lambda pixels, targets: (many if len(pixels) >= FAST_FROM else few)(pixels, targets)


def check_memory(classifier):
    """Raise ValueError if the gradients of one image would fill the memory."""
    if (kept := classifier.kept) > cost.MOST_KEPT:
        smaller = f" or --image-size {side}" if (side := classifier.side(cost.MOST_KEPT / kept)) else ""
        raise ValueError(f"gradients of one image take {kept / 2**28:.1f} GB: choose --method occlusion{smaller}")


def in_batches(classifier, function, images, targets):
    """Generate what a `compiled` function finds, in batches that fit into memory; gradients are finite."""
    images, targets = np.asarray(images, "float32"), np.asarray(targets, "int32")
    batch = max(1, min(cost.MOST_VALUES // classifier.kept, cost.MOST_AT_ONCE // classifier.cost.multiplications))
    for start in range(0, len(images), batch):
        part = slice(start, start + batch)
        values, slopes = (array.numpy() for array in function(images[part], targets[part]))
        yield values, np.nan_to_num(slopes, nan=0, posinf=0, neginf=0)  # such as the logarithm's at 0
