"""The receptive field of a unit: the part of the image that its value depends on."""

from dataclasses import dataclass, replace

import keras

from cnnvis.network.layer_kinds import CONV, POOL, RELU

POINTWISE = (
    *RELU,
    keras.layers.Activation,
    keras.layers.BatchNormalization,
    keras.layers.Dropout,
    keras.layers.Identity,
    keras.layers.LayerNormalization,
    keras.layers.Normalization,
    keras.layers.Rescaling,
    keras.layers.Softmax,
    keras.layers.SpatialDropout2D,
)
MERGING = (
    keras.layers.Add,
    keras.layers.Average,
    keras.layers.Concatenate,
    keras.layers.Maximum,
    keras.layers.Minimum,
    keras.layers.Multiply,
    keras.layers.Subtract,
)


@dataclass(frozen=True)
class Field:
    """Receptive fields along one axis of a layer: unit i sees `size` pixels from start + i * stride on.

    Attributes
    ----------
    start : int
        First pixel of unit 0; negative if it sees padding.
    size : int
        In pixels.
    stride : int
        Pixels from one unit's field to the next one's.
    """

    start: int = 0
    size: int = 1
    stride: int = 1

    def of_unit(self, index, length):
        """First and last (exclusive) pixel that a unit sees of `length` pixels."""
        first = self.start + index * self.stride
        return max(first, 0), min(first + self.size, length)


def receptive_fields(classifier, layer):
    """Receptive fields of a layer: a `Field` for rows and one for columns; None if every unit sees the whole image.

    Follows the graph back to the image through the layers that CNNs are commonly made of. Any other layer, such as
    Flatten or Dense, is assumed to see its whole input.

    Source: Araujo, Norris & Sim, "Computing receptive fields of convolutional neural networks", Distill 2019.
    """
    by_output = {id(known.output): known for known in classifier.layers.values()}
    rows, columns = (_field(layer, axis, by_output) for axis in (1, 2))
    return None if rows is None or columns is None else (rows, columns)


def _field(layer, axis, by_output):
    if len(layer.output.shape) != 4:
        return None
    fields = [_field(by_output[id(x)], axis, by_output) if id(x) in by_output else Field() for x in layer.inputs]
    if None in fields:
        return None
    if isinstance(layer.layer, MERGING) and len({field.stride for field in fields}) == 1:
        start = min(field.start for field in fields)
        return Field(start, max(field.start + field.size for field in fields) - start, fields[0].stride)
    if len(fields) != 1:
        return None
    before, extent, stride = _window(layer, axis) or (None, None, None)
    if extent is None:
        return None
    (field,) = fields
    return replace(
        field,
        start=field.start - before * field.stride,
        size=field.size + (extent - 1) * field.stride,
        stride=field.stride * stride,
    )


def _window(layer, axis):
    """A layer's padding in front, the extent of its window, and its stride, in values of its input; None if unknown."""
    kind = layer.layer
    if not isinstance(kind, keras.layers.Layer) or isinstance(kind, POINTWISE) or layer.kind == "RELU":
        return (0, 1, 1) if layer.inputs[0].shape[1:3] == layer.output.shape[1:3] else None
    if isinstance(kind, keras.layers.ZeroPadding2D):
        return kind.padding[axis - 1][0], 1, 1
    if isinstance(kind, keras.layers.Cropping2D):
        return -kind.cropping[axis - 1][0], 1, 1
    if isinstance(kind, (keras.layers.MaxPooling2D, keras.layers.AveragePooling2D)):
        extent = kind.pool_size[axis - 1]
    elif isinstance(kind, CONV) and not isinstance(kind, (keras.layers.Conv2DTranspose, POOL)):
        extent = (kind.kernel_size[axis - 1] - 1) * kind.dilation_rate[axis - 1] + 1
    else:
        return None
    stride, length = kind.strides[axis - 1], layer.inputs[0].shape[axis]
    if kind.padding == "valid":
        return 0, extent, stride
    missing = max((-(-length // stride) - 1) * stride + extent - length, 0)
    return missing // 2, extent, stride
