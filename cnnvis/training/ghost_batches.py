"""Ghost batches: a batch in parts, each processed by a core of its own."""

from itertools import pairwise

import keras
import tensorflow as tf


class GhostBatches(keras.Model):
    """A network that splits a batch into parts during training, so that the cores of a processor work on them at once.

    That is faster than sharing every operation, after which all cores wait for the slowest. Batch normalisation sees
    each part alone: ghost batches (Hoffer, Hubara & Soudry, "Train longer, generalize better", 2017).

    Parameters
    ----------
    inputs, outputs, **options
        As of `keras.Model`.
    parts : int
        Number of parts, whose sizes differ by at most one image.
    """

    def __init__(self, inputs, outputs, parts, **options):
        super().__init__(inputs, outputs, **options)
        self.parts = parts

    def call(self, inputs, training=None, mask=None):
        if not training:
            return super().call(inputs, training=training, mask=mask)
        count = tf.shape(inputs)[0]
        borders = [-(-number * count // self.parts) for number in range(self.parts + 1)]
        parts = [inputs[first:end] for first, end in pairwise(borders)]
        return tf.concat([super(GhostBatches, self).call(part, training=True) for part in parts], axis=0)
