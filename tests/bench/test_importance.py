"""The benchmarks of pixel importance: maps and intervals by hand, tables, and others' maps beside ours."""

import re
from types import SimpleNamespace

import keras
import numpy as np
import pytest

from bench import faithfulness, gradient_speed, occluders, occlusion_speed
from cnnvis.attribution import occlusion
from cnnvis.checkpoints import checkpoint
from cnnvis.network import Classifier
from models.convnet import Variant, build_model
from tests.bench.test_bench import cells

pytestmark = pytest.mark.once  # independent of versions


@pytest.fixture
def tiny():
    """A narrow `deep` with random weights, batch normalisation included."""
    model = build_model("deep", 10, Variant(widths=(4, 6, 8)), mean=[120, 110, 100], variance=[3600, 3000, 2500])
    rng = np.random.default_rng(0)
    for weights in model.weights:
        weights.assign(weights.numpy() * rng.uniform(0.5, 1.5, weights.shape) + rng.uniform(-0.1, 0.1, weights.shape))
    return model


def test_the_tutorials_map_by_hand():
    weights = np.arange(20.0).reshape(4, 5)

    def probabilities(images):
        scores = (images[..., 0] * weights).sum(axis=(1, 2))
        return np.stack([scores, -scores], axis=1)

    image, noise = np.full((4, 5, 1), 3.0), np.full((20, 4, 5, 1), 2.0)  # the image is 1 above the noise
    drops = occluders.tutorial_map(probabilities, image, 0, noise, size=3)
    assert drops.shape == (4, 5)
    assert drops[0, 0] == 0 + 1 + 5 + 6
    assert drops[1, 2] == 9 * 7
    assert drops[2, 4] == 8 + 9 + 13 + 14 + 18 + 19
    assert drops[3, 1] == 10 + 11 + 12 + 15 + 16 + 17
    np.testing.assert_array_equal(occluders.tutorial_map(probabilities, image, 1, noise, size=3), -drops)


def test_each_patch_of_the_tutorial_has_its_own_noise():
    noise = np.arange(9.0).reshape(9, 1, 1, 1) * np.ones((3, 3, 1))
    drops = occluders.tutorial_map(lambda images: images.sum(axis=(1, 2)), np.zeros((3, 3, 1)), 0, noise, size=1)
    assert drops.ravel().tolist() == [-pixel for pixel in range(9)]


def test_the_interval_of_a_coins_mean_is_the_binomials():
    coins = np.repeat([0.0, 1.0], 50)
    np.testing.assert_allclose(faithfulness.interval(coins), [0.4, 0.6], atol=0.01)  # of 100 tosses, 40 to 60


def test_differences_are_taken_image_by_image(monkeypatch):
    monkeypatch.setattr(faithfulness, "RESAMPLES", 200)
    ours = np.random.default_rng(0).normal(size=30)
    np.testing.assert_allclose(faithfulness.interval(ours + 0.1 - ours), 0.1)
    both = faithfulness.interval(np.stack([ours, ours + 0.1]), seed=3)
    np.testing.assert_allclose(both[:, 1] - both[:, 0], 0.1)
    np.testing.assert_allclose(both[:, 0], faithfulness.interval(ours, seed=3))


def test_the_table_of_maps_by_hand(monkeypatch):
    monkeypatch.setattr(faithfulness, "RESAMPLES", 50)
    scores = {"ours": np.full((2, 4), [[0.25], [0.75]]), "theirs": np.full((2, 4), [[0.5], [0.625]])}
    header, _, *rows = cells(faithfulness.table(scores))
    assert header[1:] == [
        *("deletion", "insertion", "insertion − deletion"),
        *("deletion, to ours", "insertion, to ours", "insertion − deletion, to ours"),
    ]
    own = ["0.250 (0.250 to 0.250)", "0.750 (0.750 to 0.750)", "0.500 (0.500 to 0.500)"]
    assert rows[0] == ["ours", *own, "–", "–", "–"]
    own = ["0.500 (0.500 to 0.500)", "0.625 (0.625 to 0.625)", "0.125 (0.125 to 0.125)"]
    beside = ["+0.250 (+0.250 to +0.250)", "-0.125 (-0.125 to -0.125)", "-0.375 (-0.375 to -0.375)"]
    assert rows[1] == ["theirs", *own, *beside]


def test_the_number_of_patches_of_each_contender():
    patches = {name: contender.patches(32, 32) for name, contender in occlusion_speed.CONTENDERS.items()}
    assert patches.pop("tf_explain") == 8 * 8
    assert patches.pop("banzhaf") == 16 * 64  # grids, each with 32 masks and their complements
    assert set(patches.values()) == {28 * 28}


def test_ready_made_images_have_one_patch_hidden(images):
    hidden = occlusion_speed.ready_made(images[:2])
    assert hidden.shape == (2 * 784, 32, 32, 3)
    expected = images[1].astype("float32")
    expected[27:, 27:] = 0
    np.testing.assert_array_equal(hidden[-1], expected)


def test_contenders_take_turns(monkeypatch, tmp_path, capsys):
    turns = []
    rates = {"forward": 1000, "predict": 500, "ours": 900}

    def run(name, args):
        turns.append(name)
        return rates.get(name, 90) * (1, 2, 1)[(len(turns) - 1) // len(occlusion_speed.CONTENDERS)]

    monkeypatch.setattr(occlusion_speed, "run", run)
    monkeypatch.setattr(occluders, "check_installed", lambda: None)
    monkeypatch.setattr(occluders, "versions", lambda: "others of today")
    out = tmp_path / "new" / "table.md"
    assert occlusion_speed.main(["--rounds", "3", "--seconds", "7", "--cores", "5", "--out", str(out)]) == 0
    assert turns == list(occlusion_speed.CONTENDERS) * 3
    said = capsys.readouterr().out
    assert said == out.read_text(encoding="utf-8")
    assert re.search(
        r"others of today; .*, float32, 5 threads, 4 images .* n = 3 rounds .* 7 s for each contender\.$",
        said.splitlines()[0],
    )
    rows = dict(zip(occlusion_speed.CONTENDERS, cells(said)[2:], strict=True))
    assert rows["forward"][1:] == ["1,000 (1,000–2,000)", "100%", "0.90×"]
    assert rows["ours"][1:] == ["900 (900–1,800)", "90%", "1.00×"]
    assert rows["captum_on_torch_64"] == ["Captum on the network in PyTorch, 64 at once", "90 (90–180)", "9%", "10.00×"]


@pytest.mark.parametrize("script", [faithfulness, occlusion_speed])
def test_a_missing_package_is_named_in_one_line(script, monkeypatch, capsys):
    monkeypatch.setattr(occluders, "find_spec", lambda package: None if package == "captum" else package)
    assert script.main([]) == 2
    err = capsys.readouterr().err
    assert "not installed: captum. Run make bench-importance" in err
    assert len(err.splitlines()) == 1


def test_tf_explain_hides_patches_by_grey():
    pytest.importorskip("tf_explain")
    seen = []

    def predict(images, batch_size):
        seen.extend(images)
        return images[:, 8:12, 20:24].mean(axis=(1, 2)) / 255  # the target is the third colour of this patch

    drops = occluders.tf_explain_map(SimpleNamespace(predict=predict), np.full((32, 32, 3), 255, "uint8"), 2)
    assert len(seen) == 64
    assert drops.shape == (32, 32)
    assert np.argwhere(drops == drops.max()).mean(axis=0).tolist() == [9.5, 21.5]
    assert 0 < drops.max() <= 0.5


def test_captums_map_is_ours_for_any_number_of_patches_per_call(tiny, images):
    pytest.importorskip("captum")
    classifier, image = Classifier(tiny), images[:1]
    black = occlusion.baseline_images(image, "zero")
    ours = occlusion.occlusion_maps(
        classifier.logits, image, np.array([3]), baselines=black, windows=[occluders.WINDOW]
    )[0]
    assert ours.std() > 1e-3
    score = occluders.as_torch(classifier.logits)
    for baseline, at_once in (0, 1), (0, 64), (black[0], 784):
        drops = occluders.captum_map(score, image[0], 3, baseline=baseline, at_once=at_once)
        np.testing.assert_allclose(drops, ours, atol=1e-3 * np.abs(ours).max())


def test_the_network_in_pytorch_has_keras_logits(tiny, images):
    torch = pytest.importorskip("torch")
    for model in tiny, build_model("basic", 4, Variant(widths=(4, 6)), mean=(120,) * 3, variance=(4000,) * 3):
        network, x = occluders.torch_network(model), torch.from_numpy(np.moveaxis(images, -1, 1).astype("float32"))
        with torch.inference_mode():
            logits = network(x).numpy()
        expected = Classifier(model).logits(images)
        assert expected.std(axis=0).max() > 0.01
        np.testing.assert_allclose(logits, expected, rtol=1e-4, atol=1e-4)


def test_a_layer_that_can_not_be_translated_is_named(sequential):
    pytest.importorskip("torch")
    with pytest.raises(ValueError, match="average is a GlobalAveragePooling2D"):
        occluders.torch_network(sequential)


@pytest.fixture
def stored(tiny, tmp_path):
    checkpoint.save(tiny, {"input_range": [0, 255]}, tmp_path / "tiny.keras")
    return tmp_path / "tiny.keras"


@pytest.mark.slow
def test_a_short_run_of_each_map(stored, cifar10, capsys):
    for package in occluders.PACKAGES:
        pytest.importorskip(package)
    assert faithfulness.main(["--num", "2", "--model", str(stored), "--baseline", "0"]) == 0
    said = capsys.readouterr().out
    assert f"Keras {keras.__version__}; " in said
    assert "n = 2 random test images (seed 0), scored with the baseline 0.0" in said
    rows = cells(said)[2:]
    assert [row[0] for row in rows][:3] == ["ours", "ours, `--method occlusion`", "the tutorial's"]
    assert len(rows) == 8
    assert all(0 <= float(cell.split()[0]) <= 1 for row in rows for cell in row[1:3])


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    ["ours", "banzhaf", "predict", "tf_explain", "captum_on_keras_256", "captum_on_torch_256", "torch_channels_first"],
)
def test_a_short_turn(name, stored, capsys):
    for package in occluders.PACKAGES:
        pytest.importorskip(package)
    options = ["--contender", name, "--num", "1", "--seconds", "0.01", "--model", str(stored)]
    assert occlusion_speed.main(options) == 0
    assert float(capsys.readouterr().out) > 0


def test_parts_for_tf_explain_have_one_class_and_every_image_once():
    targets = np.array([3, 1, 3, 3, 0, 1])
    parts = list(gradient_speed._parts_of_classes(targets, 2))
    assert sorted(np.concatenate([places for _, places in parts])) == list(range(6))
    assert all(len(places) <= 2 and set(targets[places]) == {target} for target, places in parts)


@pytest.mark.slow
@pytest.mark.parametrize("name", gradient_speed.CONTENDERS)
def test_a_short_turn_with_gradients(name, stored, capsys):
    for package in ("captum", "tf_explain", "tf_keras_vis"):
        if name.startswith(package):
            pytest.importorskip(package)
    assert gradient_speed.main(["--contender", name, "--num", "3", "--few", "2", "--model", str(stored)]) == 0
    assert float(capsys.readouterr().out) > 0
