"""How does a network learn?

The recipe and the range of each entry, batches and their augmentation, the optimizer, one loop for one device or many,
and runs that can be resumed.

>>> from cnnvis import images, training
>>> digits = images.load("digits", "train").take(range(64))
>>> recipe = training.recipe_for("basic", digits, epochs=1)
>>> trained = training.train(digits, recipe, arch="basic")  # doctest: +ELLIPSIS
basic on 64 images of digits: 1 epochs, ...
>>> trained.network.output_shape, len(trained.rows)
((None, 10), 1)
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "augmentation": ["flip", "pad", "random_crop"],
        "batches": ["dataset_of"],
        "building": ["build"],
        "film": ["Film", "Frame"],
        "fast_layers": ["WIDEST_PACKED", "PackedConv2D", "packed_filter_gradient"],
        "loop": ["fit", "plain", "precision_of", "prepare", "tensorboard", "train"],
        "recipe": ["ENTRIES", "Recipe", "parse", "parse_change"],
        "recipes": ["RECIPES", "adapt", "architecture", "image_size", "recipe_for", "recipe_of"],
        "run": ["Run", "new_name", "open_run"],
        "settings": ["SETTINGS"],
        "summary": ["metadata"],
        "transfer": ["Base", "open_base"],
    },
)
