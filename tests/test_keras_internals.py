"""The private parts of Keras and TensorFlow that we use are there, do what we rely on, and are used in one place."""

import ast
import contextlib
import importlib
import inspect
from importlib import metadata
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers
from packaging.requirements import Requirement

from cnnvis import keras_internals
from tests.conftest import rounding, small_sequential

ROOT = Path(__file__).parent.parent
PRODUCT = [
    path
    for pattern in ("*.py", "cnnvis/**/*.py", "models/*.py", "article/*.py", "bench/*.py", "fuzz/*.py")
    for path in sorted(ROOT.glob(pattern))
    if path != ROOT / "cnnvis" / "keras_internals.py"
]
ATTRIBUTES = {
    "_run_through_graph": keras.src.models.functional.Functional,
    "_flatten_layers": keras.Layer,
    "_get_variable_index": keras.Optimizer,
    "_sparse": keras.KerasTensor((2,)),
    "_KERAS_DIR": keras.src.backend.config,
}
IMPORTS = {
    "keras.src.backend": "config",
    "tensorflow.python.util": "_pywrap_util_port",
    "tensorflow.python.framework.convert_to_constants": "convert_variables_to_constants_v2",
}


def functional():
    """A network with a branch, a layer that is called twice, and a nested model."""
    keras.utils.set_random_seed(3)
    x = inputs = keras.Input((8, 8, 3))
    twice = layers.Conv2D(3, 3, padding="same", activation="relu", name="twice")
    x = layers.add([twice(x), twice(twice(x))])
    inner = keras.Sequential([keras.Input((8, 8, 3)), layers.Conv2D(4, 3, name="nested")], name="inner")
    x = layers.Dropout(0.5, name="dropout")(layers.Flatten(name="flat")(inner(x)))
    return keras.Model(inputs, layers.Dense(2, name="scores")(x))


@pytest.fixture
def images():
    return np.random.default_rng(0).random((2, 8, 8, 3), dtype="float32")


@pytest.mark.parametrize("package", ["keras", "tensorflow"])
def test_the_installed_version_is_allowed(package):
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    (allowed,) = (line for line in lines if line and Requirement(line).name == package)
    assert metadata.version(package) in Requirement(allowed).specifier


@pytest.mark.parametrize("name", ATTRIBUTES)
def test_a_private_attribute_is_there(name):
    assert hasattr(ATTRIBUTES[name], name)


@pytest.mark.parametrize("module", IMPORTS)
def test_a_private_module_is_there(module):
    assert hasattr(importlib.import_module(module), IMPORTS[module])


def test_these_are_all_private_names_that_are_used():
    tree = ast.parse(inspect.getsource(keras_internals))
    assert {node.attr for node in ast.walk(tree) if is_private_attribute(node)} == set(ATTRIBUTES)
    found = {node.module: node.names[0].name for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {module: name for module, name in found.items() if is_private_module(module)} == IMPORTS


def test_only_a_functional_model_is_functional():
    class Own(keras.Model):
        def call(self, x):
            return x

    assert keras_internals.is_functional(functional())
    assert not keras_internals.is_functional(Own())
    assert not keras_internals.is_functional(layers.Dense(2))


def test_running_through_the_graph_gives_the_models_own_outputs(images):
    model, called = functional(), []

    def call(layer, *inputs, **options):
        called.append(layer.name)
        return layer(*inputs, **options)

    np.testing.assert_array_equal(keras_internals.run_through_graph(model, images, call), model(images))
    assert called.count("twice") == 3
    assert called[-1] == "scores"
    assert set(called) == {layer.name for layer in model.layers if not isinstance(layer, layers.InputLayer)}


def test_another_call_of_a_layer_takes_effect(images):
    def call(layer, *inputs, **options):
        outputs = layer(*inputs, **options)
        return 2 * outputs if layer.name == "scores" else outputs

    model = functional()
    np.testing.assert_allclose(keras_internals.run_through_graph(model, images, call), 2 * model(images))


def test_inputs_in_a_dict_go_by_their_names():
    a, b = keras.Input((2,), name="z"), keras.Input((2,), name="y")
    model, values = keras.Model([a, b], a - 2 * b), np.ones((1, 2), "float32")
    found = keras_internals.run_through_graph(model, {"y": values, "z": 5 * values}, lambda layer, *x: layer(*x))
    np.testing.assert_array_equal(found, 3 * values)


def test_a_symbolic_tensor_becomes_dense():
    product = 2 * keras.Input((2,))
    keras_internals.mark_dense([product])
    assert not product.sparse


def test_all_layers_include_nested_ones():
    names = [layer.name for layer in keras_internals.all_layers(functional())]
    assert {"twice", "inner", "nested", "flat", "scores"} <= set(names)
    assert len(names) == len(set(names))
    sequential = small_sequential()
    assert {layer.name for layer in sequential.layers} <= {
        layer.name for layer in keras_internals.all_layers(sequential)
    }
    assert "nested" not in [layer.name for layer in functional().layers]


def test_a_variables_index_is_that_of_its_momentum():
    model, optimizer = functional(), keras.optimizers.SGD(momentum=0.9)
    optimizer.build(model.trainable_variables)
    for index, variable in enumerate(model.trainable_variables):
        assert keras_internals.variable_index(optimizer, variable) == index
        assert optimizer.momentums[index].shape == variable.shape


def test_a_random_state_that_is_put_back_repeats_dropout(images):
    model = functional()
    (state,) = keras_internals.random_states(model)
    before = keras.ops.convert_to_numpy(state)
    first, second = model(images, training=True), model(images, training=True)
    assert not np.allclose(first, second)
    state.assign(before)
    np.testing.assert_array_equal(model(images, training=True), first)


def test_onednn_is_on_or_off():
    assert isinstance(keras_internals.uses_onednn(), bool)


def test_a_frozen_function_has_no_variables_and_gives_the_same(images):
    model = functional()
    function = tf.function(lambda x: model(x, training=False), input_signature=[tf.TensorSpec((None, 8, 8, 3))])
    concrete = function.get_concrete_function()
    assert concrete.variables
    frozen = keras_internals.frozen(concrete)
    assert not frozen.variables
    assert not [op for op in frozen.graph.get_operations() if op.type in ("ReadVariableOp", "VarHandleOp")]
    np.testing.assert_allclose(frozen(tf.constant(images))[0], model(images), rtol=rounding(200), atol=rounding(200))


def test_more_weights_than_allowed_are_refused_before_memory_is_taken():
    make = keras.Variable.__init__
    with keras_internals.at_most(3 * 4 + 4):
        layers.Dense(4).build((None, 3))
    with pytest.raises(ValueError, match="more weights than the 15 that"), keras_internals.at_most(15):
        layers.Dense(4).build((None, 3))
    with pytest.raises(ValueError, match="more weights"), keras_internals.at_most(10**6):
        layers.Dense(10**12).build((None, 3))  # 12 TB
    assert keras.Variable.__init__ is make


def test_a_conv_layer_computes_by_another_function_for_a_while(images):
    layer = layers.Conv2D(4, 3, padding="same", bias_initializer="ones")
    before = layer(images)
    given = []

    def twice(pixels, kernel):
        given.append((pixels.shape, kernel.shape))
        return 2 * tf.nn.conv2d(pixels, kernel, 1, "SAME")

    with keras_internals.convolutions_by({layer: twice}):
        computed = layer(images)
    np.testing.assert_allclose(
        computed, 2 * before - 1, rtol=rounding(200), atol=rounding(200)
    )  # the bias is added once
    assert given == [((2, 8, 8, 3), (3, 3, 3, 4))]
    with contextlib.suppress(KeyboardInterrupt), keras_internals.convolutions_by({layer: twice}):
        raise KeyboardInterrupt
    np.testing.assert_array_equal(layer(images), before)


def is_private(name):
    return name.startswith("_") and not name.startswith("__")


def is_private_attribute(node):
    return isinstance(node, ast.Attribute) and is_private(node.attr)


def is_private_module(module):
    return module.startswith(("keras.src", "tensorflow.python", "tensorflow._"))


def of_keras(tree):
    """Names of a module's classes that inherit from a class of Keras or TensorFlow."""
    classes = [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    found = set()
    for _ in classes:  # a class may inherit from another one of the module
        for node in classes:
            bases = [ast.unparse(base) for base in node.bases]
            if any(base in found or base.split(".")[0] in ("keras", "layers", "tf") for base in bases):
                found.add(node.name)
    return found


PRIVATE_IN_KERAS = {
    name
    for base in (keras.Model, keras.Optimizer, keras.optimizers.SGD, keras.callbacks.Callback, keras.losses.Loss)
    for name in dir(base)
    if is_private(name)
}


def private_uses(source):
    """Uses of private parts of Keras or TensorFlow in a module's source: list of (line, name)."""
    tree, found = ast.parse(source), []
    keras_classes = of_keras(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names if is_private_module(alias.name)]
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            heavy = module.split(".")[0] in ("keras", "tensorflow")
            imported = [alias.name for alias in node.names]
            names = [f"{module}.{name}" for name in imported if is_private_module(f"{module}.{name}")]
            names += [name for name in imported if heavy and is_private(name)]
        elif isinstance(node, ast.Attribute):
            owner = ast.unparse(node.value)
            of_others = is_private(node.attr) and owner not in ("self", "cls", "super()")
            package = (owner, node.attr) in (("keras", "src"), ("tf", "python"), ("tensorflow", "python"))
            names = [f"{owner}.{node.attr}"] if of_others or package else []
        elif isinstance(node, ast.Call) and ast.unparse(node.func) in ("getattr", "hasattr", "setattr", "delattr"):
            name = node.args[1].value if isinstance(node.args[1], ast.Constant) else ""
            names = [name] if is_private(name) else []
        elif isinstance(node, ast.ClassDef) and node.name in keras_classes:
            defined = {part.name for part in node.body if isinstance(part, ast.FunctionDef)}
            used = {part.attr for part in ast.walk(node) if isinstance(part, ast.Attribute)}
            names = sorted((defined | used) & PRIVATE_IN_KERAS)
        else:
            continue
        found += [(node.lineno, name) for name in names]
    return found


@pytest.mark.parametrize("path", PRODUCT, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_other_module_uses_private_parts(path):
    assert private_uses(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "source",
    [
        "model._layers",
        "keras.src.backend",
        "import keras.src.backend",
        "from keras.src import backend",
        "from keras.saving import _loaded",
        "from tensorflow.python.util import port",
        "getattr(model, '_layers')",
        "class Own(keras.Model):\n    def f(self):\n        return self._flatten_layers()",
        "class Own(keras.Model):\n    def _flatten_layers(self):\n        return []",
        "class A(keras.Model):\n    pass\n\nclass B(A):\n    def f(self):\n        super()._flatten_layers()",
    ],
)
def test_a_use_of_private_parts_would_be_found(source):
    assert private_uses(source)


def test_our_own_private_names_are_no_such_use():
    assert not private_uses(
        "class Own(keras.Model):\n    def f(self):\n        self._ours = 1\n        return self._ours"
    )
    assert not private_uses(
        "class Parser(argparse.ArgumentParser):\n    def f(self):\n        return super()._get_help_string()"
    )
