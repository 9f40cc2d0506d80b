"""Where the channels of feature maps are: behind height and width, or in front of them (channels-first)."""

from dataclasses import replace

import keras

PERMUTING = ("Moveaxis", "Permute", "Swapaxes", "Transpose")
RESHAPING = ("Einsum", "EinsumDense", "ExpandDims", "Matmul", "Reshape")  # only what reads them tells the layout


def with_channels_last(layers, given):
    """Layers with (N, h, w, c) inputs and outputs, whatever the network's own tensors are.

    `given` maps the `id` of a tensor that enters the network as (N, c, h, w) to the same one as (N, h, w, c).
    """
    moved, first = dict(given), _channels_first(layers, given)

    def last(x):
        if id(x) in first and id(x) not in moved:
            name = f"cnnvis_channels_last_{len(moved)}"
            moved[id(x)] = keras.layers.Permute((2, 3, 1), autocast=False, name=name)(x)
        return moved.get(id(x), x)

    return [
        replace(
            layer,
            inputs=tuple(map(last, layer.inputs)),
            linear=last(layer.linear),
            output=keras.tree.map_structure(last, layer.output),
            own_output=layer.output,
            channels_first=any(id(x) in first for x in layer.inputs),
        )
        for layer in layers
    ]


def _channels_first(layers, given):
    """The `id`s of all (N, c, h, w) tensors."""
    first, readers = set(given), {}
    for layer in layers:
        for x in layer.inputs:
            readers.setdefault(id(x), []).append(layer)
    for layer in layers:
        made = [x for x in keras.tree.flatten(layer.output) if _has_maps(x)]
        if made and _makes_channels_first(layer, made, first=first, readers=readers):
            first.update(map(id, made if layer.kind != "CONV" else [*made, layer.linear]))
    return first


def _makes_channels_first(layer, made, first, readers):
    own, kind = getattr(layer.layer, "data_format", None), type(layer.layer).__name__
    source = next(filter(_has_maps, layer.inputs), None)
    if layer.kind == "FC":
        return False
    if source is not None and kind in PERMUTING:
        return _permuted(layer.layer).index(3 if id(source) in first else 5) == 1
    # A layer that keeps the shape, such as SpatialDropout2D, may have been given the wrong format without harm.
    if own and (layer.kind in ("CONV", "POOL") or source is None or source.shape != made[0].shape):
        return own == "channels_first"
    if source is None or kind in RESHAPING:
        return any(_is_read_as_channels_first(x, readers) for x in made)
    return id(source) in first


def _is_read_as_channels_first(x, readers):
    for reader in readers.get(id(x), ()):
        own = getattr(reader.layer, "data_format", None)
        if own:
            return own == "channels_first"
        if type(reader.layer).__name__ not in (*PERMUTING, *RESHAPING) and _has_maps(reader.output):
            return _is_read_as_channels_first(reader.output, readers)
    return False


def moves_only_channels(layer):
    """Whether a layer puts the channels in front of rows and columns, or behind them, and does nothing else."""
    if type(layer.layer).__name__ not in PERMUTING or not _has_maps(layer.output):
        return False
    sides, channels = _permuted(layer.layer), 3 if layer.channels_first else 5
    at_end = sides.index(channels) in (1, 3)
    sides.remove(channels)
    return at_end and sides == sorted(sides)


def _permuted(layer):
    """Where a layer puts batch, rows, columns and channels of (2, 3, 4, 5)."""
    return list(layer.compute_output_spec(keras.KerasTensor((2, 3, 4, 5))).shape)


def _has_maps(x):
    return len(getattr(x, "shape", ())) == 4
