"""3x3 CONV layers with a quarter of the multiplications (Winograd 1980; for CNNs Lavin & Gray 2016), in TensorFlow.

The values of a 6x6 tile and a 3x3 filter are taken as coefficients of polynomials. With these evaluated at a few
points, 6 x 6 products give the 4x4 outputs that would otherwise take 4 x 4 x 3 x 3. That pays off only for whole
batches, as the filters have to be evaluated, too.
"""

from functools import partial

import keras
import numpy as np
import tensorflow as tf

from cnnvis import keras_internals

TILE = 4  # outputs along each side of a tile
POINTS = (0, 1, -1, 1 / 2, -2)  # and infinity: they round the least (Barabasz et al. 2020)
FAST_FROM = 16  # images in a batch: for fewer, evaluating the filters takes longer than it saves
LEAST_CHANNELS = 128  # in a layer's input and output: for fewer, evaluating the tiles takes longer than it saves
LEAST_SIDE = 6  # of an output: on smaller ones, most of a tile would be cut off


def matrices():
    """Matrices that evaluate a row of a tile, evaluate a row of a filter, and turn products into outputs.

    For a row d and a filter g, with the matrix E of the points' powers, the outputs are E.T (inv(E.T) d * E g).

    Returns
    -------
    (6, 6), (6, 3), (4, 6) float64 arrays
    """

    def at_points(coefficients):
        at_infinity = np.eye(coefficients)[-1:]
        return np.vstack([np.vander(POINTS, coefficients, increasing=True), at_infinity])

    return np.linalg.inv(at_points(TILE + 2)).T, at_points(3), at_points(TILE).T


def convolve(images, kernel, padding):
    """Convolve with stride 1; equals `tf.nn.conv2d` but for rounding.

    Parameters
    ----------
    images : (N, H, W, C) float32 tensor
        N may be unknown while tracing.
    kernel : (3, 3, C, K) float32 tensor
    padding : {"same", "valid"}

    Returns
    -------
    (N, H, W, K) or (N, H - 2, W - 2, K) float32 tensor
    """
    of_tile, of_filter, of_products = (tf.constant(np.kron(each, each), tf.float32) for each in matrices())
    count, (height, width, channels), border = tf.shape(images)[0], images.shape[1:], int(padding == "same")
    height, width = (side + 2 * border - 2 for side in (height, width))  # of the output
    down, across = -(-height // TILE), -(-width // TILE)  # tiles
    missing = [[border, tiles * TILE - side + border] for tiles, side in ((down, height), (across, width))]
    padded = tf.pad(images, [[0, 0], *missing, [0, 0]])
    place = np.arange(padded.shape[1] * padded.shape[2]).reshape(padded.shape[1:3])
    place = np.lib.stride_tricks.sliding_window_view(place, (TILE + 2, TILE + 2))[::TILE, ::TILE]
    place = place.transpose(2, 3, 0, 1).reshape(-1, 1, down * across)  # (36, 1, tiles)
    tiles = _rows(padded, place + tf.range(count)[:, None] * (padded.shape[1] * padded.shape[2]))
    tiles = tf.reshape(of_tile @ tf.reshape(tiles, (len(place), -1)), (len(place), -1, channels))
    filters = tf.reshape(of_filter @ tf.reshape(kernel, (9, -1)), (len(place), channels, -1))
    products = of_products @ tf.reshape(tiles @ filters, (len(place), -1))
    rows, columns = np.mgrid[:height, :width]
    within = rows % TILE * TILE + columns % TILE
    tile = rows // TILE * across + columns // TILE
    tile = tile + tf.range(count)[:, None, None] * (down * across)
    return _rows(tf.reshape(products, (-1, kernel.shape[-1])), within * (count * down * across) + tile)


def _rows(values, places):
    """Values of all channels at flat places: (..., C) and (...) int tensors -> (..., C)."""
    return tf.gather(tf.reshape(values, (-1, values.shape[-1])), places)


def fast_convolutions(model):
    """Context in which a model computes its CONV layers this way, where it pays off for batches of `FAST_FROM`."""
    layers = [layer for layer in keras_internals.all_layers(model) if _pays(layer)]
    return keras_internals.convolutions_by(
        {layer: partial(_convolution, layer.convolution_op, layer.padding) for layer in layers}
    )


def _convolution(direct, padding, images, kernel):
    sides = [side - 2 * (padding == "valid") if side else 0 for side in images.shape[1:3]]
    if min(sides) < LEAST_SIDE or images.dtype != tf.float32:
        return direct(images, kernel)
    return convolve(images, tf.convert_to_tensor(kernel), padding)


def _pays(layer):
    if type(layer) is not keras.layers.Conv2D or tf.config.list_logical_devices("GPU"):  # cuDNN does it by itself
        return False
    plain = layer.kernel_size == (3, 3) and (layer.strides, layer.dilation_rate, layer.groups) == ((1, 1), (1, 1), 1)
    wide = min(layer.kernel.shape[2:]) >= LEAST_CHANNELS
    return plain and wide and layer.data_format == "channels_last"
