"""The networks are as the article describes them: their layers and their order, inputs and outputs."""

import keras
import numpy as np
import pytest

from cnnvis.training import RECIPES
from models.convnet import ARCHITECTURES, WIDTHS, Variant, build_model, identity_start
from tests.conftest import rounding

BASIC = "conv1 relu1 conv2 relu2 pool1 conv3 relu3 conv4 relu4 pool2 fc1 relu5 fc2 probabilities"
DEEP = (
    "whitening relu0 conv1 pool1 smooth1 relu1 conv2 relu2 conv3 pool2 smooth2 relu3 conv4 relu4 "
    "conv5 pool3 smooth3 relu5 conv6 relu6 pool4 fc1 relu7 fc2 probabilities"
)


@pytest.mark.parametrize(("arch", "names"), [("basic", BASIC), ("deep", DEEP)])
def test_layers_are_named_as_a_reader_would(arch, names):
    model = build_model(arch, 10)
    built = [layer.name for layer in model.layers]
    assert [name for name in built if name in names.split()] == names.split()
    rest = set(built) - set(names.split())
    assert all(name.rstrip("0123456789") in ("pixels", "normalization", "norm", "dropout", "flatten") for name in rest)


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_channels_come_last_whatever_the_users_settings(arch):
    usual = build_model(arch, 10).to_json()
    keras.config.set_image_data_format("channels_first")
    try:
        assert build_model(arch, 10).to_json() == usual
    finally:
        keras.config.set_image_data_format("channels_last")


def test_basic_has_no_batch_normalization():
    assert not any(isinstance(layer, keras.layers.BatchNormalization) for layer in build_model("basic", 10).layers)


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_pixels_in_probabilities_out(arch, images):
    model = build_model(arch, 7, mean=(120,) * 3, variance=(4000,) * 3)
    probabilities = model(images.astype("float32"), training=False).numpy()
    assert probabilities.shape == (7, 7)
    assert probabilities.dtype == np.float32
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)
    assert model.get_layer("probabilities").input is model.get_layer("fc2").output


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_the_seed_determines_the_initial_weights(arch):
    a, b, c = (build_model(arch, 10, seed=seed).get_weights() for seed in (3, 3, 4))
    assert all((x == y).all() for x, y in zip(a, b))
    assert any((x != y).any() for x, y in zip(a, c))


def test_no_two_layers_start_with_the_same_weights():
    kernels = [layer.kernel.numpy() for layer in build_model("basic", 10).layers if hasattr(layer, "kernel")]
    scaled = [(kernel / np.abs(kernel).max()).ravel()[:50].round(3) for kernel in kernels]
    assert len({kernel.tobytes() for kernel in scaled}) == 6


def test_normalization_removes_mean_and_variance():
    model = build_model("basic", 10, mean=(100, 110, 120), variance=(25, 36, 49))
    normalized = keras.Model(model.input, model.get_layer("normalization").output)
    pixels = np.full((1, 32, 32, 3), 130, "float32")
    np.testing.assert_allclose(normalized(pixels)[0, 0, 0], [30 / 5, 20 / 6, 10 / 7], rtol=1e-5)


def test_identity_start_copies_channels():
    kernel = np.random.default_rng(0).normal(size=(3, 3, 2, 5)).astype("float32")
    started = identity_start(kernel)
    x = np.random.default_rng(1).normal(size=(1, 6, 6, 2)).astype("float32")
    y = keras.ops.conv(x, started, padding="same").numpy()
    np.testing.assert_allclose(y[..., :2], x, rtol=1e-5)
    np.testing.assert_array_equal(started[..., 2:], kernel[..., 2:])
    assert not (kernel == started).all()


def test_anti_aliasing_by_hand():
    deep = build_model("deep", 10)
    corner = np.array([[1, 5, 0], [2, 3, 0], [0, 0, 8]], "float32").reshape(1, 3, 3, 1)
    largest = deep.get_layer("pool1")(corner)
    np.testing.assert_array_equal(largest[0, ..., 0], [[5, 5], [3, 8]])
    assert deep.get_layer("smooth1")(largest) == (5 + 5 + 3 + 8) / 4


def test_anti_aliasing_leaves_sizes_and_weights_as_they_are():
    with_it, without = (build_model("deep", 10, Variant(anti_aliasing=on)) for on in (True, False))
    assert [weight.shape for weight in with_it.weights] == [weight.shape for weight in without.weights]
    for group in (1, 2, 3):
        assert with_it.get_layer(f"smooth{group}").output.shape == without.get_layer(f"pool{group}").output.shape


def test_anti_aliasing_treats_left_and_right_alike():
    deep = build_model("deep", 10)
    x = np.random.default_rng(0).normal(size=(2, 31, 31, 3)).astype("float32")

    def pooled(x):
        return deep.get_layer("smooth1")(deep.get_layer("pool1")(x)).numpy()

    np.testing.assert_allclose(pooled(x[:, :, ::-1]), pooled(x)[:, :, ::-1], atol=rounding(4, np.abs(x).max()))


@pytest.mark.parametrize(("side", "groups"), [(32, 0), (40, 0), (48, 1), (64, 1), (120, 2), (128, 2), (224, 3)])
@pytest.mark.parametrize("arch", ["basic", "deep"])
def test_larger_images_get_more_groups(arch, side, groups):
    model, small = build_model(arch, 10, input_shape=(side, side, 3)), build_model(arch, 10)
    groups += len(WIDTHS[arch])
    convs = [layer for layer in model.layers if layer.name.startswith("conv")]
    assert [layer.name for layer in convs] == [f"conv{number + 1}" for number in range(2 * groups)]
    own = [layer.filters for layer in small.layers if layer.name.startswith("conv")]
    assert [layer.filters for layer in convs][-len(own) :] == own
    assert model.get_layer(f"pool{groups}").output.shape[1] in range(3, 12)
    assert {layer.name for layer in model.layers} >= {"fc1", f"relu{2 * groups + 1}", "fc2", "probabilities"}
    assert model.predict(np.zeros((1, side, side, 3)), verbose=0).shape == (1, 10)


def test_an_unknown_architecture():
    with pytest.raises(ValueError, match="there are basic, deep"):
        build_model("resnet", 10)


def test_every_architecture_has_widths_and_a_recipe():
    assert ARCHITECTURES.keys() == WIDTHS.keys() == RECIPES.keys()
