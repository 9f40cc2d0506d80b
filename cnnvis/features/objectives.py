"""What gradient ascent maximises: the activation of a filter before its ReLU.

Behind the ReLU, the gradient of an inactive filter is zero, and the ascent could not begin.
"""

import keras
import numpy as np
import tensorflow as tf

from cnnvis.images import images_at_once
from cnnvis.network import Computed, compiled


def channel(layer):
    """Each channel before its activation function, averaged over space: symbolic (N, filters)."""
    if len(layer.linear.shape) == 2:
        return layer.linear
    how = {"data_format": "channels_last", "dtype": "float32", "name": f"cnnvis_mean_{layer.name}"}
    return keras.layers.GlobalAveragePooling2D(**how)(layer.linear)


def neuron(layer):
    """The unit in the middle of each channel, before its activation function: symbolic (N, filters)."""
    x = layer.linear
    if len(x.shape) == 2:
        return x
    return Computed(lambda maps: maps[:, maps.shape[1] // 2, maps.shape[2] // 2], f"middle_of_{layer.name}")(x)


def objective_model(classifier, layer, size, objective=channel):
    """Model from (N, H, W, 3) pixels 0-255 to the objective of each filter of a layer, (N, filters).

    Raises ValueError if the layer can't be computed on images of that size.
    """
    model = classifier.model_to(objective(layer))
    if tuple(size) == tuple(classifier.size):
        return model
    try:
        return keras.models.clone_model(model, keras.Input((*size, 3)), clone_function=lambda operation: operation)
    except ValueError as error:
        wanted = "x".join(map(str, classifier.size))
        raise ValueError(f"{layer.name} needs images of {wanted}: leave out --size or this layer") from error


def of_filters(model, filters):
    """The objective of filter i on image i: a callable, (F, H, W, 3) tensor -> (F,) tensor."""

    def objective(images):
        return tf.linalg.diag_part(tf.gather(model(images, training=False), filters, axis=1))

    return objective


def activations(classifier, layer, images, objective=channel):
    """The objective of every filter of a layer: (N, H, W, 3) pixels 0-255 -> (N, filters) float32."""
    images = np.asarray(images)
    run = compiled(objective_model(classifier, layer, images.shape[1:3], objective=objective))
    batch = min(classifier.at_once, images_at_once(*images.shape[1:3]))
    return np.concatenate([run(images[i : i + batch]) for i in range(0, len(images), batch)])
