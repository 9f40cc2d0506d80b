"""TensorFlow's operations in a model of Keras 2, and what computes the same in Keras 3.

Keras 2 wrapped each operation in a layer: `x / 127.5` became a TFOpLambda that names the function and its options.
"""

import numpy as np

ELLIPSIS = {"class_name": "__ellipsis__"}
MODULES = ("", "math", "nn", "linalg", "image", "__operators__")  # of TensorFlow
NUMBERS = "keras.src.ops.numpy"
ACTIVATIONS = {
    *("elu", "gelu", "log_softmax", "relu", "relu6", "selu", "sigmoid", "silu", "softplus", "softsign", "tanh"),
}
BINARY = {  # of two tensors, or of a tensor and a constant
    **{"add": "Add", "bias_add": "Add", "subtract": "Subtract", "multiply": "Multiply", "truediv": "TrueDivide"},
    **{"divide": "TrueDivide", "maximum": "Maximum", "minimum": "Minimum", "pow": "Power", "matmul": "Matmul"},
    **{"greater": "Greater", "greater_equal": "GreaterEqual", "less": "Less", "less_equal": "LessEqual"},
}
OTHERS = {  # function: (module, class of Keras 3, its options: those of TensorFlow's function)
    "add_n": ("keras.layers", "Add", {}),
    "cast": ("keras.src.ops.core", "Cast", {"dtype": "dtype"}),
    "clip_by_value": (NUMBERS, "Clip", {"x_min": "clip_value_min", "x_max": "clip_value_max"}),
    "concat": (NUMBERS, "Concatenate", {"axis": "axis"}),
    "expand_dims": (NUMBERS, "ExpandDims", {"axis": "axis"}),
    "l2_normalize": ("keras.layers", "UnitNormalization", {"axis": "axis"}),
    "leaky_relu": ("keras.src.ops.nn", "LeakyRelu", {"negative_slope": "alpha"}),
    "pad": (NUMBERS, "Pad", {"pad_width": "paddings"}),
    "reshape": (NUMBERS, "Reshape", {"newshape": "shape"}),
    "resize": ("keras.src.ops.image", "Resize", {"size": "size", "interpolation": "method", "antialias": "antialias"}),
    "rgb_to_grayscale": ("keras.src.ops.image", "RGBToGrayscale", {}),
    "softmax": ("keras.layers", "Softmax", {"axis": "axis"}),
    "squeeze": (NUMBERS, "Squeeze", {"axis": "axis"}),
    "stack": (NUMBERS, "Stack", {"axis": "axis"}),
    "transpose": (NUMBERS, "Transpose", {"axes": "perm"}),
    **{
        f"reduce_{kind}": (NUMBERS, kind.title(), {"axis": "axis", "keepdims": "keepdims"})
        for kind in ("max", "mean", "min", "sum")
    },
    **{kind: (NUMBERS, kind.title(), {}) for kind in ("abs", "exp", "log", "negative", "sqrt", "square")},
}
DEFAULTS = {  # of options that may be given, but not with another value
    "name": ...,
    "approximate": False,
    "axis": -1,
    "conjugate": False,
    "constant_values": 0,
    "data_format": "NHWC",
    "epsilon": 1e-12,
    "mode": "CONSTANT",
    "preserve_aspect_ratio": False,
    **dict.fromkeys(("transpose_a", "transpose_b", "adjoint_a", "adjoint_b", "a_is_sparse", "b_is_sparse"), False),
}
ONCE = {  # operations of TensorFlow before 2.4, in a TensorFlowOpLayer
    **{"AddV2": "add", "Add": "add", "BiasAdd": "add", "Sub": "subtract", "Mul": "multiply", "RealDiv": "truediv"},
    **{"Relu": "relu", "Relu6": "relu6", "Sigmoid": "sigmoid", "Tanh": "tanh", "Softmax": "softmax"},
}


def translated(config, inputs, options):
    """What Keras 3 computes instead of one of TensorFlow's operations.

    Parameters
    ----------
    config : dict
        Of the layer that wraps it.
    inputs : dict, list or number
        A tensor of Keras 3, several, or a constant.
    options : dict
        Other arguments of the operation, which may be tensors.

    Returns
    -------
    module, class_name : str
    config : dict
    arguments : list
        What the layer or operation is called on.

    Raises KeyError if there is none, or the operation is called in a way that Keras 3 has nothing for.
    """
    if "node_def" in config:
        function, operands = ONCE[config["node_def"]["op"]], list(inputs)
        for place, constant in sorted(config["constants"].items()):
            operands.insert(int(place), constant)
        inputs, options = operands[0], dict(zip("yz", operands[1:], strict=False))
    else:
        module, _, function = config["function"].removeprefix("compat.v1.").rpartition(".")
        function = function if module in MODULES else None
    options = {key: value for key, value in options.items() if value is not None}
    if function in BINARY:
        operands = [inputs, *(options.pop(key) for key in ("x", "y", "b", "bias") if key in options)]
        found = _of_two(function, *operands) if len(operands) == 2 else None
    elif function in ACTIVATIONS:
        found = "keras.layers", "Activation", {"activation": function}, [inputs]
    elif function == "where" and {"x", "y"} <= options.keys():
        found = NUMBERS, "Where", {}, [inputs, *(_constant(options.pop(key)) for key in "xy")]
    elif function == "getitem":
        found = NUMBERS, "GetItem", {}, [inputs, [_index(part) for part in options.pop("slice_spec")]]
    elif function in OTHERS:
        module, class_name, names = OTHERS[function]
        config = {ours: options.pop(theirs) for ours, theirs in names.items() if theirs in options}
        found = module, class_name, config, [inputs]
    else:
        found = None
    if not found or any(DEFAULTS.get(key) not in (..., value) for key, value in options.items()) or _tensors(found[2]):
        raise KeyError(function)
    return found


def _of_two(function, first, second):
    """An operation of two tensors; with a number, or one for each channel, a Rescaling, which tells the pixel range."""
    constants = [value for value in (first, second) if not _tensors(value)]
    if len(constants) == 1 and np.ndim(constants[0]) < 2:
        (constant,), sign = np.asarray(constants), -1 if function == "subtract" and constants[0] is first else 1
        tensor = second if constants[0] is first else first
        scale, offset = {
            "add": (1, constant),
            "bias_add": (1, constant),
            "subtract": (sign, constant if sign < 0 else -constant),
            "multiply": (constant, 0),
            "truediv": (1 / constant, 0) if tensor is first else (None, None),
            "divide": (1 / constant, 0) if tensor is first else (None, None),
        }.get(function, (None, None))
        if scale is not None:
            config = {"scale": np.asarray(scale).tolist(), "offset": np.asarray(offset).tolist()}
            return "keras.layers", "Rescaling", config, [tensor]
    return NUMBERS, BINARY[function], {}, [_constant(value) for value in (first, second)]


def _constant(value):
    if _tensors(value) or not np.ndim(value):
        return value
    return {"class_name": "__numpy__", "config": {"value": value, "dtype": "float32"}}


def _index(part):
    is_slice = isinstance(part, dict) and "start" in part
    return (
        {"class_name": "__slice__", "config": part} if is_slice else part | {"config": {}} if part == ELLIPSIS else part
    )


def _tensors(value):
    """Whether there is a tensor in an argument."""
    if isinstance(value, dict):
        return value.get("class_name") == "__keras_tensor__" or any(map(_tensors, value.values()))
    return isinstance(value, list) and any(map(_tensors, value))
