"""The two CONV-RELU-POOL-FC networks of this project, written with standard Keras layers only.

A network takes pixels as they are, 0 to 255: its first layer normalises them. Its last layer gives
probabilities, the layer before it (`fc2`) the logits, which is where it ends while it is trained.
"""

import keras
import numpy as np
from keras import layers

ARCHITECTURES = ("basic", "deep")

# The 2x2x3 = 12 whitening directions of Page (2018), each with its negative, so that RELU loses nothing.
WHITENING_FILTERS = 24
WIDTHS = {"basic": (32, 64), "deep": (64, 256, 256)}  # filters of the CONV layers, a number a group
FC2_STDDEV = 1 / 144  # of the first FC2 weights: small logits, so that training starts undecided


def build_model(
    arch,
    classes,
    mean=(0.0, 0.0, 0.0),
    variance=(1.0, 1.0, 1.0),
    seed=0,
    input_shape=(32, 32, 3),
    normalization=layers.Normalization,
    batch_normalization=layers.BatchNormalization,
    convolution=layers.Conv2D,
    network=keras.Model,
    widths=(),
    identity_start=True,
    anti_aliasing=True,
    softmax=True,
):
    """Build an untrained network.

    Parameters
    ----------
    arch : {"basic", "deep"}
    classes : int
        How many the network tells apart.
    mean, variance : sequence of 3 floats
        Of the training pixels in each colour (0-255, and its square): what `normalization` removes.
    seed : int
        Of the initial weights and of dropout.
    input_shape : tuple of int
        (height, width, channels) of a picture; None where any is taken, which `deep` can, from `smallest_side` on.
    normalization : callable
        Makes the layer that normalises pixels. Training passes a faster one, with the same results.
    batch_normalization, convolution : callable
        Make the normalisation and CONV layers of `deep`, likewise.
    network : callable
        Makes the network of its inputs and outputs, likewise.
    widths : sequence of int
        Filters of the CONV layers of each group; `WIDTHS` if empty.
    identity_start : bool
        Whether the CONV layers of `deep` begin by passing their input on.
    anti_aliasing : bool
        Whether the POOL layers of `deep` smooth before they drop cells.
    softmax : bool
        Whether the network ends in probabilities. Without, it has the same weights and ends in logits: a loss needs
        them, since float32 rounds small probabilities to nothing.

    Returns
    -------
    keras.Model
        (N, H, W, C) pixels 0-255 -> (N, classes) float32 probabilities, or logits.

    Raises
    ------
    ValueError
        If `arch` is not one of `ARCHITECTURES`, or `widths` are not as many as it has groups.
    """
    if arch not in ARCHITECTURES:
        raise ValueError(f"no architecture is called {arch!r}; there are {', '.join(ARCHITECTURES)}")
    widths = group_widths(arch, widths)
    pixels = keras.Input(input_shape, name="pixels")  # (B, 32, 32, 3)
    x = normalization(mean=mean, variance=variance, dtype="float32", name="normalization")(pixels)
    if arch == "basic":
        logits = _basic(x, classes, seed, widths)
    else:
        logits = _deep(x, classes, seed, widths, batch_normalization, convolution, identity_start, anti_aliasing)
    outputs = layers.Softmax(dtype="float32", name="probabilities")(logits) if softmax else logits  # (B, classes)
    return network(pixels, outputs, name=arch)


def group_widths(arch, widths=()):
    """Filters of the CONV layers of each group: `widths`, or `WIDTHS` if empty.

    Raises ValueError if they are not as many as the architecture has groups.
    """
    if len(widths) not in (0, len(WIDTHS[arch])):
        raise ValueError(f"{arch} has {len(WIDTHS[arch])} groups of CONV layers, not {len(widths)}")
    return tuple(widths) or WIDTHS[arch]


def smallest_side(anti_aliasing=True):
    """The fewest pixels in a row of which the last POOL layer of a group of `deep` makes a place."""
    side = 1
    for _ in WIDTHS["deep"]:
        side = 2 * side + bool(anti_aliasing)
    return side + 1  # the whitening filters are 2 wide


def _basic(x, classes, seed, widths):
    """Four CONV layers and two FC, without batch normalisation: the network that the article builds by hand."""
    seeds = iter(range(1000 * seed, 1000 * (seed + 1)))

    def conv(x, number, filters):
        start = keras.initializers.HeUniform(next(seeds))
        x = layers.Conv2D(filters, 3, padding="same", kernel_initializer=start, name=f"conv{number}")(x)
        return layers.ReLU(name=f"relu{number}")(x)

    for group, filters in enumerate(widths):
        x = conv(x, 2 * group + 1, filters)
        x = conv(x, 2 * group + 2, filters)
        x = layers.MaxPooling2D(2, name=f"pool{group + 1}")(x)  # (B, 16, 16, 32), then (B, 8, 8, 64)
    x = layers.Flatten(name="flatten")(x)  # (B, 4096)
    x = layers.Dense(256, kernel_initializer=keras.initializers.HeUniform(next(seeds)), name="fc1")(x)
    x = layers.ReLU(name="relu5")(x)
    x = layers.Dropout(0.2, seed=next(seeds), name="dropout")(x)
    start = keras.initializers.GlorotUniform(next(seeds))
    return layers.Dense(classes, kernel_initializer=start, dtype="float32", name="fc2")(x)


def _deep(x, classes, seed, widths, batch_normalization, convolution, identity, anti_aliasing):
    """Six CONV layers in three groups, each pooled after its first, then two FC layers.

    A frozen CONV in front whitens 2x2 patches, the others start as the identity (both as in Jordan, "94% on
    CIFAR-10 in 3.29 Seconds on a Single GPU", 2024). Pooling comes before normalising since it leaves a quarter
    of the numbers to normalise. Bias is batch normalisation's; its gain is left out, the next layer has it.

    Of the maxima of all 2x2 cells, a POOL layer alone keeps every second, so that its output depends on where the
    grid falls. Averaging neighbours first makes it depend less on a shift of the picture by a pixel (Zhang,
    "Making convolutional networks shift-invariant again", 2019).
    """
    seeds = iter(range(1000 * seed, 1000 * (seed + 1)))

    def conv(x, number, filters):
        start = keras.initializers.VarianceScaling(1 / 3, "fan_in", "uniform", next(seeds))
        layer = convolution(filters, 3, padding="same", use_bias=False, kernel_initializer=start, name=f"conv{number}")
        x = layer(x)
        if identity:
            layer.kernel.assign(identity_start(layer.kernel.numpy()))
        return x

    def pool(x, number):
        if not anti_aliasing:
            return layers.MaxPooling2D(2, name=f"pool{number}")(x)
        x = layers.MaxPooling2D(2, strides=1, name=f"pool{number}")(x)
        return layers.AveragePooling2D(2, name=f"smooth{number}")(x)

    def normalize_relu(x, number):
        x = batch_normalization(scale=False, momentum=0.9, epsilon=1e-5, name=f"norm{number}")(x)
        return layers.ReLU(name=f"relu{number}")(x)

    start = keras.initializers.GlorotUniform(next(seeds))  # until training puts the whitening filters there
    x = layers.Conv2D(
        WHITENING_FILTERS, 2, use_bias=False, trainable=False, kernel_initializer=start, name="whitening"
    )(x)  # (B, 31, 31, 24)
    x = layers.ReLU(name="relu0")(x)
    for group, filters in enumerate(widths):
        first = 2 * group + 1
        x = conv(x, first, filters)
        x = pool(x, group + 1)  # (B, 15, 15, 64), (B, 7, 7, 256), (B, 3, 3, 256)
        x = normalize_relu(x, first)
        x = conv(x, first + 1, filters)
        x = normalize_relu(x, first + 1)
    x = layers.GlobalMaxPooling2D(name="pool4")(x)  # (B, 256)
    x = layers.Dense(widths[-1], kernel_initializer="identity", name="fc1")(x)
    x = layers.ReLU(name="relu7")(x)
    start = keras.initializers.RandomNormal(stddev=FC2_STDDEV, seed=next(seeds))
    return layers.Dense(classes, kernel_initializer=start, dtype="float32", name="fc2")(x)


def identity_start(kernel):
    """The CONV kernel with its first filters replaced by ones that pass an input channel on unchanged.

    With the identity (Dirac delta, Zagoruyko & Komodakis 2017) in as many filters as there are input channels, a deep
    network starts to learn as a shallow one.

    Parameters
    ----------
    kernel : (h, w, inputs, filters) float array

    Returns
    -------
    (h, w, inputs, filters) float array, a new one.
    """
    height, width, inputs, filters = kernel.shape
    copied = np.arange(min(inputs, filters))
    kernel = kernel.copy()
    kernel[..., copied] = 0
    kernel[height // 2, width // 2, copied, copied] = 1
    return kernel
