"""Transfer learning: the new last layer is the best one, and train.py makes a plain network from anybody's."""

import keras
import numpy as np
import pytest
from keras import layers
from sklearn.linear_model import LogisticRegression

import train
from cnnvis import checkpoints, images, network
from cnnvis.training import recipes, transfer
from tests.scripts.test_scripts import refused
from tests.training.test_resume import interrupt_after_the_first_epoch, names, unfinished

QUICK = ["--data", "digits", "--limit", "64", "--batch-size", "32", "--name", "run", "--precision", "float32"]


@pytest.fixture
def base(tmp_path):
    """Somebody's network: grey images of 12x12 pixels, 0 to 1, with dropout and batch normalisation."""
    keras.utils.set_random_seed(3)
    inner = [layers.Conv2D(6, 3, name="edges"), layers.BatchNormalization(), layers.ReLU(), layers.MaxPooling2D()]
    last = [layers.Flatten(), layers.Dropout(0.5), layers.Dense(3, activation="softmax", name="old")]
    path = tmp_path / "theirs.keras"
    keras.Sequential([keras.Input((12, 12, 1)), *inner, *last]).save(path)
    return path


@pytest.fixture
def digits():
    dataset, _, _ = images.for_training("digits", limit=150, size=(12, 12))
    return dataset


def opened(base):
    return transfer.open_base(base, (0, 1))


def test_the_new_layer_is_that_of_logistic_regression():
    rng = np.random.default_rng(0)
    features, labels = rng.normal(3, (1, 5, 0.1), (80, 3)), rng.integers(0, 4, 80)
    features[:, 0] += labels
    kernel, bias = transfer.solved(features, labels, 4, penalty=0.02)
    mean, deviation = features.mean(axis=0), features.std(axis=0) + 1e-6
    x = np.column_stack([(features - mean) / deviation, np.ones(80)])
    theirs = LogisticRegression(C=1 / (0.02 * 80), fit_intercept=False, tol=1e-8, max_iter=1000).fit(x, labels)
    ours = features @ kernel + bias
    np.testing.assert_allclose(np.exp(ours) / np.exp(ours).sum(1, keepdims=True), theirs.predict_proba(x), atol=1e-3)


def test_the_new_network_begins_as_the_old_one_with_a_new_last_layer(base, digits):
    trained = keras.saving.load_model(base)
    start = transfer.build(opened(base), digits, recipes.TRANSFER, softmax=False)
    grey = digits.images.astype("float32") @ np.array([0.299, 0.587, 0.114], "float32") / 255
    features = keras.Model(trained.inputs, trained.layers[-2].output)(grey[..., None]).numpy()
    kernel, bias = start.get_layer("old").get_weights()
    for training in (False, True):  # dropout and batch normalisation keep still
        logits = start(digits.images.astype("float32"), training=training).numpy()
        np.testing.assert_allclose(logits, features @ kernel + bias, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(("tuned", "learning"), [("0", ["old"]), ("0.5", ["batch", "old"]), ("1", ["edges", "old"])])
def test_only_the_last_layers_learn(base, digits, tuned, learning):
    recipe = recipes.recipe_of(None, [f"tuned={tuned}"])
    model = transfer.build(opened(base), digits, recipe, softmax=False)
    paths = [weight.path for weight in model.trainable_weights]
    assert all(any(name in path for path in paths) for name in learning)
    assert any("edges" in path for path in paths) == ("edges" in learning)


def test_train_makes_a_plain_network(base, tmp_path, capsys):
    options = ["--start-from", str(base), "--input-range", "0", "1", "--epochs", "1", "--out", str(tmp_path)]
    assert train.main([*QUICK, *options]) == 0
    assert "while its layers keep still, a new last one gets" in capsys.readouterr().out
    checkpoint = checkpoints.load(tmp_path / "run.keras")
    assert checkpoint.metadata["start_from"] == {"name": str(base), "sha256": checkpoints.load(base).digest}
    assert checkpoint.metadata["architecture"]
    test = images.load("digits", "test", size=(12, 12))
    plain = keras.saving.load_model(tmp_path / "run.keras").predict(test.images[:50].astype("float32"), verbose=0)
    ours = network.take_apart(checkpoint).probabilities(test.images[:50])
    np.testing.assert_allclose(ours, plain, atol=1e-5)
    assert (ours.argmax(axis=1) == test.labels[:50]).mean() > 0.5  # ten classes


def test_it_beats_a_network_from_nothing(tmp_path):
    """The base knows five of the digits; then come two images of each of the others."""
    dataset, _, test = images.for_training("digits", size=(12, 12))
    known, rest = (dataset.take(np.flatnonzero(chosen)) for chosen in (dataset.labels < 5, dataset.labels >= 5))
    keras.utils.set_random_seed(0)
    steps = [layers.Conv2D(16, 3, activation="relu"), layers.MaxPooling2D(), layers.Flatten()]
    model = keras.Sequential([keras.Input((12, 12, 3)), layers.Rescaling(1 / 255), *steps, layers.Dense(5)])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.01), loss, jit_compile=False)
    untrained = tmp_path / "untrained.keras"
    model.save(untrained)
    model.fit(known.images, known.labels, epochs=4, verbose=0)
    model.save(tmp_path / "trained.keras")
    few = rest.take(np.concatenate([np.flatnonzero(rest.labels == label)[:2] for label in range(5, 10)]))
    asked = test.labels >= 5
    accuracy = {}
    for path in (untrained, tmp_path / "trained.keras"):
        start = transfer.build(transfer.open_base(path), few, recipes.TRANSFER)
        accuracy[path.stem] = (
            network.Classifier(start).probabilities(test.images[asked]).argmax(1) == test.labels[asked]
        ).mean()
    assert accuracy["trained"] > accuracy["untrained"]


def test_a_resumed_run_needs_the_network_it_started_from(base, tmp_path, capsys, monkeypatch):
    out = tmp_path / "out"
    options = [*QUICK, "--start-from", str(base), "--input-range", "0", "1", "--epochs", "2", "--out", str(out)]
    with monkeypatch.context() as patched:
        interrupt_after_the_first_epoch(patched)
        assert train.main(options) == 130
    assert names(out) == unfinished()
    content = base.read_bytes()
    keras.Sequential([keras.Input((12, 12, 1)), layers.Flatten(), layers.Dense(4), layers.Dense(3)]).save(base)
    line = refused(capsys, "train", "--name", "run", "--out", out, "--resume")
    assert "has changed since the run began: put it back, or start with --overwrite" in line
    base.write_bytes(content)
    assert train.main(["--name", "run", "--out", str(out), "--resume"]) == 0
    assert checkpoints.load(out / "run.keras").metadata["start_from"]["name"] == str(base)


@pytest.mark.parametrize(
    ("options", "line"),
    [
        (["--start-from", "deep", "--arch", "basic"], "--start-from deep comes with an architecture: leave out --arch"),
        (["--input-range", "0", "1"], "--input-range is for the network of --start-from"),
        (["--start-from", "deep", "--recipe", "widths=4,8"], "widths has no effect with --start-from: leave it out"),
        (["--recipe", "tuned=0.5"], "tuned has no effect without --start-from: leave it out"),
        (["--start-from", "nothing.keras"], "there is no model nothing.keras"),
    ],
)
def test_options_that_contradict_each_other(options, line, tmp_path, capsys):
    assert line in refused(capsys, "train", *QUICK, *options, "--out", tmp_path)
    assert not [name for name in names(tmp_path) if name.endswith((".keras", ".json"))]
