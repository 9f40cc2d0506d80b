"""The loss takes logits: it and its gradient are exact, however confident and wrong the network is."""

import csv

import keras
import numpy as np
import pytest
import tensorflow as tf

import train
from cnnvis.images import sources
from cnnvis.training import building, distribution, loop, recipes
from cnnvis.training.loss import SmoothedCrossEntropy
from models.convnet import build_model
from tests.conftest import rounding

GAP = 50  # between the logit of class 0 and all others: as probabilities in float32, the others are nearly nothing
COUNT = 14
WIDTHS = {"basic": "4,8", "deep": "4,8,8"}


def exact(logits, labels, smoothing):
    """Mean cross-entropy and its gradient with respect to the logits, as the textbook has them, in float64.

    (N, K) logits, (N,) labels -> float, (N, K) array
    """
    logits = np.asarray(logits, "float64")
    count, classes = logits.shape
    targets = (1 - smoothing) * np.eye(classes)[labels] + smoothing / classes
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    log_sums = np.log(exponentials.sum(axis=1, keepdims=True)) + logits.max(axis=1, keepdims=True)
    losses = (targets * (log_sums - logits)).sum(axis=1)
    return losses.mean(), (exponentials / exponentials.sum(axis=1, keepdims=True) - targets) / count


def test_smoothed_cross_entropy_by_hand():
    logits = 3 + np.log([[0.25, 0.5, 0.125, 0.125]])  # which a constant does not change
    loss = SmoothedCrossEntropy(0.2)(np.array([1]), logits)
    by_hand = -(0.85 * np.log(0.5) + 0.05 * (np.log(0.25) + 2 * np.log(0.125)))
    assert float(loss) == pytest.approx(by_hand, rel=1e-5)


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
@pytest.mark.parametrize("gap", [0.5, 5, GAP, 5000])
def test_loss_and_gradient_are_those_of_the_formula(smoothing, gap):
    logits = np.random.default_rng(0).normal(size=(COUNT, 7)).astype("float32")
    logits[:, 0] += gap
    labels = np.arange(COUNT) % 7  # right where it is 0, else as wrong as can be
    variable = tf.Variable(logits)
    with tf.GradientTape() as tape:
        loss = SmoothedCrossEntropy(smoothing)(labels, variable)
    expected, gradient = exact(logits, labels, smoothing)
    assert float(loss) == pytest.approx(expected, rel=rounding(7 + COUNT))
    np.testing.assert_allclose(tape.gradient(loss, variable), gradient, rtol=1e-4, atol=1e-9)


def prepared(arch, strategy, smoothing):
    """What train.py trains, for one step of plain SGD in two ghost batches, and sure that all images are class 0."""
    images = np.random.default_rng(0).integers(0, 256, (COUNT, 32, 32, 3), dtype="uint8")
    dataset = sources.Dataset("noise", images, np.arange(COUNT) % 7, tuple("abcdefg"))
    changes = [f"widths={WIDTHS[arch]}", "ghost_batch=7", f"label_smoothing={smoothing}"]
    changes += ["optimizer=sgd", "momentum=0", "warmup=0", "weight_decay=0"]
    recipe = recipes.recipe_for(arch, dataset, changes, epochs=1, batch_size=COUNT, learning_rate=1)
    model, batches = loop.prepare(dataset, recipe, arch=arch, strategy=strategy)
    fc2 = model.get_layer("fc2")
    fc2.set_weights([np.zeros(fc2.kernel.shape), GAP * np.eye(7)[0]])
    return dataset, recipe, model, batches


def exact_of(model, labels, smoothing):
    """The exact loss and its gradient with respect to the bias of FC2, where that alone makes the logits."""
    logits = np.tile(model.get_layer("fc2").bias.numpy(), (COUNT, 1))
    loss, gradient = exact(logits, labels, smoothing)
    return loss, gradient.sum(axis=0)


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
@pytest.mark.parametrize("arch", WIDTHS)
def test_the_compiled_network_learns_from_confident_mistakes(arch, smoothing):
    dataset, recipe, model, _ = prepared(arch, "none", smoothing)
    assert model.parts == recipe.ghost_batches == 2
    images = tf.constant(dataset.images)

    @tf.function
    def learn():
        with tf.GradientTape() as tape:
            outputs = model(images, training=True)
            loss = model.compute_loss(images, tf.constant(dataset.labels), outputs, training=True)
        return outputs, loss, tape.gradient(loss, model.get_layer("fc2").bias.value)

    outputs, loss, gradient = learn()
    np.testing.assert_allclose(outputs[:, 0] - outputs[:, 1], GAP, rtol=1e-5)
    expected, expected_gradient = exact_of(model, dataset.labels, smoothing)
    assert expected > 34  # of clipped probabilities it would be 16.1 at most
    assert float(loss) == pytest.approx(expected, rel=rounding(7 + COUNT))
    np.testing.assert_allclose(gradient, expected_gradient, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize(
    ("strategy", "arch", "smoothing"),
    [("none", "basic", 0.0), ("none", "deep", 0.2), ("mirrored", "basic", 0.2), ("mirrored", "deep", 0.0)],
)
def test_a_step_is_as_long_as_the_formula_says(strategy, arch, smoothing):
    """In both training loops; loss and accuracy of the epoch are exact, too."""
    dataset, recipe, model, batches = prepared(arch, strategy, smoothing)
    loss, gradient = exact_of(model, dataset.labels, smoothing)
    before = model.get_layer("fc2").bias.numpy().astype("float64")
    logged = []
    callbacks = [keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: logged.append(dict(logs)))]
    loop.fit(model, recipe, batches, held_out=dataset, callbacks=callbacks)
    assert distribution.is_distributed(model) == (strategy == "mirrored")
    np.testing.assert_allclose(before - model.get_layer("fc2").bias.numpy(), gradient, rtol=1e-4, atol=1e-5)
    assert logged[0]["loss"] == pytest.approx(loss, rel=rounding(7 + COUNT))
    assert logged[0]["accuracy"] == pytest.approx(2 / 14)
    logits = np.float64(model(dataset.images.astype("float32"), training=False))
    assert logged[0]["val_loss"] == pytest.approx(exact(logits, dataset.labels, smoothing)[0], rel=1e-4)


@pytest.mark.parametrize("arch", WIDTHS)
def test_the_network_that_is_saved_ends_in_the_probabilities_of_these_logits(arch):
    dataset, recipe, model, _ = prepared(arch, "none", 0.0)
    shaken = [weight + np.random.default_rng(0).normal(0, 0.01, weight.shape) for weight in model.get_weights()]
    model.set_weights([np.abs(weight) for weight in shaken])
    network = loop.plain(arch, dataset, recipe, model=model)
    assert [layer.name for layer in network.layers[-2:]] == ["fc2", "probabilities"]
    assert model.layers[-1].name == "fc2"
    x = dataset.images.astype("float32")
    expected = keras.ops.softmax(model(x, training=False))
    np.testing.assert_allclose(network(x, training=False), expected, rtol=1e-3, atol=1e-6)


def test_a_network_that_ends_in_probabilities_is_not_trained_by_mistake():
    with pytest.raises(TypeError, match="ends in probabilities"):
        building.compile_model(build_model("basic", 7), recipes.RECIPES["basic"], 1)


def test_the_table_of_a_training_shows_losses_that_clipping_would_hide(tmp_path):
    """Steps that are too long make a network confident and wrong."""
    options = ["--data", "digits", "--limit", "64", "--arch", "basic", "--epochs", "2", "--batch-size", "32"]
    options += ["--recipe", "optimizer=sgd", "warmup=0", "label_smoothing=0", "--learning-rate", "0.5"]
    assert train.main([*options, "--name", "run", "--out", str(tmp_path)]) == 0
    with open(tmp_path / "run.csv", newline="") as file:
        assert max(float(row["loss"]) for row in csv.DictReader(file)) > 17
