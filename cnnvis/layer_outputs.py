"""What each layer passes on for a picture, all layers in one forward pass."""

import numpy as np

SHOWN = ("CONV", "RELU", "POOL", "FC")  # kinds of layers that are shown if none are named


def layer_outputs(classifier, image, names=None):
    """Outputs of layers for one picture.

    Parameters
    ----------
    classifier : Classifier
    image : (H, W, 3) array
        Pixels 0-255, of the classifier's size.
    names : sequence of str, optional
        Layers; every CONV, RELU, POOL and FC layer if not said.

    Returns
    -------
    dict of str to float32 array
        (h, w, c) or (units,), in the order of the network.

    Raises
    ------
    ValueError
        If there is no layer of such a name, or its output is neither.
    """
    if names is None:
        shown = [layer for layer in classifier.layers.values() if layer.kind in SHOWN]
        names = [layer.name for layer in shown if len(layer.output.shape) in (2, 4)]
    for name in names:
        shape = classifier.layer(name).output.shape
        if len(shape) not in (2, 4):
            raise ValueError(f"{name} gives {shape[1:]}, neither (height, width, channels) nor (units,)")
    ordered = [name for name in classifier.layers if name in names]
    outputs = classifier.outputs(np.asarray(image)[None], ordered)
    return {name: array[0] for name, array in outputs.items()}
