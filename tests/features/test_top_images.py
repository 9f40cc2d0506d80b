"""Responses to real images and top patches, against the layer's whole output."""

import keras
import numpy as np
import pytest
from keras import layers

from cnnvis.features.top_images import FilterResponses, observe, patches
from cnnvis.images import dataset
from cnnvis.network.classifier import Classifier
from cnnvis.network.receptive_field import Field, receptive_fields
from tests.conftest import rounding, small_sequential


@pytest.fixture
def many():
    return np.random.default_rng(3).integers(0, 256, (23, 32, 32, 3), dtype="uint8")


@pytest.mark.parametrize("batch", [4, 23, 250])
def test_agrees_with_the_whole_output(batch, sequential, many, monkeypatch):
    monkeypatch.setattr(dataset, "PIXELS_AT_ONCE", batch * 1024)
    conv = sequential.get_layer("first")
    kernel, bias = conv.get_weights()
    bias[2] = -100  # dead
    conv.set_weights([kernel, bias])
    classifier = Classifier(sequential, (0, 1))
    labels = np.arange(23) % 4
    labels[5] = -1
    names = ["first", "hidden", "last"]
    whole = classifier.model_to({name: classifier.layer(name).linear for name in names})(many.astype("float32"))
    for name, seen in zip(names, observe(classifier, [classifier.layer(name) for name in names], many, labels)):
        output = whole[name].numpy()
        output = output if output.ndim == 4 else output[:, None, None]
        np.testing.assert_allclose(seen.largest, output.mean(axis=(1, 2)).max(axis=0), rtol=1e-4)
        peaks = output.max(axis=(1, 2))
        np.testing.assert_allclose(seen.peaks, -np.sort(-peaks, axis=0)[:9], rtol=1e-5)
        for rank in (0, 8):
            for filter in range(output.shape[-1]):
                row, column = seen.places[rank, filter]
                value = output[seen.images[rank, filter], row, column, filter]
                np.testing.assert_allclose(value, seen.peaks[rank, filter], rtol=1e-5)
        passed = np.maximum(output, 0).mean(axis=(1, 2))
        means = [passed[labels == label].mean(axis=0) for label in range(4)]
        np.testing.assert_allclose(seen.class_means[:4], means, rtol=1e-3, atol=1e-6)
        assert np.isnan(seen.class_means[4:]).all()
        np.testing.assert_array_equal(seen.dead, (output.max(axis=(0, 1, 2)) <= 0) & (name != "last"))
        assert seen.dead[2] or name != "first"


def test_fewer_images_than_patches():
    classifier = Classifier(small_sequential(), (0, 1))
    images = np.random.default_rng(1).integers(0, 256, (3, 32, 32, 3), dtype="uint8")
    (seen,) = observe(classifier, [classifier.layer("first")], images, np.full(3, -1))
    assert seen.peaks.shape == (3, 6)
    assert sorted(seen.images[:, 0]) == [0, 1, 2]
    assert (seen.selectivity == 0).all()


def test_selectivity_by_hand():
    class_means = np.array([[4, 1, 0, 2], [0, 1, 0, 1], [0, 1, 0, 0], [np.nan] * 4], "float32")
    nothing = np.zeros(4)
    seen = FilterResponses(nothing, nothing, nothing, nothing, nothing, class_means)
    np.testing.assert_allclose(seen.selectivity, [1, 0, 0, (2 - 0.5) / (2 + 0.5)], rtol=rounding(4))


def test_patches_by_hand():
    images = np.arange(2 * 4 * 6 * 3, dtype="uint8").reshape(2, 4, 6, 3)
    top, places = np.array([[0, 1, 1]]), np.array([[[0, 0], [1, 2], [2, 1]]])
    seen = FilterResponses(None, None, None, top, places, None)
    cut = patches(images, seen, (Field(-1, 3, 2), Field(0, 2, 2)))
    assert cut.shape == (1, 3, 3, 2, 3)
    assert (cut[0, 0, 0] == 128).all()  # above the image
    np.testing.assert_array_equal(cut[0, 0, 1:], images[0, :2, :2])
    np.testing.assert_array_equal(cut[0, 1], images[1, 1:4, 4:6])
    np.testing.assert_array_equal(cut[0, 2, :1], images[1, 3:4, 2:4])
    assert (cut[0, 2, 1:] == 128).all()  # below it
    whole = patches(images, seen, (Field(-9, 20, 4), Field(0, 2, 2)))
    np.testing.assert_array_equal(whole[0, 1], images[1, :, 4:6])
    np.testing.assert_array_equal(patches(images, seen, None), images[top])


def test_a_patch_activates_its_filter_as_much_as_the_image(many):
    """The highest value in a layer without padding depends on its patch alone."""
    classifier = Classifier(small_sequential(), (0, 1))
    layer = classifier.layer("first")
    (seen,) = observe(classifier, [layer], many, np.full(23, -1))
    cut = patches(many, seen, receptive_fields(classifier, layer))
    kernel, bias = layer.layer.get_weights()
    given = np.einsum("pfhwc,hwcf->pf", cut / 255, kernel) + bias
    np.testing.assert_allclose(given, seen.peaks, rtol=1e-3)


def test_alive_but_negative_on_average():
    """A filter whose ReLU is positive in one corner of one image is alive, however negative its mean."""
    model = keras.Sequential(
        [keras.Input((8, 8, 3)), layers.Conv2D(1, 1, activation="relu"), layers.Flatten(), layers.Dense(2)]
    )
    model.layers[0].set_weights([np.ones((1, 1, 3, 1)), np.array([-700.0])])
    images = np.zeros((2, 8, 8, 3), "uint8")
    images[1, 0, 0] = 255
    classifier = Classifier(model)
    (seen,) = observe(classifier, [classifier.layer(model.layers[0].name)], images, np.zeros(2, int))
    assert seen.largest[0] < 0
    assert not seen.dead[0]
