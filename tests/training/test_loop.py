"""The training loop shows every batch once, and an interrupted run ends like one that was not interrupted."""

import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf
from tensorflow.python.framework import config  # the public API switches determinism on, but not off

from cnnvis.images import sources
from cnnvis.training import building, distribution, fast_layers, journal, loop, recipes
from cnnvis.training.batches import Batches
from cnnvis.training.run import Run
from models.convnet import Variant, build_model

RECIPE = recipes.RECIPES["deep"]


class Seen(keras.layers.Layer):
    """The identity, which remembers the images that it is trained on."""

    def call(self, images, training=False):
        if training:
            tf.py_function(lambda images: self.batches.append(images.numpy()), [images], [])
        return images


def test_fit_shows_every_batch_once_and_in_order(images):
    recipe = dataclasses.replace(RECIPE, batch_size=3, epochs=5)
    held_out = sources.Dataset("held out", images, np.arange(7), tuple("abcdefg"))
    batches = Batches(images, np.arange(7), recipe, seed=1, epoch=2)
    expected = [batch for epoch in (2, 3, 4) for batch, _ in batches.of_epoch(epoch)]
    seen = Seen()
    seen.batches = []
    pool = keras.layers.GlobalAveragePooling2D()
    model = keras.Sequential([keras.Input((32, 32, 3)), seen, pool, keras.layers.Dense(7), keras.layers.Softmax()])
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"], jit_compile=False)
    rows = []
    remember = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: rows.append((epoch, dict(logs))))
    loop.fit(model, recipe, batches, held_out=held_out, callbacks=[remember])
    for batch, shown in zip(expected, seen.batches, strict=True):
        np.testing.assert_array_equal(shown, batch)
    assert [epoch for epoch, _ in rows] == [2, 3, 4]
    loss = model.evaluate(images.astype("float32"), np.arange(7), verbose=0, return_dict=True)["loss"]
    assert rows[-1][1]["val_loss"] == pytest.approx(loss, rel=1e-4)


def test_small_maps_are_packed_in_a_training_step(images, monkeypatch):
    """For that, the size of the images must be known in a training step."""
    packed, sizes = fast_layers._packed_convolution, []
    monkeypatch.setattr(fast_layers, "_packed_convolution", lambda x, k: sizes.append(x.shape[1:3]) or packed(x, k))
    fast = {
        "softmax": False,
        "normalization": fast_layers.RowNormalization,
        "batch_normalization": fast_layers.FusedBatchNormalization,
        "convolution": fast_layers.PackedConv2D,
    }
    model = build_model("deep", 7, Variant(widths=(4, 8, 8), **fast))
    sizes.clear()
    recipe = dataclasses.replace(RECIPE, batch_size=7, epochs=1)
    building.compile_model(model, recipe, 1)
    loop.fit(model, recipe, Batches(images, np.arange(7), recipe, seed=0))
    assert list(dict.fromkeys(sizes)) == [(7, 7), (3, 3)]


class Stop(Exception):
    pass


@pytest.mark.slow
@pytest.mark.parametrize("arch", ["basic", "deep"])
def test_an_interrupted_run_ends_in_the_same_weights(arch, tmp_path, images):
    """With two ghost batches per step."""
    images = np.tile(images, (6, 1, 1, 1))
    labels = np.tile(np.arange(7), 6)
    changes = {"batch_size": 14, "epochs": 4, "learning_rate": 0.01, "ghost_batch": 7}
    recipe = dataclasses.replace(recipes.RECIPES[arch], **changes)
    options = {
        "softmax": False,
        "normalization": fast_layers.RowNormalization,
        **distribution.layers(tf.distribute.get_strategy(), recipe),
    }
    if arch == "deep":
        options["widths"] = (16, 32, 32)  # of which several threads still share the work

    def fit(name, stop_after=None):
        run = Run(tmp_path, name)
        keras.utils.set_random_seed(0)
        model = build_model(arch, 7, Variant(**options), mean=(120,) * 3, variance=(4000,) * 3)
        batches = Batches(images, labels, recipe, seed=0)
        building.compile_model(model, recipe, 12)
        if run.state.exists():
            batches.epoch = journal.load_state(model, run.state, 3)
        rows = run.read_rows(batches.epoch)
        assert [row["epoch"] for row in rows] == list(range(1, batches.epoch + 1))

        def draw(rows):
            if len(rows) == stop_after:
                raise Stop

        log = journal.Journal(run, rows, report=draw, batch_size=14)
        loop.fit(model, recipe, batches, callbacks=[log])
        return model.get_weights(), run.read_rows(4)

    tf.config.experimental.enable_op_determinism()
    try:
        whole, rows = fit("whole")
        with pytest.raises(Stop):
            fit("resumed", stop_after=2)  # the last epoch's row is written, its state is not
        resumed, resumed_rows = fit("resumed")
    finally:
        config.disable_op_determinism()
    for a, b in zip(whole, resumed):
        np.testing.assert_array_equal(a, b)
    assert [row["loss"] for row in rows] == [row["loss"] for row in resumed_rows]
