"""The networks of this project: what a CONV-RELU-POOL-FC network is, in standard Keras layers.

How to read it: `build_model` puts normalisation in front and probabilities at the end; between them is one of the
`ARCHITECTURES`, a function to be read from top to bottom. Each line is a layer, and the comment beside it gives the
shape of its output, (batch, height, width, channels). Pixels go in as they are, 0 to 255. The last layer before the
probabilities, `fc2`, gives the logits; during training, the network ends there.

To add an architecture, write its function here, enter its name in `ARCHITECTURES` and `WIDTHS`, and give it a recipe
in `cnnvis/training/recipes.py`. Training finds layers by name: Muon takes orthogonal steps for the kernels of `conv1`,
`conv2`, ... and `fc1`; `fc2` has a learning rate of its own; a layer called `whitening` gets whitening filters.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import keras
import numpy as np
from keras import layers

# The 2x2x3 = 12 whitening directions of Page (2018), each with its negative, so that ReLU loses nothing.
WHITENING_FILTERS = 24
WIDTHS = {"basic": (32, 64), "deep": (64, 256, 256)}  # filters of the CONV layers, one number per group
SIDE = 32  # of the images that they are for, in pixels
NARROWEST = 16  # filters of a group that is put in front for larger images
LAST = {"data_format": "channels_last"}  # (B, H, W, C), even where a keras.json says otherwise
FC2_STDDEV = 1 / 144  # of the initial FC2 weights of deep: small logits, so that training starts undecided


@dataclass(frozen=True)
class Variant:
    """How a network differs from the default of its architecture.

    Attributes
    ----------
    widths : tuple of int
        Filters of the CONV layers of each group; those of `group_widths` if empty.
    identity_start : bool
        Whether the CONV layers of `deep` start as the identity.
    anti_aliasing : bool
        Whether the POOL layers of `deep` average neighbours before they subsample.
    softmax : bool
        Whether the network ends in probabilities. Without softmax it has the same weights and ends in logits: a loss
        needs them, since float32 rounds small probabilities to 0.
    normalization, batch_normalization, convolution, network : callable
        Make the layer that normalises pixels, the layers of `deep`, and the network from its inputs and outputs.
        Training passes faster ones, with the same weights and results.
    """

    widths: tuple = ()
    identity_start: bool = True
    anti_aliasing: bool = True
    softmax: bool = True
    normalization: Callable = layers.Normalization
    batch_normalization: Callable = layers.BatchNormalization
    convolution: Callable = layers.Conv2D
    network: Callable = keras.Model


def build_model(
    arch, classes, variant=None, *, mean=(0.0, 0.0, 0.0), variance=(1.0, 1.0, 1.0), seed=0, input_shape=(32, 32, 3)
):
    """Build an untrained network.

    Parameters
    ----------
    arch : str
        One of `ARCHITECTURES`.
    classes : int
        Number of classes.
    variant : Variant, optional
    mean, variance : sequence of 3 floats
        Of the training pixels (0-255) in each colour: the first layer subtracts the mean and divides by the standard
        deviation.
    seed : int
        Of the initial weights and of dropout.
    input_shape : tuple of int
        (height, width, channels) of an image. Larger images get more groups, as in `group_widths`.

    Returns
    -------
    keras.Model
        (N, H, W, C) pixels 0-255 -> (N, classes) float32 probabilities, or logits.

    Raises
    ------
    ValueError
        If `arch` is not one of `ARCHITECTURES`.
    """
    if arch not in ARCHITECTURES:
        raise ValueError(f"no architecture is called {arch!r}; there are {', '.join(ARCHITECTURES)}")
    variant = variant or Variant()
    seeds = iter(range(1000 * seed, 1000 * (seed + 1)))
    pixels = keras.Input(input_shape, name="pixels")  # (B, 32, 32, 3)
    x = variant.normalization(mean=mean, variance=variance, dtype="float32", name="normalization")(pixels)
    build = ARCHITECTURES[arch]
    widths = variant.widths or group_widths(arch, min(input_shape[:2]))
    logits = build(x, classes, widths=widths, seeds=seeds, variant=variant)  # (B, classes)
    outputs = layers.Softmax(dtype="float32", name="probabilities")(logits) if variant.softmax else logits
    return variant.network(pixels, outputs, name=arch)


def group_widths(arch, side=SIDE):
    """Filters of the CONV layers of each group, for images whose shorter side has `side` pixels: tuple of int.

    Whenever the side doubles, one more group comes in front, with half the filters of the group behind it: it computes
    about as much as that one, and pools images to half their size.
    """
    groups = WIDTHS[arch]
    for _ in range(round(math.log2(max(side, SIDE) / SIDE))):
        groups = (max(NARROWEST, groups[0] // 2), *groups)
    return groups


def basic(x, classes, *, widths, seeds, variant):
    """Four CONV layers and two FC, without batch normalisation: the network that the article builds by hand.

    Larger images get two more CONV layers whenever their side doubles, as in `deep`.
    """

    def conv(x, number, filters):
        start = keras.initializers.HeUniform(next(seeds))
        x = layers.Conv2D(filters, 3, padding="same", kernel_initializer=start, name=f"conv{number}", **LAST)(x)
        return layers.ReLU(name=f"relu{number}")(x)

    for group, filters in enumerate(widths):
        x = conv(x, 2 * group + 1, filters)
        x = conv(x, 2 * group + 2, filters)
        x = layers.MaxPooling2D(2, name=f"pool{group + 1}", **LAST)(x)  # (B, 16, 16, 32), then (B, 8, 8, 64)
    x = layers.Flatten(name="flatten", **LAST)(x)  # (B, 4096)
    x = layers.Dense(256, kernel_initializer=keras.initializers.HeUniform(next(seeds)), name="fc1")(x)
    x = layers.ReLU(name=f"relu{2 * len(widths) + 1}")(x)
    x = layers.Dropout(0.2, seed=next(seeds), name="dropout")(x)
    start = keras.initializers.GlorotUniform(next(seeds))
    return layers.Dense(classes, kernel_initializer=start, dtype="float32", name="fc2")(x)


def deep(x, classes, *, widths, seeds, variant):
    """Six CONV layers in three groups, each pooled after its first, then two FC layers; more groups for larger images.

    A frozen CONV layer in front whitens 2x2 patches, the others start as the identity (both as in Jordan, "94% on
    CIFAR-10 in 3.29 Seconds on a Single GPU", 2024). Pooling comes before batch normalisation, which then has only a
    quarter of the values to normalise. Batch normalisation adds the bias; it has no gain, since the next layer's
    weights do the same.

    A POOL layer alone keeps every second of the 2x2 maxima, so that its output depends on where the grid falls.
    Averaging neighbouring maxima first makes it less sensitive to a shift of the image by a pixel (Zhang, "Making
    convolutional networks shift-invariant again", 2019).
    """

    def conv(x, number, filters):
        start = keras.initializers.VarianceScaling(1 / 3, "fan_in", "uniform", next(seeds))
        layer = variant.convolution(
            filters, 3, padding="same", use_bias=False, kernel_initializer=start, name=f"conv{number}", **LAST
        )
        x = layer(x)
        if variant.identity_start:
            layer.kernel.assign(identity_start(layer.kernel.numpy()))
        return x

    def pool(x, number):
        if not variant.anti_aliasing:
            return layers.MaxPooling2D(2, name=f"pool{number}", **LAST)(x)
        x = layers.MaxPooling2D(2, strides=1, name=f"pool{number}", **LAST)(x)
        return layers.AveragePooling2D(2, name=f"smooth{number}", **LAST)(x)

    def normalize_relu(x, number):
        x = variant.batch_normalization(scale=False, momentum=0.9, epsilon=1e-5, name=f"norm{number}")(x)
        return layers.ReLU(name=f"relu{number}")(x)

    start = keras.initializers.GlorotUniform(next(seeds))  # training replaces them by the whitening filters
    x = layers.Conv2D(
        WHITENING_FILTERS, 2, use_bias=False, trainable=False, kernel_initializer=start, name="whitening", **LAST
    )(x)  # (B, 31, 31, 24)
    x = layers.ReLU(name="relu0")(x)
    for group, filters in enumerate(widths):
        first = 2 * group + 1
        x = conv(x, first, filters)
        x = pool(x, group + 1)  # (B, 15, 15, 64), (B, 7, 7, 256), (B, 3, 3, 256)
        x = normalize_relu(x, first)
        x = conv(x, first + 1, filters)
        x = normalize_relu(x, first + 1)
    x = layers.GlobalMaxPooling2D(name=f"pool{len(widths) + 1}", **LAST)(x)  # (B, 256)
    x = layers.Dense(widths[-1], kernel_initializer="identity", name="fc1")(x)
    x = layers.ReLU(name=f"relu{2 * len(widths) + 1}")(x)
    start = keras.initializers.RandomNormal(stddev=FC2_STDDEV, seed=next(seeds))
    return layers.Dense(classes, kernel_initializer=start, dtype="float32", name="fc2")(x)


def identity_start(kernel):
    """A CONV kernel whose first filters copy one input channel each.

    With the identity (Dirac delta, Zagoruyko & Komodakis 2017) in as many filters as there are input channels, a deep
    network learns like a shallow one at first.

    Parameters
    ----------
    kernel : (h, w, inputs, filters) float array

    Returns
    -------
    (h, w, inputs, filters) float array
        A new one.
    """
    height, width, inputs, filters = kernel.shape
    copied = np.arange(min(inputs, filters))
    kernel = kernel.copy()
    kernel[..., copied] = 0
    kernel[height // 2, width // 2, copied, copied] = 1
    return kernel


ARCHITECTURES = {"basic": basic, "deep": deep}
