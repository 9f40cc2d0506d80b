"""The objectives of gradient ascent, by hand and by finite differences."""

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from cnnvis.features import ascent, objectives
from cnnvis.images.statistics import image_statistics
from cnnvis.network.classifier import Classifier


def test_activations_are_the_means_before_relu(sequential, images):
    classifier = Classifier(sequential, (0, 1))
    kernel, bias = sequential.get_layer("first").get_weights()
    by_hand = keras.ops.conv(images / np.float32(255), kernel).numpy() + bias
    given = objectives.activations(classifier, classifier.layer("first"), images)
    np.testing.assert_allclose(given, by_hand.mean(axis=(1, 2)), rtol=1e-3, atol=1e-5)
    hidden = keras.Model(sequential.inputs, sequential.get_layer("average").output)(images / 255)
    kernel, bias = sequential.get_layer("hidden").get_weights()
    given = objectives.activations(classifier, classifier.layer("hidden"), images)
    np.testing.assert_allclose(given, hidden @ kernel + bias, rtol=1e-3, atol=1e-5)


def test_the_gradient_of_an_objective_agrees_with_differences(images):
    """Of both objectives, on a tiny network, pixel by pixel."""
    keras.utils.set_random_seed(2)
    model = keras.Sequential([keras.Input((6, 6, 3)), layers.Conv2D(3, 3, activation="relu"), layers.Flatten()])
    model.add(layers.Dense(2))
    classifier = Classifier(model, (0, 1))
    layer = classifier.layer(model.layers[0].name)
    image = images[:1, :6, :6].astype("float64")
    for objective in (objectives.channel, objectives.neuron):
        responses = objectives.objective_model(classifier, layer, (6, 6), objective)
        pixels = tf.constant(image, tf.float32)
        with tf.GradientTape() as tape:
            tape.watch(pixels)
            value = responses(pixels)[0, 1]
        gradient = tape.gradient(value, pixels)[0].numpy()
        for place in ((3, 3, 0), (2, 4, 1), (3, 2, 2)):
            step = np.zeros_like(image)
            step[(0, *place)] = 50
            up, down = (
                objectives.activations(classifier, layer, image + sign * step, objective)[0, 1] for sign in (1, -1)
            )
            np.testing.assert_allclose(gradient[place], (up - down) / 100, rtol=1e-3, atol=1e-6)


def test_the_objective_of_a_neuron_is_the_unit_in_the_middle(sequential, images):
    classifier = Classifier(sequential, (0, 1))
    layer = classifier.layer("second")
    output = classifier.model_to(layer.linear)(images.astype("float32")).numpy()
    given = objectives.activations(classifier, layer, images, objectives.neuron)
    np.testing.assert_allclose(given, output[:, output.shape[1] // 2, output.shape[2] // 2], rtol=1e-5)
    how = ascent.Ascent(steps=40, objective=objectives.neuron)
    (image,) = ascent.ascend(classifier, layer, [3], image_statistics(images), how)
    assert objectives.activations(classifier, layer, image, objectives.neuron)[0, 3] > given[:, 3].max()
