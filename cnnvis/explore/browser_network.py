"""A classifier as a graph and weights that TensorFlow.js can run in a browser."""

import functools
import gzip
import math
from contextlib import contextmanager
from dataclasses import dataclass, replace

import keras
import numpy as np
import tensorflow as tf
from google.protobuf.json_format import MessageToDict

from cnnvis import keras_internals
from cnnvis.network import has_filters, is_activation, size_change, windows

MIN_FLOAT24 = 1024  # values; larger weights are stored in 24 bits
FLOAT24 = 0xFFFFFF00  # the bits of float32 that are kept: sign, exponent, 15 of 23 bits of the fraction
MOST_STEPS = 128  # of a recurrent layer that is unrolled
AS_FLOAT32 = ("DT_HALF", "DT_BFLOAT16", "DT_DOUBLE")  # TensorFlow.js does not have them
AFFINE = (keras.layers.BatchNormalization, keras.layers.Normalization, keras.layers.Rescaling)
POOLS = {"MaxPooling2D": "max", "AveragePooling2D": "mean", "GlobalMaxPooling2D": "max"}
ACTIVATION_PARAMETERS = ("negative_slope", "max_value", "threshold", "alpha")
POOLS |= {"GlobalAveragePooling2D": "mean"}


@dataclass(frozen=True)
class BrowserNetwork:
    """What a page needs to run a classifier.

    Attributes
    ----------
    graph : dict
        A frozen GraphDef as TensorFlow.js reads it; its node `input` takes (N, H, W, 3) pixels 0-255.
    input, probabilities, scores : str
        Names of nodes; the scores are logits where there are any. Both are "" if not all layers were exported.
    layers : list of dict
        The image as the network takes it, then every layer whose output is (h, w, c) or (units,): its `name`, `kind`,
        `type`, `shape`, `node`, `sources` (indices in this list), `sizeNote` and, if the page can compute single values
        of it, its `arithmetic`. The softmax of a CONV or FC layer follows it as a layer of its own.
    weights : list of dict
        `name`, `dtype` ("float32", "int32" or "bool"), `shape` and `stored` ("float24", whose lowest byte is left out,
        or like `dtype`).
    values : bytes
        All weights in this order, gzipped. Each weight has its lowest bytes first, then its second ones, and so on:
        this compresses better.
    """

    graph: dict
    input: str
    probabilities: str
    scores: str
    layers: list
    weights: list
    values: bytes


def export(classifier, up_to=None):
    """Export a classifier's network for a browser.

    Floats of all widths become float32, integers int32: TensorFlow.js has no others.

    Parameters
    ----------
    classifier : Classifier
    up_to : str, optional
        The last layer that is exported.

    Returns
    -------
    BrowserNetwork

    Raises
    ------
    ValueError
        If TensorFlow can't freeze the network, or a weight is neither a number nor a bool.
    """
    count = [*classifier.layers].index(up_to) + 1 if up_to else None
    wanted = [*classifier.layers.values()][:count]
    shown = [step for layer in wanted if _is_shown(layer) for step in _in_steps(layer)]
    entry = classifier.entry
    ends = [] if up_to else [classifier.exit, classifier.scores]
    frozen, nodes = _freeze(classifier, [*ends, entry, *(layer.output for layer in shown)])
    (probabilities, scores), nodes = nodes[: len(ends)] or ("", ""), nodes[len(ends) :]
    constants = {node.name: _as_supported(tf.make_ndarray(node.attr["value"].tensor)) for node in _constants(frozen)}
    place_of = {
        id(entry): [0],
        id(classifier.fed): [0],
        **{id(layer.output): [place] for place, layer in enumerate(shown, 1)},
    }
    known = {_content(array): name for name, array in constants.items()}
    height, width, channels = entry.shape[1:]
    layers = [_described("image", "image", "Input", (height, width, channels), nodes[0])]
    for layer, node in zip(shown, nodes[1:]):
        sources = [place for tensor in layer.inputs for place in _places(tensor, place_of, classifier)]
        described = _described(layer.name, layer.kind, type(layer.layer).__name__, layer.output.shape[1:], node)
        described |= {"sources": sources, "arithmetic": _arithmetic(layer, known), "sizeNote": size_change(layer)}
        layers.append(described)
    weights, values = _packed(constants)
    names = {"input": frozen.inputs[0].op.name, "probabilities": probabilities, "scores": scores}
    return BrowserNetwork(_as_json(frozen), **names, layers=layers, weights=weights, values=values)


def operations(network):
    """The types of operations in a `BrowserNetwork`, sorted: list of str."""
    return sorted({node["op"] for node in network.graph["node"]})


def _is_shown(layer):
    shape = getattr(layer.output, "shape", ())
    return len(shape) in (2, 4) and None not in shape[1:]


def _in_steps(layer):
    """A layer and its softmax apart, which is no function of one number: list of Layer."""
    if layer.activation != "softmax" or layer.linear is layer.output or is_activation(layer.layer):
        return [layer]
    given = layer.layer.activation
    given = given if isinstance(given, keras.layers.Layer) else keras.layers.Softmax()
    softmax = {"name": f"{layer.name} softmax", "kind": "other", "layer": given}
    return [
        replace(layer, output=layer.linear, activation="linear"),
        replace(layer, inputs=[layer.linear], linear=layer.linear, **softmax),
    ]


def _freeze(classifier, tensors):
    """The network as a concrete function without variables, and the nodes of `tensors`."""
    model = classifier.model_to(tensors)
    signature = [tf.TensorSpec((None, *classifier.size, 3), tf.float32, name="pixels")]
    traced = tf.function(lambda pixels: model(pixels, training=False), input_signature=signature, jit_compile=False)
    with _without_loops_and_groups(model):
        frozen = keras_internals.frozen(traced.get_concrete_function())
    return frozen, [tensor.op.name for tensor in frozen.outputs]


@contextmanager
def _without_loops_and_groups(model):
    """Unroll recurrent layers and split grouped CONV layers: TensorFlow.js has no loops and no groups."""
    layers = keras_internals.all_layers(model)
    recurrent = [layer for layer in layers if isinstance(layer, keras.layers.RNN) and not layer.unroll]
    recurrent = [layer for layer in recurrent if _steps(layer) <= MOST_STEPS]
    convolutions = [layer for layer in layers if isinstance(layer, keras.layers.Conv2D)]
    grouped = [layer for layer in convolutions if layer.groups > 1 and layer.data_format == "channels_last"]
    for layer in recurrent:
        layer.unroll = True
    try:
        with keras_internals.convolutions_by({layer: functools.partial(_group_by_group, layer) for layer in grouped}):
            yield
    finally:
        for layer in recurrent:
            layer.unroll = False


def _steps(layer):
    return layer.get_build_config()["input_shape"][1] or math.inf


def _group_by_group(layer, inputs, kernel):
    pairs = zip(*(keras.ops.split(tensor, layer.groups, axis=-1) for tensor in (inputs, kernel)))
    options = {"padding": layer.padding, "dilation_rate": layer.dilation_rate, "data_format": "channels_last"}
    return keras.ops.concatenate([keras.ops.conv(x, k, list(layer.strides), **options) for x, k in pairs], axis=-1)


def _constants(frozen):
    return [node for node in frozen.graph.as_graph_def().node if node.op == "Const"]


def _as_supported(array):
    if array.dtype.kind == "b" or array.dtype.kind in "SUO":
        return array
    return array.astype("int32" if array.dtype.kind in "iu" else "float32")


def _content(array):
    return array.shape, np.ascontiguousarray(array).tobytes()


def _places(tensor, place_of, classifier):
    """Indices of the nearest shown layers before a tensor."""
    if id(tensor) in place_of:
        return place_of[id(tensor)]
    makers = [layer for layer in classifier.layers.values() if any(tensor is x for x in _flat(layer.output))]
    found = [place for layer in makers[:1] for x in layer.inputs for place in _places(x, place_of, classifier)]
    return place_of.setdefault(id(tensor), list(dict.fromkeys(found)))


def _flat(tensors):
    return keras.tree.flatten(tensors)


def _described(name, kind, layer_type, shape, node):
    about = {"name": name, "kind": kind, "type": layer_type, "shape": list(shape), "node": node}
    return about | {"sources": [], "arithmetic": None, "sizeNote": ""}


def _arithmetic(layer, known):
    """How single values of a layer are computed: dict; None for layers that the page can't compute."""
    kind, keras_layer = type(layer.layer).__name__, layer.layer
    if has_filters(layer) or kind == "Dense":
        kernel = keras.ops.convert_to_numpy(keras_layer.kernel).astype("float32")
        bias = keras.ops.convert_to_numpy(keras_layer.bias).astype("float32").tolist() if keras_layer.use_bias else None
        node = known.get(_content(kernel))
        if node is None or (len(layer.inputs[0].shape) != 2 if kind == "Dense" else windows(layer) is None):
            return None
        weighted = {"kernel": node, "bias": bias, **_activation(layer)}
        if kind == "Dense":
            return {"operation": "fc", **weighted}
        conv = {"depthwise": kind == "DepthwiseConv2D", "groups": getattr(keras_layer, "groups", 1)}
        return {"operation": "conv", **conv, **weighted, **_window(layer)}
    if kind in POOLS and windows(layer):
        return {"operation": "pool", "pooling": POOLS[kind], **_window(layer)}
    if isinstance(keras_layer, AFFINE) and layer.inputs[0].shape == layer.output.shape:
        return _affine(layer)
    if kind == "Add":
        return {"operation": "sum"}
    if layer.activation == "softmax" and getattr(keras_layer, "axis", -1) not in (-1, len(layer.output.shape) - 1):
        return None
    if layer.activation != "linear" and is_activation(keras_layer):
        return {"operation": "function", **_activation(layer)}
    return None


def _activation(layer):
    """The name of a layer's activation function, and its numbers."""
    function = layer.layer
    while isinstance(function, keras.layers.Wrapper):
        function = function.layer
    if isinstance(getattr(function, "activation", None), keras.layers.Layer):
        function = function.activation
    values = {name: getattr(function, name, None) for name in ACTIVATION_PARAMETERS}
    numbers = {name: float(value) for name, value in values.items() if isinstance(value, int | float)}
    return {"activation": layer.activation, "parameters": numbers}


def _window(layer):
    """Size, strides, dilation and the padding above and to the left, each (rows, columns)."""
    along = windows(layer)
    keys = {"size": "size", "strides": "stride", "dilation": "dilation", "padding": "before"}
    return {key: [getattr(axis, of_axis) for axis in along] for key, of_axis in keys.items()}


def _affine(layer):
    """The scale and shift of each channel, from the outputs for zeros and ones; None if pixels differ in them."""
    *shape, channels = layer.output.shape[1:]
    own_shape = (1, channels, *shape) if layer.channels_first else (1, *shape, channels)
    ends = (layer.layer(np.full(own_shape, value, "float32"), training=False) for value in (0, 1))
    ends = (keras.ops.convert_to_numpy(end).astype("float64") for end in ends)
    zero, one = (np.moveaxis(end, 1 if layer.channels_first else -1, -1).reshape(-1, channels) for end in ends)
    if (zero != zero[0]).any() or (one != one[0]).any():
        return None
    return {"operation": "affine", "scale": (one[0] - zero[0]).tolist(), "shift": zero[0].tolist()}


def _packed(constants):
    """Descriptions of the weights, and their values as `BrowserNetwork` stores them."""
    weights, parts = [], []
    for name, array in constants.items():
        dtype = "bool" if array.dtype.kind == "b" else str(array.dtype)
        if dtype not in ("bool", "int32", "float32"):
            raise ValueError(f"a browser can't run this network: {name} holds {array.dtype}")
        little = np.ascontiguousarray(array).astype(array.dtype.newbyteorder("<"), copy=False)
        short = _float24(little) if dtype == "float32" and array.size >= MIN_FLOAT24 else None
        stored = dtype if short is None else "float24"
        weights.append({"name": name, "dtype": dtype, "shape": list(array.shape), "stored": stored})
        planes = (little if short is None else short).reshape(-1, 1).view("uint8").T
        parts.append(planes[0 if short is None else 1 :].tobytes())
    return weights, gzip.compress(b"".join(parts), 6, mtime=0)


def _float24(array):
    """Little-endian float32 values rounded to 16 significant bits; None if one would become infinite."""
    bits = array.view("<u4")
    even = bits + np.uint32(0x7F) + (bits >> np.uint32(8) & np.uint32(1))
    rounded = (even & np.uint32(FLOAT24)).view("<f4")
    return rounded if np.isfinite(rounded).all() else None


def _as_json(frozen):
    """The graph without the values of its constants, as TensorFlow.js reads it."""
    nodes = []
    for node in frozen.graph.as_graph_def().node:
        if node.op == "NoOp":
            continue
        inputs = [name for name in node.input if not name.startswith("^")]
        described = {"name": node.name, "op": node.op, **({"input": inputs} if inputs else {})}
        attributes = {key: _attribute(MessageToDict(value)) for key, value in node.attr.items() if key[0] != "_"}
        nodes.append(described | ({"attr": attributes} if attributes else {}))
    return {"node": nodes, "versions": {"producer": 1}}


def _attribute(value):
    if value.get("type") in AS_FLOAT32:
        return {"type": "DT_FLOAT"}
    if value.get("type") == "DT_INT64":
        return {"type": "DT_INT32"}
    if "tensor" in value:
        return {"tensor": {key: value["tensor"][key] for key in ("dtype", "tensorShape") if key in value["tensor"]}}
    return value
