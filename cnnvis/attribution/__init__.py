"""Which pixels made the network say that?

Heat maps by Banzhaf values, occlusion, Grad-CAM, integrated gradients or SmoothGrad, also of why it is one class rather
than another. How far to trust them: deletion and insertion scores, beside those of random maps and of other methods,
and maps of the same network with random weights.

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
        "comparison": ["Comparison", "compare"],
        "contrast": ["Contrast"],
        "explanation": ["Explanation", "explain", "heat_maps", "titles"],
        "faithfulness": ["deletion_insertion"],
        "methods": ["ALL", "METHODS", "check_method", "layer_for", "methods_for", "windows_for"],
        "occlusion": ["baseline_images", "occlude", "occlusion_maps", "parse_baseline", "window_corners"],
        "report": ["quantities", "scores_table", "sanity_verdict", "sentences", "to_save", "verdict"],
        "sanity": ["likeness", "random_weights"],
    },
)
