"""How much arithmetic a network takes."""

import math

import keras


def forward_flops(model):
    """Floating-point operations of one picture's way through a network, two for each multiply-add.

    Counted are Conv2D and Dense layers, the places that CONV layers pad included; all else is little beside them.

    Parameters
    ----------
    model : keras.Model
        Built, not nested, channels last.

    Returns
    -------
    int
    """
    kernels = [layer for layer in model.layers if isinstance(layer, (keras.layers.Conv2D, keras.layers.Dense))]
    # Each place of the output, of which a Dense layer has one, takes every weight of the kernel once.
    return sum(2 * math.prod(layer.output.shape[1:-1]) * math.prod(layer.kernel.shape) for layer in kernels)


def training_flops(model):
    """Floating-point operations of training on one picture: int.

    By convention three times the forward pass, which the gradients of inputs and of weights each cost again.
    """
    return 3 * forward_flops(model)
