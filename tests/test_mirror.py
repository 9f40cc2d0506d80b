"""Mirrored pairs of filters: a picture and its mirror image are the same to the network, and stay so."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import train
from cnnvis import recipes, training
from cnnvis.batches import Batches
from cnnvis.data import Pictures
from models import mirror
from models.convnet import build_model


@pytest.fixture
def striped():
    """Twelve pictures of two classes, each class with stripes that lean its own way and the other."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:32, :32]
    images = [
        127 + 100 * np.sin(x * (1 + i % 2) + rng.choice((-1, 1)) * y) + rng.normal(0, 9, (32, 32)) for i in range(12)
    ]
    tinted = np.stack(images)[..., None] * rng.uniform(0.5, 1, (12, 1, 1, 3))
    return Pictures("stripes", tinted.clip(0, 255).astype("uint8"), np.arange(12) % 2, ("wide", "narrow"))


def built(pictures, *changes):
    args = train.options().parse_args(["--arch", "deep"])
    recipe = recipes.change(recipes.RECIPES["deep"], ["widths=32,36,36", "batch_size=4", "flip=paired", *changes])
    return args, recipe, train.build(args, recipe, pictures, softmax=False)


def shaken(model):
    """All weights that are learned, moved at random, and brought back to pairs."""
    rng = np.random.default_rng(1)
    for weight in model.trainable_weights:
        weight.assign_add(rng.normal(0, 0.1, weight.shape))
    mirror.symmetrize(model)
    return model


def outputs(model, images):
    before = keras.Model(model.input, [model.get_layer(name).output for name in ("relu2", "fc1", "fc2")])
    return [output.numpy() for output in before(images.astype("float32"), training=False)]


@pytest.mark.parametrize(
    "changes", [(), ("whitening=off",), ("identity_start=off",), ("widths=25,27,30",), ("widths=40,9,5",)]
)
def test_a_picture_and_its_mirror_image_are_the_same(striped, changes):
    """Each channel finds in the mirror image what its partner finds in the picture, in another place."""
    _, _, model = built(striped, *changes)
    shaken(model)
    partners = mirror.partners(model)
    for here, there in zip(outputs(model, striped.images), outputs(model, striped.images[:, :, ::-1])):
        assert here.std(axis=0).max() > 1e-3
        if here.ndim == 4:
            there = there[:, :, ::-1][..., partners["conv2"][1]]
        elif here.shape[1] > 2:
            there = there[..., partners["fc1"][1]]
        np.testing.assert_allclose(there, here, rtol=1e-3, atol=1e-4 * np.abs(here).max())


def test_without_pairs_they_are_not(striped):
    _, _, model = built(striped, "flip=alternating")
    for weight in model.trainable_weights:
        weight.assign_add(np.random.default_rng(1).normal(0, 0.1, weight.shape))
    here, there = (outputs(model, images)[-1] for images in (striped.images, striped.images[:, :, ::-1]))
    assert np.abs(here - there).max() > 1e-2


@pytest.mark.parametrize("widths", [(64, 256, 256), (25, 27, 30), (40, 9, 5), (3, 3, 3)])
def test_partners_are_of_one_another(widths):
    for name, (inputs, found) in mirror.partners(build_model("deep", 10, widths=widths)).items():
        for each in inputs, found:
            np.testing.assert_array_equal(each[each], np.arange(len(each)), err_msg=name)


def test_most_filters_have_a_partner(striped):
    _, _, model = built(striped, "widths=64,256,256")
    for name, (_, found) in mirror.partners(model).items():
        alone = (found == np.arange(len(found))).mean()
        assert alone == 1 if name == "fc2" else alone <= (0.5 if name == "whitening" else 0.2)


def test_symmetrized_by_hand():
    kernel = np.zeros((1, 3, 2, 2), "float32")
    kernel[0, :, 0, 0] = 1, 2, 3  # from the first input to the first filter ...
    kernel[0, :, 1, 1] = 5, 4, 1  # ... and between their partners, which should be 3, 2, 1
    kernel[0, :, 1, 0] = 8, 0, 2
    swap = np.array([1, 0])
    result = mirror.symmetrized(tf.constant(kernel), swap, swap).numpy()
    np.testing.assert_array_equal(result[0, :, 0, 0], [1, 3, 4])
    np.testing.assert_array_equal(result[0, :, 1, 1], [4, 3, 1])
    np.testing.assert_array_equal(result[0, :, 1, 0], [4, 0, 1])
    np.testing.assert_array_equal(result[0, :, 0, 1], [1, 0, 4])
    np.testing.assert_array_equal(mirror.symmetrized(tf.constant([2.0, 4.0]), swap, swap), [3, 3])


def test_a_gradient_in_pairs_is_the_mean_of_both_ways_round(striped):
    """What a step learns from pictures is what it would learn from these and their mirror images together."""
    _, recipe, model = built(striped)
    shaken(model)
    symmetry = train.symmetry(recipe, model)
    loss = training.SmoothedCrossEntropy(0.2)

    def gradients(images):
        with tf.GradientTape() as tape:
            value = loss(striped.labels, model(images.astype("float32"), training=False))
        return [gradient.numpy() for gradient in tape.gradient(value, [v.value for v in model.trainable_variables])]

    one, other = (gradients(images) for images in (striped.images, striped.images[:, :, ::-1]))
    for weight, here, there in zip(model.trainable_variables, one, other):
        assert np.abs(here - there).max() > 1e-2 * np.abs(here).max() or here.shape in [(36, 2), (2,)]  # FC2
        paired = symmetry(weight.path, tf.constant(here))
        # Where rounding lifts a cell over 0, its RELU passes on another gradient.
        np.testing.assert_allclose(paired, (here + there) / 2, rtol=1e-2, atol=1e-3 * np.abs(here).max())


@pytest.mark.parametrize("optimizer", ["muon", "sgd"])
def test_training_keeps_the_pairs(striped, optimizer):
    args, recipe, model = built(striped, f"optimizer={optimizer}", "epochs=4", "learning_rate=0.05", "bias_scale=1")
    batches = Batches(striped.images, striped.labels, recipe, seed=0)
    training.compile_model(model, recipe, recipe.epochs * len(batches), train.symmetry(recipe, model))
    start = {v.path: v.numpy() for v in model.trainable_variables}
    training.fit(model, batches)
    for name, partners in mirror.partners(model).items():
        for weight in model.get_layer(name).trainable_variables:
            value = weight.numpy()
            assert np.abs(value - start[weight.path]).max() > 1e-4
            asymmetry = np.abs(value - mirror.symmetrized(weight.value, *partners).numpy()).max()
            assert asymmetry < 0.01 * np.abs(value).max(), weight.path
    network = train.plain(args, recipe, striped, model)
    here, there = (outputs(network, images)[-1] for images in (striped.images, striped.images[:, :, ::-1]))
    np.testing.assert_allclose(here, there, rtol=1e-3, atol=1e-4 * np.abs(here).max())


def test_basic_can_not_have_pairs():
    with pytest.raises(ValueError, match="filters of basic can't be in mirrored pairs"):
        mirror.partners(build_model("basic", 10))


def test_adam_can_not_keep_pairs():
    recipe = recipes.change(recipes.RECIPES["deep"], ["optimizer=adam", "flip=paired"])
    with pytest.raises(ValueError, match="adam can't keep filters in mirrored pairs"):
        recipes.adapt(recipe, 50_000)
