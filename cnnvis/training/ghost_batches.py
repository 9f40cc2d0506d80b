"""Batches in parts: each core of a processor works on one of its own."""

from itertools import pairwise

import keras
import tensorflow as tf


class GhostBatches(keras.Model):
    """A network that takes a batch in parts while it learns, of which the cores of a processor work on several at once.

    That is faster than when they share every operation, where all wait for the slowest after each. Batch normalisation
    sees each part alone: ghost batches (Hoffer, Hubara & Soudry, "Train longer, generalize better", 2017).

    Parameters
    ----------
    inputs, outputs, **options
        As of `keras.Model`.
    parts : int
        Of as many pictures, give or take one.
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
