"""From a recipe to a network that can be trained: initial weights, layers that train faster, optimizer and loss."""

import math

import keras
import numpy as np

from cnnvis import processor
from cnnvis.images import channel_statistics
from cnnvis.training import distribution, fast_layers, optimizers, transfer
from cnnvis.training.loss import SmoothedCrossEntropy
from models import convnet

WHITENING_PIXELS = 5_120_000  # from which the whitening filters are computed: 5000 images of 32x32


def build(arch, dataset, recipe, seed=0, *, variant=None, weights=None):
    """Build a network, untrained unless it gets `weights`. It knows the colour statistics of the training images.

    Parameters
    ----------
    arch : str or Base
        One of `convnet.ARCHITECTURES`, or the trained network to start from, which gets a new last layer.
    dataset : Dataset
        Training images.
    recipe : Recipe
    seed : int
    variant : convnet.Variant, optional
        By default Keras's own layers, ending in probabilities.
    weights : list of array, optional
        Of a network of the same recipe. By default, the whitening filters are those of the training images, and the
        other weights are drawn at random.

    Returns
    -------
    keras.Model
    """
    variant = variant or plain_variant(recipe)
    if isinstance(arch, transfer.Base):
        return transfer.build(arch, dataset, recipe, softmax=variant.softmax, weights=weights)
    mean, variance = channel_statistics(dataset.images)
    shape = dataset.images.shape[1:]
    model = convnet.build_model(
        arch, len(dataset.classes), variant, mean=mean, variance=variance, seed=seed, input_shape=shape
    )
    for whitening in (layer for layer in model.layers if layer.name == "whitening"):
        whitening.trainable = not recipe.whitening
        if recipe.whitening and not weights:
            some = dataset.images[dataset.spread(max(1, WHITENING_PIXELS // math.prod(shape[:2])))]
            normalized = (some - np.array(mean)) / np.sqrt(variance)
            whitening.set_weights([whitening_filters(normalized, whitening.filters)])
    if weights:
        model.set_weights(weights)
    return model


def plain_variant(recipe, **makers):
    """The convnet.Variant of a recipe. Layers are Keras's own unless `makers` (attributes of Variant) replace them."""
    return convnet.Variant(
        widths=recipe.widths, identity_start=recipe.identity_start, anti_aliasing=recipe.anti_aliasing, **makers
    )


def training_variant(recipe, precision, strategy):
    """The variant that is trained: it ends in logits, and its layers are faster ones with the same results.

    Parameters
    ----------
    recipe : Recipe
    precision : {"float32", "bfloat16"}
    strategy : tf.distribute.Strategy

    Returns
    -------
    convnet.Variant
    """
    packed = precision == "bfloat16" and processor.multiplies_in_tiles()
    return plain_variant(
        recipe,
        softmax=False,
        normalization=fast_layers.RowNormalization,
        convolution=fast_layers.PackedConv2D if packed else keras.layers.Conv2D,
        **distribution.layers(strategy, recipe),
    )


def whitening_filters(images, filters, epsilon=5e-4):
    """CONV filters that decorrelate 2x2 patches and give each direction the same variance (Page 2018).

    Parameters
    ----------
    images : (N, H, W, C) float array
        Normalised images.
    filters : int
        Twice the number of directions: each comes with its negative.
    epsilon : float
        Added to each variance, so that noise is not amplified.

    Returns
    -------
    (2, 2, C, filters) float32 array
        Zero for directions in which the images don't vary: these show only rounding errors, which a network would learn
        in bfloat16.
    """
    patches = np.lib.stride_tricks.sliding_window_view(images, (2, 2), axis=(1, 2))  # (N, H-1, W-1, C, 2, 2)
    patches = patches.transpose(0, 1, 2, 4, 5, 3).reshape(-1, 4 * images.shape[-1])
    variances, directions = np.linalg.eigh(np.cov(patches, rowvar=False))
    kept = np.argsort(variances)[::-1][: filters // 2]
    varies = variances[kept] > 1e-6 * variances.max()  # grey images have only four directions of twelve
    kernel = directions[:, kept] * varies / np.sqrt(np.maximum(variances[kept], 0) + epsilon)
    kernel = kernel.reshape(2, 2, images.shape[-1], -1)
    return np.concatenate([kernel, -kernel], axis=-1).astype("float32")


def compile_model(model, recipe, steps):
    """Give a model its optimizer, schedule and loss, for a training of so many steps. TypeError without logits."""
    if isinstance(model.layers[-1], keras.layers.Softmax):
        raise TypeError(f"{model.name} ends in probabilities: build it with softmax=False to train it")
    # On a CPU, XLA makes an epoch many times slower.
    model.compile(
        optimizers.from_recipe(recipe, steps, model.compute_dtype, tunes=isinstance(model, transfer.Still)),
        SmoothedCrossEntropy(recipe.label_smoothing),
        metrics=["accuracy"],
        jit_compile=False,
    )
    model.optimizer.build(model.trainable_variables)  # replicas can't build it within a step
