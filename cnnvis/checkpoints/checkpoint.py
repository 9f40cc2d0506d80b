"""Trained networks on disk: a plain Keras file, and a JSON file of metadata beside it."""

import hashlib
import json
import math
import shutil
import tempfile
import warnings
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cnnvis import keras_internals
from cnnvis.checkpoints import inspection, keras_versions
from cnnvis.console import complete, notice
from cnnvis.images import Statistics

STASH = Path(__file__).parents[2] / "models" / "stashed"
INCLUDED = {"deep": "cifar10_deep.keras", "basic": "cifar10_basic.keras"}
MOST_METADATA = 2**20  # bytes
OURS = "architecture"  # key that tells our metadata from other JSON
FOREIGN = {  # endings of other kinds of models
    **dict.fromkeys((".pt", ".pth"), "a PyTorch model has to be rebuilt in Keras"),
    ".onnx": "convert it to Keras first, with onnx2keras, say",
    ".tflite": "a TensorFlow Lite model can't be taken apart: use the Keras model it was converted from",
    ".pb": "it is part of a SavedModel: open its folder with tf-keras, and save it as a .h5 file",
}
LONGEST_NAME = 255  # characters of a class name, as of a folder's
LONGEST_REASON = 1000  # characters of an error message from Keras, which may quote the whole file
LONGEST_PATH = 4096


@dataclass(frozen=True)
class Checkpoint:
    """A loaded network.

    Attributes
    ----------
    path : Path
    model : keras.Model
        One input, (N, H, W, 1 to 4), and one output, (N, K).
    metadata : dict
        The content of the JSON file beside it; empty if there is none.
    digest : str
        SHA-256 of the model file.
    """

    path: Path
    model: object
    metadata: dict
    digest: str

    @property
    def size(self):
        """(height, width) of the network's images; None if it accepts any size."""
        height, width, _ = image_shape(self.model)
        return None if None in (height, width) else (height, width)

    @property
    def class_count(self):
        """How many classes the network distinguishes."""
        return max(2, self.model.outputs[0].shape[-1])  # one unit is the probability, or logit, of the second of two

    @property
    def classes(self):
        """Names of the classes: list of str; None if unknown."""
        return self.metadata.get("classes")

    @property
    def input_range(self):
        """(low, high) of the pixels that the network expects; None if unknown."""
        return self.metadata.get("input_range")

    @property
    def data(self):
        """The data set that the network was trained on; CIFAR-10 if unknown."""
        return self.metadata.get("data", "cifar10")

    @property
    def statistics(self):
        """Statistics of the training images; None if unknown. Raises ValueError if no images can have them."""
        if "statistics" not in self.metadata:
            return None
        try:
            return Statistics.from_json(self.metadata["statistics"])
        except ValueError as error:
            raise ValueError(f"{self.path.with_suffix('.json')}: statistics are damaged: {error}") from error


def find(model=None, folder=None):
    """Path of a checkpoint.

    Parameters
    ----------
    model : path, "deep" or "basic", optional
        A file, or the name of an included network. If not given, the user's newest network, by the time in its
        metadata; without any, the included `deep`.
    folder : Path, optional
        The folder of trained networks; `STASH` if not given.

    Raises FileNotFoundError if no model is given and the folder has none.
    """
    folder = folder or STASH
    if model is not None:
        return folder / INCLUDED[str(model)] if str(model) in INCLUDED else Path(model)
    own = [path for path in folder.glob("[!.]*.keras") if path.name not in INCLUDED.values()]
    if own:
        return max((read_metadata(path).get("trained_at", ""), path) for path in own)[1]
    if not (folder / INCLUDED["deep"]).exists():
        raise FileNotFoundError(f"no trained network in {folder}: run train.py, or name one with --model")
    return folder / INCLUDED["deep"]


def save(model, metadata, path):
    """Write a network and its metadata: both, or neither. The network comes last: it makes the checkpoint exist.

    Parameters
    ----------
    model : keras.Model
    metadata : dict
        JSON values only.
    path : path
        Ends in `.keras`. The metadata go beside it, in a file that ends in `.json`.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with _temporary_folder() as folder:
        saved = Path(folder) / path.name
        model.save(saved)
        keras_versions.make_portable(saved)
        with complete(path) as network, complete(path.with_suffix(".json")) as written:
            written.write_text(json.dumps(metadata, indent=2) + "\n", encoding="utf-8")
            shutil.copyfile(saved, network)


def _temporary_folder():
    """A temporary folder. It may remain on Windows, which doesn't remove files that Keras left open."""
    return tempfile.TemporaryDirectory(ignore_cleanup_errors=True)


def load(path=None):
    """Load any network, with its metadata if it has some. No code in the file runs: `inspection` checks it first.

    Parameters
    ----------
    path : path, optional
        A `.keras` file, a `.h5` file of Keras 2 or 3, or another `model` of `find`.

    Returns
    -------
    Checkpoint

    Raises
    ------
    ValueError, OSError
        If it is not a model, can't be opened safely, or is not an image classifier.
    """
    import h5py

    path = find(path)
    if not path.exists():
        raise FileNotFoundError(f"there is no model {path}")
    if path.is_dir():
        raise ValueError(f"{path} is a folder: open a SavedModel with tf-keras, and save it as a .h5 file")
    kind = path.suffix.lower()
    if path.name.lower().endswith(".weights.h5"):
        raise ValueError(f"{path} has weights without their model: load them into it, and save it as a .keras file")
    if kind not in (".keras", ".h5", ".hdf5"):
        reason = FOREIGN.get(kind, "its name ends neither in .keras nor in .h5")
        raise ValueError(f"{path} is not a Keras model: {reason}")
    if not path.is_file():
        raise ValueError(f"{path} is not a regular file")
    if not (zipfile.is_zipfile(path) if kind == ".keras" else h5py.is_hdf5(path)):
        raise ValueError(f"{path} is damaged or not a Keras model")
    digest = _digest(path)
    try:
        model = _load_model(path)
    except Exception as error:  # Keras raises all kinds of errors for a wrong file
        raise ValueError(f"{path} can't be loaded as a Keras model: {str(error)[:LONGEST_REASON]}") from error
    _check_classifier(model, path)
    metadata = read_metadata(path)
    names, outputs = metadata.get("classes", ()), max(2, model.outputs[0].shape[-1])
    if len(names) not in (0, outputs):
        mismatch = f"{path.with_suffix('.json')} names {len(names)} classes, the model has {outputs}"
        if OURS in metadata:
            raise ValueError(mismatch)
        notice(f"{mismatch}: they are ignored.")
        del metadata["classes"]
    if not path.is_file() or _digest(path) != digest:
        raise ValueError(f"{path} was replaced or removed while it was read: start again")
    return Checkpoint(path, model, metadata=metadata, digest=digest)


def _digest(path):
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while part := file.read(2**20):
            digest.update(part)
    return digest.hexdigest()


def _load_model(path):
    import keras

    with _temporary_folder() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about the style of the model
        harmless, weights = inspection.inspected(path, Path(folder))
        with keras_internals.at_most(weights + inspection.ALLOWANCE):
            return keras.saving.load_model(harmless, compile=False, safe_mode=True)


def read_metadata(path):
    """Read the metadata beside a checkpoint: dict, empty if there are none.

    A file of that name which isn't ours is no error: what can't be metadata is ignored, and a notice says so. Raises
    ValueError if our own metadata are invalid.
    """
    path = Path(path).with_suffix(".json")
    if not path.exists():
        return {}
    if not path.is_file() or path.stat().st_size > MOST_METADATA:
        notice(f"{path} is ignored: it is not the metadata of a checkpoint.")
        return {}
    text = path.read_text(encoding="utf-8", errors="replace")
    try:
        metadata = json.loads(text)
    except (ValueError, RecursionError) as error:
        if f'"{OURS}"' in text:
            raise ValueError(f"{path} is not JSON: {error}") from error
        notice(f"{path} is ignored: it is not JSON.")
        return {}
    if not isinstance(metadata, dict):
        notice(f"{path} is ignored: it is not the metadata of a checkpoint.")
        return {}
    for key in [key for key, is_valid in _VALID.items() if key in metadata and not is_valid(metadata[key])]:
        if OURS in metadata:
            raise ValueError(f"{path}: {key} is invalid")
        notice(f"{path}: {key} is ignored, since it is not what our metadata have there.")
        del metadata[key]
    return metadata


def _is_text(value):
    return isinstance(value, str) and 0 < len(value) <= LONGEST_NAME and value.isprintable()


def _is_path(value):
    return isinstance(value, str) and 0 < len(value) <= LONGEST_PATH and "\0" not in value


def _is_number(value):
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e9 and math.isfinite(value)


_VALID = {
    "data": _is_path,
    "trained_at": _is_text,
    "classes": lambda names: isinstance(names, list) and all(map(_is_text, names)) and len(set(names)) == len(names),
    "input_range": lambda ends: (
        isinstance(ends, list) and len(ends) == 2 and all(map(_is_number, ends)) and ends[0] < ends[1]
    ),
}


def image_shape(model):
    """The images that a model takes: (height, width, channels), None for a side of any length; None if it takes none.

    (height, width) is grey, and (values,) a square image, grey or else in colours, row by row.
    """
    shape = tuple(model.inputs[0].shape[1:])
    if len(shape) == 3 and shape[-1] in (1, 2, 3, 4):
        return shape
    if len(shape) == 2 and all(shape):
        return (*shape, 1)
    for channels in (1, 3) if len(shape) == 1 and shape[0] else ():
        side = math.isqrt(shape[0] // channels)
        if channels * side**2 == shape[0] and side > 1:
            return side, side, channels
    return None


def _check_classifier(model, path):
    import keras

    if not isinstance(model, keras.Sequential) and not keras_internals.is_functional(model):
        raise ValueError(f"{path} is a model of its own class, which hides its layers: save it as a functional model")
    if not model.built or len(model.inputs) != 1 or len(model.outputs) != 1:
        raise ValueError(f"{path} is not an image classifier: it needs one input and one output")
    inputs, outputs = model.inputs[0].shape, model.outputs[0].shape
    if image_shape(model) is None:
        raise ValueError(f"{path} is not an image classifier: it takes {inputs[1:]}, not (height, width, 1 to 4)")
    if len(outputs) != 2 or not outputs[-1]:
        raise ValueError(f"{path} is not an image classifier: it outputs {outputs[1:]}, not one number for each class")
    for weight in model.weights:
        if not np.isfinite(keras.ops.convert_to_numpy(weight).astype("float32")).all():
            raise ValueError(f"{path} has weights that are not finite (NaN or infinity), the first in {weight.path}")
