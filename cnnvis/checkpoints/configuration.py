"""What the configuration of a model may contain: Keras's own layers, but no code, no other files and no bombs.

Keras builds whatever a configuration names, and attackers have bypassed its safe mode again and again (CVE-2025-1550,
-8747, -9905, -9906, -12058). So we don't search for bad parts, but allow good ones: classes by name and module,
activation functions by name, references to existing outputs, and a limited number of calls of layers.
"""

import graphlib
import inspect
import math
import reprlib
import sys

from cnnvis.checkpoints.foreign import REBUILD

MOST_CALLS = 5_000  # of layers, for one image: five times those of the largest of keras.applications
MOST_VALUES = 2**26  # in a layer's input for one image: 256 MB of float32

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
REFUSED = {  # the rest of keras.layers, and why
    "Lambda": "carries Python code",
    "TFSMLayer": "opens another model that it names",
    "TorchModuleWrapper": "carries pickled Python objects",
    "FlaxLayer": "carries Python code",
    "JaxLayer": "carries Python code",
    **dict.fromkeys(("IntegerLookup", "StringLookup", "TextVectorization"), "reads files that it names"),
    **dict.fromkeys(("HashedCrossing", "Hashing"), "is for text"),
    **dict.fromkeys(("MelSpectrogram", "STFTSpectrogram"), "is for sound"),
    **dict.fromkeys(("AugMix", "RandAugment", "Pipeline"), "repeats other layers any number of times"),
    **dict.fromkeys(("ContrastLimitedAdaptiveHistogramEqualization", "MaxNumBoundingBoxes"), "is for preparing data"),
    **dict.fromkeys(("Layer", "Wrapper"), "does nothing by itself"),
}
NUMBERS = ("initializers", "regularizers", "constraints", "dtype_policies")  # modules whose classes only compute
OPERATIONS = {  # the modules of the operations that keras.ops and keras.activations create for symbolic tensors
    *(f"keras.src.ops.{part}" for part in ("numpy", "nn", "math", "image")),
    "keras.src.activations.activations",
}
SOME_OPERATIONS = {  # of modules whose other operations may call functions
    "keras.src.ops.core": {"Cast", "Slice", "StopGradient", "Unstack"},
    "keras.src.ops.linalg": {"Norm"},
}
QUANTIZERS = {"AbsMaxQuantizer", *(f"{kind}QuantizationConfig" for kind in ("Int4", "Int8", "Float8"))}
LAYERS_OF_APPLICATIONS = {  # missing in keras.layers
    "keras.src.applications.convnext.LayerScale",
    "keras.src.applications.inception_resnet_v2.CustomScaleLayer",
}
VALUES = {
    *("__bytes__", "__ellipsis__", "__keras_tensor__", "__numpy__", "__slice__", "__tensor__", "__tuple__"),
    "TensorShape",
}
SEVERAL_OUTPUTS = {*MODELS, "LSTM", "GRU", "SimpleRNN", "RNN", "ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D"}


def check(config):
    """Refuse a model's configuration if building it isn't safe.

    Parameters
    ----------
    config : dict
        Parsed from JSON, without the keys that compile a model.

    Raises
    ------
    ValueError
        With the reason: a class or function that isn't Keras's own or does more than compute, a cycle, or more layers
        or larger images than any model has.
    """
    if not isinstance(config, dict) or config.get("class_name") not in MODELS:
        raise ValueError("it is neither a functional nor a sequential model: save it as one of these")
    calls = _check(config, {})
    if calls > MOST_CALLS:
        raise ValueError(f"it calls its layers {calls:,} times, more than {MOST_CALLS:,}")


def _check(node, shared):
    """Check a part of the configuration; return how often it calls layers."""
    if isinstance(node, list):
        return sum(_check(item, shared) for item in node)
    if not isinstance(node, dict):
        return 0
    if "class_name" in node:
        _check_class(node)
    if not str(node.get("name", "")).isprintable():
        raise ValueError(f"it has an unprintable name: {node['name']!r}")
    for key in ("batch_shape", "batch_input_shape", "build_input_shape", "input_shape"):
        _check_size(node.get(key))
    calls = sum(_check(value, shared) for value in node.values())
    if not _is_called(node):
        return calls
    calls = (1 + calls) * max(1, _length(node.get("inbound_nodes")))
    if "shared_object_id" in node:  # Keras builds the object once, and reuses it for the same id
        shared_id = str(node["shared_object_id"])
        calls = shared[shared_id] = max(calls, shared.get(shared_id, 0))
    config = node.get("config")
    if isinstance(config, dict):
        if node["class_name"] == "Normalization" and config.get("mean") is not None and _length(config.get("axis")) > 1:
            raise ValueError("its Normalization has one mean for several axes: save it with one axis")
        if node["class_name"] in ("Functional", "Model") and isinstance(config.get("layers"), list):
            _check_graph(config["layers"])
    return calls


def _check_size(shape):
    if isinstance(shape, dict):
        shape = shape.get("items")
    sides = [side for side in shape if isinstance(side, int)] if isinstance(shape, list) else []
    if math.prod(abs(side) for side in sides) > MOST_VALUES:
        raise ValueError(f"the input of one of its layers is {sides}, more than {MOST_VALUES:,} values")


def _check_class(node):
    """Refuse a dict with a `class_name` unless the object that Keras would create is known to be harmless."""
    name, module, registered = node["class_name"], node.get("module"), node.get("registered_name")
    if not isinstance(name, str) or not isinstance(module, str | None):
        raise ValueError("its configuration has a class name that is not a string")
    if name == "function":
        _check_function(node.get("config"), module, registered)
    elif name in REFUSED and module in (None, "keras.layers"):
        raise ValueError(f"{_shown(node)} {REFUSED[name]}, and can't be opened safely: {REBUILD}")
    elif registered not in (None, name) or not (name in VALUES or _is_harmless(name, module)):
        raise ValueError(f"{_shown(node)} is none of Keras 3's own, and can't be opened safely: {REBUILD}")


def _shown(node):
    """A layer or another object, named for a message."""
    registered, config = node.get("registered_name"), node.get("config")
    kind = registered if isinstance(registered, str) else node["class_name"]
    name = config.get("name") if isinstance(config, dict) else None
    return f"its {reprlib.repr(kind)[1:-1]} layer {reprlib.repr(name)}" if name else f"its {reprlib.repr(kind)[1:-1]}"


def _is_harmless(name, module):
    import keras

    if module is None:
        return name in LAYERS | MODELS or any(_is_class_of(part, name) for part in NUMBERS)
    if module == "keras.layers":
        return name in LAYERS
    if f"{module}.{name}" in LAYERS_OF_APPLICATIONS or (module == "keras.quantizers" and name in QUANTIZERS):
        return True
    if module in ("keras", "keras.models", "keras.src.models.functional", "keras.src.models.sequential"):
        return name in MODELS or (module == "keras" and _is_class_of("dtype_policies", name))
    if module in OPERATIONS or name in SOME_OPERATIONS.get(module, ()):
        operation = vars(sys.modules.get(module, object)).get(name)
        return inspect.isclass(operation) and issubclass(operation, keras.Operation) and operation.__module__ == module
    return any(module == f"keras.{part}" and _is_class_of(part, name) for part in NUMBERS)


def module_of_operation(name):
    """The module of an operation that only computes; None if there is none of that name."""
    return next((module for module in sorted({*OPERATIONS, *SOME_OPERATIONS}) if _is_harmless(name, module)), None)


def _is_class_of(part, name):
    import keras

    return inspect.isclass(vars(getattr(keras, part)).get(name))


def _check_function(name, module, registered):
    import keras

    is_activation = isinstance(name, str) and inspect.isfunction(vars(keras.activations).get(name))
    if name in ("deserialize", "get", "serialize") or not is_activation:
        raise ValueError(f"it calls the function {name!r}, none of Keras's activations: it can't be opened safely")
    if module not in (None, "builtins", "keras.activations") or registered not in (None, "function", name):
        raise ValueError(f"it takes the function {name!r} from {module!r}: it can't be opened safely")


def _is_called(node):
    return node.get("class_name") in LAYERS | MODELS or str(node.get("module")).startswith("keras.src.")


def _check_graph(layers):
    """Refuse a functional model that Keras would try to assemble forever, or would run while loading it."""
    if not all(isinstance(layer, dict) for layer in layers):
        raise ValueError("its configuration has a layer that is not a dict")
    sources = {str(layer.get("name")): layer for layer in layers}
    order = graphlib.TopologicalSorter()
    for layer in layers:
        name = str(layer.get("name"))
        for number, call in enumerate(layer.get("inbound_nodes") or []):
            references = list(_references(call))
            if not references:
                raise ValueError(f"its layer {name} is not called on the output of another layer")
            before = [(name, number - 1)] if number else []
            order.add((name, number), *before, *(_followed(reference, sources) for reference in references))
    try:
        order.prepare()
    except graphlib.CycleError:
        raise ValueError("its layers form a cycle") from None


def _references(call):
    """All references in a layer's call, written by Keras 3 or 2: [layer, index of its call, index of its output]."""
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
    """The call to which a reference leads: (layer, index of its call)."""
    name, call, output = reference if isinstance(reference, list) and len(reference) == 3 else (None, -1, -1)
    source = layers.get(name, {}) if isinstance(name, str) else {}
    is_model = source.get("class_name") in MODELS
    if not isinstance(call, int) or not isinstance(output, int):
        raise ValueError("its configuration has a reference that is not a layer's name and two numbers")
    call = max(call - 1, 0) if is_model and call > 0 else call  # some Keras count a nested model's creation
    most = max(1, _length(source.get("inbound_nodes")))
    several = source.get("class_name") in SEVERAL_OUTPUTS or str(source.get("module")).startswith("keras.src.")
    if not source or not 0 <= call < most or not 0 <= output < (MOST_CALLS if several else 1):
        raise ValueError(f"its configuration refers to an output that does not exist: {reference}")
    return name, call


def _length(value):
    return len(value) if isinstance(value, list) else 0
