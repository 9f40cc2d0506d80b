"""Translate model files between versions of Keras, which refuse unknown options of layers."""

import functools
import inspect
import json
import os
import zipfile

from cnnvis.checkpoints import keras2
from cnnvis.checkpoints.configuration import LAYERS, module_of_operation

RECENT = {  # options that Keras 3.15 writes and 3.10 refuses, and the value that can be dropped
    "InputLayer": {"optional": False},
    "Dense": {"quantization_config": None},
    "BatchNormalization": {"renorm": False, "renorm_clipping": None, "renorm_momentum": 0.99},
    **{name: {"input_axes": None, "output_axes": None} for name in ("GlorotUniform", "HeUniform", "VarianceScaling")},
}
TRAINING = ("_initializer", "_regularizer", "_constraint")  # ends of options that don't change what a model predicts
IRRELEVANT = {  # so are these, and values that mean that an option of another Keras isn't used
    "groups": (1,),
    **dict.fromkeys(("fused", "input_length", "quantization_config", "renorm_momentum", "rng_type"), ...),
    **dict.fromkeys(("query_shape", "key_shape", "value_shape"), ...),
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


def _clean(node, options):
    if isinstance(node, list):
        return [_clean(item, options) for item in node]
    if not isinstance(node, dict):
        return node
    node = {key: _clean(value, options) for key, value in node.items()}
    config = node.get("config")
    if isinstance(config, dict):
        for option, value in options.get(node.get("class_name"), {}).items():
            if option in config and config[option] == value:
                del config[option]
    return node


def readable(config, version):
    """The configuration of a model as the Keras at hand reads it.

    Parameters
    ----------
    config : dict
        Parsed from JSON.
    version : str, bytes or None
        The Keras that wrote it.

    Returns
    -------
    dict
        Without what only training needs.

    Raises ValueError, with the reason, if Keras 3 can't compute the model.
    """
    old = is_old(version)
    return _readable(keras2.modernized(config) if old else config, old)


def is_old(version):
    """Whether a version of Keras, str, bytes or None, is before 3."""
    version = version.decode(errors="replace") if isinstance(version, bytes) else str(version)
    return version.startswith(("1", "2"))


def _readable(node, old):
    if isinstance(node, list):
        return [_readable(item, old) for item in node]
    if not isinstance(node, dict):
        return node
    node = {key: _readable(value, old) for key, value in node.items() if key != "compile_config"}
    name, config = node.get("class_name"), node.get("config")
    if not isinstance(name, str) or not isinstance(config, dict):
        return node
    is_operation = "inbound_nodes" in node and "trainable" not in config and not old
    if node.get("module") is None and is_operation and (module := module_of_operation(name)):  # in a .h5 file
        node |= {"module": module, "registered_name": None}
    if node.get("module") is None and name in LAYERS | keras2.MODULES.keys():  # in a .h5 file
        node |= {"module": keras2.MODULES.get(name, "keras.layers"), "registered_name": None}
    if node.get("module") == "keras.layers" and name in LAYERS:
        node["config"] = {key: value for key, value in config.items() if not _is_dispensable(name, key, value)}
        if "unroll" in config:
            node["config"]["unroll"] = False  # computes the same
    return node


def _is_dispensable(name, option, value):
    if option.endswith(TRAINING):
        return True
    takes_more, options = _options(name)
    unused = IRRELEVANT.get(option, (None, False))
    return option not in options and (unused is ... or value in unused or (option == "trainable" and not takes_more))


@functools.cache
def _options(name):
    """Whether a layer hands options on to others, and which it names: bool, set of str."""
    import keras

    parameters = inspect.signature(getattr(keras.layers, name).__init__).parameters
    takes_more = any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values())
    base = inspect.signature(keras.Layer.__init__).parameters if takes_more else {}
    return takes_more, {*parameters, *base}
