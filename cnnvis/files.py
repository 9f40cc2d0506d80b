"""Files that are complete or absent, never half."""

import io
import os
from contextlib import contextmanager


@contextmanager
def complete(path):
    """A path to write to that becomes `path` when all went well, and vanishes when not. Errors name `path`."""
    unfinished = path.with_name(f".{os.getpid()}.{path.name}")
    try:
        yield unfinished
        os.replace(unfinished, path)
    except OSError as error:
        if error.errno:
            error.filename = str(path)
        raise
    finally:
        unfinished.unlink(missing_ok=True)


def write_hdf5(path, fill):
    """Let `fill` put arrays and attributes into an HDF5 file, and write it.

    It is built in memory: the HDF5 library does not survive a disk that fills up.
    """
    import h5py

    content = io.BytesIO()
    with h5py.File(content, "w", libver="v110") as file:  # which allows attributes of more than 64 KiB
        fill(file)
    with complete(path) as unfinished:
        unfinished.write_bytes(content.getbuffer())
