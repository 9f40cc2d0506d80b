"""Models of Keras 2 compute in Keras 3 what they did: TensorFlow and NumPy are the oracles, or the model in Keras 3."""

import json
from operator import attrgetter

import h5py
import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from cnnvis.checkpoints import checkpoint

IMAGES = np.random.default_rng(0).uniform(-3, 3, (2, 6, 4, 3)).astype("float32")


def layer(kind, name, *calls, **config):
    """A layer of a functional model as Keras 2 wrote it."""
    return {"class_name": kind, "name": name, "config": {"name": name, **config}, "inbound_nodes": list(calls)}


def call(*names, number=0):
    return [[name, number, 0, {}] for name in names]


START = layer("InputLayer", "image", batch_input_shape=[None, 6, 4, 3])


def functional(*parts, name="model"):
    ends = {"input_layers": [["image", 0, 0]], "output_layers": [[parts[-1]["name"], 0, 0]]}
    return {"class_name": "Functional", "config": {"name": name, "layers": [START, *parts], **ends}}


def loaded(path, config, version="2.15.0"):
    """Load a model of Keras 2 without weights."""
    with h5py.File(path / "model.h5", "w") as file:
        file.attrs["model_config"] = json.dumps(config)
        if version:
            file.attrs["keras_version"] = version
        file.create_group("model_weights").attrs["layer_names"] = np.array([], "S1")
    return checkpoint.load(path / "model.h5").model


def averaged(path, *parts, **options):
    """What such layers compute, averaged over space: (N, C)."""
    pool = layer("GlobalAveragePooling2D", "pool", call(parts[-1]["name"]))
    return np.asarray(loaded(path, functional(*parts, pool), **options)(IMAGES))


def mean(images):
    return np.mean(images, axis=(1, 2))


@pytest.mark.parametrize(
    ("function", "options"),
    [
        ("math.truediv", {"y": 127.5}),
        ("math.subtract", {"y": 1}),
        ("math.multiply", {"y": [0.5, 2.0, 3.0]}),
        ("__operators__.add", {"y": [[[1.0], [2.0], [3.0], [4.0]]]}),
        ("math.maximum", {"y": 0.5}),
        ("math.pow", {"y": 2}),
        ("nn.bias_add", {"bias": [-103.9, -116.8, -123.7], "data_format": "NHWC"}),
        ("nn.relu6", {}),
        ("nn.gelu", {"approximate": False}),
        ("nn.leaky_relu", {}),
        ("nn.leaky_relu", {"alpha": 0.3}),
        ("nn.softmax", {"axis": 1}),
        ("math.abs", {"name": None}),
        ("clip_by_value", {"clip_value_min": -1, "clip_value_max": 2}),
        ("cast", {"dtype": "float16"}),
        ("math.l2_normalize", {"axis": -1}),
        ("math.reduce_mean", {"axis": [1, 2], "keepdims": True}),
        ("reshape", {"shape": [-1, 2, 12, 3]}),
        ("compat.v1.transpose", {"perm": [0, 2, 1, 3], "name": "transpose", "conjugate": False}),
        ("compat.v1.pad", {"paddings": [[0, 0], [1, 1], [0, 2], [0, 0]], "mode": "CONSTANT", "constant_values": 0}),
        ("image.resize", {"size": [5, 9]}),
        ("image.resize", {"size": [5, 9], "method": "nearest"}),
    ],
)
def test_operations_of_tensorflow(function, options, tmp_path):
    operation = layer("TFOpLambda", "operation", ["image", 0, 0, options], function=function)
    compute = tf.add if function.startswith("__operators__") else attrgetter(function)(tf)
    expected = mean(tf.cast(compute(IMAGES, **options), "float32"))
    np.testing.assert_allclose(averaged(tmp_path, operation), expected, rtol=2e-3 if function == "cast" else 1e-4)


def test_operations_of_several_tensors_and_of_constants(tmp_path):
    inverse = ["_CONSTANT_VALUE", -1, 1.0, {"y": ["image", 0, 0], "name": None}]
    parts = [
        layer("TFOpLambda", "one_minus", inverse, function="math.subtract"),
        layer("TFOpLambda", "times", ["image", 0, 0, {"y": ["one_minus", 0, 0]}], function="math.multiply"),
        layer("TFOpLambda", "joined", [[*one, {"axis": -1}] for one in (["image", 0, 0], ["times", 0, 0])]),
    ]
    parts[-1]["config"]["function"] = "concat"
    expected = np.concatenate([IMAGES, IMAGES * (1 - IMAGES)], axis=-1)
    np.testing.assert_allclose(averaged(tmp_path, *parts), mean(expected), rtol=1e-4)


def test_a_choice_between_tensors_and_constants(tmp_path):
    options = {"x": ["image", 0, 0], "y": [0.5, 1.0, 2.0]}
    parts = [
        layer("TFOpLambda", "bright", ["image", 0, 0, {"y": 0.5, "name": None}], function="math.greater"),
        layer("TFOpLambda", "chosen", ["bright", 0, 0, options], function="where"),
    ]
    expected = np.where(IMAGES > 0.5, IMAGES, np.array([0.5, 1, 2]))
    np.testing.assert_allclose(averaged(tmp_path, *parts), mean(expected), rtol=1e-4)


def test_an_order_of_colours_reversed(tmp_path):
    """As preprocess_input of VGG and ResNet."""
    part = {"start": None, "stop": None, "step": -1}
    options = {"slice_spec": [{"class_name": "__ellipsis__"}, part]}
    reverse = layer("SlicingOpLambda", "reverse", ["image", 0, 0, options], function="__operators__.getitem")
    np.testing.assert_allclose(averaged(tmp_path, reverse), mean(IMAGES)[:, ::-1], rtol=1e-4)


def test_operations_before_tensorflow_2_4(tmp_path):
    scale = layer("TensorFlowOpLayer", "tf_op_layer_truediv", call("image"), node_def={"op": "RealDiv"})
    scale["config"] |= {"name": "truediv", "constants": {"1": 127.5}}
    np.testing.assert_allclose(averaged(tmp_path, scale), mean(IMAGES) / 127.5, rtol=1e-4)


@pytest.mark.parametrize(
    ("function", "options"),
    [("nn.max_pool2d", {"ksize": 2}), ("io.read_file", {}), ("nn.softmax", {"axis": ["image", 0, 0]})],
)
def test_an_operation_without_counterpart_is_named(function, options, tmp_path):
    operation = layer("TFOpLambda", "operation", ["image", 0, 0, options], function=function)
    with pytest.raises(ValueError, match=f"layer 'operation' calls tf.{function}.*rebuild the model without it"):
        averaged(tmp_path, operation)


def test_hard_sigmoid(tmp_path):
    """Keras 3's has another slope."""
    hard = layer("Activation", "hard", call("image"), call("hard"), activation="hard_sigmoid")
    following = layer("ReLU", "following", call("hard", number=1))
    expected = IMAGES
    for _ in range(2):
        expected = np.clip(expected / 5 + 0.5, 0, 1)
    np.testing.assert_allclose(averaged(tmp_path, hard, following), mean(expected), rtol=1e-4)
    sequential = [START, hard, layer("GlobalAveragePooling2D", "pool")]
    model = loaded(tmp_path, {"class_name": "Sequential", "config": {"name": "model", "layers": sequential}})
    np.testing.assert_allclose(model(IMAGES), mean(np.clip(IMAGES / 5 + 0.5, 0, 1)), rtol=1e-4)


def test_hard_sigmoid_inside_a_layer_is_refused(tmp_path):
    inner = {"class_name": "Activation", "config": {"name": "hard", "activation": "hard_sigmoid"}}
    wrapper = layer("TimeDistributed", "wrapper", call("image"), layer=inner)
    with pytest.raises(ValueError, match="its TimeDistributed layer 'wrapper' has Keras 2's hard_sigmoid inside"):
        averaged(tmp_path, wrapper)


def hard(x):
    """Keras 2's hard_sigmoid."""
    return keras.ops.clip(x / 5 + 0.5, 0, 1)


@pytest.mark.parametrize(
    "recurrent",
    [
        lambda gates: layers.LSTM(4, recurrent_activation=gates),
        lambda gates: layers.GRU(4, recurrent_activation=gates),
        lambda gates: layers.GRU(4, recurrent_activation=gates, reset_after=False, use_bias=False),
        lambda gates: layers.ConvLSTM1D(4, 2, recurrent_activation=gates),
        lambda gates: layers.Bidirectional(layers.LSTM(4, recurrent_activation=gates)),
    ],
)
def test_hard_sigmoid_of_gates(recurrent, tmp_path):
    def model(gates):
        x = inputs = keras.Input((6, 4, 3))
        layer = recurrent(gates)
        x = layer(x if "Conv" in type(layer).__name__ else layers.Reshape((6, 12))(x))
        return keras.Model(inputs, layers.Flatten()(x))

    with keras.saving.custom_object_scope({"hard": hard}):
        saved, expected = model("hard_sigmoid"), model(hard)
    expected.set_weights([np.random.default_rng(0).normal(size=w.shape) for w in expected.get_weights()])
    saved.set_weights(expected.get_weights())
    saved.save(tmp_path / "model.h5")
    computed = checkpoint.load(as_keras2(tmp_path / "model.h5", {})).model(IMAGES)
    np.testing.assert_allclose(computed, expected(IMAGES), rtol=1e-4, atol=1e-6)


def test_hard_sigmoid_of_candidates_is_refused(tmp_path):
    recurrent = layer("LSTM", "cells", call("image"), units=2, activation="hard_sigmoid", recurrent_initializer="zeros")
    with pytest.raises(ValueError, match="its LSTM layer 'cells' has Keras 2's hard_sigmoid inside"):
        averaged(tmp_path, recurrent)


@pytest.mark.parametrize("first", [0, 1])
def test_a_nested_model_called_twice(first, tmp_path):
    """Keras 2 counted its creation as a call if its input's shape was known then."""
    nested = functional(layer("Rescaling", "half", call("image"), scale=0.5, offset=1))
    nested |= {"name": "nested", "inbound_nodes": [call("image"), call("nested", number=first)]}
    nested["config"]["name"] = "nested"
    both = layer("Concatenate", "both", [*call("nested", number=first), *call("nested", number=first + 1)], axis=-1)
    expected = np.concatenate([IMAGES / 2 + 1, IMAGES / 4 + 1.5], axis=-1)
    np.testing.assert_allclose(averaged(tmp_path, nested, both), mean(expected), rtol=1e-4)


@pytest.mark.parametrize(
    ("kind", "config", "counterpart"),
    [
        ("ThresholdedReLU", {"theta": 0.5}, layers.ReLU(threshold=0.5)),
        ("RandomHeight", {"factor": 0.2, "interpolation": "bilinear"}, layers.Identity()),
        ("RandomCrop", {"height": 3, "width": 3}, layers.Resizing(3, 3, crop_to_aspect_ratio=True)),
        ("UnitNormalization", {"axis": [1, 2, 3]}, layers.UnitNormalization(axis=[1, 2, 3])),
        ("SpatialDropout2D", {"rate": 0.5, "trainable": False, "noise_shape": None}, layers.Identity()),
        ("LeakyReLU", {"alpha": 0.2}, layers.LeakyReLU(negative_slope=0.2)),
    ],
)
@pytest.mark.parametrize("version", ["2.2.4-tf", np.bytes_("2.1.6"), None])
def test_layers_that_keras_3_names_or_computes_otherwise(kind, config, counterpart, version, tmp_path):
    computed = averaged(tmp_path, layer(kind, "a/layer", call("image"), **config), version=version)
    np.testing.assert_allclose(computed, mean(counterpart(IMAGES)), rtol=1e-4, atol=1e-6)


def as_keras2(path, options):
    """Make a `.h5` file of Keras 3 one of Keras 2: calls as a list, and more options: {class: {option: value}}."""
    with h5py.File(path, "r+") as file:
        config = json.loads(file.attrs["model_config"])
        for part in config["config"]["layers"]:
            part["config"] |= options.get(part["class_name"], {})
            for number, node in enumerate(part["inbound_nodes"]):
                ours = [arg["config"]["keras_history"] for arg in node["args"]]
                named = dict(zip(("value", "key"), ours[1:], strict=False))
                part["inbound_nodes"][number] = [[*ours[0], named]]
        for end in ("input_layers", "output_layers"):
            config["config"][end] = [config["config"][end]]
        file.attrs["model_config"] = json.dumps(config)
        file.attrs["keras_version"] = "2.15.0"
    return path


@pytest.mark.parametrize("kind", [layers.LSTM, layers.GRU, layers.SimpleRNN])
def test_options_that_keras_3_does_not_know(kind, tmp_path):
    model = keras.Sequential([keras.Input((6, 4, 3)), layers.Reshape((6, 12)), layers.SeparableConv1D(5, 3), kind(4)])
    model = keras.Model(model.inputs, model.outputs)
    model.save(tmp_path / "model.h5")
    options = {kind.__name__: {"time_major": False, "unroll": True}, "SeparableConv1D": {"groups": 1}}
    again = checkpoint.load(as_keras2(tmp_path / "model.h5", options)).model
    np.testing.assert_allclose(again(IMAGES), model(IMAGES), rtol=1e-4, atol=1e-6)


def test_attention_keeps_its_weights_apart(tmp_path):
    """Keras 3 would put the layers of the key, an option of the call, before those of the value."""
    inputs = keras.Input((6, 4, 3))
    query, value, key = (layers.Dense(3, name=name)(layers.Reshape((24, 3))(inputs)) for name in ("q", "v", "k"))
    x = layers.MultiHeadAttention(2, 2)(query, value, key)
    model = keras.Model(inputs, layers.GlobalAveragePooling1D()(x))
    model.save(tmp_path / "model.h5")
    options = {"MultiHeadAttention": {f"{name}_shape": [None, 24, 3] for name in ("query", "value", "key")}}
    again = checkpoint.load(as_keras2(tmp_path / "model.h5", options)).model
    np.testing.assert_allclose(again(IMAGES), model(IMAGES), rtol=1e-4, atol=1e-6)
