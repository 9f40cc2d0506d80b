"""Anybody's Keras image classifier, taken apart: from pixels 0-255 to every layer's output and the probabilities."""

import itertools
import math
from dataclasses import dataclass

import keras
import numpy as np
import tensorflow as tf

from cnnvis import keras_internals
from cnnvis.checkpoints import image_shape
from cnnvis.images import images_at_once
from cnnvis.network import endings, layer_kinds
from cnnvis.network.computing import Computed, compiled
from cnnvis.network.pixel_range import ToInput

MOST_OUTPUTS = 2**26  # values in a layer's output for one image, at most: 256 MB of float32
OUTPUTS_AT_ONCE = 2**28  # values in a layer's output for one batch, at most


@dataclass(frozen=True)
class Layer:
    """One layer in the network's graph: its name, its kind, and the symbolic tensors around it.

    `linear` is the output before the layer's own activation function; the same as `output` if it has none.
    """

    name: str
    kind: str  # "CONV", "RELU", "POOL", "FC" or "other"
    layer: object
    inputs: object
    linear: object
    output: object
    activation: str  # "linear" if it has none


class Classifier:
    """A network that takes (N, H, W, 3) pixels 0-255, whatever range and channels the wrapped model takes.

    Parameters
    ----------
    model : keras.Model
        One input (N, H, W, C), C = 1 (grey), 2 (and opacity), 3 (colours) or 4 (and opacity), or as
        `checkpoints.image_shape` says; one output (N, K):
        probabilities or logits, as `endings` tells them apart. One unit stands for two classes.
    input_range : (low, high)
        The values of black and white for the wrapped model.
    size : (height, width), optional
        Of the images, for a model that takes any size.

    Attributes
    ----------
    layers : dict of str to Layer
        All layers in the order of computation, including those of nested models.
    size : (height, width)
    input_range : (low, high)
    channels : int
        Of the wrapped model.
    classes : int
    entry, exit : symbolic tensors
        The images in the wrapped model's channels and range, (N, H, W, channels); the probabilities, (N, K).
    fed : symbolic tensor
        `entry` in the shape that the wrapped model takes: the same unless that is (N, H, W) or (N, values).
    notice : str
        How the output was read, where that isn't plain.

    Raises
    ------
    ValueError
        If the model's output is constant, a layer has more than `MOST_OUTPUTS` values, or
        can't be computed on images.
    """

    def __init__(self, model, input_range=(0, 255), size=None):
        height, width, self.channels = image_shape(model)
        self.size = (height or (size or (32, 32))[0], width or (size or (32, 32))[1])
        self.input_range = tuple(map(float, input_range))
        self.layers = {}
        self._splits = {}
        self._most_outputs = 1  # of a layer, for one image
        self._pixels = keras.Input((*self.size, 3), name="pixels_0_255")
        x = self.entry = ToInput(self.channels, input_range, name="cnnvis_to_input")(self._pixels)
        shape = tuple(model.inputs[0].shape[1:])
        if len(shape) != 3:
            x = Computed(lambda pixels: keras.ops.reshape(pixels, (-1, *shape)), "flat_input")(x)
        self.fed = x
        try:
            output = self._run(model, x)
        except ValueError:
            raise
        except Exception as error:  # third-party layers may raise anything
            raise ValueError(f"the model can't be computed on images: {error}") from error
        self._functions = {}
        ending = endings.read(
            self.layers.values(), output, lambda x: compiled(self.model_to(x))(endings.probe_images(*self.size))
        )
        self._logits, self.exit, self.notice = ending.logits, ending.probabilities, ending.notice
        self.classes = self.exit.shape[-1]

    def _run(self, model, x):
        """Call the model's layers one by one on a symbolic tensor, and record them in `layers`."""
        if isinstance(model, keras.Sequential):
            for layer in model.layers:
                x = self._call(layer, x)
            return x
        outputs = keras_internals.run_through_graph(model, x, self._call)
        return keras.tree.flatten(outputs)[0]  # x, [x] and {"name": x} are all one output

    def _call(self, layer, *inputs, **options):
        if isinstance(layer, keras.Sequential):
            return self._run(layer, keras.tree.flatten(inputs)[0])
        if keras_internals.is_functional(layer):  # of one or several inputs and outputs
            return keras_internals.run_through_graph(layer, keras.tree.flatten(inputs), self._call)
        options.pop("training", None)
        names = itertools.chain([layer.name], (f"{layer.name}_{n}" for n in itertools.count(2)))
        name = next(name for name in names if name not in self.layers)
        if not any(known.layer is layer for known in self.layers.values()):
            layer.name = name  # two nested models may use the same name, one graph may not
        activation = layer_kinds.activation_of(layer)
        if isinstance(layer, (*layer_kinds.CONV, keras.layers.Dense)):
            without_activation, activate = self._split(layer)
            linear = without_activation(inputs[0])
            output = activate(linear)
        else:
            output = layer(*inputs, **options)
            linear = output if activation == "linear" else inputs[0]
        self._check_size(name, output)
        sources = tuple(keras.tree.flatten(inputs))
        self.layers[name] = Layer(
            name, layer_kinds.kind_of(layer), layer, inputs=sources, linear=linear, output=output, activation=activation
        )
        return output

    def _check_size(self, name, output):
        for shape in (tensor.shape[1:] for tensor in keras.tree.flatten(output)):
            outputs = math.prod(side or 1 for side in shape)
            if outputs > MOST_OUTPUTS:
                raise ValueError(f"the output of {name} is too large to compute: {shape} for one image")
            self._most_outputs = max(self._most_outputs, outputs)

    def _split(self, layer):
        """A CONV or FC layer without its activation function, and that function: two callables."""
        if layer not in self._splits:
            linear, activate = layer, lambda x: x
            if layer_kinds.activation_of(layer) != "linear":
                name = f"cnnvis_{layer.name}_activation"
                activate = layer.activation
                if not isinstance(activate, keras.layers.Layer):  # as keras.layers.Softmax() may be given
                    activate = keras.layers.Activation(activate, dtype=layer.dtype_policy, name=name)
                linear = _twin(layer)
            if getattr(layer, "data_format", None) == "channels_first":
                linear = _transposed(layer)
            self._splits[layer] = linear, activate
        return self._splits[layer]

    def probabilities(self, images, batch_size=None, track=iter):
        """(N, H, W, 3) pixels 0-255 -> (N, K) float32 probabilities; `track` wraps the sequence of batches.

        The default batch size is `images_at_once`, or less if a layer's output is large. Raises ValueError if the
        network outputs NaN.
        """
        probabilities = self._evaluate("probabilities", lambda: self.exit, images, batch_size=batch_size, track=track)
        if np.isnan(probabilities.min(initial=1)):  # needs no memory, unlike np.isnan(probabilities)
            raise ValueError("the model outputs NaN: its weights or --input-range are wrong")
        return probabilities

    def logits(self, images):
        """(N, H, W, 3) pixels 0-255 -> (N, K) float32 logits."""
        return self._evaluate("logits", lambda: self._logits, images)

    def gradients(self, score, images, targets):
        """Gradients of target scores with respect to pixels.

        Parameters
        ----------
        score : {"logit", "probability"}
        images : (N, H, W, 3) array
            Pixels 0-255, all computed in one batch.
        targets : (N,) int array
            Class whose score is differentiated.

        Returns
        -------
        (N, H, W, 3) float32 array, in units of the score per pixel value (0-255).
        """
        key = f"gradients of {score}"
        if key not in self._functions:
            model = self.model_to(self._logits if score == "logit" else self.exit)
            shape = tf.TensorSpec((None, *self.size, 3), tf.float32), tf.TensorSpec((None,), tf.int32)

            @tf.function(input_signature=shape, jit_compile=False)
            def gradients(pixels, chosen):
                with tf.GradientTape() as tape:
                    tape.watch(pixels)
                    total = tf.reduce_sum(tf.gather(model(pixels, training=False), chosen, axis=1, batch_dims=1))
                return tape.gradient(total, pixels)

            self._functions[key] = gradients
        return self._functions[key](np.asarray(images, "float32"), np.asarray(targets, "int32")).numpy()

    def outputs(self, images, names):
        """Outputs of several layers in one pass: dict of name to (N, h, w, c) or (N, units) float32."""
        return self._evaluate(("outputs", *names), lambda: {name: self.layers[name].output for name in names}, images)

    def model_to(self, tensors):
        """Keras model from (N, H, W, 3) pixels 0-255 to symbolic tensors of `layers`."""
        return keras.Model(self._pixels, tensors)

    def _evaluate(self, key, tensors, images, batch_size=None, track=iter):
        if key not in self._functions:
            self._functions[key] = compiled(self.model_to(tensors()))
        function = self._functions[key]
        most = max(1, OUTPUTS_AT_ONCE // self._most_outputs)
        batch_size = batch_size or min(most, images_at_once(*self.size))
        whole = None
        for start in track(range(0, len(images), batch_size)):
            part = function(images[start : start + batch_size])
            if whole is None:
                whole = keras.tree.map_structure(lambda a: np.empty((len(images), *a.shape[1:]), a.dtype), part)
            for array, rows in zip(keras.tree.flatten(whole), keras.tree.flatten(part)):
                array[start : start + batch_size] = rows
        return whole

    def layer(self, name):
        """The layer of that name; raises ValueError, with all names, if there is none."""
        if name not in self.layers:
            raise ValueError(f"no layer is called {name!r}; there are {', '.join(self.layers)}")
        return self.layers[name]

    def relu_input(self, layer):
        """Symbolic input of the ReLU behind a layer, with only normalisation, pooling and the like between them.

        None if there is no such ReLU, or if the output is also used elsewhere.
        """
        if layer.activation in ("relu", "relu6"):
            return layer.linear
        x = layer.output
        while True:
            readers = [reader for reader in self.layers.values() if any(x is source for source in reader.inputs)]
            if len(readers) != 1:
                return None
            (reader,) = readers
            if reader.activation in ("relu", "relu6") and reader.kind == "RELU":
                return x
            if not isinstance(reader.layer, layer_kinds.KEEPS_CHANNELS):
                return None
            x = reader.output


def _twin(layer, **changes):
    """A layer with the same weights but no activation function, and `changes` in its configuration."""
    config = layer.get_config() | {"activation": None, "name": f"cnnvis_{layer.name}_linear"} | changes
    twin = type(layer).from_config(config)
    shape = layer.get_build_config()["input_shape"]
    twin.build(shape if "data_format" not in changes else (shape[0], *shape[2:], shape[1]))
    twin.set_weights(layer.get_weights())
    return twin


def _transposed(layer):
    """A channels-first CONV layer computed as channels-last: on CPUs, only oneDNN supports channels-first."""
    channels_last, twin = keras.layers.Permute((2, 3, 1)), _twin(layer, data_format="channels_last")
    channels_first = keras.layers.Permute((3, 1, 2))
    return lambda x: channels_first(twin(channels_last(x)))
