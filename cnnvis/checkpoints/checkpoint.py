"""Trained networks on disk: a plain Keras file, and beside it what it was trained on, as JSON."""

import hashlib
import json
import math
import os
import secrets
import shutil
import tempfile
import warnings
import zipfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cnnvis.checkpoints import inspection, keras_versions

STASH = Path(__file__).parents[2] / "models" / "stashed"
INCLUDED = {"deep": "cifar10_deep.keras", "basic": "cifar10_basic.keras"}
MOST_METADATA = 2**20  # bytes
MOST_LETTERS = 255  # of a class name, as of the folder that it may come from
MOST_LETTERS_OF_A_REASON = 1000  # of what Keras says about a file: it may quote all of it
MOST_LETTERS_OF_A_PATH = 4096


@dataclass(frozen=True)
class Checkpoint:
    """A loaded network.

    Attributes
    ----------
    path : Path
    model : keras.Model
        One input, (N, H, W, 1 to 4), and one output, (N, K).
    metadata : dict
        What is written beside it; empty for a model of somebody else's.
    digest : str
        SHA-256 of the file that it was loaded from.
    """

    path: Path
    model: object
    metadata: dict
    digest: str


def find(model=None, folder=None):
    """Path of a checkpoint.

    Parameters
    ----------
    model : path, "deep" or "basic", optional
        A file, or the name of one of the two networks that are included. If not given, the user's own network that was
        trained last, by the time written beside it; else the included `deep`.
    folder : Path, optional
        Where trained networks are; `STASH` if not given.

    Raises FileNotFoundError if none is given, and there is none.
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
    """Write a network and its metadata: both, or neither. The network comes last: it makes it count.

    Parameters
    ----------
    model : keras.Model
    metadata : dict
        JSON values only.
    path : path
        Ends in `.keras`; the metadata go beside it, ending in `.json`.
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
    """A folder for copies. One that Keras has left open stays, on Windows, rather than stop what has gone well."""
    return tempfile.TemporaryDirectory(ignore_cleanup_errors=True)


@contextmanager
def complete(path):
    """A path to write to that becomes `path` when all went well, and vanishes when not."""
    unfinished = path.with_name(f".{secrets.token_hex(8)}.{path.name}")
    try:
        yield unfinished
        with open(unfinished, "r+b") as file:  # Windows synchronises only what could be written to
            os.fsync(file)  # else a power failure could leave a new name with nothing in it
        os.replace(unfinished, path)
    except OSError as error:
        if error.errno:
            error.filename = str(path)
        raise
    finally:
        unfinished.unlink(missing_ok=True)


def load(path=None):
    """Load a network, ours or anybody's, with its metadata. Nothing in it runs: `inspection` looks through it first.

    Parameters
    ----------
    path : path, optional
        `.keras`, or `.h5` of Keras 2 or 3; or as `find` takes it.

    Returns
    -------
    Checkpoint

    Raises
    ------
    ValueError, OSError
        If it is no model or not an image classifier: one sentence that says so.
    """
    import h5py

    path = find(path)
    if not path.is_file():
        raise FileNotFoundError(f"there is no model {path}")
    if path.suffix not in (".keras", ".h5", ".hdf5"):
        raise ValueError(f"{path} is no model: it ends neither in .keras nor in .h5")
    if not (zipfile.is_zipfile(path) if path.suffix == ".keras" else h5py.is_hdf5(path)):
        raise ValueError(f"{path} is damaged or no Keras model")
    digest = _digest(path)
    try:
        model = _load_model(path)
    except Exception as error:  # what is wrong with a foreign file shows in as many ways as Keras has
        raise ValueError(f"{path} can't be loaded as a Keras model: {str(error)[:MOST_LETTERS_OF_A_REASON]}") from error
    _check_classifier(model, path)
    metadata = read_metadata(path)
    named, classes = len(metadata.get("classes", ())), model.outputs[0].shape[-1]
    if named not in (0, classes):
        raise ValueError(f"{path.with_suffix('.json')} names {named} classes, the model has {classes}")
    if not path.is_file() or _digest(path) != digest:
        raise ValueError(f"{path} was replaced or removed while it was read: start again")
    return Checkpoint(path, model, metadata, digest)


def _digest(path):
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while part := file.read(2**20):
            digest.update(part)
    return digest.hexdigest()


def _load_model(path):
    import keras

    with _temporary_folder() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the style of somebody else's model
        harmless, numbers = inspection.inspected(path, Path(folder))
        with inspection.at_most(numbers):
            return keras.saving.load_model(harmless, compile=False, safe_mode=True)


def read_metadata(path):
    """What is written beside the checkpoint at `path`; an empty dict if nothing is."""
    path = Path(path).with_suffix(".json")
    if not path.exists():
        return {}
    if not path.is_file() or path.stat().st_size > MOST_METADATA:
        raise ValueError(f"{path} is not the metadata of a checkpoint: it is no file, or larger than any")
    try:
        metadata = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path} is not JSON: {error}") from error
    if not isinstance(metadata, dict):
        raise ValueError(f"{path} is not the metadata of a checkpoint")
    for key, is_right in _RIGHT.items():
        if key in metadata and not is_right(metadata[key]):
            raise ValueError(f"{path}: {key} is not what it should be")
    return metadata


def _is_text(value):
    return isinstance(value, str) and 0 < len(value) <= MOST_LETTERS and value.isprintable()


def _is_path(value):
    return isinstance(value, str) and 0 < len(value) <= MOST_LETTERS_OF_A_PATH and "\0" not in value


def _is_number(value):
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e9 and math.isfinite(value)


_RIGHT = {
    "data": _is_path,
    "trained_at": _is_text,
    "classes": lambda names: isinstance(names, list) and all(map(_is_text, names)) and len(set(names)) == len(names),
    "input_range": lambda ends: (
        isinstance(ends, list) and len(ends) == 2 and all(map(_is_number, ends)) and ends[0] < ends[1]
    ),
}


def _check_classifier(model, path):
    import keras

    if not isinstance(model, keras.Sequential) and not hasattr(model, "_run_through_graph"):
        raise ValueError(f"{path} is a model of its own class, whose layers can't be seen: save it as a functional one")
    if not model.built or len(model.inputs) != 1 or len(model.outputs) != 1:
        raise ValueError(f"{path} is not an image classifier: it needs one input and one output")
    inputs, outputs = model.inputs[0].shape, model.outputs[0].shape
    if len(inputs) != 4 or inputs[-1] not in (1, 2, 3, 4):
        raise ValueError(f"{path} is not an image classifier: it takes {inputs[1:]}, not (height, width, 1 to 4)")
    if len(outputs) == 2 and outputs[-1] == 1:
        raise ValueError(f"{path} is not an image classifier: it gives one number, not one for each of two classes")
    if len(outputs) != 2 or not outputs[-1]:
        raise ValueError(f"{path} is not an image classifier: it gives {outputs[1:]}, not one number for each class")
    for weight in model.weights:
        if not np.isfinite(keras.ops.convert_to_numpy(weight).astype("float32")).all():
            raise ValueError(f"{path} has weights that are no numbers (NaN or infinite), first in {weight.path}")
