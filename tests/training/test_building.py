"""What a network is trained with: whitening filters, optimizer and layers, each against what it should compute."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from cnnvis.training import building, fast_layers, optimizers, recipes
from models.convnet import Variant, build_model

RECIPE = recipes.RECIPES["deep"]


def test_whitening_filters_whiten():
    images = np.cumsum(np.random.default_rng(0).normal(size=(40, 16, 16, 3)), axis=2)
    filters = building.whitening_filters(images, 24, epsilon=0)
    outputs = keras.ops.conv(images.astype("float32"), filters).numpy().reshape(-1, 24)
    np.testing.assert_allclose(np.cov(outputs[:, :12], rowvar=False), np.eye(12), atol=0.02)
    np.testing.assert_array_equal(filters[..., 12:], -filters[..., :12])


def test_whitening_filters_are_zero_where_grey_images_do_not_vary():
    grey = np.repeat(np.cumsum(np.random.default_rng(1).normal(size=(40, 16, 16, 1)), axis=2), 3, axis=-1)
    filters = building.whitening_filters(grey, 24)
    assert (np.abs(filters).max(axis=(0, 1, 2)) > 0).sum() == 8  # four directions, each with its negative
    np.testing.assert_allclose(filters[..., 0, :], filters[..., 1, :], atol=1e-6)


def test_whitening_filters_of_flat_images_are_finite():
    assert np.isfinite(building.whitening_filters(np.zeros((5, 8, 8, 3)), 24)).all()


@pytest.mark.parametrize(("policy", "dtype"), [("float32", "float32"), ("mixed_bfloat16", "bfloat16")])
def test_steps_are_made_orthogonal_in_the_precision_of_the_network(policy, dtype, monkeypatch):
    """Where a processor has no bfloat16, multiplying in it takes two or three times as long."""
    multiplied_in = []
    orthogonalize = optimizers.orthogonalize
    monkeypatch.setattr(optimizers, "orthogonalize", lambda m, d: multiplied_in.append(d) or orthogonalize(m, d))
    keras.config.set_dtype_policy(policy)
    model = build_model("deep", 7, Variant(softmax=False))
    building.compile_model(model, RECIPE, 9)
    kernels = model.get_layer("fc1").kernel, model.get_layer("conv2").kernel
    model.optimizer.apply([tf.ones(kernel.shape) for kernel in kernels], kernels)
    assert multiplied_in == [dtype, dtype]


def test_a_plain_network_takes_the_weights_of_training(images):
    trained = build_model("deep", 10, Variant(batch_normalization=fast_layers.FusedBatchNormalization), seed=1)
    plain = build_model("deep", 10, seed=2)
    plain.set_weights(trained.get_weights())
    x = images.astype("float32")
    np.testing.assert_allclose(plain(x, training=False), trained(x, training=False), rtol=1e-4, atol=1e-6)
