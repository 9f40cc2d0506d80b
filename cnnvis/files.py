"""Files that are complete or absent, never half."""

import os
from contextlib import contextmanager


@contextmanager
def complete(path):
    """A path to write to that becomes `path` when all went well, and vanishes when not."""
    unfinished = path.with_name(f".{os.getpid()}.{path.name}")
    try:
        yield unfinished
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)
