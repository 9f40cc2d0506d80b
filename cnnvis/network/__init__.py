"""What is inside a network?

Anybody's image classifier taken apart: its layers and their kinds, the output of each, the gradient of a score, the
pixel range of the input, and the receptive field of a unit. Images go in as pixels 0-255, whatever the model takes.

>>> from cnnvis import images, network
>>> classifier = network.load("basic")
>>> samples = images.load("samples", "test")
>>> classifier.probabilities(samples.images[:1]).shape
(1, 10)
>>> classifier.outputs(samples.images[:1], ["conv1"])["conv1"].shape
(1, 32, 32, 32)
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "activations": ["activated", "relu_input"],
        "channel": ["ChannelTerms", "channel_terms", "has_filters"],
        "classifier": ["Classifier", "Layer"],
        "computing": ["Computed", "NotANumber", "compiled"],
        "last_hidden": ["Hidden", "hidden", "predict"],
        "layer_kinds": ["is_activation"],
        "opening": ["load", "take_apart"],
        "outputs": ["layer_outputs", "size_change"],
        "pixel_range": ["INPUT_RANGES", "stated_range"],
        "receptive_field": ["receptive_fields"],
        "walking": ["symbolic", "walk"],
        "window": ["windows"],
    },
)
