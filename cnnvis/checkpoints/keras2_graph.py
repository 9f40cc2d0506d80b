"""Translate the calls of the layers of a functional model from Keras 2 to Keras 3.

Keras 2 writes a call as [[name of a layer, index of its call, index of its output, options], ...], Keras 3 as a dict of
the arguments. Keras 2 counted the creation of a nested model as its first call.
"""

from itertools import pairwise

from cnnvis.checkpoints import keras2_operations
from cnnvis.checkpoints.foreign import REBUILD

MODELS = ("Functional", "Model", "Sequential")
OPERATIONS = ("TFOpLambda", "SlicingOpLambda", "TensorFlowOpLayer")
CONSTANT = "_CONSTANT_VALUE"  # instead of a layer's name


def converted(config, split):
    """The layers of a functional model and its ends.

    Parameters
    ----------
    config : dict
        Of Keras 2, with layers that are converted apart from their calls.
    split : callable
        A layer -> the layers of Keras 3 that follow each other instead.

    Returns
    -------
    dict
        `layers`, `input_layers` and `output_layers` for Keras 3.
    """
    layers = config["layers"]
    kinds = {layer["name"]: layer["class_name"] for layer in layers}
    if len(kinds) < len(layers):
        raise ValueError("two of its layers have the same name, apart from slashes")
    called = list(_references([[layer["inbound_nodes"] for layer in layers], config["output_layers"]]))
    creations = {  # 1 if the first call of a nested model is its creation
        name: min((call for source, call, _ in called if source == name), default=0)
        for name, kind in kinds.items()
        if kind in MODELS
    }
    parts = {layer["name"]: split(layer) for layer in layers}

    def moved(reference):
        name, call, output = reference
        last = parts[name][-1]["name"] if name in parts else name
        return [last, call - creations.get(name, 0), output]

    def counted(reference):  # in Keras 3, only the ends of a functional model count the creation of nested ones
        name, call, output = moved(reference)
        return [name, call + (kinds.get(reference[0]) == "Functional"), output]

    for layer in layers:
        calls = [_call(node, moved) for node in layer.pop("inbound_nodes")]
        if layer["class_name"] in OPERATIONS:
            parts[layer["name"]] = [_operation(layer, calls)]
        else:
            parts[layer["name"]][0]["inbound_nodes"] = [
                {"args": [_unwrapped(inputs), *_positional(options)], "kwargs": options} for inputs, options in calls
            ]
        for before, after in pairwise(parts[layer["name"]]):
            after["inbound_nodes"] = [
                {"args": [_tensor([before["name"], number, 0])], "kwargs": {}} for number in range(len(calls))
            ]
    done = [part for layer in list(parts.values()) for part in layer]
    for part in done:
        if part["class_name"] != "InputLayer":
            part["config"].pop("batch_input_shape", None)
    ends = {end: _unwrapped(_replaced(config[end], counted)) for end in ("input_layers", "output_layers")}
    return {"layers": done, **ends}


def _call(node, moved):
    """What a layer is called on, and the options of the call: a tree of tensors and constants, and a dict."""
    options = {}
    for reference in _leaves(node):
        options = reference[3] if len(reference) > 3 else {}
    options = {key: value for key, value in options.items() if value is not None}
    return tuple(_replaced(part, lambda found: _tensor(moved(found))) for part in (node, options))


def _positional(options):
    """Take the value and key of an attention layer out of its options: Keras 3 would put the key's layers first."""
    return [options.pop(name) for name in ("value", "key") if "value" in options and name in options]


def _operation(layer, calls):
    """The layer or operation of Keras 3 that computes what an operation of TensorFlow does."""
    config, name = layer["config"], layer["name"]
    try:
        ((inputs, options),) = calls
        module, class_name, options, arguments = keras2_operations.translated(config, inputs, options)
    except (KeyError, ValueError) as error:
        function = config.get("function") or config.get("node_def", {}).get("op")
        raise ValueError(
            f"its layer {name!r} calls tf.{function}, which isn't translated to Keras 3: {REBUILD}"
        ) from error
    return {
        "module": module,
        "class_name": class_name,
        "config": {"name": name, **options},
        "registered_name": None,
        "name": name,
        "inbound_nodes": [{"args": arguments, "kwargs": {}}],
    }


def _tensor(reference):
    return {
        "class_name": "__keras_tensor__",
        "config": {"shape": [None], "dtype": "float32", "keras_history": reference},  # Keras reads only the history
    }


def _unwrapped(value):
    return value[0] if isinstance(value, list) and len(value) == 1 else value


def _replaced(value, replacement):
    """A tree of lists and dicts whose references are replaced, and constants are taken out."""
    if _is_reference(value):
        return value[2] if value[0] == CONSTANT else replacement(_reference(value))
    if isinstance(value, dict):
        return {key: _replaced(item, replacement) for key, item in value.items()}
    return [_replaced(item, replacement) for item in value] if isinstance(value, list) else value


def _references(value):
    """All references in a tree, those in the options of calls included, without the options."""
    for reference in _leaves(value):
        yield _reference(reference)
        yield from _references(reference[3:])


def _leaves(value):
    if _is_reference(value):
        yield value
    else:
        for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
            yield from _leaves(item)


def _reference(value):
    name, call, output = value[:3]
    return [name.replace("/", "_"), call, output]


def _is_reference(value):
    return isinstance(value, list) and len(value) in (3, 4) and isinstance(value[0], str) and isinstance(value[1], int)
