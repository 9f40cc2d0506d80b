"""3x3 CONV layers with a quarter of the multiplications (Winograd 1980; for CNNs Lavin & Gray 2016), in TensorFlow.

Values of a tile of 6x6 and a filter of 3x3 are read as coefficients of polynomials. Where those are evaluated at a few
points, 6 x 6 products give the 4x4 outputs that would take 4 x 4 x 3 x 3. That only pays for whole batches: filters
have to be evaluated, too.
"""

from contextlib import contextmanager
from functools import partial

import keras
import numpy as np
import tensorflow as tf

TILE = 4  # outputs along each side of a tile
POINTS = (0, 1, -1, 1 / 2, -2)  # and infinity, as round off the least (Barabasz et al. 2020)
FAST_FROM = 16  # images of a batch: for fewer, evaluating the filters takes longer than it saves
LEAST_CHANNELS = 128  # before and behind a layer: for fewer, evaluating the tiles does
LEAST_SIDE = 6  # of an output: most of a tile would be cut off


def matrices():
    """Matrices that evaluate a row of a tile, and of a filter, and give the outputs of their products.

    With the polynomials' values E at the points, inv(E.T) d and E g, the outputs are E.T (inv(E.T) d * E g).

    Returns
    -------
    (6, 6), (6, 3), (4, 6) float64 arrays
    """

    def at_points(coefficients):
        at_infinity = np.eye(coefficients)[-1:]
        return np.vstack([np.vander(POINTS, coefficients, increasing=True), at_infinity])

    return np.linalg.inv(at_points(TILE + 2)).T, at_points(3), at_points(TILE).T


def convolve(images, kernel, padding):
    """What `tf.nn.conv2d` gives with a stride of 1, but for rounding.

    Parameters
    ----------
    images : (N, H, W, C) float32 tensor
        N may be unknown while TensorFlow traces.
    kernel : (3, 3, C, K) float32 tensor
    padding : {"same", "valid"}

    Returns
    -------
    (N, H, W, K) or (N, H - 2, W - 2, K) float32 tensor
    """
    of_tile, of_filter, of_products = (tf.constant(np.kron(each, each), tf.float32) for each in matrices())
    count, (height, width, channels), border = tf.shape(images)[0], images.shape[1:], int(padding == "same")
    height, width = (side + 2 * border - 2 for side in (height, width))  # of the outputs
    down, across = -(-height // TILE), -(-width // TILE)  # tiles
    missing = [[border, tiles * TILE - side + border] for tiles, side in ((down, height), (across, width))]
    padded = tf.pad(images, [[0, 0], *missing, [0, 0]])
    place = np.arange(padded.shape[1] * padded.shape[2]).reshape(padded.shape[1:3])
    place = np.lib.stride_tricks.sliding_window_view(place, (TILE + 2, TILE + 2))[::TILE, ::TILE]
    place = place.transpose(2, 3, 0, 1).reshape(-1, 1, down * across)  # of each of the 36 in each tile
    tiles = _rows(padded, place + tf.range(count)[:, None] * (padded.shape[1] * padded.shape[2]))
    tiles = tf.reshape(of_tile @ tf.reshape(tiles, (len(place), -1)), (len(place), -1, channels))
    filters = tf.reshape(of_filter @ tf.reshape(kernel, (9, -1)), (len(place), channels, -1))
    products = of_products @ tf.reshape(tiles @ filters, (len(place), -1))
    rows, columns = np.mgrid[:height, :width]
    cell = rows % TILE * TILE + columns % TILE  # in its tile
    tile = rows // TILE * across + columns // TILE
    tile = tile + tf.range(count)[:, None, None] * (down * across)
    return _rows(tf.reshape(products, (-1, kernel.shape[-1])), cell * (count * down * across) + tile)


def _rows(values, places):
    """Numbers of all channels at some places: (..., C) and (...) int tensors -> (..., C)."""
    return tf.gather(tf.reshape(values, (-1, values.shape[-1])), places)


@contextmanager
def fast_convolutions(model):
    """Meanwhile, a model that is traced computes its CONV layers so, where that pays for batches of `FAST_FROM`."""
    layers = [layer for layer in model._flatten_layers() if _pays(layer)]
    for layer in layers:
        layer.convolution_op = partial(_convolution, layer.convolution_op, layer.padding)
    try:
        yield
    finally:
        for layer in layers:
            del layer.convolution_op


def _convolution(direct, padding, images, kernel):
    sides = [side - 2 * (padding == "valid") if side else 0 for side in images.shape[1:3]]
    if min(sides) < LEAST_SIDE or images.dtype != tf.float32:
        return direct(images, kernel)
    return convolve(images, tf.convert_to_tensor(kernel), padding)


def _pays(layer):
    if type(layer) is not keras.layers.Conv2D or tf.config.list_logical_devices("GPU"):  # which do so by themselves
        return False
    plain = layer.kernel_size == (3, 3) and (layer.strides, layer.dilation_rate, layer.groups) == ((1, 1), (1, 1), 1)
    wide = min(layer.kernel.shape[2:]) >= LEAST_CHANNELS
    return plain and wide and layer.data_format == "channels_last"
