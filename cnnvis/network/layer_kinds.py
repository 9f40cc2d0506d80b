"""Which kind each Keras layer is: CONV, RELU, POOL, FC or other."""

import re

import keras

CONV = (
    keras.layers.Conv2D,
    keras.layers.Conv2DTranspose,
    keras.layers.DepthwiseConv2D,
    keras.layers.SeparableConv2D,
)
POOL = (
    keras.layers.MaxPooling2D,
    keras.layers.AveragePooling2D,
    keras.layers.GlobalMaxPooling2D,
    keras.layers.GlobalAveragePooling2D,
)
RELU = (keras.layers.ReLU, keras.layers.LeakyReLU, keras.layers.PReLU, keras.layers.ELU)
KEEPS_CHANNELS = (
    *POOL,
    keras.layers.BatchNormalization,
    keras.layers.Cropping2D,
    keras.layers.Dropout,
    keras.layers.Identity,
    keras.layers.SpatialDropout2D,
    keras.layers.UpSampling2D,
    keras.layers.ZeroPadding2D,
)
ACTIVATION_OPERATIONS = {  # classes of operations in lower case, and what layers call the same function
    **{name: name for name in ("relu", "relu6", "leakyrelu", "elu", "selu", "gelu", "silu", "tanh")},
    **{name: name for name in ("sigmoid", "softmax", "sparsemax")},
    **{"hardsigmoid": "hard_sigmoid", "sparsesigmoid": "sparse_sigmoid", "logsoftmax": "log_softmax"},
}


def activation_of(layer):
    """Name of a layer's activation function; "linear" if it has none."""
    if not isinstance(layer, keras.layers.Layer):
        return ACTIVATION_OPERATIONS.get(type(layer).__name__.lower(), "linear")
    if isinstance(layer, keras.layers.ReLU):
        return "relu" if not layer.negative_slope and not layer.threshold else "leaky_relu"
    if isinstance(layer, keras.layers.Softmax):
        return "softmax"
    if isinstance(layer, RELU):
        return type(layer).__name__.lower()
    if isinstance(layer, keras.layers.Wrapper):
        return activation_of(layer.layer)
    activation = getattr(layer, "activation", None)
    if isinstance(activation, keras.layers.Layer):
        return activation_of(activation)
    return getattr(activation, "__name__", "linear")


def kind_of(layer):
    """The kind of a layer: "CONV", "RELU", "POOL", "FC" or "other"."""
    if isinstance(layer, CONV):
        return "CONV"
    if isinstance(layer, POOL):
        return "POOL"
    if isinstance(layer, keras.layers.Dense):
        return "FC"
    if is_activation(layer) and activation_of(layer) not in ("linear", "softmax"):
        return "RELU"
    return "other"


def is_activation(layer):
    """Whether a layer is an activation function and nothing else."""
    kinds = (*RELU, keras.layers.Activation, keras.layers.Softmax)
    return isinstance(layer, kinds) or not isinstance(layer, keras.layers.Layer)


def only_reshapes(layer):
    """Whether a layer changes the shape of its input at most, not the values (at inference)."""
    return isinstance(
        layer, (keras.layers.Flatten, keras.layers.Reshape, keras.layers.Dropout, keras.layers.Identity)
    ) or (isinstance(layer, keras.layers.Activation) and activation_of(layer) == "linear")


def check_name(name):
    """Raise ValueError if TensorFlow can't compute a layer of that name."""
    if not re.fullmatch(r"(?!\.+$)[A-Za-z0-9_.\\/>-]*", name):
        raise ValueError(f"TensorFlow computes no layer called {name!r}: rename it in ASCII letters, digits, _ . and -")
