"""Anybody's Keras image classifier, taken apart: from pixels 0-255 to every layer's output and the probabilities."""

import difflib
import itertools
import math
from dataclasses import dataclass

import keras
import numpy as np

from cnnvis import keras_internals
from cnnvis.checkpoints import image_shape
from cnnvis.console import pixel_range
from cnnvis.images import images_at_once
from cnnvis.network import cost, endings, fixed_batch, gradients, layer_kinds, twins
from cnnvis.network.computing import Computed, compiled, numbers
from cnnvis.network.layouts import with_channels_last
from cnnvis.network.pixel_range import ToInput, whole
from cnnvis.network.walking import symbolic, walk

MOST_OUTPUTS = 2**26  # values in a layer's output for one image, at most: 256 MB of float32
FEW_LAYERS, NEAR_NAMES = 30, 5  # that an error names
LARGEST = 65504  # of float16, and what stands for infinite logits


@dataclass(frozen=True)
class Layer:
    """One layer in the network's graph: its name, its kind, and the symbolic tensors around it.

    Feature maps are (N, h, w, c), also those of a channels-first network. `linear` is the output before the layer's own
    activation function; the same as `output` if it has none. `own_output` is the output as the next layer gets it.
    """

    name: str
    kind: str  # "CONV", "RELU", "POOL", "FC" or "other"
    layer: object
    inputs: object
    linear: object
    output: object
    activation: str  # "linear" if it has none
    channels_first: bool = False  # the network itself has its inputs as (N, c, h, w)
    own_output: object = None


class Classifier:
    """A network that takes (N, H, W, 3) pixels 0-255, whatever range and channels the wrapped model takes.

    Parameters
    ----------
    model : keras.Model
        One input (N, H, W, C), C = 1 (grey), 2 (and opacity), 3 (colours) or 4 (and opacity), or as
        `checkpoints.image_shape` says; one output (N, K):
        probabilities or logits, as `endings` tells them apart. One unit stands for two classes.
    input_range : (low, high), "caffe" or "torch"
        The values of black and white for the wrapped model, or a preprocessing of `ToInput`.
    size : (height, width), optional
        Of the images, for a model that takes any size.

    Attributes
    ----------
    layers : dict of str to Layer
        All layers in the order of computation, including those of nested models.
    size : (height, width)
    input_range : (low, high), "caffe" or "torch"
    channels : int
        Of the wrapped model.
    classes : int
    cost : cost.Cost
        Of one image.
    entry, output, exit : symbolic tensors
        The images in the wrapped model's channels and range, (N, H, W, channels); what it gives; probabilities, (N, K).
    fed : symbolic tensor
        `entry` in the shape that the wrapped model takes, such as (N, channels, H, W), (N, H, W) or (N, values).
    notice : str
        How the output was read, where that isn't plain.

    Raises
    ------
    ValueError
        If `input_range` isn't one, or is not for the model's channels, the model's output is constant, a layer has more
        than `MOST_OUTPUTS` values, one image takes too much memory or time, or it can't be computed on images.
    """

    def __init__(self, model, input_range=(0, 255), size=None):
        height, width, self.channels = image_shape(model)
        self.size = (height or (size or (32, 32))[0], width or (size or (32, 32))[1])
        self._takes_any_size = height is None and width is None
        self.input_range = pixel_range(input_range)
        self.layers, self._splits, self._functions = {}, {}, {}
        self._batch_size = model.inputs[0].shape[0]  # None unless the model was saved for one
        self._pixels = keras.Input((*self.size, 3), name="pixels_0_255")
        x = self.entry = ToInput(self.channels, self.input_range, name="cnnvis_to_input")(self._pixels)
        if not keras.backend.is_float_dtype(model.inputs[0].dtype):
            x = Computed(whole, "whole_pixels")(x)
        shape, moved = tuple(model.inputs[0].shape[1:]), {}
        if len(shape) != 3:
            x = keras.layers.Reshape(shape, name="cnnvis_flat_input")(x)
        elif shape != image_shape(model):
            x = keras.layers.Permute((3, 1, 2), name="cnnvis_channels_first_input")(x)
            moved[id(x)] = self.entry
        self.fed = x
        try:
            self._check_size("the input", self.entry)
            output = self.output = walk(model, x, self._call)
            self.cost = cost.check(self.layers.values())
        except cost.TooLarge as error:
            raise self._with_size_that_fits(error, model) from None
        except ValueError:
            raise
        except Exception as error:  # third-party layers may raise anything
            raise ValueError(f"the model can't be computed on images: {error}") from error
        probes = endings.probe_images(*self.size)
        fixed_batch.check(self._batch_size, lambda other: compiled(self.model_to(output))(probes[:other]))
        ending = endings.read(
            self.layers.values(), output, lambda x: self.evaluate(("probes", id(x)), lambda: x, probes)
        )
        self._logits, self.exit, self.notice = ending.logits, ending.probabilities, ending.notice
        self.classes = self.exit.shape[-1]
        self.layers = {layer.name: layer for layer in with_channels_last(self.layers.values(), moved)}

    def _call(self, layer, *inputs, **options):
        """Call a layer, and record it in `layers`."""
        sources = symbolic((inputs, options))
        fixed_batch.free(layer, sources, self._batch_size)
        names = itertools.chain([layer.name], (f"{layer.name}_{n}" for n in itertools.count(2)))
        name = next(name for name in names if name not in self.layers)
        layer_kinds.check_name(name)
        if not any(known.layer is layer for known in self.layers.values()):
            layer.name = name  # two nested models may use the same name, one graph may not
        activation = layer_kinds.activation_of(layer)
        if isinstance(layer, (*layer_kinds.CONV, keras.layers.Dense)):
            without_activation, activate = self._split(layer)
            linear = without_activation(sources[0])
            output = activate(linear)
        else:
            output = layer(*inputs, **options)
            linear = sources[0] if activation != "linear" and layer_kinds.is_activation(layer) else output
        keras_internals.mark_dense(output)
        self._check_size(f"the output of {name}", output)
        self.layers[name] = Layer(
            name, layer_kinds.kind_of(layer), layer, inputs=sources, linear=linear, output=output, activation=activation
        )
        return output

    def _check_size(self, what, tensors):
        for tensor in keras.tree.flatten(tensors):
            shape, outputs = tensor.shape[1:], cost.values(tensor)
            if outputs > MOST_OUTPUTS:
                raise cost.TooLarge(f"{what} is too large to compute: {shape} for one image", MOST_OUTPUTS / outputs)

    def side(self, share):
        """The shorter side of images that take about that share of memory or time; 0 if the network takes none."""
        return int(min(self.size) * math.sqrt(share)) if self._takes_any_size else 0

    def _with_size_that_fits(self, error, model):
        """The error, with the side of images that are computed; without one if there is none."""
        if side := self.side(error.share):
            try:
                Classifier(model, self.input_range, tuple(round(x * side / min(self.size)) for x in self.size))
            except ValueError as another:  # a later layer may need even more
                side = getattr(another, "side", 0)
        return cost.TooLarge(error.text, error.share, side)

    def _split(self, layer):
        """A CONV or FC layer without its activation function, and that function: two callables."""
        if layer not in self._splits:
            linear, activate = layer, lambda x: x
            if layer_kinds.activation_of(layer) != "linear":
                name = f"cnnvis_{layer.name}_activation"
                activate = layer.activation
                if not isinstance(activate, keras.layers.Layer):  # as keras.layers.Softmax() may be given
                    activate = keras.layers.Activation(activate, dtype=layer.compute_dtype, name=name)
                linear = twins.without_activation(layer)
            if getattr(layer, "data_format", None) == "channels_first":
                linear = twins.channels_last(layer)
            self._splits[layer] = linear, activate
        return self._splits[layer]

    @property
    def at_once(self):
        """How many images to compute in one batch, so that its memory and time depend on neither size nor layers."""
        most = cost.MOST_VALUES // self.cost.values, cost.MOST_AT_ONCE // self.cost.multiplications
        return max(1, min(images_at_once(*self.size), *most))

    def probabilities(self, images, batch_size=None, track=iter):
        """(N, H, W, 3) pixels 0-255 -> (N, K) float32 probabilities; `track` wraps the sequence of batches.

        The default batch size is `at_once`. Raises ValueError if the network outputs NaN.
        """
        how = {"batch_size": batch_size, "track": track}
        return numbers(self.evaluate("probabilities", lambda: self.exit, images, **how))

    def logits(self, images):
        """(N, H, W, 3) pixels 0-255 -> (N, K) float32 logits, finite; raises ValueError if the network outputs NaN."""
        logits = numbers(self.evaluate("logits", lambda: self._logits, images))
        return np.nan_to_num(logits, posinf=LARGEST, neginf=-LARGEST)

    @property
    def scores(self):
        """The symbolic logits, (N, K); log-probabilities where the network has no logits."""
        return self._logits

    @property
    def weights(self):
        """All Keras variables that the probabilities are computed with: list."""
        return self.model_to(self.exit).weights

    @property
    def kept(self):
        """How many values are in memory for the gradients of one image: int."""
        return cost.kept(self.layers.values(), self.cost)

    def gradients(self, score, images, targets):
        """Gradients of target scores with respect to pixels.

        Parameters
        ----------
        score : {"logit", "probability"}
        images : (N, H, W, 3) array
            Pixels 0-255.
        targets : (N,) int array
            Class whose score is differentiated.

        Returns
        -------
        (N, H, W, 3) float32 array, in units of the score per pixel value (0-255).

        Raises
        ------
        ValueError
            If the score doesn't depend on the pixels by differentiable steps, or they would fill the memory.
        """
        return np.concatenate([slopes for _, slopes in self._gradients(score, images, targets, self._pixels)])

    def feature_gradients(self, score, images, targets, name):
        """Feature maps of a layer, and the gradients of target scores with respect to them, batch by batch.

        Parameters
        ----------
        score, images, targets
            As of `gradients`.
        name : str
            Of a layer whose output is (N, h, w, c).

        Yields
        ------
        maps, gradients : (B, h, w, c) float32 arrays

        Raises
        ------
        ValueError
            As `gradients`.
        """
        layer = self.layer(name)
        for found in self._gradients(score, images, targets, layer.own_output):
            moved = layer.own_output is not layer.output  # (B, c, h, w)
            yield tuple(array.transpose(0, 2, 3, 1) if moved else array for array in found)

    def _gradients(self, score, images, targets, source):
        """Generate the values of a symbolic tensor, and the gradients with respect to it, batch by batch."""
        gradients.check_memory(self)
        key = "gradients", score, id(source)
        if key not in self._functions:
            scores = self._logits if score == "logit" else self.exit
            self._functions[key] = gradients.compiled(self.model_to([source, scores]))
        return gradients.in_batches(self, self._functions[key], images, targets)

    def outputs(self, images, names):
        """Outputs of several layers in one pass: dict of name to (N, h, w, c) or (N, units) float32."""
        return self.evaluate(("outputs", *names), lambda: {name: self.layers[name].output for name in names}, images)

    def model_to(self, tensors):
        """Keras model from (N, H, W, 3) pixels 0-255 to symbolic tensors of `layers`."""
        return keras.Model(self._pixels, tensors)

    def evaluate(self, key, tensors, images, batch_size=None, track=iter):
        """The values of symbolic `tensors()` for images; the function that computes them is kept under `key`."""
        if key not in self._functions:
            self._functions[key] = compiled(self.model_to(tensors()))
        function = self._functions[key]
        batch_size = batch_size or self.at_once
        whole = None
        for start in track(range(0, len(images), batch_size)):
            part = function(images[start : start + batch_size])
            if whole is None:
                whole = keras.tree.map_structure(lambda a: np.empty((len(images), *a.shape[1:]), a.dtype), part)
            for array, rows in zip(keras.tree.flatten(whole), keras.tree.flatten(part)):
                array[start : start + batch_size] = rows
        return whole

    def layer(self, name):
        """The layer of that name; raises ValueError, with similar names or all of few, if there is none."""
        if name not in self.layers:
            near = difflib.get_close_matches(name, self.layers, n=NEAR_NAMES, cutoff=0.4)
            few = f"there are {', '.join(self.layers)}"
            many = (
                f"similar are {', '.join(near)}" if near else f"of {len(self.layers)}, the last is {[*self.layers][-1]}"
            )
            raise ValueError(f"no layer is called {name!r}; {few if len(self.layers) <= FEW_LAYERS else many}")
        return self.layers[name]
