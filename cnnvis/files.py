"""Files that are complete or absent, never half; and names that one process at a time may have."""

import contextlib
import io
import os
import re
import secrets
from contextlib import contextmanager

try:
    import fcntl
except ImportError:  # Windows knows no such locks
    fcntl = None


@contextmanager
def complete(path):
    """A path to write to that becomes `path` when all went well, and vanishes when not. Errors name `path`.

    What processes that were killed while they wrote to `path` have left goes too.
    """
    unfinished = path.with_name(f".{secrets.token_hex(8)}.{path.name}")
    try:
        _sweep(path)
        with open(unfinished, "wb") as file:
            _lock(file)
            yield unfinished
            os.fsync(file)  # else a power failure could leave a new name with nothing in it
            os.replace(unfinished, path)
    except OSError as error:
        if error.errno:
            error.filename = str(path)
        raise
    finally:
        unfinished.unlink(missing_ok=True)


def _sweep(path):
    """Remove the unfinished files of that name which nobody writes to: a lock goes with the process that held it."""
    if fcntl is None:
        return
    of_this_name = re.compile(rf"\.[0-9a-f]{{16}}\.{re.escape(path.name)}", re.DOTALL)
    for entry in os.scandir(path.parent):
        if of_this_name.fullmatch(entry.name):
            with contextlib.suppress(OSError), open(entry, "rb") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                os.unlink(entry)


def _lock(file):
    """Raise BlockingIOError if another process has the lock; a system that knows no locks guards nothing."""
    if fcntl is None:
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise
    except OSError:
        pass


@contextmanager
def claimed(path):
    """Hold a lock on `path` meanwhile; the file vanishes in the end. One that a killed process left hinders nobody.

    Raises BlockingIOError if another process holds it.
    """
    with contextlib.ExitStack() as opened:
        while True:
            file = opened.enter_context(open(path, "ab"))
            _lock(file)
            with contextlib.suppress(FileNotFoundError):  # who held it before may have removed it meanwhile
                if os.path.samestat(os.fstat(file.fileno()), os.stat(path)):
                    break
        try:
            yield
        finally:
            path.unlink(missing_ok=True)


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
