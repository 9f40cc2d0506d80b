"""The trunk of a trained network: copies of its layers up to those of its logits, in standard Keras layers only."""

import itertools

import keras
import numpy as np

from cnnvis import keras_internals
from cnnvis.network import symbolic, walk

EXACT = keras.layers.Rescaling | keras.layers.Normalization  # bfloat16 would round pixels
POOLS = {3: keras.layers.GlobalAveragePooling1D, 4: keras.layers.GlobalAveragePooling2D}


def copy(model, classifier):
    """Copy a network up to the layer of its logits: up to all of the last layers with matrices, if there are several.

    Parameters
    ----------
    model : keras.Model
    classifier : Classifier
        Of this model.

    Returns
    -------
    trunk : keras.Model
        (N, H, W, 3) pixels 0-255 -> (N, F) features, in the current dtype policy.
    name : str
        For a new layer of logits: that of the one it replaces, else "logits".

    Raises
    ------
    ValueError
        If the network is quantised, or no layer in front of its last one has weights.
    """
    copies, made, taken = {}, {}, set(classifier.layers)

    def call(layer, *inputs, **options):
        is_new = layer not in copies
        copied = copies[layer] = _copied(layer) if is_new else copies[layer]
        outputs = copied(*inputs, **options)
        keras_internals.mark_dense(outputs)
        if is_new and isinstance(layer, keras.layers.Layer):  # its weights exist now
            copied.set_weights(layer.get_weights())
        if isinstance(layer, keras.layers.Normalization):
            copied.finalize_state()
        for output in symbolic(outputs):
            made[id(output)] = copied, symbolic((inputs, options))
        return outputs

    pixels = keras.Input((*classifier.size, 3), name=free_name("pixels", taken))
    last, features = _last(made, [walk(model, _fed(classifier, pixels, taken), call)])
    features = [x for x in features if _last(made, [x])[0]]
    if not features:
        raise ValueError("no layer in front of the network's last one has weights: there is nothing to start from")
    features = [_averaged(x, taken) for x in features]
    x = features[0] if len(features) == 1 else keras.layers.Concatenate(name=free_name("features", taken))(features)
    trunk = keras.Model(pixels, x)
    name = last[0].name if len(last) == 1 and isinstance(last[0], keras.layers.Dense) else "logits"
    names = {operation.name for operation in trunk.operations}
    return trunk, free_name("logits" if name == "probabilities" else name, names)


def free_name(name, taken):
    """The name, or else the name with the first number that isn't taken; it is added to `taken`."""
    names = itertools.chain([name], (f"{name}_{n}" for n in itertools.count(2)))
    name = next(each for each in names if each not in taken)
    taken.add(name)
    return name


def _copied(layer):
    """A layer or operation of the same configuration, which can learn; a layer is in the current dtype policy."""
    config = layer.get_config() | {"name": layer.name}
    if isinstance(layer, keras.layers.Layer):
        if getattr(layer, "quantization_mode", None):
            raise ValueError(f"{layer.name} is quantised, and can't learn: start from the network before quantisation")
        dtype = "float32" if isinstance(layer, EXACT) else keras.config.dtype_policy().name
        config |= {"dtype": dtype, "trainable": True}
    elif hasattr(layer, "newshape"):
        config["newshape"] = layer.newshape  # the classifier has removed the batch size
    return type(layer).from_config(config)


def _fed(classifier, pixels, taken):
    """Pixels 0-255 in the channels, the range and the shape that a network takes, by standard layers.

    Every conversion is a weighted sum of the colours, plus a bias: black, red, green and blue images tell which.
    """
    entry, fed = classifier.entry, classifier.fed
    colours = np.zeros((4, *classifier.size, 3), "float32")
    colours[1:] = 255 * np.eye(3)[:, None, None]
    bias, *ends = keras.ops.convert_to_numpy(classifier.model_to(entry)(colours))[:, 0, 0].astype("float64")
    weights, x = (np.array(ends) - bias) / 255, pixels
    if weights.shape != (3, 3) or (weights != np.diag(np.diag(weights))).any():
        name = free_name("channels", taken)
        layer = keras.layers.Conv2D(len(bias), 1, trainable=False, dtype="float32", name=name)
        x = layer(x)
        layer.set_weights([weights[None, None], bias])
    elif (weights != np.eye(3)).any() or bias.any():
        scale, name = np.diag(weights).tolist(), free_name("rescaling", taken)
        x = keras.layers.Rescaling(scale, bias.tolist(), dtype="float32", name=name)(x)
    if len(fed.shape) != 4:
        x = keras.layers.Reshape(fed.shape[1:], name=free_name("shape", taken))(x)
    elif fed.shape != entry.shape:
        x = keras.layers.Permute((3, 1, 2), name=free_name("channels_first", taken))(x)
    return x


def _last(made, tensors):
    """The last layers with matrices on all ways to the tensors, and the different tensors that enter them: two lists.

    `made` maps the `id` of a tensor to the layer that made it, and that layer's inputs.
    """
    layers, entering, seen, to_do = [], [], set(), list(tensors)
    while to_do:
        x = to_do.pop(0)
        if id(x) not in made or id(x) in seen:
            continue
        seen.add(id(x))
        layer, inputs = made[id(x)]
        if not any(len(weight.shape) > 1 for weight in getattr(layer, "weights", ())):
            to_do += inputs
            continue
        layers += [layer] * (layer not in layers)
        entering += [source for source in inputs if not any(source is other for other in entering)]
    return layers, entering


def _averaged(x, taken):
    """(N, F) features of (N, ..., F) ones: their means over all places."""
    if len(x.shape) == 2:
        return x
    return POOLS.get(len(x.shape), keras.layers.Flatten)(name=free_name("average", taken))(x)
