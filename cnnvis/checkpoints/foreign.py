"""What a file is that isn't a Keras model, or that Keras can't load, and what to do about it."""

import re
import textwrap
import zipfile

LOAD = "load these weights with model.load_weights, and save it as a .keras file"
REBUILD = f"rebuild the model without it from Keras's own layers, {LOAD}"
OTHERS = {  # endings of files that aren't Keras models
    ".weights.h5": "it has weights without their model: load them into it, and save it as a .keras file",
    **dict.fromkeys((".pt", ".pth", ".safetensors"), "a PyTorch model has to be rebuilt in Keras"),
    ".onnx": "convert it to Keras first, with onnx2keras, say",
    ".tflite": "a TensorFlow Lite model can't be taken apart: use the Keras model it was converted from",
    ".pb": "it is part of a SavedModel: name its folder",
    **dict.fromkeys(
        (".ckpt", ".index"), "it has weights without their model: load them into it, and save it as a .keras file"
    ),
    **dict.fromkeys(
        (".pkl", ".pickle", ".joblib"), "a pickled object may run code: save the model with model.save('model.keras')"
    ),
    ".mlmodel": "a Core ML model can't be taken apart: use the Keras model it was converted from",
    **dict.fromkeys((".zip", ".gz", ".tgz", ".tar", ".7z", ".rar"), "unpack it, and name the .keras or .h5 file in it"),
    ".json": "it has no weights: name the .keras or .h5 file with both",
}
BEGINNINGS = {  # of a file's content
    b"version https://git-lfs": "it is a pointer of Git LFS, not the model itself: fetch that with git lfs pull",
    b"<": "it is a web page, not the model itself: download the file again, on GitHub by Download raw file",
    b"PK\x03\x04": "it is incomplete: copy or download it again",
    b"\x89HDF\r\n\x1a\n": "it is incomplete: copy or download it again",
}
LONGEST = 300  # characters of a message from Keras


def check(path):
    """Raise ValueError or OSError, and say what to do, if a path can't be that of a Keras model."""
    import h5py

    if not path.exists():
        raise FileNotFoundError(f"there is no model {path}")
    if path.is_dir():
        raise ValueError(f"{path} is a folder, not a Keras model: {_of_folder(path)}")
    if not path.is_file():
        raise ValueError(f"{path} is not a regular file")
    name = path.name.lower()
    for end, what in OTHERS.items():
        if name.endswith(end):
            raise ValueError(f"{path} is not a Keras model: {what}")
    if not (h5py.is_hdf5(path) or zipfile.is_zipfile(path)):
        raise ValueError(f"{path} is damaged or not a Keras model: {_of_content(path)}")


def _of_folder(path):
    """What to do with a folder: a SavedModel, or an unpacked `.keras` file."""
    if (path / "config.json").is_file() and (path / "model.weights.h5").is_file():
        return "it is an unpacked .keras file: pack its files again, as a zip file whose name ends in .keras"
    graph = path / "saved_model.pb"
    if not graph.is_file():
        return "name the .keras or .h5 file in it"
    if not _mentions(graph, b"_tf_keras_"):
        return "it is a SavedModel without Keras's layers: save the model itself with model.save('model.keras')"
    return f"it is a SavedModel of Keras 2: {_conversion(path)}"


def _conversion(path):
    convert = f"import tf_keras; tf_keras.models.load_model({str(path)!r}).save({f'{path}.h5'!r})"
    return f'run pip install tf-keras, then python -c "{convert}", and name the .h5 file'


def _mentions(path, word):
    with open(path, "rb") as file:
        rest = b""
        while part := file.read(2**20):
            if word in rest + part:
                return True
            rest = part[-len(word) :]
    return False


def _of_content(path):
    with open(path, "rb") as file:
        beginning = file.read(64).removeprefix(b"\xef\xbb\xbf").lstrip()
    if not path.stat().st_size:
        return "it is empty: copy or download it again"
    for start, what in BEGINNINGS.items():
        if beginning.startswith(start):
            return what
    return "copy or download it again, or save the model with model.save('model.keras')"


def advice(path, kind, is_old):
    """What to do with a model that Keras can't load, from a file of the `kind` ".keras" or ".h5", of Keras 2 or 3."""
    if kind != ".keras":
        return f"Rebuild the model in Keras 3, {LOAD}"
    if is_old:
        return f"Keras 2 may open it: {_conversion(path)}"
    return "If the Keras that saved it opens it, save it there as a .h5 file"


def reason(error):
    """Why Keras could not load a model, in one sentence, without the configurations that it quotes."""
    text = re.sub(r"\x1b\[[0-9;]*m", "", str(error))
    if "No cast function available" in text:
        return "its weights are bfloat16, which Keras can't read from a .h5 file"
    layer = re.search(r"class '(\w+)' using config=\{'name': '([^']+)'", text)
    text = re.sub(r"^Exception encountered when calling .*?\n\n", "", text.split("Exception encountered: ")[-1])
    text = re.split(
        r"\s+Arguments received|Inputs received|List of objects that|\.? Full object config|,? ?config=\{", text
    )[0]
    text = text.split("Example error message for object ")[-1]
    text = textwrap.shorten(text or type(error).__name__, LONGEST, placeholder=" …").rstrip(".")
    named = f"its layer {textwrap.shorten(layer[2], LONGEST)!r} ({layer[1]}): " if layer else ""
    return f"{named}{text}"
