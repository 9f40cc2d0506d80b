"""Recipes take changes within their bounds, adapt to the images, and say what is wrong with anything else."""

import dataclasses
import re

import numpy as np
import pytest

from bench import tricks
from cnnvis.images import Dataset
from cnnvis.training import recipes
from cnnvis.training.recipe import ENTRIES, Recipe

RECIPE = Recipe(epochs=10, batch_size=2000, learning_rate=0.2, optimizer="muon")


def changed(recipe, changes):
    """A recipe with changes, each as a user writes it."""
    return dataclasses.replace(recipe, **dict(map(recipes.parse_change, changes)))


def test_changes():
    recipe = changed(RECIPE, ["whitening=off", "widths=16,32,64", "flip=none", "weight_decay=1e-3"])
    assert (recipe.whitening, recipe.widths, recipe.flip) == (False, (16, 32, 64), "none")
    assert recipe.weight_decay == 1e-3
    assert recipe.epochs == 10
    assert changed(RECIPE, ["crop_margin=0"]).crop_margin == 0
    assert changed(RECIPE, []) == RECIPE


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ("speed=3", "a recipe has no 'speed'; it has epochs, batch_size"),
        ("", "a recipe has no ''"),
        ("epochs=0", "epochs can't be 0: it is a whole number, 1 to 10,000 (how often every image is seen)"),
        ("epochs=-3", "epochs can't be -3: it is a whole number, 1 to 10,000"),
        ("epochs=1.5", "epochs can't be 1.5: it is a whole number, 1 to 10,000"),
        ("epochs=10001", "epochs can't be 10001: it is a whole number, 1 to 10,000"),
        (f"epochs={'9' * 5000}", "epochs can't be 9999"),
        ("batch_size=0", "batch_size can't be 0: it is a whole number, 1 to 32,768 (images per step)"),
        ("batch_size=1000000", "batch_size can't be 1000000: it is a whole number, 1 to 32,768"),
        ("learning_rate=0", "learning_rate can't be 0: it is more than 0 and at most 1,000"),
        ("learning_rate=-0.1", "learning_rate can't be -0.1: it is more than 0"),
        ("learning_rate=1e38", "learning_rate can't be 1e38: it is more than 0 and at most 1,000"),
        ("learning_rate=", "learning_rate can't be empty: it is more than 0"),
        ("optimizer=rmsprop", "optimizer can't be rmsprop: it is sgd or muon or adam"),
        ("momentum=1", "momentum can't be 1: it is 0 to less than 1 (Nesterov momentum)"),
        ("momentum=-0.1", "momentum can't be -0.1: it is 0 to less than 1"),
        ("momentum=fast", "momentum can't be fast: it is 0 to less than 1"),
        ("orthogonal_momentum=1.5", "orthogonal_momentum can't be 1.5: it is 0 to less than 1"),
        ("weight_decay=11", "weight_decay can't be 11: it is 0 to 10"),
        ("bias_scale=-1", "bias_scale can't be -1: it is 0 to 10,000"),
        ("bias_scale=1e9", "bias_scale can't be 1e9: it is 0 to 10,000"),
        ("logits_scale=1e5", "logits_scale can't be 1e5: it is 0 to 10,000"),
        ("warmup=1.01", "warmup can't be 1.01: it is 0 to 1"),
        ("start_rate=2", "start_rate can't be 2: it is 0 to 1"),
        ("final_rate=-1", "final_rate can't be -1: it is 0 to 1"),
        ("ghost_batch=1", "ghost_batch can't be 1: it is a whole number, 0 or 2 to 32,768"),
        ("ghost_batch=-2", "ghost_batch can't be -2: it is a whole number, 0 or 2 to 32,768"),
        ("label_smoothing=3", "label_smoothing can't be 3: it is 0 to less than 1"),
        ("label_smoothing=1", "label_smoothing can't be 1: it is 0 to less than 1"),
        ("crop_margin=-1", "crop_margin can't be -1: it is a whole number, 0 to 4,095"),
        ("cutout=-1", "cutout can't be -1: it is a whole number, 0 to 4,095"),
        ("flip=up", "flip can't be up: it is alternating or random or none (how images are mirrored left to right)"),
        ("whitening=1", "whitening can't be 1: it is on or off"),
        ("whitening=yes", "whitening can't be yes: it is on or off"),
        ("whitening", "whitening can't be empty: it is on or off"),
        ("widths=3,x", "widths can't be 3,x: it is whole numbers with commas between, each 1 to 4,096"),
        ("widths=3,0", "widths can't be 3,0: it is whole numbers"),
        ("widths=64,4097,64", "widths can't be 64,4097,64: it is whole numbers"),
        ("widths=", "widths can't be empty: it is whole numbers"),
    ],
)
def test_values_out_of_bounds(change, line):
    with pytest.raises(ValueError, match=re.escape(line)) as caught:
        changed(RECIPE, [change])
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize("value", ["nan", "inf", "-inf", "1e999"])
@pytest.mark.parametrize("name", [entry.name for entry in dataclasses.fields(Recipe)])
def test_nothing_is_infinite(name, value):
    with pytest.raises(ValueError, match=f"{name} can't be {value}: it is "):
        changed(RECIPE, [f"{name}={value}"])


@pytest.mark.parametrize(
    "change",
    [
        *("epochs=1", "epochs=10000", "batch_size=1", "batch_size=32768", "learning_rate=1e-30", "learning_rate=1000"),
        *("momentum=0", "momentum=0.999", "orthogonal_momentum=0", "weight_decay=0", "weight_decay=10"),
        *("bias_scale=0", "bias_scale=10000", "logits_scale=0", "warmup=0", "warmup=1", "start_rate=0", "start_rate=1"),
        *("final_rate=0", "final_rate=1", "ghost_batch=0", "ghost_batch=2", "ghost_batch=32768", "label_smoothing=0"),
        *("label_smoothing=0.99", "crop_margin=0", "crop_margin=4095", "cutout=0", "cutout=4095"),
        *("widths=1,4096,1", "widths=1", "optimizer=adam", "whitening=off"),
        *sorted({change for lines in tricks.TRICKS.values() for changes in lines.values() for change in changes}),
    ],
)
def test_values_at_their_bounds(change):
    name, value = change.split("=")
    found = getattr(changed(RECIPE, [change]), name)
    words = {True: "on", False: "off"} if isinstance(found, bool) else {}
    if isinstance(found, tuple):
        assert found == tuple(map(int, value.split(",")))
    else:
        assert found == type(found)(value) if not words else words[found] == value


def test_the_recipes_keep_their_own_bounds():
    for recipe in recipes.RECIPES.values():
        recipes.check(recipe)
        recipes.check_side(recipe, 32)
        for name, entry in ENTRIES.items():
            value = getattr(recipe, name)
            assert all(part in entry.metadata["allowed"] for part in (value if isinstance(value, tuple) else [value]))


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        (["batch_size=1000", "ghost_batch=2"], "ghost_batch can't be 2: it is 0 or 59 and more for batches of 1,000"),
        (["batch_size=1000", "ghost_batch=58"], "which have 16 parts at most (images that batch normalisation sees"),
        (
            ["learning_rate=0.5", "weight_decay=2"],
            "weight_decay can't be 2: it is less than 2 for a learning rate of 0.5",
        ),
    ],
)
def test_values_that_do_not_go_together(changes, line):
    recipe = changed(RECIPE, changes)
    with pytest.raises(ValueError, match=re.escape(line)):
        recipes.adapt(recipe, 80_000, batch_size=recipe.batch_size, learning_rate=recipe.learning_rate)


def test_a_batch_has_few_parts():
    for ghost_batch, parts in ((59, 16), (500, 2), (1001, 1), (0, 1)):
        recipe = changed(RECIPE, [f"ghost_batch={ghost_batch}", "batch_size=1000"])
        recipes.check(recipe)
        assert recipe.ghost_batches == parts


def test_a_margin_and_a_hidden_square_are_smaller_than_the_images():
    line = "crop_margin can't be 20: it is a whole number, 0 to 19 for images of 20 pixels (largest shift of an image"
    with pytest.raises(ValueError, match=re.escape(line)):
        recipes.check_side(changed(RECIPE, ["crop_margin=20"]), 20)
    with pytest.raises(ValueError, match="cutout can't be 20: it is a whole number, 0 to 19 for images of 20 pixels"):
        recipes.check_side(changed(RECIPE, ["cutout=20"]), 20)
    recipes.check_side(changed(RECIPE, ["crop_margin=19", "cutout=19"]), 20)


@pytest.mark.parametrize(
    ("optimizer", "count", "options", "batch_size", "learning_rate"),
    [
        ("muon", 80_000, {}, 2000, 0.2),
        ("muon", 20_000, {}, 500, 0.1),
        ("sgd", 20_000, {}, 500, 0.05),
        ("adam", 20_000, {}, 500, 0.2),
        ("sgd", 1437, {}, 32, 0.0032),
        ("sgd", 10, {}, 10, 0.001),
        ("sgd", 1437, {"batch_size": 100}, 100, 0.01),
        ("sgd", 1437, {"batch_size": 100, "learning_rate": 0.3}, 100, 0.3),
    ],
)
def test_recipes_adapt_to_few_images(optimizer, count, options, batch_size, learning_rate):
    recipe = recipes.adapt(changed(RECIPE, [f"optimizer={optimizer}"]), count, **options)
    assert recipe.batch_size == batch_size
    assert recipe.learning_rate == pytest.approx(learning_rate, rel=0.02)


def test_a_batch_that_can_not_be_filled():
    with pytest.raises(ValueError, match="20 training images can't fill a batch of 64"):
        recipes.adapt(RECIPE, 20, batch_size=64)


@pytest.mark.parametrize(("side", "batch_size"), [(32, 2000), (45, 2000), (64, 1000), (128, 250), (224, 62)])
def test_batches_of_large_images_are_smaller(side, batch_size):
    recipe = recipes.adapt(RECIPE, 80_000, (side, side))
    assert recipe.batch_size == batch_size
    assert recipe.learning_rate == pytest.approx(0.2 * (batch_size / 2000) ** 0.5)
    assert recipes.adapt(RECIPE, 80_000, (side, side), batch_size=777).batch_size == 777


def dataset(count, side=32):
    images = np.zeros((count, side, side, 3), "uint8")
    return Dataset("few", images, np.arange(count) % 2, classes=("a", "b"))


@pytest.mark.parametrize(
    ("arch", "count", "changes", "options", "repeats", "patience"),
    [
        ("deep", 40, [], {}, 32, 3),
        ("deep", 999, [], {}, 2, 3),
        ("deep", 1000, [], {}, 1, 0),
        ("deep", 40, [], {"epochs": 20}, 1, 5),
        ("deep", 40, ["repeats=7", "patience=0"], {}, 7, 0),
        (None, 40, [], {}, 1, 0),  # transfer learning needs neither
    ],
)
def test_few_images_are_shown_often_until_that_does_not_help(arch, count, changes, options, repeats, patience):
    recipe = recipes.recipe_for(arch, dataset(count), changes, **options)
    assert (recipe.repeats, recipe.patience) == (repeats, patience)


@pytest.mark.parametrize(
    ("arch", "side", "widths", "shift"),
    [
        ("basic", 32, (32, 64), 2),
        ("basic", 40, (32, 64), 2),
        ("basic", 48, (16, 32, 64), 3),
        ("deep", 64, (32, 64, 256, 256), 4),
        ("deep", 224, (16, 16, 32, 64, 256, 256), 14),
    ],
)
def test_larger_images_get_more_groups_and_are_shifted_further(arch, side, widths, shift):
    recipe = recipes.recipe_for(arch, dataset(40, side))
    assert (recipe.widths, recipe.crop_margin) == (widths, shift)
    changes = [f"widths={','.join('4' * len(widths))}", "crop_margin=1"]
    recipe = recipes.recipe_for(arch, dataset(40, side), changes)
    assert (recipe.widths, recipe.crop_margin) == ((4,) * len(widths), 1)
    with pytest.raises(ValueError, match=f"{arch} has {len(widths)} groups of CONV layers, not {len(widths) + 1}"):
        recipes.recipe_of(arch, [f"widths={','.join('4' * (len(widths) + 1))}"], image_size=side)


@pytest.mark.parametrize("text", ["31", "36", "232", "0", "-64", "64.0", "large", ""])
def test_images_have_one_of_a_few_sizes(text):
    with pytest.raises(ValueError, match=re.escape(f"{text!r} is not a multiple of 8 from 32 to 224")):
        recipes.image_size(text)
    assert [recipes.image_size(good) for good in ("32", "64", "224")] == [32, 64, 224]
