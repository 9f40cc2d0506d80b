"""Anybody's Keras image classifier, taken apart: from pixels 0-255 to every layer's output and the probabilities."""

from dataclasses import dataclass

import keras
import numpy as np
import tensorflow as tf

BATCH = 250  # pictures that go through the network at once
INPUT_RANGES = ((0, 255), (0, 1), (-1, 1))  # that networks are commonly trained on

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
KEEPS_CHANNELS = (*POOL, keras.layers.BatchNormalization, keras.layers.Dropout, keras.layers.SpatialDropout2D)


@dataclass(frozen=True)
class Layer:
    """One layer in the network's graph: its name, what kind it is, and the symbolic tensors around it.

    `linear` is the output before the layer's own activation function, the same as `output` where it has none.
    """

    name: str
    kind: str  # "CONV", "RELU", "POOL", "FC" or "other"
    layer: object
    inputs: object
    linear: object
    output: object
    activation: str  # of `output` over `linear`: "linear" where it has none


class Classifier:
    """A network that takes (N, H, W, 3) pixels 0-255, whatever the wrapped model takes.

    Parameters
    ----------
    model : keras.Model
        One input (N, H, W, C), C = 1, 3 or 4, and one output (N, K): probabilities or logits.
    input_range : (low, high)
        What black and white are for the wrapped model.
    size : (height, width), optional
        Of the pictures, for a model that takes any.

    Attributes
    ----------
    layers : dict of str to Layer
        All layers in order of computation, those of nested models too.
    size : (height, width)
    classes : int

    Raises
    ------
    ValueError
        If the model ends neither in probabilities nor in logits.
    """

    def __init__(self, model, input_range=(0, 255), size=None):
        height, width, channels = model.inputs[0].shape[1:]
        self.size = (height or (size or (32, 32))[0], width or (size or (32, 32))[1])
        self.classes = model.outputs[0].shape[-1]
        self.layers = {}
        self._without_activation = {}
        self._pixels = keras.Input((*self.size, 3), name="pixels_0_255")
        x = _rescale(_to_channels(self._pixels, channels), input_range)
        self._logits, self._probabilities = self._head(self._run(model, x))
        self._functions = {}

    def _run(self, model, x):
        """Call the model's layers one by one on a symbolic tensor, and keep what passes between them."""
        if isinstance(model, keras.Sequential):
            for layer in model.layers:
                x = self._call(layer, x)
            return x
        return model._run_through_graph(x, operation_fn=lambda operation: operation, call_fn=self._call)

    def _call(self, layer, *inputs, **options):
        if isinstance(layer, keras.Sequential) or hasattr(layer, "_run_through_graph"):
            return self._run(layer, *inputs)
        options.pop("training", None)
        activation = _activation(layer)
        if activation == "linear" or not isinstance(layer, (*CONV, keras.layers.Dense)):
            output = layer(*inputs, **options)
            linear = output if activation == "linear" else inputs[0]
        else:
            linear = self._linear(layer)(inputs[0])
            output = keras.layers.Activation(layer.activation)(linear)
        name = next(n for n in _numbered(layer.name) if n not in self.layers)
        self.layers[name] = Layer(
            name, _kind(layer), layer, tuple(keras.tree.flatten(inputs)), linear, output, activation
        )
        return output

    def _linear(self, layer):
        """A layer with the same weights that ends in no activation function."""
        if layer not in self._without_activation:
            config = {**layer.get_config(), "activation": None, "name": f"{layer.name}_linear"}
            linear = type(layer).from_config(config)
            linear.build(layer.get_build_config()["input_shape"])
            linear.set_weights(layer.get_weights())
            self._without_activation[layer] = linear
        return self._without_activation[layer]

    def _head(self, output):
        """Symbolic logits and probabilities of a network that ends in either."""
        trailing = []
        by_output = {id(layer.output): layer for layer in self.layers.values()}
        x = output
        while (last := by_output.get(id(x))) and last.activation == "linear" and _only_reshapes(last.layer):
            trailing.append(last.layer)
            x = last.inputs[0]
        activation = last.activation if last else "linear"
        logits = last.linear if last else x
        for layer in reversed(trailing):
            logits = layer(logits)
        if activation == "linear":
            return logits, keras.layers.Softmax()(logits)
        if activation in ("softmax", "sigmoid"):
            return logits, output
        raise ValueError(f"the model ends in {activation}, which gives neither probabilities nor logits")

    def probabilities(self, images, batch_size=BATCH, track=iter):
        """(N, H, W, 3) pixels 0-255 -> (N, K) float32 probabilities; `track` wraps the sequence of batches."""
        return self._evaluate("probabilities", lambda: self._probabilities, images, batch_size, track)

    def logits(self, images):
        """(N, H, W, 3) pixels 0-255 -> (N, K) float32 logits."""
        return self._evaluate("logits", lambda: self._logits, images)

    def outputs(self, images, names):
        """Outputs of several layers in one pass: dict of name to (N, h, w, c) or (N, units) float32."""
        return self._evaluate(("outputs", *names), lambda: {name: self.layers[name].output for name in names}, images)

    def model_to(self, tensors):
        """Keras model from (N, H, W, 3) pixels 0-255 to symbolic tensors of `layers`."""
        return keras.Model(self._pixels, tensors)

    def _evaluate(self, key, tensors, images, batch_size=BATCH, track=iter):
        if key not in self._functions:
            self._functions[key] = compiled(self.model_to(tensors()))
        function = self._functions[key]
        parts = [function(images[i : i + batch_size]) for i in track(range(0, len(images), batch_size))]
        return keras.tree.map_structure(lambda *arrays: np.concatenate(arrays), *parts)

    def layer(self, name):
        """The layer of that name; ValueError names the ones there are."""
        if name not in self.layers:
            raise ValueError(f"no layer is called {name!r}; there are {', '.join(self.layers)}")
        return self.layers[name]

    def relu_input(self, layer):
        """Symbolic input of the RELU that follows a layer, over normalisation and pooling; None if none does."""
        if layer.activation in ("relu", "relu6"):
            return layer.linear
        reached = [layer.output]
        while reached:
            x = reached.pop()
            for after in self.layers.values():
                if any(x is tensor for tensor in after.inputs):
                    if after.activation in ("relu", "relu6"):
                        return x
                    if isinstance(after.layer, KEEPS_CHANNELS):
                        reached.append(after.output)
        return None


def compiled(model):
    """A function from a NumPy batch of any length to the model's outputs as NumPy, traced once."""
    shape = (None, *model.inputs[0].shape[1:])
    graph = tf.function(
        lambda x: model(x, training=False), input_signature=[tf.TensorSpec(shape, tf.float32)], jit_compile=False
    )

    def run(images):
        return keras.tree.map_structure(
            lambda x: x.numpy().astype("float32", copy=False), graph(np.asarray(images, "float32"))
        )

    return run


def stated_range(model):
    """The pixel range that the model's own preprocessing layers say they take; None if none says it."""
    for layer in model.layers:
        if isinstance(layer, (keras.Sequential, keras.Model)):
            return stated_range(layer)
        if isinstance(layer, keras.layers.Rescaling) and np.max(np.abs(layer.scale)) < 0.05:
            return (0, 255)
        if isinstance(layer, keras.layers.Normalization):
            mean = np.max(keras.ops.convert_to_numpy(layer.mean))
            return (0, 255) if mean > 2 else (0, 1) if 0 < mean < 1 else None
        if layer.weights:
            return None
    return None


def _to_channels(rgb, channels):
    if channels == 3:
        return rgb
    if channels == 1:
        return keras.ops.sum(rgb * np.array([0.299, 0.587, 0.114], "float32"), axis=-1, keepdims=True)  # ITU-R 601
    return keras.ops.concatenate([rgb, 255 * keras.ops.ones_like(rgb[..., :1])], axis=-1)  # opaque


def _rescale(pixels, input_range):
    low, high = input_range
    if (low, high) == (0, 255):
        return pixels
    return keras.layers.Rescaling((high - low) / 255, low, dtype="float32")(pixels)


def _activation(layer):
    """Name of the function that a layer ends in: "linear" if it ends in none."""
    if isinstance(layer, keras.layers.ReLU):
        return "relu" if not layer.negative_slope and not layer.threshold else "leaky_relu"
    if isinstance(layer, keras.layers.Softmax) or type(layer).__name__ == "Softmax":
        return "softmax"
    if isinstance(layer, RELU):
        return type(layer).__name__.lower()
    return getattr(getattr(layer, "activation", None), "__name__", "linear")


def _kind(layer):
    if isinstance(layer, CONV):
        return "CONV"
    if isinstance(layer, POOL):
        return "POOL"
    if isinstance(layer, keras.layers.Dense):
        return "FC"
    if isinstance(layer, RELU) or (
        isinstance(layer, keras.layers.Activation) and _activation(layer) not in ("linear", "softmax")
    ):
        return "RELU"
    return "other"


def _only_reshapes(layer):
    return isinstance(
        layer, (keras.layers.Flatten, keras.layers.Reshape, keras.layers.Dropout, keras.layers.Identity)
    ) or (isinstance(layer, keras.layers.Activation) and _activation(layer) == "linear")


def _numbered(name):
    yield name
    number = 2
    while True:
        yield f"{name}_{number}"
        number += 1
