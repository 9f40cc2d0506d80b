"""The layer before the logits is found in anybody's network, and computed with the probabilities in one pass."""

import keras
import numpy as np
import pytest
from keras import layers

from cnnvis.network import last_hidden
from cnnvis.network.classifier import Classifier
from cnnvis.network.last_hidden import hidden, predict
from models.convnet import build_model


def values_of(model, images, **options):
    classifier = Classifier(model, **options)
    before = hidden(classifier, len(images))
    probabilities, values = predict(classifier, images, before, batch_size=3)
    np.testing.assert_allclose(probabilities, classifier.probabilities(images), rtol=1e-4, atol=1e-6)
    return before.names, values


def plain(model, name, images):
    return keras.Model(model.inputs, model.get_layer(name).output)(images.astype("float32"), training=False).numpy()


@pytest.mark.parametrize("arch", ["basic", "deep"])
def test_of_our_networks(arch, images):
    model = build_model(arch, 10, mean=(120, 120, 120), variance=(4000, 4000, 4000))
    names, values = values_of(model, images)
    *_, before, _, _ = [layer.name for layer in model.layers if not isinstance(layer, layers.Dropout)]
    assert names == (before,)
    np.testing.assert_allclose(values, plain(model, before, images), rtol=1e-3, atol=1e-3)


def test_of_a_foreign_network(sequential, images):
    names, values = values_of(sequential, images)
    assert names == ("hidden",)
    np.testing.assert_allclose(values, plain(sequential, "hidden", images), rtol=1e-4, atol=1e-4)


def test_of_a_nested_network_with_several_steps_after_the_logits(sequential, images):
    x = inputs = keras.Input((32, 32, 3))
    x = layers.Dense(5, name="logits")(layers.Dropout(0.5)(sequential(x)))
    x = layers.Activation("softmax")(layers.Reshape((5,))(layers.BatchNormalization()(x)))
    names, values = values_of(keras.Model(inputs, x), images)
    assert names == ("last",)
    np.testing.assert_allclose(values, sequential(images.astype("float32")), rtol=1e-4, atol=1e-6)


def test_feature_maps_are_averaged(images):
    conv = layers.Conv2D(6, 3, activation="relu", name="conv")
    last = [layers.Conv2D(10, 1), layers.GlobalAveragePooling2D(), layers.Softmax()]
    model = keras.Sequential([keras.Input((32, 32, 3)), conv, *last])
    names, values = values_of(model, images)
    assert names == ("conv",)
    np.testing.assert_allclose(values, plain(model, "conv", images).mean(axis=(1, 2)), rtol=1e-4, atol=1e-4)


def test_feature_maps_with_weights_for_each_place_are_not_averaged(images):
    steps = [layers.AveragePooling2D(8), layers.Conv2D(4, 1, name="conv"), layers.Conv2D(10, 4), layers.Flatten()]
    model = keras.Sequential([keras.Input((32, 32, 3)), *steps])
    names, values = values_of(model, images)
    assert names == ("conv",)
    np.testing.assert_allclose(values, plain(model, "conv", images).reshape(7, -1), rtol=1e-4, atol=1e-4)


def test_of_several_branches_side_by_side(images):
    x = inputs = keras.Input((32, 32, 3))
    x = layers.Flatten()(layers.AveragePooling2D(8)(x / 255))
    hiddens = [layers.Dense(units, activation="relu", name=f"hidden{units}")(x) for units in (4, 6)]
    model = keras.Model(inputs, layers.Average()([layers.Dense(3, activation="softmax")(h) for h in hiddens]))
    names, values = values_of(model, images)
    assert sorted(names) == ["hidden4", "hidden6"]
    expected = np.concatenate([plain(model, name, images) for name in names], axis=1)
    np.testing.assert_allclose(values, expected, rtol=1e-4, atol=1e-4)


def test_without_a_hidden_layer_it_is_the_pixels(images):
    model = keras.Sequential([keras.Input((32, 32, 3)), layers.Rescaling(1 / 255), layers.Flatten(), layers.Dense(3)])
    names, values = values_of(model, images)
    assert names == ()
    np.testing.assert_allclose(values, images.reshape(7, -1) / 255, rtol=1e-5, atol=1e-6)


def test_without_any_weights_it_is_the_pixels(images):
    x = inputs = keras.Input((32, 32, 3))
    names, values = values_of(keras.Model(inputs, layers.GlobalAveragePooling2D()(x)), images)
    assert names == ()
    assert values.shape == (7, 3 * 32 * 32)


def test_channels_first(images):
    model = keras.Sequential(
        [
            keras.Input((3, 32, 32)),
            layers.Conv2D(4, 3, strides=16, data_format="channels_first", name="conv"),
            layers.Conv2D(3, 1, data_format="channels_first"),
            layers.GlobalAveragePooling2D(data_format="channels_first"),
        ]
    )
    classifier = Classifier(model)
    values = predict(classifier, images, hidden(classifier))[1]
    np.testing.assert_allclose(values, classifier.outputs(images, ["conv"])["conv"].mean(axis=(1, 2)), rtol=1e-4)


def test_views_of_an_image_in_the_batch_are_refused(images, capsys):
    inputs = keras.Input((32, 32, 3))
    both = keras.ops.concatenate([inputs, keras.ops.flip(inputs, axis=2)], axis=0)
    logits = layers.Dense(3)(layers.GlobalAveragePooling2D()(both))
    model = keras.Model(inputs, keras.ops.mean(keras.ops.reshape(logits, (2, -1, 3)), axis=0))
    classifier = Classifier(model)
    assert hidden(classifier) is None
    assert "No map and no nearest training images: hidden has 4 outputs for 2 images" in capsys.readouterr().err
    assert predict(classifier, images)[0].shape == (7, 3)


def test_more_values_than_fit_into_memory_are_refused(sequential, monkeypatch, capsys):
    monkeypatch.setattr(last_hidden, "MOST_VALUES", 100)
    classifier = Classifier(sequential)
    assert hidden(classifier, 8).values.shape == (None, 12)
    assert hidden(classifier, 9) is None
    assert "has 12 values, too many for 9 images" in capsys.readouterr().err


def test_a_network_that_outputs_nan_is_refused_once(sequential, images, capsys):
    sequential.get_layer("last").bias.assign([np.nan] * 10)
    classifier = Classifier(sequential)
    before = hidden(classifier)
    with pytest.raises(ValueError, match="the model outputs NaN"):
        predict(classifier, images, before)
    assert not capsys.readouterr().err
