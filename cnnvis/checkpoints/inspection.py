"""Inspect a model file before Keras opens it: it must contain only arrays and a harmless configuration, and be no bomb.

A `.keras` file is a ZIP archive of two JSON files and an HDF5 file. A `.h5` file is HDF5, with the configuration as an
attribute. HDF5 can refer to other files (CVE-2026-1669, -12480), and both formats can expand to far more than their
size on disk (CVE-2026-0897).
"""

import io
import json
import math
import mmap
import re
import shutil
import stat
import struct
import zipfile
from pathlib import Path

import numpy as np

from cnnvis.checkpoints import configuration, keras_versions

MEMBERS = {"metadata.json", "config.json", "model.weights.h5"}  # of a .keras file
EXPANSION = 100  # the most that a file may expand in memory: weights hardly compress at all
MOST_PARTS = 2**20  # of a configuration; a layer takes some dozens
FILTERS = {1, 2, 3}  # of an array: gzip, shuffle and a checksum; others may load programs
ALLOWANCE = 2**20  # extra bytes; and extra weights that a file doesn't store, such as seeds


def inspected(path, folder):
    """Check a model file, and take out of it what Keras may read.

    Parameters
    ----------
    path : Path
        `.keras`, or HDF5.
    folder : Path
        For the copy.

    Returns
    -------
    path : Path
        A `.keras` file without unchecked parts, or the HDF5 file, for its weights alone.
    config : dict
        The model's configuration.
    weights : int
        How many weights the file contains.
    version : str, bytes or None
        The Keras that wrote it.

    Raises
    ------
    ValueError
        With the reason, if the file isn't safe or isn't a model.
    """
    import h5py

    return (_inspected_hdf5 if h5py.is_hdf5(path) else _inspected_archive)(path, folder)


def _inspected_archive(path, folder):
    import h5py

    most = _most_bytes(path)
    with zipfile.ZipFile(path) as archive:
        _check_members(archive.infolist(), most)
        content = {name: archive.read(name) for name in sorted(MEMBERS)}
    metadata = _parsed(content["metadata.json"])
    version = metadata.get("keras_version") if isinstance(metadata, dict) else None
    config = _checked_config(content["config.json"], version)
    content["config.json"] = json.dumps(config).encode()
    weights = content["model.weights.h5"]
    longest = longest_text(weights)
    with h5py.File(io.BytesIO(weights)) as file:
        numbers = _check_hdf5(file, most, longest)
    copy = folder / f"{path.stem}.keras"
    with zipfile.ZipFile(copy, "w") as archive:
        for name, data in content.items():
            archive.writestr(name, data)
    return copy, config, numbers, version


def _check_members(members, most):
    names = [member.filename for member in members]
    for member in members:
        if member.filename not in MEMBERS:
            raise ValueError(f"it contains {member.filename!r}, which no model of Keras's own layers contains")
        if stat.S_ISLNK(member.external_attr >> 16) or member.compress_type not in (
            zipfile.ZIP_STORED,
            zipfile.ZIP_DEFLATED,
        ):
            raise ValueError(f"its {member.filename} is a link, or compressed by a method that Keras doesn't use")
    if len(set(names)) != len(names) or set(names) != MEMBERS:
        raise ValueError(f"it must contain each of {', '.join(sorted(MEMBERS))} exactly once")
    _check_bytes(sum(member.file_size for member in members), most)


def _inspected_hdf5(path, folder):
    import h5py

    with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        longest = longest_text(content)
    with h5py.File(path) as file:
        numbers = _check_hdf5(file, _most_bytes(path), longest)
        text = file.attrs.get("model_config")
        if not isinstance(text, str | bytes):
            raise ValueError(
                "it holds arrays without a model: if they are weights, load them into it, and save it as a .keras file"
            )
        version = file.attrs.get("keras_version", "2")
        config = _checked_config(text, version)
    if path.suffix not in (".h5", ".hdf5"):  # Keras tells files by it
        path = Path(shutil.copyfile(path, folder / f"{path.stem}.h5"))
    return path, config, numbers, version


def _checked_config(text, version):
    try:
        config = keras_versions.readable(_parsed(text), version)
        configuration.check(config)
    except RecursionError:
        raise ValueError("its configuration is nested too deeply") from None
    return config


def _parsed(text):
    """What a text in JSON says."""
    if sum(text.count(sign if isinstance(text, str) else sign.encode()) for sign in ",[{") > MOST_PARTS:
        raise ValueError(f"its configuration has more than {MOST_PARTS:,} parts")
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("its configuration is nested too deeply") from None
    except ValueError as error:
        raise ValueError(f"its configuration is not JSON: {error}") from error


def _check_hdf5(file, most, longest):
    """Walk through an HDF5 file without following links; return how many numbers its arrays hold.

    Raises ValueError if it has links, arrays in other files, or more than `most` bytes of arrays and texts. A text's
    length is unknown until it is read, and thousands of attributes may share one text, so each counts as the `longest`.
    """
    import h5py

    if file.id.get_create_plist().get_sizes() != (8, 8):
        raise ValueError("its addresses are not of 8 bytes, as Keras writes them")
    groups, seen, numbers, size = [file], set(), 0, _texts(file) * longest
    _check_bytes(size, most)
    while groups:
        group = groups.pop()
        _check_names(group)
        for name in group:
            if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                raise ValueError(f"its {name!r} is a link to somewhere else")
            item = group[name]
            address = h5py.h5o.get_info(item.id).addr
            if address in seen:
                raise ValueError(f"its {item.name!r} also appears under another name")
            seen.add(address)
            size += _texts(item) * longest
            if isinstance(item, h5py.Group):
                groups.append(item)
            elif isinstance(item, h5py.Dataset):
                numbers += item.size or 0
                size += _check_dataset(item)
            _check_bytes(size, most)
    return numbers


def _check_dataset(dataset):
    """Size of a dataset in bytes. Raises ValueError if it is in another file or doesn't hold numbers."""
    if dataset.is_virtual or dataset.external:
        raise ValueError(f"its array {dataset.name!r} is in another file")
    if dataset.dtype.hasobject:
        raise ValueError(f"its array {dataset.name!r} does not hold numbers")
    made = dataset.id.get_create_plist()
    if not {made.get_filter(number)[0] for number in range(made.get_nfilters())} <= FILTERS:
        raise ValueError(f"its array {dataset.name!r} is compressed by a method that Keras doesn't use")
    chunk = math.prod(dataset.chunks or (0,)) * dataset.dtype.itemsize
    return max((dataset.size or 0) * dataset.dtype.itemsize, chunk)


def _texts(item):
    """How many texts of variable length are in the attributes of a group or dataset."""
    attributes = (item.attrs.get_id(key) for key in item.attrs)
    return sum(math.prod(attribute.shape) for attribute in attributes if attribute.dtype.hasobject)


def longest_text(content):
    """Upper bound in bytes for texts of variable length: the largest heap.

    A heap starts with signature and size; each of its texts with a number (0: free space) and a length. Raises
    ValueError if they don't end where the heap does: HDF5 would read some of such heaps forever.
    """
    longest, left = 0, len(content) // 16
    for heap in re.finditer(rb"(?=GCOL\x01...(.{8}))", content, re.DOTALL):
        size = int.from_bytes(heap[1], "little")
        longest = max(longest, size)
        place, end = heap.start() + 16, min(heap.start() + size, len(content))
        while place + 16 <= end:
            number, length = struct.unpack_from("<H6xQ", content, place)
            step, left = 16 + -(-length // 8) * 8 if number else length, left - 1
            if not 16 <= step <= end - place or left < 0:
                raise ValueError("its texts are damaged")
            place += step
    return longest


def _check_names(group):
    """Refuse a layer of a `.h5` file that names an array many times: Keras would read it each time."""
    names = [name for key in group.attrs if key.startswith("weight_names") for name in np.ravel(group.attrs[key])]
    if len(set(names)) != len(names):
        raise ValueError(f"its {group.name!r} names an array twice")


def _most_bytes(path):
    return EXPANSION * path.stat().st_size + ALLOWANCE


def _check_bytes(size, most):
    if size > most:
        raise ValueError(f"it claims to hold {size / 2**20:,.0f} MB, far more than a file of its size can")
