"""Trained networks on disk: a plain Keras file, and a JSON file of metadata beside it."""

import hashlib
import json
import math
import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cnnvis import keras_internals
from cnnvis.checkpoints import foreign, keras_versions, loading
from cnnvis.checkpoints.metadata import OURS, class_count, metadata_beside, read_metadata
from cnnvis.console import complete
from cnnvis.images import Statistics

STASH = Path(__file__).parents[2] / "models" / "stashed"
INCLUDED = {"deep": "cifar10_deep.keras", "basic": "cifar10_basic.keras"}


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
        """(height, width) of the network's images, None for a side of any length; None if it accepts any size."""
        size = image_shape(self.model)[:2]
        return None if size == (None, None) else size

    @property
    def resizing(self):
        """How images become what the network takes, for `images.choose`: dict of `size`, as above, and `crop`.

        Ours learned images that keep their aspect ratio. Others get the whole image, squeezed, as most learned it.
        """
        return {"size": self.size, "crop": OURS in self.metadata}

    @property
    def class_count(self):
        """How many classes the network distinguishes."""
        return class_count(self.model)

    @property
    def classes(self):
        """Names of the classes: list of str; None if unknown."""
        return self.metadata.get("classes")

    @property
    def input_range(self):
        """(low, high) of the pixels that the network expects, "caffe" or "torch"; None if unknown."""
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
    with loading.temporary_folder() as folder:
        saved = Path(folder) / path.name
        model.save(saved)
        keras_versions.make_portable(saved)
        with complete(path) as network, complete(path.with_suffix(".json")) as written:
            written.write_text(json.dumps(metadata, indent=2) + "\n", encoding="utf-8")
            shutil.copyfile(saved, network)


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
    path = find(path)
    foreign.check(path)
    digest = _digest(path)
    model = loading.load_model(path)
    _check_classifier(model, path)
    metadata = metadata_beside(path, model)
    if not path.is_file() or _digest(path) != digest:
        raise ValueError(f"{path} was replaced or removed while it was read: start again")
    return Checkpoint(path, model, metadata=metadata, digest=digest)


def _digest(path):
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while part := file.read(2**20):
            digest.update(part)
    return digest.hexdigest()


def image_shape(model):
    """The images that a model takes: (height, width, channels), None for a side of any length; None if it takes none.

    Some take (channels, height, width); some (height, width), in grey; or (values,) of a square image, row by row.
    """
    shape = tuple(model.inputs[0].shape[1:])
    for height_width_channels in (shape, (*shape[1:], *shape[:1])):
        if len(shape) == 3 and height_width_channels[-1] in (1, 2, 3, 4):
            return height_width_channels
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
