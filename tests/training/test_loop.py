"""The pieces of training, each against what it stands for; and a run that is interrupted ends as one that is not."""

import dataclasses
import re

import keras
import numpy as np
import pytest
import tensorflow as tf
from tensorflow.python.framework import config  # what can be switched on in public can't be switched off there

from cnnvis.images import sources as data
from cnnvis.training import distribution, fast_layers, optimizers, recipes
from cnnvis.training import loop as training
from cnnvis.training.batches import Batches
from cnnvis.training.run import Run
from models.convnet import build_model

RECIPE = recipes.RECIPES["deep"]


def test_smoothed_cross_entropy_by_hand():
    logits = 3 + np.log([[0.25, 0.5, 0.125, 0.125]])  # which a constant does not change
    loss = training.SmoothedCrossEntropy(0.2)(np.array([1]), logits)
    by_hand = -(0.85 * np.log(0.5) + 0.05 * (np.log(0.25) + 2 * np.log(0.125)))
    assert float(loss) == pytest.approx(by_hand, rel=1e-5)


def test_whitening_filters_whiten(pictures):
    images = np.cumsum(np.random.default_rng(0).normal(size=(40, 16, 16, 3)), axis=2)
    filters = training.whitening_filters(images, 24, epsilon=0)
    outputs = keras.ops.conv(images.astype("float32"), filters).numpy().reshape(-1, 24)
    np.testing.assert_allclose(np.cov(outputs[:, :12], rowvar=False), np.eye(12), atol=0.02)
    np.testing.assert_array_equal(filters[..., 12:], -filters[..., :12])


def test_whitening_filters_see_nothing_where_grey_pictures_do_not_vary():
    grey = np.repeat(np.cumsum(np.random.default_rng(1).normal(size=(40, 16, 16, 1)), axis=2), 3, axis=-1)
    filters = training.whitening_filters(grey, 24)
    assert (np.abs(filters).max(axis=(0, 1, 2)) > 0).sum() == 8  # four directions, each with its negative
    np.testing.assert_allclose(filters[..., 0, :], filters[..., 1, :], atol=1e-6)


def test_whitening_filters_of_flat_pictures_are_finite():
    assert np.isfinite(training.whitening_filters(np.zeros((5, 8, 8, 3)), 24)).all()


@pytest.mark.parametrize(("policy", "dtype"), [("float32", "float32"), ("mixed_bfloat16", "bfloat16")])
def test_steps_are_made_orthogonal_in_the_precision_of_the_network(policy, dtype, monkeypatch):
    """Where a processor has no bfloat16, multiplying in it takes two or three times as long."""
    multiplied_in = []
    orthogonalize = optimizers.orthogonalize
    monkeypatch.setattr(optimizers, "orthogonalize", lambda m, d: multiplied_in.append(d) or orthogonalize(m, d))
    keras.config.set_dtype_policy(policy)
    model = build_model("deep", 7, softmax=False)
    training.compile_model(model, RECIPE, 9)
    kernels = model.get_layer("fc1").kernel, model.get_layer("conv2").kernel
    model.optimizer.apply([tf.ones(kernel.shape) for kernel in kernels], kernels)
    assert multiplied_in == [dtype, dtype]


class Seen(keras.layers.Layer):
    """Passes pictures on, and remembers those that it is trained on."""

    def call(self, images, training=False):
        if training:
            tf.py_function(lambda images: self.batches.append(images.numpy()), [images], [])
        return images


@pytest.mark.parametrize("small_epochs", [0, 3])
def test_fit_shows_every_batch_once_and_in_order(small_epochs, pictures):
    recipe = dataclasses.replace(RECIPE, batch_size=3, epochs=5, small_side=20, small_epochs=small_epochs)
    held_out = data.Pictures("held out", pictures, np.arange(7), tuple("abcdefg"))
    batches = Batches(pictures, np.arange(7), recipe, seed=1, epoch=2)
    expected = [images for epoch in (2, 3, 4) for images, _ in batches.of_epoch(epoch)]
    seen = Seen()
    seen.batches = []
    pool = keras.layers.GlobalAveragePooling2D()
    model = keras.Sequential([keras.Input((None, None, 3)), seen, pool, keras.layers.Dense(7), keras.layers.Softmax()])
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"], jit_compile=False)
    rows = []
    remember = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: rows.append((epoch, dict(logs))))
    training.fit(model, batches, held_out, [remember])
    for images, shown in zip(expected, seen.batches, strict=True):
        np.testing.assert_array_equal(shown, images)
    assert [len(images[0]) for images in seen.batches] == [20 if small_epochs else 32] * 2 + [32] * 4
    assert [epoch for epoch, _ in rows] == [2, 3, 4]
    loss = model.evaluate(pictures.astype("float32"), np.arange(7), verbose=0, return_dict=True)["loss"]
    assert rows[-1][1]["val_loss"] == pytest.approx(loss, rel=1e-4)


def test_maps_are_packed_in_both_stages(pictures, monkeypatch):
    """For that, a step of training has to know how large its pictures are."""
    packed, sizes = fast_layers._packed_convolution, []
    monkeypatch.setattr(fast_layers, "_packed_convolution", lambda x, k: sizes.append(x.shape[1:3]) or packed(x, k))
    fast = {
        "softmax": False,
        "normalization": fast_layers.RowNormalization,
        "batch_normalization": fast_layers.FusedBatchNormalization,
        "convolution": fast_layers.PackedConv2D,
    }
    model = build_model("deep", 7, input_shape=(None, None, 3), widths=(4, 8, 8), **fast)
    assert not sizes
    recipe = dataclasses.replace(RECIPE, batch_size=7, epochs=2, small_side=24, small_epochs=1)
    training.compile_model(model, recipe, 2)
    training.fit(model, Batches(pictures, np.arange(7), recipe, seed=0))
    assert list(dict.fromkeys(sizes)) == [(5, 5), (2, 2), (7, 7), (3, 3)]


class Stop(Exception):
    pass


@pytest.mark.parametrize(("arch", "small_epochs", "stops"), [("basic", 0, [2]), ("deep", 0, [2]), ("deep", 2, [2, 3])])
def test_an_interrupted_run_ends_in_the_same_weights(arch, small_epochs, stops, tmp_path, pictures):
    """In ghost batches, two a step, which cores work on side by side; between small images, and after the last."""
    images = np.tile(pictures, (6, 1, 1, 1))
    labels = np.tile(np.arange(7), 6)
    recipe = dataclasses.replace(recipes.RECIPES[arch], batch_size=14, epochs=4, learning_rate=0.01)
    recipe = dataclasses.replace(recipe, ghost_batch=7, small_side=24, small_epochs=small_epochs)
    options = {
        "softmax": False,
        "normalization": fast_layers.RowNormalization,
        **distribution.layers(tf.distribute.get_strategy(), recipe),
    }
    if small_epochs:
        options |= {"input_shape": (None, None, 3), "widths": (4, 8, 8)}
    elif arch == "deep":
        options["widths"] = (16, 32, 32)  # of which several threads still share the work

    def fit(name, stop_after=None):
        run = Run(tmp_path, name)
        keras.utils.set_random_seed(0)
        model = build_model(arch, 7, (120,) * 3, (4000,) * 3, **options)
        batches = Batches(images, labels, recipe, seed=0)
        training.compile_model(model, recipe, 12)
        if run.state.exists():
            batches.epoch = training.load_state(model, run.state, 3)
        rows = run.read_rows(batches.epoch)
        assert [row["epoch"] for row in rows] == list(range(1, batches.epoch + 1))

        def draw(rows):
            if len(rows) == stop_after:
                raise Stop

        journal = training.Journal(run, rows, draw, 14)
        training.fit(model, batches, callbacks=[journal])
        return model.get_weights(), run.read_rows(4)

    tf.config.experimental.enable_op_determinism()
    try:
        whole, rows = fit("whole")
        for stop in stops:
            with pytest.raises(Stop):
                fit("halves", stop_after=stop)  # the last epoch's row is written, its state is not
        resumed, resumed_rows = fit("halves")
    finally:
        config.disable_op_determinism()
    for a, b in zip(whole, resumed):
        np.testing.assert_array_equal(a, b)
    assert [row["loss"] for row in rows] == [row["loss"] for row in resumed_rows]


@pytest.mark.parametrize(("validates", "seconds"), [(False, 9), (True, 5)])
def test_the_seconds_of_an_epoch_leave_only_validation_out(validates, seconds, tmp_path, monkeypatch, pictures):
    clock = iter([100, 104, 105, 109] if validates else [100, 104, 109])
    monkeypatch.setattr(training.time, "perf_counter", lambda: next(clock))
    rows = []
    model = build_model("basic", 7, softmax=False)
    training.compile_model(model, RECIPE, 1)
    journal = training.Journal(Run(tmp_path, "run"), rows, lambda rows: None, batch_size=45)
    journal.set_model(model)
    journal.on_epoch_begin(0)
    journal.on_train_batch_end(0, {"loss": 1.0, "accuracy": 0.5})
    if validates:
        journal.on_test_begin()
    journal.on_epoch_end(0, {"loss": 1.0})
    assert (rows[0]["seconds"], rows[0]["images_per_second"]) == (seconds, 45 / seconds)


def test_a_loss_that_is_no_number_stops_the_run(tmp_path, pictures):
    recipe = dataclasses.replace(recipes.RECIPES["basic"], batch_size=7, epochs=9, learning_rate=1e30)
    model = build_model("basic", 7, softmax=False)
    training.compile_model(model, recipe, 9)
    journal = training.Journal(Run(tmp_path, "run"), [], lambda rows: None, 7)
    batches = Batches(pictures, np.arange(7), recipe, seed=0)
    with pytest.raises(ValueError, match=r"training diverged \(.*\) in epoch \d: try a smaller --learning-rate"):
        training.fit(model, batches, callbacks=[journal])


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
def test_what_diverged_is_told_and_not_kept(logs, weight, why, tmp_path):
    """Even where the last step of an epoch did it, of which no loss tells."""
    model = build_model("basic", 7, softmax=False)
    training.compile_model(model, RECIPE, 1)
    run = Run(tmp_path, "run")
    run.begin({})
    journal = training.Journal(run, [], lambda rows: None, 7)
    journal.set_model(model)
    journal.on_epoch_begin(4)
    model.get_layer("fc2").bias.assign(np.full(7, weight))

    def end_epoch():
        journal.on_train_batch_end(0, {"accuracy": 0.5, **logs})
        journal.on_epoch_end(4, logs)

    with pytest.raises(ValueError, match=re.escape(f"training diverged ({why}) in epoch 5: try a smaller")):
        end_epoch()
    assert not list(tmp_path.iterdir())


def test_weights_move_from_training_to_a_plain_model(pictures):
    trained = build_model("deep", 10, seed=1, batch_normalization=fast_layers.FusedBatchNormalization)
    plain = build_model("deep", 10, seed=2)
    plain.set_weights(trained.get_weights())
    x = pictures.astype("float32")
    np.testing.assert_allclose(plain(x, training=False), trained(x, training=False), rtol=1e-4, atol=1e-6)
