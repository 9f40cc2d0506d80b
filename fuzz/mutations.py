"""Damage that keeps a model file readable: in its configuration, its arrays, or the archive around them.

Random bytes in a `.keras` file hit little but checksums.
"""

import inspect
import io
import json
import math
import sys
import zipfile

from cnnvis.checkpoints import inspection  # isort: skip
import h5py
import keras
import numpy as np

from cnnvis.checkpoints.configuration import LAYERS, OPERATIONS
from fuzz.models import OUTSIDE

NUMBERS = (0, 1, -1, 2, 3, 7, 0.5, 100, 10**5, 10**9, 2**31, 2**63, 10**30, -(10**9), 1e300, math.nan, math.inf)
VALUES = (None, True, False, [], {}, "", [None], [0, 0], [10**5, 10**5], [[0, 0], [10**6, 0]], "same", "float16")
WORDS = ("relu", "linear", "\0", "../x", "a" * 5000, "é\u202e", "channels_first", "int8", "bfloat16", "lambda x: x")
MEMBERS = ("metadata.json", "config.json", "model.weights.h5", "../x", "a/", "config.json\0")


def mutated(content, random):
    """Change a model file: bytes -> bytes. `random` is a `random.Random`."""
    change = _archive if zipfile.is_zipfile(io.BytesIO(content)) else _hdf5
    for _ in range(random.choice((1, 1, 2, 4))):
        content = change(content, random)
    return content


def _archive(content, random):
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = [(name, archive.read(name)) for name in archive.namelist()]
    kind = random.random()
    for index, (name, data) in enumerate(members):
        change = _hdf5 if name == "model.weights.h5" else _json
        first, last = {"config.json": (0, 0.8), "metadata.json": (0.8, 0.84)}.get(name, (0.84, 0.94))
        if first <= kind < last:
            members[index] = name, change(data, random)
    if kind >= 0.94:
        members.insert(random.randrange(3), (random.choice(MEMBERS), random.choice(members)[1]))
        del members[random.randrange(4)]
    out = io.BytesIO()
    compression = random.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in members:
            archive.writestr(zipfile.ZipInfo(name), data, compression)
    return out.getvalue()


def _hdf5(content, random):
    inspection.longest_text(content)  # raises ValueError for what HDF5 would read forever
    out = io.BytesIO(content)
    with h5py.File(out, "r+") as file:
        if "model_config" in file.attrs and random.random() < 0.8:
            file.attrs["model_config"] = _json(file.attrs["model_config"], random)
        else:
            _tree(file, random)
    return out.getvalue()


def _tree(file, random):
    """Change a group, an array or an attribute, or let it refer to another file."""
    names = ["/"]
    file.visit(names.append)
    name = random.choice(names)
    item, group = file[name], file[name].parent
    kind = random.choice(("attribute", "array", "remove", "link", "soft", "external", "virtual", "again"))
    if kind == "attribute":
        key = random.choice([*item.attrs, "layer_names", "weight_names", "keras_version"])
        item.attrs[key] = random.choice((1, "2.1.0", [], ["a"] * 9, np.zeros(9), h5py.Empty("f"), item.ref, b"\xff"))
        return
    if name == "/":
        return
    shape = getattr(item, "shape", (1,))
    del file[name]
    if kind == "array":
        dtype = random.choice(("float64", "int8", "float16", "S3", "complex64", "bool", h5py.string_dtype()))
        group.create_dataset(name, random.choice((shape, shape[::-1], (), (0,), (2, 3))), dtype)
    elif kind == "link":
        file[name] = h5py.ExternalLink(str(OUTSIDE), "/data")
    elif kind == "soft":
        file[name] = h5py.SoftLink(random.choice(names))
    elif kind == "external":
        file.create_dataset(name, shape, "float32", external=[(str(OUTSIDE), 0, h5py.h5f.UNLIMITED)])
    elif kind == "virtual":
        layout = h5py.VirtualLayout(shape, "float32")
        layout[...] = h5py.VirtualSource(str(OUTSIDE), "data", shape)
        file.create_virtual_dataset(name, layout)
    elif kind == "again":
        file[name] = group


def _json(text, random):
    try:
        document = {"": json.loads(text)}
        _change(document, random)
        return json.dumps(document[""])[:60_000]
    except (ValueError, RecursionError):
        return text


def _change(document, random):
    places = list(_places(document))
    node, key = random.choice(places)
    value, layers = node[key], [node for node, _ in places if isinstance(node, dict) and "class_name" in node]
    kind = random.choice(("value", "value", "value", "layer", "operation", "class", "copy", "double", "remove", "deep"))
    if kind == "value" or not layers:
        numeric = isinstance(value, int | float) and not isinstance(value, bool)
        texts = [node[key] for node, key in places if isinstance(node[key], str)] + list(WORDS)
        pool = NUMBERS if numeric else texts if isinstance(value, str) else VALUES
        node[key] = random.choice((*pool, *NUMBERS, *VALUES) if random.random() < 0.3 else pool)
    elif kind == "class":
        random.choice(layers)["class_name"] = random.choice(sorted(LAYERS))
    elif kind == "layer":
        name = random.choice(sorted(LAYERS))
        config = _options(name, keras.layers, random)
        random.choice(layers).update(class_name=name, module="keras.layers", registered_name=None, config=config)
    elif kind == "operation":
        module = random.choice(sorted(OPERATIONS))
        name = random.choice(sorted(name for name, item in vars(sys.modules[module]).items() if inspect.isclass(item)))
        config = _options(name, sys.modules[module], random)
        random.choice(layers).update(class_name=name, module=module, registered_name=name, config=config)
    elif kind == "copy":
        other, place = random.choice(places)
        node[key] = json.loads(json.dumps(other[place]))
    elif kind == "double" and isinstance(value, list):
        node[key] = json.loads(json.dumps(value * random.choice((2, 50))))
    elif kind == "remove":
        del node[key]
    elif kind == "deep":
        for _ in range(random.choice((1, 30, 900))):
            node[key] = [node[key]] if random.random() < 0.5 else {"class_name": "Sequential", "config": node[key]}


def _places(node):
    for key in range(len(node)) if isinstance(node, list) else list(node):
        yield node, key
        if isinstance(node[key], list | dict):
            yield from _places(node[key])


def _options(name, module, random):
    """Options for a layer or operation: its own, each with some value."""
    made = getattr(module, name, None)
    try:
        known = [key for key in inspect.signature(made.__init__).parameters if key not in ("self", "args", "kwargs")]
    except (AttributeError, ValueError):
        known = []
    chosen = {key: random.choice((*NUMBERS, *NUMBERS, *VALUES)) for key in known if random.random() < 0.8}
    return {**chosen, "name": random.choice(("a", "dense", "conv2d"))}
