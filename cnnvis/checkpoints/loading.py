"""Load a model file of any Keras, safely, with each weight in its place."""

import copy
import tempfile
import warnings
import zipfile
import zlib
from pathlib import Path

from cnnvis import keras_internals
from cnnvis.checkpoints import foreign, inspection, keras2, keras_versions


def load_model(path):
    """Load the model in a `.keras` or HDF5 file; no code in it runs.

    Raises ValueError, with the reason in one line, if it isn't safe, or Keras can't load it.
    """
    try:
        with temporary_folder() as folder, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about the style of the model
            harmless, config, weights, version = _inspected(path, Path(folder))
            is_old = keras_versions.is_old(version)
            with keras_internals.at_most(weights + inspection.ALLOWANCE):
                model = _built(harmless, config, foreign.advice(path, harmless.suffix, is_old))
        _check_order(model, config)
        if is_old:
            keras2.scale_hard_gates(model)
    except ValueError as error:
        raise ValueError(f"{path} can't be loaded as a Keras model: {error}") from error
    return model


def temporary_folder():
    """A temporary folder. It may remain on Windows, which doesn't remove files that Keras left open."""
    return tempfile.TemporaryDirectory(ignore_cleanup_errors=True)


def _inspected(path, folder):
    try:
        return inspection.inspected(path, folder)
    except (OSError, EOFError, RuntimeError, zipfile.BadZipFile, zlib.error) as error:
        raise ValueError(f"it is damaged or incomplete, copy or download it again ({error})") from error
    except (AttributeError, IndexError, KeyError, TypeError) as error:
        raise ValueError(f"its configuration is not what Keras writes ({type(error).__name__}: {error})") from error


def _built(path, config, advice):
    import keras

    try:
        if path.suffix == ".keras":
            return keras.saving.load_model(path, compile=False, safe_mode=True)
        model = keras.saving.deserialize_keras_object(copy.deepcopy(config), safe_mode=True)
        model.load_weights(path)
    except Exception as error:  # Keras raises all kinds of errors for a wrong file
        raise ValueError(f"{foreign.reason(error)}. {advice}") from error
    for layer in keras_internals.all_layers(model):
        if isinstance(layer, keras.layers.Normalization):  # Keras forgets it in nested models of a .h5 file
            layer.finalize_state()
    return model


def _check_order(model, config):
    """Refuse a model whose layers have an order unlike that in the file, by which Keras assigns the weights."""
    layers = {layer.name: layer for layer in model.layers if layer.weights}
    parts = {part["config"]["name"]: part for part in config["config"]["layers"] if "name" in part["config"]}
    if [name for name in parts if name in layers] != list(layers):
        raise ValueError(
            "Keras 3 puts its layers in another order, and would confuse their weights: rebuild it in Keras 3"
        )
    for name, layer in layers.items():
        if hasattr(layer, "layers"):
            _check_order(layer, parts[name])
