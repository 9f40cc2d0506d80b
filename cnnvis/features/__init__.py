"""What does a filter respond to?

The image that activates it most, optimised by gradient ascent, beside the top patches of real images.

>>> import numpy as np
>>> from cnnvis import features, images, network
>>> classifier = network.load("basic")
>>> samples = images.load("samples", "test")
>>> seen = features.visualize(classifier, "conv3", filters=[0, 5], dataset=samples, steps=2)
>>> seen.images.shape, seen.activation.shape
((2, 32, 32, 3), (2,))
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "ascent": ["STEPS", "Ascent", "ascend", "optimize"],
        "cache": ["observe"],
        "choosing": ["choose_filters", "layers_with_filters"],
        "objectives": ["activations", "channel", "neuron", "objective_model"],
        "visualization": ["FilterImages", "visualize", "visualize_layers"],
    },
)
