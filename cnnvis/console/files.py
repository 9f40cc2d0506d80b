"""Files that are complete or absent, and names that only one process at a time can claim."""

import contextlib
import io
import os
import re
import secrets
from contextlib import contextmanager

try:
    import fcntl
except ImportError:  # Windows, which itself protects open files from being replaced or removed
    import msvcrt

    fcntl = None


@contextmanager
def complete(path):
    """Yield a temporary path to write to. It becomes `path` on success and is removed on an error.

    Unfinished files of killed processes are removed as well. An OSError names `path`, not the temporary file.
    """
    unfinished = path.with_name(f".{secrets.token_hex(8)}.{path.name}")
    try:
        _sweep(path)
        with open(unfinished, "wb") as file:
            if fcntl is not None:
                _lock(file)
            yield unfinished
            os.fsync(file)  # otherwise, an empty file could remain after a power failure
            if fcntl is not None:
                os.replace(unfinished, path)  # while locked: otherwise, another process could remove it
        if fcntl is None:
            os.replace(unfinished, path)
    except OSError as error:
        if error.errno:
            error.filename = str(path)
        raise
    finally:
        unfinished.unlink(missing_ok=True)


def _sweep(path):
    """Remove the unfinished files for `path` that no process is writing: those are locked, or protected by Windows."""
    of_this_name = re.compile(rf"\.[0-9a-f]{{16}}\.{re.escape(path.name)}", re.DOTALL)
    for entry in os.scandir(path.parent):
        if of_this_name.fullmatch(entry.name):
            with contextlib.ExitStack() as opened, contextlib.suppress(OSError):
                if fcntl is not None:
                    fcntl.flock(opened.enter_context(open(entry, "rb")), fcntl.LOCK_EX | fcntl.LOCK_NB)
                os.unlink(entry)


def _lock(file):
    """Lock a file; BlockingIOError if another process holds the lock. No effect if the file system has no locks."""
    try:
        if fcntl is None:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError) as error:  # on POSIX and on Windows
        raise BlockingIOError(*error.args) from None
    except OSError:
        pass


@contextmanager
def claimed(path):
    """Hold a lock file at `path` and remove it at the end. A killed process's lock file doesn't block the name.

    Raises BlockingIOError if another process holds the lock.
    """
    with contextlib.ExitStack() as ends:
        if fcntl is None:
            ends.callback(_remove_if_closed, path)  # runs last, after the file was closed
        while True:
            file = ends.enter_context(open(path, "ab"))
            _lock(file)
            if fcntl is None:
                break
            with contextlib.suppress(FileNotFoundError):  # the previous holder may have just removed it
                if os.path.samestat(os.fstat(file.fileno()), os.stat(path)):
                    break
        if fcntl is not None:
            ends.callback(path.unlink, missing_ok=True)  # runs first: once unlocked, the file may be another process's
        yield


def _remove_if_closed(path):
    with contextlib.suppress(OSError):  # another process has it open and will remove it
        os.unlink(path)


def write_hdf5(path, fill):
    """Write an HDF5 file, whose arrays and attributes `fill(file)` adds.

    The file is built in memory because a full disk crashes the HDF5 library.
    """
    import h5py

    content = io.BytesIO()
    with h5py.File(content, "w", libver="v110") as file:  # allows attributes above 64 KiB
        fill(file)
    with complete(path) as unfinished:
        unfinished.write_bytes(content.getbuffer())
