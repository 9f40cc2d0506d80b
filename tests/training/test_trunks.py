"""The trunk of anybody's network: with the old last layer behind it, it computes what the network computes."""

import keras
import numpy as np
import pytest
from keras import layers

from cnnvis.network import Classifier
from cnnvis.training import trunks

GREY = np.array([0.299, 0.587, 0.114])
CAFFE = np.array([103.939, 116.779, 123.68])
TORCH = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])


def chain(*steps, shape=(8, 8, 3), **options):
    return keras.Sequential([keras.Input(shape, **options), *steps])


def convolutional(activation="softmax", dtype="float32", **options):
    conv = layers.Conv2D(4, 3, activation="relu", name="conv", dtype=dtype)
    return chain(conv, layers.Flatten(name="flatten"), layers.Dense(5, activation, name="last", dtype=dtype), **options)


def channels_first():
    return chain(layers.Permute((2, 3, 1)), *convolutional().layers, shape=(3, 8, 8))


def one_unit():
    """Nested, with augmentation, and batch normalisation that has seen images."""
    inner = keras.Sequential([layers.Conv2D(4, 3, name="pixels"), layers.BatchNormalization(), layers.ReLU()])
    model = chain(layers.RandomFlip(), inner, layers.GlobalMaxPooling2D(), layers.Dropout(0.5), layers.Dense(1))
    inner.layers[1].set_weights([np.full(4, value, "float32") for value in (1.5, 0.2, 0.1, 2.0)])
    return keras.Model(model.inputs, layers.Activation("sigmoid")(model.outputs[0]))


def average():
    """Of two networks, whose layers have the same names."""
    x = keras.Input((8, 8, 3))
    two = [keras.Sequential([layers.Flatten(), layers.Dense(n, name="hidden"), layers.Dense(5)]) for n in (3, 4)]
    return keras.Model(x, layers.Average()([each(x) for each in two]))


def operations():
    """One batch size, which `reshape` keeps."""
    x = inputs = keras.Input(batch_shape=(7, 8, 8, 3))
    x = keras.ops.relu(layers.Conv2D(4, 3)(x) - 1) * 2
    x = keras.ops.reshape(x, (7, -1))
    return keras.Model(inputs, layers.Dense(5, name="probabilities", activation="softmax")(x))


def spatial():
    return chain(layers.Conv2D(4, 3), layers.Conv2D(5, 1), layers.GlobalAveragePooling2D(), layers.Softmax())


def normalised():
    normalization = layers.Normalization()
    normalization.adapt(np.random.default_rng(1).uniform(0, 255, (9, 8, 8, 3)))
    return chain(normalization, layers.Flatten(), layers.Dense(6), layers.PReLU(), layers.Dense(5, name="last"))


NETWORKS = {  # how it is made, its pixel range, what it takes for pixels 0-255, and the name of the new layer
    "probabilities": (convolutional, (0, 255), lambda x: x, "last"),
    "logits": (lambda: convolutional(None), (-1, 1), lambda x: x / 127.5 - 1, "last"),
    "caffe": (convolutional, "caffe", lambda x: x[..., ::-1] - CAFFE, "last"),
    "torch": (convolutional, "torch", lambda x: (x / 255 - TORCH[0]) / TORCH[1], "last"),
    "grey": (lambda: convolutional(shape=(8, 8, 1)), (0, 1), lambda x: (x @ GREY)[..., None] / 255, "last"),
    "flat": (
        lambda: chain(layers.Dense(7), layers.Dense(5, name="last"), shape=(64,)),
        (0, 1),
        lambda x: (x @ GREY).reshape(-1, 64) / 255,
        "last",
    ),
    "opacity": (
        lambda: convolutional(shape=(8, 8, 4)),
        (0, 255),
        lambda x: np.concatenate([x, np.full_like(x[..., :1], 255)], axis=-1),
        "last",
    ),
    "channels first": (channels_first, (0, 255), lambda x: x.transpose(0, 3, 1, 2), "last"),
    "float16": (lambda: convolutional(dtype="float16"), (0, 1), lambda x: x / 255, "last"),
    "nested, one unit": (one_unit, (0, 255), lambda x: x, None),
    "average of two": (average, (0, 255), lambda x: x, "logits"),
    "operations": (operations, (0, 255), lambda x: x, "logits"),
    "spatial": (spatial, (0, 255), lambda x: x, "logits"),
    "normalised": (normalised, (0, 255), lambda x: x, "last"),
}


def old_layer(model):
    """Kernel and bias of a network's last layer, shared equally by two networks; the first of two classes has none."""
    *_, kernel, bias = weights = [weight.astype("float64") for weight in model.get_weights()]
    if kernel.ndim == 4:
        return kernel[0, 0], bias
    if bias.shape == (1,):
        return np.hstack([np.zeros_like(kernel), kernel]), np.array([0, bias[0]])
    if isinstance(model.layers[-1], layers.Average):
        return np.vstack([weights[2], kernel]) / 2, (weights[3] + bias) / 2
    return kernel, bias


@pytest.mark.parametrize("name", NETWORKS)
def test_with_the_old_last_layer_it_computes_what_the_network_does(name):
    make, pixel_range, convert, new_name = NETWORKS[name]
    keras.utils.set_random_seed(2)
    model = make()
    images = np.random.default_rng(0).integers(0, 256, (7, 8, 8, 3)).astype("float64")
    expected = model.predict(convert(images), batch_size=7, verbose=0).astype("float64")
    if expected.shape[1] == 1:
        expected = np.hstack([1 - expected, expected])
    kernel, bias = old_layer(model)
    trunk, found_name = trunks.copy(model, Classifier(model, pixel_range))
    logits = trunk.predict(images, verbose=0) @ kernel + bias
    if not np.allclose(expected.sum(axis=1), 1, atol=1e-2):  # logits, whose mean doesn't matter
        logits, expected = (x - x.mean(axis=1, keepdims=True) for x in (logits, expected))
        np.testing.assert_allclose(logits, expected, rtol=1e-3, atol=1e-3 * np.abs(expected).max())
    else:
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
        probabilities = powers / powers.sum(axis=1, keepdims=True)
        np.testing.assert_allclose(probabilities, expected, atol=5e-3 if name == "float16" else 1e-4)
    assert new_name in (None, found_name)
    assert {layer.compute_dtype for layer in trunk.layers} == {"float32"}
    assert all(type(layer).__module__.startswith("keras.") for layer in trunk.layers)


def test_layers_keep_their_names_and_can_learn():
    model = convolutional()
    model.trainable = False
    trunk, _ = trunks.copy(model, Classifier(model, (-1, 1)))
    assert [layer.name for layer in trunk.layers] == ["pixels", "rescaling", "conv", "flatten"]
    assert [weight.path for weight in trunk.trainable_weights] == ["conv/kernel", "conv/bias"]
    assert trunk.get_layer("conv").kernel is not model.get_layer("conv").kernel


def test_a_shared_layer_stays_shared():
    x = keras.Input((8, 8, 3))
    conv = layers.Conv2D(3, 3, padding="same")
    model = keras.Model(x, layers.Dense(5)(layers.Flatten()(conv(conv(x)))))
    trunk, _ = trunks.copy(model, Classifier(model))
    assert len(trunk.weights) == 2


def test_a_network_of_a_single_layer_has_nothing_to_start_from():
    model = chain(layers.Flatten(), layers.Dense(5))
    with pytest.raises(ValueError, match="no layer in front of the network's last one has weights"):
        trunks.copy(model, Classifier(model))


def test_a_quantised_network_is_refused():
    model = chain(layers.Flatten(), layers.Dense(6, name="first"), layers.Dense(5))
    model.layers[1].quantize("int8")
    with pytest.raises(ValueError, match="first is quantised, and can't learn"):
        trunks.copy(model, Classifier(model))
