"""Which pixels made the network decide so?

Heat maps by Banzhaf values, occlusion or integrated gradients, and how far to trust them: deletion and insertion
scores, compared with those of random maps.

>>> from cnnvis import attribution, images, network
>>> classifier = network.load("basic")
>>> samples = images.load("samples", "test")
>>> explained = attribution.explain(classifier, samples.images[:1], method="gradients")
>>> explained.importance.shape, explained.importance.dtype
((1, 32, 32), dtype('float32'))
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "banzhaf": ["Masks", "banzhaf_maps"],
        "choosing": ["to_explain"],
        "explanation": ["METHODS", "Explanation", "check_method", "explain", "titles", "windows_for"],
        "faithfulness": ["deletion_insertion"],
        "occlusion": ["baseline_images", "occlude", "occlusion_maps", "parse_baseline", "window_corners"],
    },
)
