"""Another architecture takes a function, its widths and a recipe, and nothing else knows its name."""

import keras
import numpy as np
import pytest
from keras import layers

import train
from cnnvis import images, training
from cnnvis.training import recipes
from models import convnet

WIDTHS = (16, 32)


def skip(x, classes, *, widths, seeds, variant):
    """A CONV layer and a residual block per group; batch normalisation as in `deep`."""

    def conv(x, number, filters):
        start = keras.initializers.HeUniform(next(seeds))
        options = {"padding": "same", "use_bias": False, "kernel_initializer": start, "name": f"conv{number}"}
        x = variant.convolution(filters, 3, **options)(x)
        return variant.batch_normalization(scale=False, momentum=0.9, epsilon=1e-5, name=f"norm{number}")(x)

    for group, filters in enumerate(widths):
        x = layers.ReLU(name=f"relu{2 * group + 1}")(conv(x, 2 * group + 1, filters))
        y = conv(x, 2 * group + 2, filters)
        x = layers.ReLU(name=f"relu{2 * group + 2}")(layers.Add(name=f"add{group + 1}")([x, y]))
        x = layers.MaxPooling2D(2, name=f"pool{group + 1}")(x)
    x = layers.GlobalMaxPooling2D(name="pool3")(x)
    return layers.Dense(classes, kernel_initializer="zeros", dtype="float32", name="fc2")(x)


@pytest.fixture(autouse=True)
def added(monkeypatch):
    recipe = recipes.Recipe(
        epochs=1,
        batch_size=500,
        ghost_batch=16,
        learning_rate=0.2,
        optimizer="muon",
        logits_scale=0.1,
        bias_scale=480.0,
    )
    monkeypatch.setitem(convnet.ARCHITECTURES, "skip", skip)
    monkeypatch.setitem(convnet.WIDTHS, "skip", WIDTHS)
    monkeypatch.setitem(recipes.RECIPES, "skip", recipe)


def test_it_learns():
    digits = images.load("digits", "train").take(np.arange(640))
    recipe = training.recipe_for("skip", digits, batch_size=32, epochs=1)
    trained = training.train(digits, recipe, arch="skip", held_out=digits)
    assert trained.rows[0]["val_loss"] < np.log(10)  # of equal probabilities, which it starts with
    start = training.build("skip", digits, recipe)
    assert "add2" in [layer.name for layer in start.layers]
    for weight, before, after in zip(start.weights, start.get_weights(), trained.network.get_weights(), strict=True):
        assert (before == after).all() == weight.path.startswith("normalization"), weight.path
    assert {layer.compute_dtype for layer in trained.network.layers} == {"float32"}
    probabilities = trained.network(digits.images[:20].astype("float32"))
    np.testing.assert_allclose(np.sum(probabilities, axis=1), 1, rtol=1e-5)


def test_it_can_be_chosen(tmp_path, capsys):
    assert train.options().parse_args(["--arch", "skip"]).arch == "skip"
    options = ["--arch", "skip", "--data", "digits", "--limit", "64", "--name", "run", "--out", str(tmp_path)]
    assert train.main([*options, "--recipe", "widths=4,4,4"]) == 2
    assert "skip has 2 groups of CONV layers, not 3" in capsys.readouterr().err
    assert train.main([*options, "--recipe", "widths=4,4"]) == 0
    assert keras.saving.load_model(tmp_path / "run.keras").get_layer("conv4").kernel.shape == (3, 3, 4, 4)
