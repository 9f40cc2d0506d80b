"""Recipes take the user's wishes, and say what they can't take."""

import re

import pytest

from cnnvis import recipes

RECIPE = recipes.Recipe(epochs=10, batch_size=2000, learning_rate=0.2, optimizer="muon")


def test_changes():
    changed = recipes.change(RECIPE, ["lookahead=on", "widths=16,32,64", "flip=none", "weight_decay=1e-3"])
    assert (changed.lookahead, changed.widths, changed.flip) == (True, (16, 32, 64), "none")
    assert changed.weight_decay == 1e-3
    assert changed.epochs == 10
    assert recipes.change(RECIPE, ["crop_margin=0"]).crop_margin == 0
    assert recipes.change(RECIPE, []) == RECIPE


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ("speed=3", "a recipe has no 'speed'; it has epochs, batch_size"),
        ("lookahead=yes", "lookahead can't be 'yes': it is on or off"),
        ("lookahead", "lookahead can't be '': it is on or off"),
        ("crop_margin=-1", "crop_margin can't be '-1': it is a whole number"),
        ("epochs=0", "epochs can't be '0'"),
        ("epochs=1.5", "epochs can't be '1.5'"),
        ("momentum=nan", "momentum can't be 'nan': it is a number from 0"),
        ("momentum=inf", "momentum can't be 'inf'"),
        ("flip=up", "flip can't be 'up': it is alternating or random or none"),
        ("widths=3,x", "widths can't be '3,x': it is whole numbers"),
        ("widths=3,0", "widths can't be '3,0'"),
        ("widths=", "widths can't be ''"),
    ],
)
def test_changes_that_can_not_be(change, line):
    with pytest.raises(ValueError, match=re.escape(line)):
        recipes.change(RECIPE, [change])


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
def test_recipes_adapt_to_few_pictures(optimizer, count, options, batch_size, learning_rate):
    recipe = recipes.adapt(recipes.change(RECIPE, [f"optimizer={optimizer}"]), count, **options)
    assert recipe.batch_size == batch_size
    assert recipe.learning_rate == pytest.approx(learning_rate, rel=0.02)


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        (["small_side=24"], "small_side=24 small_epochs=0 shrinks nothing"),
        (["small_epochs=2"], "small_side=0 small_epochs=2 shrinks nothing"),
        (["small_side=24", "small_epochs=7"], "small_epochs=7 leaves none of 7 epochs"),
    ],
)
def test_pictures_that_can_not_be_small(changes, line):
    with pytest.raises(ValueError, match=re.escape(line)):
        recipes.adapt(recipes.change(RECIPE, changes), 80_000, epochs=7)


def test_small_pictures_leave_an_epoch_for_whole_ones():
    recipe = recipes.adapt(recipes.change(RECIPE, ["small_side=24", "small_epochs=6"]), 80_000, epochs=7)
    assert (recipe.small_side, recipe.small_epochs, recipe.epochs) == (24, 6, 7)


def test_a_batch_that_can_not_be_filled():
    with pytest.raises(ValueError, match="20 training pictures can't fill a batch of 64"):
        recipes.adapt(RECIPE, 20, batch_size=64)
