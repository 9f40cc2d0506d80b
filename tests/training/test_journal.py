"""After every epoch: its seconds, and whether the training has diverged."""

import dataclasses
import re

import numpy as np
import pytest

from cnnvis.training import building, journal, loop, recipes
from cnnvis.training.batches import Batches
from cnnvis.training.run import Run
from models.convnet import Variant, build_model

RECIPE = recipes.RECIPES["deep"]


@pytest.mark.parametrize(("validates", "seconds"), [(False, 9), (True, 5)])
def test_the_seconds_of_an_epoch_exclude_only_validation(validates, seconds, tmp_path, monkeypatch, images):
    clock = iter([100, 104, 105, 109] if validates else [100, 104, 109])
    monkeypatch.setattr(journal.time, "perf_counter", lambda: next(clock))
    rows = []
    model = build_model("basic", 7, Variant(softmax=False))
    building.compile_model(model, RECIPE, 1)
    log = journal.Journal(Run(tmp_path, "run"), rows, batch_size=45)
    log.set_model(model)
    log.on_epoch_begin(0)
    log.on_train_batch_end(0, {"loss": 1.0, "accuracy": 0.5})
    if validates:
        log.on_test_begin()
    log.on_epoch_end(0, {"loss": 1.0})
    assert (rows[0]["seconds"], rows[0]["images_per_second"]) == (seconds, 45 / seconds)


def test_a_loss_that_is_not_finite_stops_the_run(tmp_path, images):
    recipe = dataclasses.replace(recipes.RECIPES["basic"], batch_size=7, epochs=9, learning_rate=1e30)
    model = build_model("basic", 7, Variant(softmax=False))
    building.compile_model(model, recipe, 9)
    log = journal.Journal(Run(tmp_path, "run"), [], batch_size=7)
    batches = Batches(images, np.arange(7), recipe, seed=0)
    with pytest.raises(ValueError, match=r"training diverged \(.*\) in epoch \d: try a smaller --learning-rate"):
        loop.fit(model, recipe, batches, callbacks=[log])


@pytest.mark.parametrize(
    ("logs", "weight", "why"),
    [
        ({"loss": np.nan}, 0.0, "the loss is NaN"),
        ({"loss": np.inf}, 0.0, "the loss is infinite"),
        ({"loss": 1.0}, np.nan, "weights are NaN or infinite"),
        ({"loss": 1.0}, np.inf, "weights are NaN or infinite"),
        ({"loss": 1.0, "val_loss": np.nan}, 0.0, "the loss is NaN"),
    ],
)
def test_a_diverged_run_says_why_and_leaves_no_files(logs, weight, why, tmp_path):
    """Even in the last step of an epoch, after which no loss is computed."""
    model = build_model("basic", 7, Variant(softmax=False))
    building.compile_model(model, RECIPE, 1)
    run = Run(tmp_path, "run")
    run.begin({})
    log = journal.Journal(run, [], batch_size=7)
    log.set_model(model)
    log.on_epoch_begin(4)
    model.get_layer("fc2").bias.assign(np.full(7, weight))

    def end_epoch():
        log.on_train_batch_end(0, {"accuracy": 0.5, **logs})
        log.on_epoch_end(4, logs)

    with pytest.raises(ValueError, match=re.escape(f"training diverged ({why}) in epoch 5: try a smaller")):
        end_epoch()
    assert not list(tmp_path.iterdir())
