"""Each step against its formula, computed in NumPy."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from cnnvis.training import optimizers, recipes
from models.convnet import build_model


def test_one_cycle_by_hand():
    schedule = optimizers.OneCycle(start=0.2, peak=1.0, end=0.0, rising_steps=4, steps=12)
    rates = [float(schedule(step)) for step in (0, 2, 4, 8, 12)]
    np.testing.assert_allclose(rates, [0.2, 0.6, 1.0, 0.5, 0.0], atol=1e-6)


def test_scaled_sgd_scales_the_steps_of_named_variables():
    layer = keras.layers.Dense(1, name="fc2")
    layer.build((None, 2))
    before = layer.kernel.numpy(), layer.bias.numpy()
    optimizer = optimizers.ScaledSGD({"fc2/kernel": 10.0}, learning_rate=0.5)
    optimizer.apply([tf.ones((2, 1)), tf.ones((1,))], layer.trainable_variables)
    np.testing.assert_allclose(before[0] - layer.kernel.numpy(), 5.0, rtol=1e-6)
    np.testing.assert_allclose(before[1] - layer.bias.numpy(), 0.5, rtol=1e-6)


@pytest.mark.parametrize("shape", [(40, 12), (12, 40), (30, 30)])
@pytest.mark.parametrize(("dtype", "error"), [("bfloat16", 0.05), ("float32", 1e-5)])  # of 8 and of 24 bits
def test_orthogonalize_keeps_singular_vectors_and_evens_out_singular_values(shape, dtype, error):
    rng = np.random.default_rng(0)
    u, _ = np.linalg.qr(rng.normal(size=(shape[0], 10)))
    v, _ = np.linalg.qr(rng.normal(size=(shape[1], 10)))
    matrix = (u * np.geomspace(1, 0.1, 10)) @ v.T * 1e-3
    result = optimizers.orthogonalize(tf.constant(matrix, tf.float32), dtype).numpy()
    lengths = u.T @ result @ v
    np.testing.assert_allclose(lengths - np.diag(np.diag(lengths)), 0, atol=error)
    assert (np.diag(lengths) > 0.3).all()
    assert (np.diag(lengths) < 1.3).all()
    np.testing.assert_allclose(result, u @ np.diag(np.diag(lengths)) @ v.T, atol=error)


def newton_schulz(matrix):
    """As in the paper, in float64."""
    x = matrix / np.linalg.norm(matrix)
    for _ in range(3):
        x = 3.4445 * x - 4.7750 * x @ x.T @ x + 2.0315 * x @ x.T @ x @ x.T @ x
    return x


@pytest.mark.parametrize(("dtype", "error"), [("bfloat16", 0.02), ("float32", 1e-5)])
def test_muon_steps_by_hand(dtype, error):
    layer = keras.layers.Conv2D(4, 3, name="conv1", kernel_initializer="he_normal")
    layer.build((None, 8, 8, 2))
    bias, kernel = layer.bias.numpy().astype("float64"), layer.kernel.numpy().astype("float64")
    options = {"learning_rate": 0.1, "momentum": 0.5, "nesterov": True}
    optimizer = optimizers.Muon(r"conv\d+/kernel", 0.6, dtype, scales={"/bias": 3.0}, **options)
    rng = np.random.default_rng(0)
    momentum, bias_momentum = 0, 0
    for _ in range(3):
        gradient, bias_gradient = rng.normal(size=(3, 3, 2, 4)), rng.normal(size=4)
        optimizer.apply([tf.constant(gradient, "float32"), tf.constant(bias_gradient, "float32")], layer.variables)
        momentum = 0.6 * momentum + gradient
        step = newton_schulz((gradient + 0.6 * momentum).reshape(18, 4).T).T.reshape(3, 3, 2, 4)
        kernel = kernel * 2 / np.linalg.norm(kernel) - 0.1 * step
        bias_momentum = 0.5 * bias_momentum - 0.3 * bias_gradient
        bias = bias + 0.5 * bias_momentum - 0.3 * bias_gradient
        np.testing.assert_allclose(layer.kernel, kernel, atol=error)
        np.testing.assert_allclose(layer.bias, bias, rtol=1e-5)


@pytest.mark.parametrize("optimizer", ["sgd", "muon"])
def test_biases_have_no_weight_decay(optimizer):
    model = build_model("deep", 10)
    recipe = recipes.recipe_of("deep", [f"optimizer={optimizer}"])
    optimizer = optimizers.from_recipe(recipe, 10)
    optimizer.build(model.trainable_variables)
    spared = {v.path.split("/")[-1] for v in model.trainable_variables if not optimizer._use_weight_decay(v)}
    assert spared <= {"beta", "bias"}
    decayed = {v.path.split("/")[-1] for v in model.trainable_variables if optimizer._use_weight_decay(v)}
    assert decayed == {"kernel"}


def test_only_biases_of_batch_normalization_learn_faster():
    """Once, those of FC1 and FC2 did too, and the loss of the first epoch was 100."""
    model = build_model("deep", 10)
    optimizer = optimizers.from_recipe(recipes.RECIPES["deep"], 10)
    optimizer.build(model.trainable_variables)
    faster = [v.path for v, scale in zip(model.trainable_variables, optimizer.scale) if scale > 1]
    assert sorted(path.split("/")[-2:] for path in faster) == [[f"norm{number}", "beta"] for number in range(1, 7)]
