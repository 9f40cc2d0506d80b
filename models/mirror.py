"""Filters in mirrored pairs: a network that sees the same in a picture and in its mirror image.

The partner of a filter is its mirror image, and looks at partners of the channels that the filter looks at. So one
finds at the left what the other finds at the right; where it no longer matters where, at the last POOL layer, both say
the same. Such a network need not be shown each picture both ways round: it learns from both at once (group convolution
over the two of them, Cohen & Welling, "Group equivariant convolutional networks", 2016).

The layers remain plain ones. All that it takes are a start and gradients that are the same in the mirror.
"""

import keras
import numpy as np
from keras import ops


def check_architecture(name):
    """Raise ValueError if a network has an FC layer for which it matters where something is."""
    if name != "deep":
        raise ValueError(f"filters of {name} can't be in mirrored pairs: its FC1 asks where things are")


def partners(model):
    """Which channel finds in the mirror image of a picture what each channel finds in the picture.

    Parameters
    ----------
    model : keras.Model
        The network `deep` of `models.convnet`.

    Returns
    -------
    dict of str to (C,) int array, (K,) int array
        For each layer with weights: of the channels that come in, and of those that go out.

    Raises
    ------
    ValueError
        If the network has an FC layer for which it matters where something is.
    """
    check_architecture(model.name)
    kinds = keras.layers.Conv2D, keras.layers.Dense, keras.layers.BatchNormalization
    whitening, *others = [layer for layer in model.layers if isinstance(layer, kinds)]
    colors, own = np.arange(model.input.shape[-1]), np.arange(whitening.filters)
    half = len(own) // 2
    swapped = np.roll(own, half)
    if not whitening.trainable:
        kernel = whitening.kernel.numpy()[..., :half]  # the other half are their negatives
        is_odd = (kernel * kernel[:, ::-1]).sum(axis=(0, 1, 2)) < 0
        swapped = np.where(np.tile(is_odd, 2), swapped, own)
    found = {whitening.name: (colors, swapped)}
    inputs = swapped
    for layer in others:
        count = layer.output.shape[-1]
        outputs = np.arange(count) if layer.name == "fc2" else _paired(inputs, count)
        found[layer.name] = inputs, outputs
        inputs = outputs
    return found


def _paired(known, count):
    """Partners of `count` channels: the first ones as known, so that they can be passed on, the others side by side."""
    own = np.arange(count)
    first, added = known[:count], own[len(known) :]
    pairs = np.concatenate([first, len(known) + (added - len(known) ^ 1)])
    return np.where(pairs < count, pairs, own)


def symmetrized(weight, inputs, outputs):
    """The mean of a weight, or of its gradient, and of what it is in the mirror: the nearest one with mirrored pairs.

    Parameters
    ----------
    weight : (h, w, C, K), (C, K) or (K,) float tensor
        Kernel of a CONV or an FC layer, or one number a channel.
    inputs, outputs : (C,), (K,) int array
        Partners.

    Returns
    -------
    float tensor of the same shape
    """
    mirrored = ops.take(weight, outputs, axis=-1)
    if len(weight.shape) > 1:
        mirrored = ops.take(mirrored, inputs, axis=-2)
    if len(weight.shape) == 4:
        mirrored = ops.flip(mirrored, axis=1)
    return (weight + mirrored) / 2


def symmetry(model):
    """What keeps the weights of `symmetrize` in pairs: a function of a weight's path and its gradient.

    It gives the gradient's part that is the same in the mirror: the mean of what the pictures, and what their mirror
    images would have the weight do.
    """
    found = partners(model)
    return lambda path, gradient: symmetrized(gradient, *found[path.split("/")[-2]])


def symmetrize(model):
    """Make a network one of mirrored pairs: each weight, statistics included, becomes the nearest one that is."""
    for name, (inputs, outputs) in partners(model).items():
        for weight in model.get_layer(name).weights:
            weight.assign(symmetrized(weight, inputs, outputs))
