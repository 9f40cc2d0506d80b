"""What the configuration of a model may say: Keras's own layers, and nothing that runs, reads or grows without end.

Keras builds what a configuration names, and its safe mode has been got around again and again (CVE-2025-1550, -8747,
-9905, -9906, -12058). So we don't look for what is bad, but allow what is good: classes by name and module, activation
functions by name, references that can be followed, and so many calls of layers.
"""

import graphlib
import inspect
import math
import sys

MOST_CALLS = 5_000  # of layers, for one picture: five times those of the largest of keras.applications
MOST_NUMBERS = 2**26  # that a layer is said to take for one picture: 256 MB of float32

MODELS = {"Functional", "Model", "Sequential"}
# fmt: off
LAYERS = {
    "Activation", "ActivityRegularization", "AdaptiveAveragePooling1D", "AdaptiveAveragePooling2D",
    "AdaptiveAveragePooling3D", "AdaptiveMaxPooling1D", "AdaptiveMaxPooling2D", "AdaptiveMaxPooling3D", "Add",
    "AdditiveAttention", "AlphaDropout", "Attention", "AutoContrast", "Average", "AveragePooling1D", "AveragePooling2D",
    "AveragePooling3D", "AvgPool1D", "AvgPool2D", "AvgPool3D", "BatchNormalization", "Bidirectional",
    "CategoryEncoding", "CenterCrop", "Concatenate", "Conv1D", "Conv1DTranspose", "Conv2D", "Conv2DTranspose", "Conv3D",
    "Conv3DTranspose", "ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D", "Convolution1D", "Convolution1DTranspose",
    "Convolution2D", "Convolution2DTranspose", "Convolution3D", "Convolution3DTranspose", "Cropping1D", "Cropping2D",
    "Cropping3D", "CutMix", "Dense", "DepthwiseConv1D", "DepthwiseConv2D", "Discretization", "Dot", "Dropout", "ELU",
    "EinsumDense", "Embedding", "Equalization", "Flatten", "GRU", "GRUCell", "GaussianDropout", "GaussianNoise",
    "GlobalAveragePooling1D", "GlobalAveragePooling2D", "GlobalAveragePooling3D", "GlobalAvgPool1D", "GlobalAvgPool2D",
    "GlobalAvgPool3D", "GlobalMaxPool1D", "GlobalMaxPool2D", "GlobalMaxPool3D", "GlobalMaxPooling1D",
    "GlobalMaxPooling2D", "GlobalMaxPooling3D", "GroupNormalization", "GroupQueryAttention", "Identity", "InputLayer",
    "LSTM", "LSTMCell", "LayerNormalization", "LeakyReLU", "Masking", "MaxPool1D", "MaxPool2D", "MaxPool3D",
    "MaxPooling1D", "MaxPooling2D", "MaxPooling3D", "Maximum", "Minimum", "MixUp", "MultiHeadAttention", "Multiply",
    "Normalization", "PReLU", "Permute", "RMSNormalization", "RNN", "RandomBrightness", "RandomColorDegeneration",
    "RandomColorJitter", "RandomContrast", "RandomCrop", "RandomElasticTransform", "RandomErasing", "RandomFlip",
    "RandomGaussianBlur", "RandomGrayscale", "RandomHue", "RandomInvert", "RandomPerspective", "RandomPosterization",
    "RandomRotation", "RandomSaturation", "RandomSharpness", "RandomShear", "RandomTranslation", "RandomZoom", "ReLU",
    "RepeatVector", "Rescaling", "Reshape", "Resizing", "ReversibleEmbedding", "SeparableConv1D", "SeparableConv2D",
    "SeparableConvolution1D", "SeparableConvolution2D", "SimpleRNN", "SimpleRNNCell", "Softmax", "Solarization",
    "SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D", "SpectralNormalization", "StackedRNNCells", "Subtract",
    "TimeDistributed", "UnitNormalization", "UpSampling1D", "UpSampling2D", "UpSampling3D", "ZeroPadding1D",
    "ZeroPadding2D", "ZeroPadding3D",
}
# fmt: on
REFUSED = {  # the others of keras.layers, and why
    "Lambda": "carries Python code",
    "TFSMLayer": "opens another model that it names",
    "TorchModuleWrapper": "carries pickled Python objects",
    "FlaxLayer": "carries Python code",
    "JaxLayer": "carries Python code",
    **dict.fromkeys(("IntegerLookup", "StringLookup", "TextVectorization"), "reads files that it names"),
    **dict.fromkeys(("HashedCrossing", "Hashing"), "is for text"),
    **dict.fromkeys(("MelSpectrogram", "STFTSpectrogram"), "is for sound"),
    **dict.fromkeys(("AugMix", "RandAugment", "Pipeline"), "repeats other layers as often as it says"),
    **dict.fromkeys(("ContrastLimitedAdaptiveHistogramEqualization", "MaxNumBoundingBoxes"), "is for preparing data"),
    **dict.fromkeys(("Layer", "Wrapper"), "does nothing by itself"),
}
NUMBERS = ("initializers", "regularizers", "constraints", "dtype_policies")  # parts of Keras that hold just these
OPERATIONS = {  # where Keras has the classes of what keras.ops and keras.activations do to symbolic tensors
    *(f"keras.src.ops.{part}" for part in ("numpy", "nn", "math", "image")),
    "keras.src.activations.activations",
}
OPERATIONS_OF_CORE = {"Cast", "Slice", "StopGradient", "Unstack"}  # the others of keras.src.ops.core call functions
LAYERS_OF_APPLICATIONS = {"keras.src.applications.convnext.LayerScale"}  # that keras.layers doesn't have
VALUES = {
    *("__bytes__", "__ellipsis__", "__keras_tensor__", "__numpy__", "__slice__", "__tensor__", "__tuple__"),
    "TensorShape",
}
SEVERAL_OUTPUTS = {*MODELS, "LSTM", "GRU", "SimpleRNN", "RNN", "ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D"}


def check(config):
    """Refuse a model's configuration if Keras should not build it.

    Parameters
    ----------
    config : dict
        From JSON, without what compiles a model.

    Raises
    ------
    ValueError
        With the reason: a class or function that is not Keras's own or could do more than compute, a layer that waits
        for itself, or more layers or larger pictures than any model has.
    """
    if not isinstance(config, dict) or config.get("class_name") not in MODELS:
        raise ValueError("its configuration describes no model whose layers can be seen: save it as a functional one")
    try:
        calls = _check(config, {})
    except RecursionError:
        raise ValueError("its configuration is nested too deeply") from None
    if calls > MOST_CALLS:
        raise ValueError(f"it calls its layers {calls:,} times, more than {MOST_CALLS:,}")


def _check(node, shared):
    """Check a part of the configuration; returns how many calls of layers it makes."""
    if isinstance(node, list):
        return sum(_check(item, shared) for item in node)
    if not isinstance(node, dict):
        return 0
    if "class_name" in node:
        _check_class(node)
    if not str(node.get("name", "")).isprintable():
        raise ValueError(f"it has a name that can't be shown: {node['name']!r}")
    for key in ("batch_shape", "batch_input_shape", "build_input_shape", "input_shape"):
        _check_size(node.get(key))
    calls = sum(_check(value, shared) for value in node.values())
    if not _is_called(node):
        return calls
    calls = (1 + calls) * max(1, _length(node.get("inbound_nodes")))
    if "shared_object_id" in node:  # Keras builds it once, and takes it for granted where it meets the number again
        number = str(node["shared_object_id"])
        calls = shared[number] = max(calls, shared.get(number, 0))
    config = node.get("config")
    if isinstance(config, dict):
        if config.get("unroll"):
            raise ValueError(f"its {node['class_name']} layer is unrolled: save it with unroll=False")
        if node["class_name"] == "Normalization" and config.get("mean") is not None and _length(config.get("axis")) > 1:
            raise ValueError("its Normalization has one mean for several axes: save it with one axis")
        if node["class_name"] in ("Functional", "Model") and isinstance(config.get("layers"), list):
            _check_graph(config["layers"])
    return calls


def _check_size(shape):
    if isinstance(shape, dict):
        shape = shape.get("items")
    sides = [side for side in shape if isinstance(side, int)] if isinstance(shape, list) else []
    if math.prod(abs(side) for side in sides) > MOST_NUMBERS:
        raise ValueError(f"one of its layers takes {sides}, more than {MOST_NUMBERS:,} numbers")


def _check_class(node):
    """Refuse what a dict with a `class_name` would have Keras make, unless it is known to be harmless."""
    name, module, registered = node["class_name"], node.get("module"), node.get("registered_name")
    if not isinstance(name, str) or not isinstance(module, str | None):
        raise ValueError("its configuration names classes otherwise than by strings")
    if name == "function":
        _check_function(node.get("config"), module, registered)
    elif name in REFUSED and module in (None, "keras.layers"):
        raise ValueError(f"it has a {name} layer, which {REFUSED[name]}: it can't be opened safely")
    elif registered not in (None, name) or not (name in VALUES or _is_harmless(name, module)):
        known_by = registered if registered not in (None, name) else f"{module}.{name}" if module else name
        raise ValueError(f"it needs {known_by!r}, which is no layer of Keras's own: it can't be opened safely")


def _is_harmless(name, module):
    import keras

    if module is None:
        return name in LAYERS | MODELS or any(_is_class_of(part, name) for part in NUMBERS)
    if module == "keras.layers":
        return name in LAYERS
    if f"{module}.{name}" in LAYERS_OF_APPLICATIONS:
        return True
    if module in ("keras", "keras.models", "keras.src.models.functional", "keras.src.models.sequential"):
        return name in MODELS or (module == "keras" and _is_class_of("dtype_policies", name))
    if module in OPERATIONS or (module == "keras.src.ops.core" and name in OPERATIONS_OF_CORE):
        operation = vars(sys.modules.get(module, object)).get(name)
        return inspect.isclass(operation) and issubclass(operation, keras.Operation) and operation.__module__ == module
    return any(module == f"keras.{part}" and _is_class_of(part, name) for part in NUMBERS)


def _is_class_of(part, name):
    import keras

    return inspect.isclass(vars(getattr(keras, part)).get(name))


def _check_function(name, module, registered):
    import keras

    is_activation = isinstance(name, str) and inspect.isfunction(vars(keras.activations).get(name))
    if name in ("deserialize", "get", "serialize") or not is_activation:
        raise ValueError(f"it calls the function {name!r}, which is no activation: it can't be opened safely")
    if module not in (None, "builtins", "keras.activations") or registered not in (None, "function", name):
        raise ValueError(f"it takes the function {name!r} from {module!r}: it can't be opened safely")


def _is_called(node):
    return node.get("class_name") in LAYERS | MODELS or str(node.get("module")).startswith("keras.src.")


def _check_graph(layers):
    """Refuse a functional model that Keras would try to put together for ever, or compute while it is loaded."""
    if not all(isinstance(layer, dict) for layer in layers):
        raise ValueError("its configuration has a layer that is none")
    sources = {str(layer.get("name")): layer for layer in layers}
    order = graphlib.TopologicalSorter()
    for layer in layers:
        name = str(layer.get("name"))
        for number, call in enumerate(layer.get("inbound_nodes") or []):
            references = list(_references(call))
            if not references:
                raise ValueError(f"its layer {name} is called on no other layer's output")
            before = [(name, number - 1)] if number else []
            order.add((name, number), *before, *(_followed(reference, sources) for reference in references))
    try:
        order.prepare()
    except graphlib.CycleError:
        raise ValueError("its layers wait for one another's output") from None


def _references(call):
    """(layer, number of its call, number of its output) of all that one call is given, as Keras 3 or 2 writes it."""
    if isinstance(call, dict):
        config = call.get("config")
        if call.get("class_name") == "__keras_tensor__" and isinstance(config, dict):
            yield config.get("keras_history")
        else:
            for value in call.values():
                yield from _references(value)
    elif isinstance(call, list):
        if len(call) >= 3 and isinstance(call[0], str):
            yield call[:3]
        else:
            for value in call:
                yield from _references(value)


def _followed(reference, layers):
    """The call of a layer whose output is meant."""
    name, call, output = reference if isinstance(reference, list) and len(reference) == 3 else (None, -1, -1)
    source = layers.get(name, {}) if isinstance(name, str) else {}
    is_model = source.get("class_name") in MODELS
    if not isinstance(call, int) or not isinstance(output, int):
        raise ValueError("its configuration refers to layers otherwise than by name and number")
    call = max(call - 1, 0) if is_model and call > 0 else call  # some Keras count the making of a nested model
    most = max(1, _length(source.get("inbound_nodes")))
    several = source.get("class_name") in SEVERAL_OUTPUTS or str(source.get("module")).startswith("keras.src.")
    if not source or not 0 <= call < most or not 0 <= output < (MOST_CALLS if several else 1):
        raise ValueError(f"its configuration refers to an output that is not there: {reference}")
    return name, call


def _length(value):
    return len(value) if isinstance(value, list) else 0
