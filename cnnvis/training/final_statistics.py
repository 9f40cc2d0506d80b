"""Means and variances for batch normalisation, computed anew with the final weights."""

import keras
import tensorflow as tf

FEWEST_IMAGES = 5000


def recompute_statistics(network, parts):
    """Replace the moving means and variances of batch normalisation by plain means over some training images.

    Training itself only keeps running averages, of activations under weights that still changed.

    Parameters
    ----------
    network : keras.Model
        In Keras's own layers. It is changed in place.
    parts : iterable of (N, H, W, C) uint8 array
        Augmented training images, in parts as large as batch normalisation saw them. As many are taken as hold
        `FEWEST_IMAGES`, or all.
    """
    normalizations = [layer for layer in network.layers if isinstance(layer, keras.layers.BatchNormalization)]
    if not normalizations:
        return
    momenta = [layer.momentum for layer in normalizations]
    seen = 0
    for number, part in enumerate(parts):
        for layer in normalizations:
            layer.momentum = number / (number + 1)  # the running average is then the plain mean of all parts so far
        network(tf.constant(part), training=True)
        seen += len(part)
        if seen >= FEWEST_IMAGES:
            break
    for layer, momentum in zip(normalizations, momenta):
        layer.momentum = momentum
