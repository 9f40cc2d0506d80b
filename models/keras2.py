"""Reading what Keras 2 wrote: Keras 3 refuses some options of its layers that no longer exist."""

import json
import shutil
import zipfile

RETIRED = {  # options that Keras 3 refuses, and which of their values mean nothing
    "DepthwiseConv2D": {"groups": 1},
    "SeparableConv2D": {"groups": 1},
    "Conv2DTranspose": {"groups": 1},
    "SpatialDropout2D": {"noise_shape": None, "trainable": True},
    **{f"Random{kind}": {"rng_type": "stateful"} for kind in ("Flip", "Rotation", "Zoom", "Contrast", "Translation")},
}


def written_by_keras2(path):
    """Whether a model file, `.keras` or HDF5, says that Keras 2 wrote it."""
    import h5py

    if path.suffix == ".keras":
        with zipfile.ZipFile(path) as archive:
            version = json.loads(archive.read("metadata.json")).get("keras_version", "")
    else:
        with h5py.File(path) as file:
            version = file.attrs.get("keras_version", "")
    return str(version).startswith("2.")


def modernized(path, folder):
    """Write a copy of a model file of Keras 2 to `folder`, as Keras 3 reads it; returns its path.

    Raises ValueError if the model uses what Keras 3 would compute differently.
    """
    import h5py

    copy = folder / path.name
    if path.suffix == ".keras":
        with zipfile.ZipFile(path) as old, zipfile.ZipFile(copy, "w") as new:
            for name in old.namelist():
                content = old.read(name)
                new.writestr(name, _modernize_json(content) if name == "config.json" else content)
    else:
        shutil.copyfile(path, copy)
        with h5py.File(copy, "r+") as file:
            if "model_config" in file.attrs:
                file.attrs["model_config"] = _modernize_json(file.attrs["model_config"])
    return copy


def _modernize_json(text):
    return json.dumps(_modernize(json.loads(text)))


def _modernize(node):
    if isinstance(node, list):
        return [_modernize(item) for item in node]
    if not isinstance(node, dict):
        return node
    if node.get("activation") == "hard_sigmoid" or node.get("config") == "hard_sigmoid":
        raise ValueError("it uses the hard_sigmoid of Keras 2, which Keras 3 computes differently")
    node = {key: _modernize(value) for key, value in node.items()}
    config = node.get("config")
    if isinstance(config, dict):
        for option, value in RETIRED.get(node.get("class_name"), {}).items():
            if config.get(option, value) == value:
                config.pop(option, None)
        if node.get("class_name") == "BatchNormalization" and isinstance(config.get("axis"), list):
            (config["axis"],) = config["axis"]
    return node
