"""How is a trained network stored, and what may a model file from a stranger contain?

Save a network with its metadata, and load any network that Keras 2 or 3 has saved. Files that would run code, read
other files or exhaust the memory are refused.

>>> from cnnvis import checkpoints
>>> checkpoint = checkpoints.load("basic")
>>> checkpoint.size, checkpoint.class_count
((32, 32), 10)
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "cache": ["cached", "short_digest"],
        "checkpoint": ["STASH", "Checkpoint", "find", "load", "image_shape", "save"],
        "metadata": ["read_metadata"],
    },
)
