"""What lies beside a model file: our metadata, in JSON, or the class names that Teachable Machine writes."""

import json
import math
from pathlib import Path

from cnnvis import keras_internals
from cnnvis.console import PREPROCESSINGS, notice
from cnnvis.images import class_names

MOST_METADATA = 2**20  # bytes
OURS = "architecture"  # key that tells our metadata from other JSON
FOREIGN = "classes", "input_range"  # keys of other JSON that can't mean anything else
LONGEST_NAME = 255  # characters of a class name, as of a folder's
LONGEST_PATH = 4096
TEACHABLE = "keras_model", "labels.txt"  # the stem of Teachable Machine's model, and its class names


def class_count(model):
    """How many classes a model distinguishes; one unit is the probability, or logit, of the second of two."""
    return max(2, model.outputs[0].shape[-1])


def metadata_beside(path, model):
    """The metadata of a model: dict, empty if there are none.

    A notice says what of a file is ignored, since it isn't ours. Raises ValueError if our own metadata are invalid.
    """
    metadata, outputs = read_metadata(path), class_count(model)
    if "classes" not in metadata and OURS not in metadata:
        return metadata | _labels(path.with_name(TEACHABLE[1]), model, outputs, path.stem == TEACHABLE[0])
    if len(metadata.get("classes", ())) not in (0, outputs):
        mismatch = f"{path.with_suffix('.json')} names {len(metadata['classes'])} classes, the model has {outputs}"
        if OURS in metadata:
            raise ValueError(mismatch)
        notice(f"{mismatch}: they are ignored.")
        del metadata["classes"]
    return metadata


def _labels(file, model, outputs, is_teachable):
    """Metadata from a file of class names, if it has as many as the model has classes; else an empty dict."""
    import keras

    try:
        names = class_names(file)
    except (ValueError, OSError):
        return {}
    if len(names) != outputs:
        return {}
    notice(f"{file} names the classes; --classes would choose another file.")
    scaling = keras.layers.Rescaling | keras.layers.Normalization
    if not is_teachable or any(isinstance(layer, scaling) for layer in keras_internals.all_layers(model)):
        return {"classes": names}
    notice("Teachable Machine's models take pixels from -1 to 1; --input-range would choose another range.")
    return {"classes": names, "input_range": [-1, 1]}


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
    if OURS not in metadata:
        metadata = {key: metadata[key] for key in FOREIGN if key in metadata}
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
        ends in PREPROCESSINGS
        or (isinstance(ends, list) and len(ends) == 2 and all(map(_is_number, ends)) and ends[0] < ends[1])
    ),
}
