"""Layers whose filters come in mirrored pairs, so that a network sees a picture and its mirror image alike.

A cat that looks to the left is a cat that looks to the right: why learn it twice? Of the 2n filters of such a layer, n
are learned; the others, their twins, are the same with left and right exchanged. What a filter says of a picture, its
twin then says of the mirror image, at the mirrored place (Cohen & Welling, "Group Equivariant Convolutional Networks",
2016, for the smallest group there is). Once trained, the pairs are written out: the network is one of plain layers.

Channels 0 to n-1 of an output are those of the learned filters, n to 2n-1 those of their twins in the same order.
"""

import keras
import numpy as np
import tensorflow as tf

from cnnvis.training import KINDS, FusedBatchNormalization, whitening_twins


def with_twins(kernel, twins):
    """The learned filters of a CONV layer, then the twin of each.

    Parameters
    ----------
    kernel : (h, w, inputs, n) tensor
    twins : (inputs,) int array
        For each input channel, the one that shows the same of the mirror image.

    Returns
    -------
    (h, w, inputs, 2n) tensor
    """
    return tf.concat([kernel, tf.gather(tf.reverse(kernel, [1]), twins, axis=2)], axis=-1)


def twins_of_pairs(channels):
    """The twins of channels that such a layer put out: (channels,) int array."""
    return np.roll(np.arange(channels), channels // 2)


class MirroredConv2D(keras.layers.Conv2D):
    """CONV half of whose filters are the twins of the others.

    Parameters
    ----------
    filters : int
        Twins included: an even number.
    twins : (inputs,) int array
        Of the input's channels; if None, those of the output of another such layer.
    """

    def __init__(self, filters, *args, twins=None, **options):
        if filters % 2:
            raise ValueError(f"filters that come in pairs can't be {filters}: choose an even number")
        super().__init__(filters // 2, *args, **options)
        self.twins = twins

    def build(self, input_shape):
        super().build(input_shape)
        if self.twins is None:
            self.twins = twins_of_pairs(input_shape[-1])

    def call(self, x):
        kernel = with_twins(tf.convert_to_tensor(self.kernel), self.twins)
        return tf.nn.conv2d(x, kernel, self.strides, self.padding.upper())

    def compute_output_shape(self, input_shape):
        *places, filters = super().compute_output_shape(input_shape)
        return (*places, 2 * filters)

    def plain_weights(self):
        """Weights of the Conv2D that computes the same."""
        return [with_twins(self.kernel.numpy(), self.twins).numpy()]


class MirroredBatchNormalization(FusedBatchNormalization):
    """Batch normalisation of twins, which share their bias and their statistics."""

    def build(self, input_shape):
        super().build((*input_shape[:-1], input_shape[-1] // 2))
        self.input_spec = None

    def call(self, inputs, training=None):
        beta, mean, variance = (
            tf.tile(tf.convert_to_tensor(weight), [2]) for weight in (self.beta, self.moving_mean, self.moving_variance)
        )
        y, batch_mean, batch_variance = self.normalize(inputs, beta, mean, variance, training)
        if training:
            self.remember(*(tf.reduce_mean(tf.reshape(pair, (2, -1)), axis=0) for pair in (batch_mean, batch_variance)))
        return y

    def plain_weights(self):
        """Weights of the BatchNormalization that computes the same."""
        return [np.tile(weight, 2) for weight in self.get_weights()]


class MirroredDense(keras.layers.Dense):
    """FC that weighs twins alike: what it puts out is the same for a picture and its mirror image."""

    def build(self, input_shape):
        super().build((*input_shape[:-1], input_shape[-1] // 2))
        self.input_spec = None

    def call(self, x, training=None):
        learned, twins = tf.split(x, 2, axis=-1)
        return super().call(learned + twins)

    def plain_weights(self):
        """Weights of the Dense that computes the same."""
        return [np.tile(self.kernel.numpy(), (2, 1))]


def _conv(*args, name, **options):
    return MirroredConv2D(*args, name=name, twins=whitening_twins(3) if name == "conv1" else None, **options)


# What `deep` is trained as, when its filters come in pairs: see convnet.PLAIN.
MIRRORED_KINDS = KINDS | {"conv": _conv, "norm": MirroredBatchNormalization, "fc1": MirroredDense}


def plain_weights(layer):
    """Weights for the plain layer that computes the same as this one: list of arrays."""
    return layer.plain_weights() if hasattr(layer, "plain_weights") else layer.get_weights()
