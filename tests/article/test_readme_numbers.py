"""Numbers in the README are those that the project computes."""

import csv
import re
from pathlib import Path

import h5py
import numpy as np
import pytest

import visualize_pixel_importance
from article import catalogue, curves, filters, improving, learning, looking, network, pixels

pytestmark = pytest.mark.once  # on the lowest versions it would say nothing new

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def sources():
    return catalogue.Sources()


def stands(sentence, *values, slack=0):
    """Whether the README has a sentence with these numbers in place of each {}, as precisely as it says them.

    A number that lies between two digits may be rounded to either; and it may differ by `slack` besides.
    """
    for found in re.finditer(re.escape(sentence).replace(r"\{\}", r"([\d,]+(?:\.\d+)?)"), README):
        numbers = [number.replace(",", "") for number in found.groups()]
        off = [abs(float(number) - value) for number, value in zip(numbers, values, strict=True)]
        if all(o <= slack + 0.51 * 10 ** -len(number.partition(".")[2]) for o, number in zip(off, numbers)):
            return True
    return False


def signed(value, form):
    return format(value, form).replace("-", "−")


def latex(value):
    """A number as a formula has it: without a gap behind its commas."""
    return f"{value:,}".replace(",", "{,}")


def pixel_numbers(of):
    top, left, side = catalogue.EYE
    eye = of.grey(catalogue.PUPPY)[top : top + side, left : left + side]
    red, green, blue = of.images[catalogue.PUPPY][top : top + side, left : left + side].reshape(-1, 3)[eye.argmin()]
    yield f"its darkest pixel is {eye.min()}."
    yield f"goes up to {eye.max()}."
    yield f"red {red}, green {green} and blue {blue}"
    grey = round(0.299 * red + 0.587 * green + 0.114 * blue)
    yield f"$0.299 \\cdot {red} + 0.587 \\cdot {green} + 0.114 \\cdot {blue} \\approx {grey}$"
    yield f"59.8 + 58.7 + 5.7 \\approx {pixels.grey_levels(np.array([200, 100, 50]))}$"
    yield f"$32 \\cdot 32 \\cdot 3 = {latex(of.images[0].size)}$"


def filter_numbers(of):
    leg, sign = catalogue.leg(of), catalogue.sign(of)
    total, across = (leg * filters.VERTICAL).sum(), (leg * filters.HORIZONTAL).sum()
    yield f"+ b = {total} {signed(catalogue.BIAS, 'd').replace('−', '- ')} = {total + catalogue.BIAS}$$"
    yield f"work out the {total} yourself"
    yield f"{signed(across + catalogue.BIAS, 'd')}: the sum is {signed(across, 'd')}."
    yield f"its output is {(sign * filters.REDDISH).sum() + catalogue.RED_BIAS:,}."
    below = filters.respond(of.images[catalogue.TRUCK], filters.REDDISH, catalogue.RED_BIAS)[18, 7]
    yield f"it is {signed(below, 'd')}:"
    even = filters.respond(np.full((3, 3), 100), filters.VERTICAL, catalogue.BIAS).item()
    yield f"and $0 - {-catalogue.BIAS} = {even}$."
    spot = np.full((3, 3), -1)
    spot[1, 1] = 8
    assert filters.respond(np.full((3, 3), 77), spot).item() == 0


def layer_numbers(of):
    import keras

    from models import convnet

    yield f"$(32 + 0 - 3) / 1 + 1 = {32 - 3 + 1}$. An 11×11 filter would leave {32 - 11 + 1},"
    yield f"fifteen layers of 3×3 just {32 - 15 * 2}."
    strided = keras.layers.Conv2D(1, 5, strides=2)(np.zeros((1, 32 + 4, 32 + 4, 1), "float32"))
    yield f"so {strided.shape[1]}×{strided.shape[2]}."
    model = convnet.build_model("basic", 10)
    yield f"The {model.count_params():,} numbers of `basic`"
    rows = {"CONV, 32 filters of 3×3×3": "conv1", "CONV, 32 filters of 3×3×32": "conv2"}
    rows |= {"CONV, 64 filters of 3×3×32": "conv3", "CONV, 64 filters of 3×3×64": "conv4"}
    rows |= {"POOL | 16×16×32": "pool1", "POOL | 8×8×64": "pool2", "FLATTEN": "flatten"}
    for words, name in (rows | {"FC, 256 units": "fc1", "FC, 10 units": "fc2"}).items():
        layer = model.get_layer(name)
        shape = "×".join(f"{side:,}" for side in layer.output.shape[1:])
        yield (
            f"| {words} | {layer.count_params():,} |"
            if "|" in words
            else (f"| {words} | {shape} | {layer.count_params():,} |")
        )
    assert model.get_layer("fc1").count_params() > 0.9 * model.count_params()
    values = catalogue.pooled_values(of)
    upper_left = [network.pooled(values, how)[0, 0] for how in network.POOLS.values()]
    assert stands("upper left block is {}, the mean {}, the smallest {}.", *upper_left)
    assert (network.pooled(values, np.min) == 0).sum() == 3
    assert network.FEATURES == {"fur": 2, "ears": 1, "wheels": 0, "doors": 1}
    logits = np.array(list(network.WEIGHTS.values())) @ list(network.FEATURES.values())
    assert logits.tolist() == [2, 1, -2]
    assert stands("add up to {}, and $7.39 / 10.24 = {}\\%$.", np.exp(logits).sum(), 100 * network.softmax(logits)[0])
    assert stands("probabilities: truck {}%", 100 * of.probabilities([catalogue.TRUCK])[0].max())


def learning_numbers(of):
    x, y = of.animals
    best = learning.best(x, y)
    yield f"is a valley: {learning.cost(0, x, y):.2f} at A = 0,"
    yield f"and {learning.cost(2, x, y):.2f} at A = 2]"
    yield f"at $A \\approx {best:.3f}$ the cost is {learning.cost(best, x, y):.2f}."
    residuals = np.array(catalogue.RESIDUALS)
    yield f"make {signed(residuals.sum(), '.1f')}, since"
    yield f"= {(residuals**2).sum():.2f}$."
    yield f"$1.07 / 3 \\approx {(residuals**2).mean():.3f}$"
    path, slopes = of.path, [learning.slope(weight, x, y) for weight in of.path]
    yield f"the slope is {signed(slopes[0], '.3f')}, so $A$ becomes"
    yield f"$0 + {catalogue.RATE:g} \\cdot {-slopes[0]:.3f} = {path[1]:.3f}$"
    yield f"There the slope is {signed(slopes[1], '.3f')}, and $A$ becomes {path[2]:.3f}, and so on."
    right = (path[-1] * x > 0) == (y > 0)
    yield f"After {len(path) - 1} steps $A$ is {path[-1]:.2f}, and {right.sum()} of {len(x)} images"
    assert np.flatnonzero(~right).tolist() == [6, 15]  # a white car on red ground, a ship on green water
    slow, good, fast = (learning.descend(catalogue.START, rate, 6, x, y) for rate in (0.05, 0.5, 2))
    yield f"With 0.05, six steps reach {slow[-1]:.3f}. With 0.5 they reach {good[-1]:.3f}."
    assert (np.diff([learning.cost(weight, x, y) for weight in fast]) > 0).all()
    frog = x[catalogue.FROG]
    yield f"(1 - {0.5 * frog:.2f})"
    yield f"\\approx {learning.slope(0.5, frog, 1):.2f}$. It is negative"
    yield f"$-\\ln 0.1 \\approx {-np.log(0.1):.2f}$"


@pytest.mark.parametrize("numbers", [pixel_numbers, filter_numbers, layer_numbers, learning_numbers])
def test_the_numbers_of_the_article(numbers, sources):
    for sentence in numbers(sources):
        assert sentence in README, sentence


def test_the_weights_of_the_networks():
    from models import convnet

    for arch in convnet.ARCHITECTURES:
        assert f"| `{arch}` |" in README
        assert f" {convnet.build_model(arch, 10).count_params():,} |" in README


def test_the_last_epoch_of_the_curves():
    with open(ROOT / "models" / "stashed" / "cifar10_deep.csv", newline="") as file:
        last = list(csv.DictReader(file))[-1]
    assert f"it got {float(last['accuracy']):.2%} of its training images right" in README


def test_what_tricks_bring():
    gains = improving.gains(ROOT / "bench" / "tricks.csv")
    words = ", ".join(f"{name} {points:.2f}" for name, (points, _) in gains.items())
    assert words.replace("Muon 3.45", "Muon 3.45 points") in README


def test_what_is_said_of_patches(sources):
    whole, letters, ground, middle = 100 * catalogue.airplane_chances(sources)
    assert stands("An airplane, {}%; with a patch over the letters {}%", whole, letters)
    assert stands("over the ground {}%, over its middle {}%", ground, middle)


def test_what_is_said_of_the_hidden_middle(sources):
    top, left = catalogue.HIDDEN[2]
    hidden = looking.hide(sources.images[catalogue.AIRPLANE], top, left, catalogue.PATCH)
    (chances,) = 100 * sources.deep.classifier.probabilities(hidden[None])
    names = sources.samples.classes
    first, second = chances.argsort()[:-3:-1]
    assert (names[first], names[second]) == ("ship", "airplane")
    words = "A ship: with the patch of the figure above, {}% ship, {}% airplane."
    assert stands(words, chances[first], chances[second])


def test_what_a_value_of_conv3_sees(sources):
    from cnnvis.network import receptive_fields

    classifier = sources.basic.classifier
    seen = [
        receptive_fields(classifier, classifier.layer(name))[0].size for name in ("conv1", "conv2", "pool1", "conv3")
    ]
    assert "{0}×{0}, then {1}×{1}, then {2}×{2}. ".format(*seen) in README
    assert f"so the next CONV adds {seen[3] - seen[2]}: {seen[3]}×{seen[3]}." in README


def test_what_is_said_of_the_curves():
    ends = {name: curves.rows(name)[-1] for name in ("images_500", "images_5000", "images_45000", "not_augmented")}
    for count in (500, 5000, 45000):
        row = ends[f"images_{count}"]
        assert stands(f"{{}}% and {{}}% with {count:,}", 100 * row["accuracy"], 100 * row["val_accuracy"])
    plain, usual = ends["not_augmented"], ends["images_5000"]
    assert stands("It gets {}% of its images right, and {}% of those held out", *both(plain))
    assert stands("With augmentation: {}% and {}%.", *both(usual))
    first = curves.rows("raw_pixels")[0]
    assert stands("The first loss is {} instead of {}", first["raw"], first["normalised"])
    assert max(curves.column("rate_too_high", "loss")) > 1000
    assert curves.column("rate_too_low", "loss")[-1] > 2


def both(row):
    return 100 * row["accuracy"], 100 * row["val_accuracy"]


@pytest.mark.slow
def test_what_is_said_of_hidden_parts(tmp_path):
    order = [catalogue.AIRPLANE, 5, catalogue.HORSE, catalogue.TRUCK]
    arguments = ["--data", "samples", "--indices", *map(str, order), "--out", str(tmp_path)]
    assert visualize_pixel_importance.main(arguments) == 0
    with h5py.File(tmp_path / "pixel_importance.h5") as arrays:
        airplane, frog, horse, truck = zip(100 * arrays["probability"][:], 100 * arrays["hidden_probability"][:])
    assert stands("middle: without that patch, {}% drops to {}%.", *airplane)
    assert stands("face: without that patch, {}% drops to {}%.", *frog)
    assert stands("even this patch: {}% drops only to {}%.", *horse)
    assert stands("the truck: {}% rises to {}%.", *truck)


@pytest.mark.slow
def test_which_map_is_said_to_be_best(tmp_path):
    order = {"airplane": catalogue.AIRPLANE, "frog": 5, "horse": catalogue.HORSE}
    arguments = ["--data", "samples", "--indices", *map(str, order.values()), "--method", "all", "--sanity"]
    assert visualize_pixel_importance.main([*arguments, "--out", str(tmp_path)]) == 0
    with h5py.File(tmp_path / "pixel_importance.h5") as arrays:
        groups = {name: arrays[name] for name in ("banzhaf", "occlusion", "gradcam", "gradients", "smoothgrad")}
        better = {name: group["insertion"][:] - group["deletion"][:] for name, group in groups.items()}
        alike = [group["likeness"][0] for group in list(groups.values())[:2]]
    best = [max(better, key=lambda name: better[name][place]) for place in range(len(order))]
    assert dict(zip(order, best)) == {"airplane": "banzhaf", "frog": "occlusion", "horse": "banzhaf"}
    assert "best for Banzhaf values (airplane, horse) and occlusion (frog)." in README
    assert stands("(correlations {} and {})", *alike, slack=0.05)


@pytest.mark.slow
def test_what_is_said_of_the_results(shipped_results):
    """Of 10,000 images, three may be ties."""
    with h5py.File(shipped_results / "results.h5") as arrays:
        confusion, classes = arrays["confusion"][:], list(arrays.attrs["classes"])
        both = confusion + confusion.T
        np.fill_diagonal(both, 0)
        assert {classes[c] for c in np.unravel_index(both.argmax(), both.shape)} == {"cat", "dog"}
        assert stands("it is underconfident by {} points", 100 * arrays.attrs["calibration_error"], slack=0.03)
        assert stands("flags {} of the 10,000 labels", len(arrays["label_suspects"]), slack=3)
        assert stands("{}% of 10,000 new images", 100 * arrays.attrs["accuracy"], slack=0.03)
