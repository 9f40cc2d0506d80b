"""Floating-point operations of a network."""

import math

import keras


def forward_flops(model):
    """Floating-point operations of a forward pass for one image, two for each multiply-add.

    Counts Conv2D and Dense layers, including padded positions; all other layers are negligible.

    Parameters
    ----------
    model : keras.Model
        Built, not nested, channels last.

    Returns
    -------
    int
    """
    kernels = [layer for layer in model.layers if isinstance(layer, (keras.layers.Conv2D, keras.layers.Dense))]
    # Each position of the output (a Dense layer has one) uses every weight of the kernel once.
    return sum(2 * math.prod(layer.output.shape[1:-1]) * math.prod(layer.kernel.shape) for layer in kernels)


def training_flops(model):
    """Floating-point operations of training on one image: int.

    By convention three times the forward pass: the gradients of inputs and of weights cost as much again each.
    """
    return 3 * forward_flops(model)
