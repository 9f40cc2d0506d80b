"""Files that are complete or absent, never half; and names that one process at a time may have."""

import contextlib
import io
import os
import re
import secrets
from contextlib import contextmanager

try:
    import fcntl
except ImportError:  # Windows, which itself lets nobody replace or remove a file that is open
    import msvcrt

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
            if fcntl is not None:
                _lock(file)
            yield unfinished
            os.fsync(file)  # else a power failure could leave a new name with nothing in it
            if fcntl is not None:
                os.replace(unfinished, path)  # under the lock: a moment later, another process could sweep it away
        if fcntl is None:
            os.replace(unfinished, path)
    except OSError as error:
        if error.errno:
            error.filename = str(path)
        raise
    finally:
        unfinished.unlink(missing_ok=True)


def _sweep(path):
    """Remove the unfinished files of that name which nobody writes to: who does holds a lock, or Windows refuses."""
    of_this_name = re.compile(rf"\.[0-9a-f]{{16}}\.{re.escape(path.name)}", re.DOTALL)
    for entry in os.scandir(path.parent):
        if of_this_name.fullmatch(entry.name):
            with contextlib.ExitStack() as opened, contextlib.suppress(OSError):
                if fcntl is not None:
                    fcntl.flock(opened.enter_context(open(entry, "rb")), fcntl.LOCK_EX | fcntl.LOCK_NB)
                os.unlink(entry)


def _lock(file):
    """Raise BlockingIOError if another process has the lock; a file system that knows no locks guards nothing."""
    try:
        if fcntl is None:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError) as error:  # as the one and the other say it
        raise BlockingIOError(*error.args) from None
    except OSError:
        pass


@contextmanager
def claimed(path):
    """Hold a lock on `path` meanwhile; the file vanishes in the end. One that a killed process left hinders nobody.

    Raises BlockingIOError if another process holds it.
    """
    with contextlib.ExitStack() as ends:
        if fcntl is None:
            ends.callback(_remove_if_closed, path)  # the last thing, when it is closed
        while True:
            file = ends.enter_context(open(path, "ab"))
            _lock(file)
            if fcntl is None:
                break
            with contextlib.suppress(FileNotFoundError):  # who held it before may have removed it meanwhile
                if os.path.samestat(os.fstat(file.fileno()), os.stat(path)):
                    break
        if fcntl is not None:
            ends.callback(path.unlink, missing_ok=True)  # the first thing: once it isn't locked, it may be another's
        yield


def _remove_if_closed(path):
    with contextlib.suppress(OSError):  # another process has opened it, and will remove it
        os.unlink(path)


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
