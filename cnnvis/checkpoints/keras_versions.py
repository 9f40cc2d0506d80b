"""Translate model files between versions of Keras, which refuse unknown options of layers."""

import json
import os
import zipfile

MODELS = ("Functional", "Model", "Sequential")
RETIRED = {  # options of Keras 2 that Keras 3 refuses, and the value that can be dropped (...: any value)
    "DepthwiseConv2D": {"groups": 1},
    "SeparableConv2D": {
        "groups": 1,
        **{f"kernel_{kind}": ... for kind in ("initializer", "regularizer", "constraint")},  # it has two kernels
    },
    "Conv2DTranspose": {"groups": 1},
    "SpatialDropout2D": {"noise_shape": None, "trainable": True},
    **{f"Random{kind}": {"rng_type": "stateful"} for kind in ("Flip", "Rotation", "Zoom", "Contrast", "Translation")},
}
RECENT = {  # options that Keras 3.15 writes and 3.10 refuses, and the value that can be dropped
    "InputLayer": {"optional": False},
    "Dense": {"quantization_config": None},
    "BatchNormalization": {"renorm": False, "renorm_clipping": None, "renorm_momentum": 0.99},
    **{name: {"input_axes": None, "output_axes": None} for name in ("GlorotUniform", "HeUniform", "VarianceScaling")},
}


def make_portable(path):
    """Remove the options that an older Keras 3 would refuse from a `.keras` file."""
    copy = path.with_name(f"{path.name}.portable")
    try:
        with zipfile.ZipFile(path) as old, zipfile.ZipFile(copy, "w") as new:
            for name in old.namelist():
                content = old.read(name)
                if name == "config.json":
                    content = json.dumps(_clean(json.loads(content), RECENT))
                new.writestr(name, content)
        os.replace(copy, path)
    finally:
        copy.unlink(missing_ok=True)


def modernized(config):
    """Convert a model's configuration from Keras 2 to Keras 3.

    Raises ValueError if Keras 3 would compute the model differently.
    """
    return _clean(config, RETIRED)


def _clean(node, options):
    if isinstance(node, list):
        return [_clean(item, options) for item in node]
    if not isinstance(node, dict):
        return node
    node = {key: _clean(value, options) for key, value in node.items()}
    if options is RETIRED and "hard_sigmoid" in (node.get("activation"), node.get("config")):
        raise ValueError("it uses the hard_sigmoid of Keras 2, which Keras 3 computes differently")
    config = node.get("config")
    if options is RETIRED and node.get("class_name") in ("Policy", "PolicyV1") and isinstance(config, dict):
        return config.get("name")
    if options is RETIRED and node.get("class_name") == "Sequential" and isinstance(config, list):  # Keras 2.2 or older
        config = node["config"] = {"name": "sequential", "layers": config}
    if isinstance(config, dict):
        for option, value in options.get(node.get("class_name"), {}).items():
            if option in config and value in (..., config[option]):
                del config[option]
        if options is RETIRED:
            _modernize_structure(node, config)
    return node


def _modernize_structure(node, config):
    """Unwrap lists of one item, which Keras 3 reads differently, and update the class of functional models."""
    if node.get("class_name") == "BatchNormalization" and isinstance(config.get("axis"), list):
        (config["axis"],) = config["axis"]
    if node.get("class_name") in ("Functional", "Model"):
        for ends in ("input_layers", "output_layers"):
            if isinstance(config.get(ends), list) and len(config[ends]) == 1 and isinstance(config[ends][0], list):
                (config[ends],) = config[ends]
        _count_calls_from_zero(config.get("layers", []))
        if "module" in node:
            node["module"], node["class_name"] = "keras.src.models.functional", "Functional"
    if node.get("class_name") in MODELS and isinstance(config.get("layers"), list):
        config["layers"] = _with_input_layer(config["layers"])


def _with_input_layer(layers):
    """The layers of a model, of which only an InputLayer says the shape of its input; one comes first if need be."""
    shapes = []
    for layer in layers:
        config = layer.get("config") if isinstance(layer, dict) else None
        if isinstance(config, dict) and layer.get("class_name") not in ("InputLayer", *MODELS):
            shapes.append(config.pop("batch_input_shape", None))
    starts = isinstance(layers[0], dict) and layers[0].get("class_name") == "InputLayer" if layers else True
    if starts or not shapes or shapes[0] is None:
        return layers
    return [{"class_name": "InputLayer", "config": {"batch_input_shape": shapes[0], "name": "input"}}, *layers]


def _count_calls_from_zero(layers):
    """Renumber calls of nested models: Keras 2 counted a model's creation as its first call, Keras 3 does not."""
    nested = {layer.get("name") for layer in layers if layer.get("class_name") in MODELS}
    for layer in layers:
        for call in layer.get("inbound_nodes", []):
            for source in call if isinstance(call, list) else []:
                if isinstance(source, list) and source[0] in nested:
                    source[1] = max(0, source[1] - 1)
