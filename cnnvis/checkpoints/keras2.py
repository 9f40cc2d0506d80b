"""Translate a model's configuration from Keras 2 to Keras 3, so that it computes the same.

Keras 3 has other names for some classes, allows no slash in names, and computes hard_sigmoid differently.
"""

import numpy as np

from cnnvis import keras_internals
from cnnvis.checkpoints import keras2_graph

MODELS = ("Functional", "Model", "Sequential")
RENAMED = {
    **dict.fromkeys(("BatchNormalizationV1", "BatchNormalizationV2", "SyncBatchNormalization"), "BatchNormalization"),
    **dict.fromkeys(("RandomHeight", "RandomWidth"), "Identity"),  # they only change images in training
    "ThresholdedReLU": "ReLU",
    "Custom>CustomScaleLayer": "CustomScaleLayer",
}
MODULES = {
    "LayerScale": "keras.src.applications.convnext",
    "CustomScaleLayer": "keras.src.applications.inception_resnet_v2",
    **dict.fromkeys(("Functional", "Model"), "keras.src.models.functional"),
    "Sequential": "keras.models",
}
UNLIKE = "which Keras 3 computes differently: train it again with sigmoid"
HARD = "hard_sigmoid"  # Keras 2: x / 5 + 1/2, clipped; Keras 3: x / 6 + 1/2
GATES = {"LSTMCell": [6 / 5, 6 / 5, 1, 6 / 5], "GRUCell": [6 / 5, 6 / 5, 1]}  # 1: candidates, which aren't gates
GATES["ConvLSTMCell"] = GATES["LSTMCell"]


def modernized(node):
    """Convert a model's configuration, or a part of it, from Keras 2 to Keras 3.

    Raises ValueError, with the reason, if Keras 3 can't compute the model.
    """
    if isinstance(node, list):
        return [modernized(item) for item in node]
    if not isinstance(node, dict):
        return node
    node = {key: modernized(value) for key, value in node.items()}
    name, config = node.get("class_name"), node.get("config")
    if name == "Sequential" and isinstance(config, list):  # Keras 2.2.2 or older
        config = node["config"] = {"name": "sequential", "layers": config}
    if name == "function" and node.get("module") in (None, "builtins"):
        return config
    if not isinstance(name, str) or not isinstance(config, dict):
        return node
    if name in ("Policy", "PolicyV1"):
        return config.get("name")
    node["class_name"] = name = RENAMED.get(name, name)
    for named in (node, config):
        if isinstance(named.get("name"), str):
            named["name"] = named["name"].replace("/", "_")
    if name not in MODELS:
        return _layer(node, config)
    if isinstance(config.get("layers"), list):
        config |= _sequence(config["layers"]) if name == "Sequential" else keras2_graph.converted(config, split)
        node |= {"module": MODULES[name], "registered_name": None}
        node["class_name"] = "Functional" if name == "Model" else name
    return node


def _layer(node, config):
    """A layer, apart from its calls."""
    name, module = node["class_name"], str(node.get("module"))
    if name in MODULES:
        node |= {"module": MODULES[name], "registered_name": None}
    elif module.startswith("keras.layers."):
        node["module"] = "keras.layers"
    if name == "BatchNormalization" and isinstance(config.get("axis"), list):
        (config["axis"],) = config["axis"]
    if name == "Identity":
        node["config"] = {"name": config["name"]}
    if name == "RandomCrop":  # which resizes outside training
        kept = {key: config[key] for key in ("name", "height", "width")}
        node |= {"class_name": "Resizing", "config": kept | {"crop_to_aspect_ratio": True}}
    if "theta" in config:
        config["threshold"] = config.pop("theta")
    inner = [value["config"] for value in config.values() if isinstance(value, dict) and "class_name" in value]
    node.pop("build_config", None)  # it is built when it is called
    for part in inner:
        part.pop("batch_input_shape", None)
    if any(
        part.get("activation") == HARD and (part is not config or "recurrent_initializer" in part)
        for part in (config, *inner)
    ):
        raise ValueError(f"its {name} layer {config.get('name')!r} has Keras 2's hard_sigmoid inside, {UNLIKE}")
    return node


def split(layer):
    """A layer with Keras 2's hard_sigmoid as three that Keras 3 computes alike; any other layer alone: list of dict."""
    config = layer["config"]
    if config.get("activation") != HARD:
        return [layer]
    name, config["activation"] = config["name"], "linear"
    added = {"Rescaling": {"scale": 6 / 5, "offset": 0}, "Activation": {"activation": HARD}}
    return [layer, *(_added(kind, f"{name}_{kind.lower()}", options) for kind, options in added.items())]


def scale_hard_gates(model):
    """Make the gates of recurrent layers with Keras 2's hard_sigmoid compute the same by Keras 3's, in place."""
    import keras

    for cell in keras_internals.all_layers(model):
        factors = GATES.get(type(cell).__name__)
        if factors and cell.recurrent_activation is keras.activations.hard_sigmoid:
            cell.set_weights([w * np.repeat(factors, w.shape[-1] // len(factors)) for w in cell.get_weights()])


def _added(kind, name, options):
    return {"class_name": kind, "name": name, "config": {"name": name, **options}}


def _sequence(layers):
    """The layers of a Sequential; only an InputLayer says the shape of its input, and one comes first if need be."""
    start = layers[:1]
    shape = start[0]["config"].get("batch_input_shape") if start else None
    if shape is not None and start[0]["class_name"] not in ("InputLayer", *MODELS):
        layers = [_added("InputLayer", "input", {"batch_input_shape": shape}), *layers]
    for layer in layers:
        if layer["class_name"] != "InputLayer":
            layer["config"].pop("batch_input_shape", None)
    return {"layers": [part for layer in layers for part in split(layer)]}
