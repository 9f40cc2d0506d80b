"""Training ends when held-out images no longer gain by it, with the weights of the best epoch."""

import keras
import numpy as np
import pytest

from cnnvis.training.early_stop import EarlyStop

LOSSES = [3.0, 2.0, 2.5, 1.0, 1.5, 1.0, 1.2, 0.1]


def one_weight():
    return keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, use_bias=False)])


def run(stop, model, first=0):
    """Train from the epoch `first`: each leaves its number as the weight. Returns how many are complete at the end."""
    stop.set_model(model)
    for epoch in range(first, len(LOSSES)):
        model.set_weights([np.full((1, 1), epoch + 1.0)])
        stop.on_epoch_end(epoch, {"val_loss": LOSSES[epoch]})
        if model.stop_training:
            break
    return epoch + 1


@pytest.mark.parametrize(("patience", "ended", "best"), [(1, 3, 2), (2, 6, 4), (3, 7, 4), (4, 8, 8), (9, 8, 8)])
def test_the_best_weights_are_kept(patience, ended, best):
    model = one_weight()
    stop = EarlyStop(model, patience)
    assert run(stop, model) == ended
    assert stop.restore() == best
    assert float(model.get_weights()[0][0, 0]) == best


@pytest.mark.parametrize("interrupted", [1, 3, 4])
def test_a_resumed_training_ends_where_it_would_have(interrupted):
    model, again = one_weight(), one_weight()
    stop, resumed = EarlyStop(model, 2), EarlyStop(again, 2)
    stop.set_model(model)
    for epoch in range(interrupted):
        model.set_weights([np.full((1, 1), epoch + 1.0)])
        stop.on_epoch_end(epoch, {"val_loss": LOSSES[epoch]})
    for variable, kept in zip(resumed.state, stop.state, strict=True):
        variable.assign(kept)
    assert not resumed.ended(interrupted)
    assert run(resumed, again, first=interrupted) == 6
    assert resumed.restore() == 4
    assert float(again.get_weights()[0][0, 0]) == 4


def test_nothing_ends_before_the_first_epoch():
    assert not EarlyStop(one_weight(), 1).ended(5)
