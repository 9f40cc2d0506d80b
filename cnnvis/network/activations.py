"""Where the activation of a layer is, if normalisation, pooling and the like are between the two."""

from cnnvis.network import layer_kinds
from cnnvis.network.layouts import moves_only_channels


def relu_input(classifier, layer):
    """Symbolic input of the ReLU behind a layer, with only normalisation, pooling and the like between them.

    None if there is no such ReLU, or if the output is also used elsewhere.
    """
    if layer.activation in ("relu", "relu6"):
        return layer.linear
    behind = _activation_behind(classifier, layer)
    return behind.inputs[0] if behind and behind.activation in ("relu", "relu6") else None


def activated(classifier, layer):
    """The layer whose output is a layer's after its activation: itself if it has an own one, or none behind it."""
    behind = layer.activation == "linear" and _activation_behind(classifier, layer)
    return behind if behind and len(behind.output.shape) == 4 else layer


def _activation_behind(classifier, layer):
    x = layer.output
    while True:
        readers = [reader for reader in classifier.layers.values() if any(x is source for source in reader.inputs)]
        if len(readers) != 1:
            return None
        (reader,) = readers
        if reader.kind == "RELU":
            return reader
        if not isinstance(reader.layer, layer_kinds.KEEPS_CHANNELS) and not moves_only_channels(reader):
            return None
        x = reader.output
