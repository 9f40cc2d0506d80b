"""The outputs of layers for one image, from one forward pass, and why they have the size they have."""

import numpy as np

SHOWN = ("CONV", "RELU", "POOL", "FC")  # kinds of layers that are shown by default


def layer_outputs(classifier, image, names=None):
    """Outputs of layers for one image.

    Parameters
    ----------
    classifier : Classifier
    image : (H, W, 3) array
        Pixels 0-255, of the classifier's size.
    names : sequence of str, optional
        Layers; every CONV, RELU, POOL and FC layer if not given.

    Returns
    -------
    dict of str to float32 array
        (h, w, c) or (units,), in the order of the network.

    Raises
    ------
    ValueError
        If there is no layer of such a name, or its output has another shape.
    """
    if names is None:
        shown = [layer for layer in classifier.layers.values() if layer.kind in SHOWN]
        names = [layer.name for layer in shown if len(layer.output.shape) in (2, 4)]
    for name in names:
        shape = classifier.layer(name).output.shape
        if len(shape) not in (2, 4):
            raise ValueError(f"the output of {name} is {shape[1:]}, neither (height, width, channels) nor (units,)")
    ordered = [name for name in classifier.layers if name in names]
    outputs = classifier.outputs(np.asarray(image)[None], ordered)
    return {name: array[0] for name, array in outputs.items()}


def size_change(layer):
    """Why a layer's output has its height and width, in words; "" if there is nothing to say.

    Layer -> str, such as "2×2 window, stride 2: 30×30 becomes 15×15"
    """
    before, after = layer.inputs[0].shape[1:-1], layer.output.shape[1:-1]
    if layer.kind not in ("CONV", "POOL") or len(before) != 2:
        return ""
    if len(after) != 2 or "Global" in type(layer.layer).__name__:
        return f"each {_times(before)} channel becomes one value"
    strides = tuple(layer.layer.strides)
    window = getattr(layer.layer, "kernel_size", None) or layer.layer.pool_size
    words = f"{_times(window)} window"
    if max(strides) > 1:
        words += f", stride {_times(strides) if strides[0] != strides[1] else strides[0]}"
    if tuple(before) == tuple(after):
        return f"{words}, padded: {_times(before)} stays {_times(before)}" if max(window) > 1 else ""
    unpadded = ", no padding" if max(strides) == 1 and layer.layer.padding == "valid" else ""
    return f"{words}{unpadded}: {_times(before)} becomes {_times(after)}"


def _times(lengths):
    return "×".join(map(str, lengths))
