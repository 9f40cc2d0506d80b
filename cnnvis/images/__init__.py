"""Which images are there, and what do they show?

CIFAR-10, scikit-learn's digits, the bundled samples, folders of classes and single files, all resized to one size.
Image files are read when they are indexed; unreadable ones can be skipped.

>>> from cnnvis import images
>>> samples = images.load("samples", "test", size=(32, 32))
>>> samples.images.shape, samples.classes[samples.labels[0]]
((20, 32, 32, 3), 'cat')
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "choosing": ["available", "choose", "for_training", "training_images"],
        "cifar10": ["Unavailable"],
        "classes": ["class_index", "class_names"],
        "dataset": ["Dataset", "images_at_once"],
        "fingerprints": ["fingerprint", "identifying"],
        "image_files": ["FORMATS", "open_image", "resize"],
        "sources": ["load", "open_files", "scanned_digits"],
        "statistics": [
            "HIGH_FREQUENCY",
            "Statistics",
            "channel_statistics",
            "high_frequency_share",
            "frequencies",
            "image_statistics",
            "coefficient_counts",
        ],
        "unreadable": ["none_left", "read", "readable", "without_unreadable"],
    },
)
