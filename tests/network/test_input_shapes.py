"""Models of tutorials that take images without channels, or flat."""

import keras
import numpy as np
import pytest
from keras import layers

import explore
import visualize_hidden_layer_activation
import visualize_hidden_layer_output
import visualize_pixel_importance
from cnnvis.network.classifier import Classifier

SHAPES = {"grey": (8, 8), "flat and grey": (64,), "flat and in colours": (48,)}


def model_of(shape):
    keras.utils.set_random_seed(2)
    dense = [layers.Dense(6, activation="relu"), layers.Dense(3, activation="softmax")]
    return keras.Sequential([keras.Input(shape), layers.Flatten(), *dense])


@pytest.mark.parametrize("shape", SHAPES)
def test_images_come_in_the_shape_that_the_model_takes(shape):
    model = model_of(SHAPES[shape])
    classifier, colours = Classifier(model, (0, 1)), shape == "flat and in colours"
    assert classifier.size == ((4, 4) if colours else (8, 8))
    assert classifier.channels == (3 if colours else 1)
    grey = np.random.default_rng(0).integers(0, 256, (5, *classifier.size, 1), dtype="uint8")
    images = np.repeat(grey, 3, axis=-1)
    values = (images if colours else grey) / 255
    expected = model.predict(values.reshape(5, *SHAPES[shape]).astype("float32"), verbose=0)
    np.testing.assert_allclose(classifier.probabilities(images), expected, atol=1e-5)
    gradients = classifier.gradients("probability", images, np.zeros(5, int))
    assert gradients.shape == images.shape


@pytest.mark.parametrize("shape", SHAPES)
def test_every_script_takes_them(shape, tmp_path):
    model_of(SHAPES[shape]).save(tmp_path / "model.keras")
    options = ["--model", tmp_path / "model.keras", "--input-range", 0, 1, "--images", "imgs/samples/00_cat.png"]
    scripts = visualize_pixel_importance, visualize_hidden_layer_output, visualize_hidden_layer_activation
    for script in scripts:
        assert script.main([*map(str, options), "--out", str(tmp_path)]) == 0
    assert explore.main([*map(str, options), "--out", str(tmp_path / "page.html")]) == 0
