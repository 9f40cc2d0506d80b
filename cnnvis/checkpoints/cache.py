"""Results that take minutes to compute, cached in a file beside the network. It contains numbers only, no images."""

import hashlib

import numpy as np

from cnnvis.console import complete

WORTH_KEEPING = 2_000_000  # pixels that are computed on, from which results are cached; fewer take seconds


def cached(compute, names, *, checkpoint, topic, network, contents, pixels, folders, tell=print):
    """What `compute()` returns, or what it returned in an earlier run.

    Parameters
    ----------
    compute : callable
        () -> dict of str to array.
    names : sequence of str
        Of these arrays.
    checkpoint : Checkpoint
        The network's. The file is named after its `path`.
    topic : str
        What is computed, as the file name says it.
    network : str
        Identifies the network, and distinguishes it from others of that name, whose files are removed.
    contents : iterable of bytes or arrays
        All that the result depends on besides the network.
    pixels : int
        How many are computed on; with fewer than `WORTH_KEEPING`, nothing is cached.
    folders : sequence of Path
        Where to look for the file. It is written to the first of them that is writable.
    tell : callable
        Called with the path of a file that was written.

    Returns
    -------
    dict of str to array
    """
    if pixels < WORTH_KEEPING:
        return compute()
    of_name, end = f"{checkpoint.path.name}.", f".{topic}.npz"
    of_network = f"{of_name}{network}-"
    name = f"{of_network}{short_digest(*contents)}{end}"
    for folder in folders:
        try:
            with np.load(folder / name, allow_pickle=False) as file:
                return {key: file[key] for key in names}
        except Exception:  # absent, or damaged: zipfile, zlib and NumPy raise different errors
            continue
    arrays = compute()
    for folder in folders:
        try:
            with complete(folder / name) as unfinished, open(unfinished, "wb") as file:
                np.savez_compressed(file, **arrays)
        except OSError:  # a folder without write permission
            continue
        tell(folder / name)
        for path in folder.iterdir():
            if path.name.startswith(of_name) and path.name.endswith(end) and not path.name.startswith(of_network):
                path.unlink(missing_ok=True)
        break
    return arrays


def short_digest(*contents):
    """The first 16 hexadecimal digits of the SHA-256 of bytes or arrays: str."""
    digest = hashlib.sha256()
    for content in contents:
        digest.update(content)
    return digest.hexdigest()[:16]
