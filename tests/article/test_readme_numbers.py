"""Numbers in the README are those that the project computes."""

import csv
import re
from pathlib import Path

import h5py
import numpy as np
import pytest

import visualize_pixel_importance
from article import catalogue, filters, improving, learning, network

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


def filter_numbers(of):
    top, left = catalogue.LEG
    leg, sign = catalogue.leg(of), catalogue.sign(of)
    before = (leg * filters.VERTICAL).sum()
    yield f"+ b = {before} {signed(catalogue.CONSTANT, 'd').replace('−', '- ')} = {before + catalogue.CONSTANT}$$"
    yield f"the vertical one gave {before} before the constant"
    yield f"the horizontal one gives {signed((leg * filters.HORIZONTAL).sum(), 'd')}."
    yield f"On the sign it answers {(sign * filters.REDDISH).sum() + catalogue.RED_CONSTANT:,}."
    below = filters.respond(of.images[catalogue.TRUCK], filters.REDDISH, catalogue.RED_CONSTANT)[20, 5]
    yield f"it answers {signed(below, 'd')}."
    top, left, side = catalogue.EYE
    eye = of.grey(catalogue.PUPPY)[top : top + side, left : left + side]
    red, green, blue = of.images[catalogue.PUPPY][top : top + side, left : left + side].reshape(-1, 3)[eye.argmin()]
    yield f"its darkest pixel is {eye.min()}."
    yield f"goes up to {eye.max()}."
    yield f"red {red}, green {green} and blue {blue}"
    grey = round(0.299 * red + 0.587 * green + 0.114 * blue)
    yield f"$0.299 \\cdot {red} + 0.587 \\cdot {green} + 0.114 \\cdot {blue} \\approx {grey}$"
    yield f"becomes {32 - 3 + 1} under a 3×3 filter, {32 - 7 + 1} under a 7×7 one, and {32 - 11 + 1} under"


def learning_numbers(of):
    x, y = of.animals
    for weight, words in ((0, "the cost is {:.3f}."), (1, "it is {:.3f}."), (3, "{:.3f} at $A = 3$")):
        yield words.format(learning.cost(weight, x, y))
    best = learning.best(x, y)
    yield f"at $A \\approx {best:.2f}$, with a cost of {learning.cost(best, x, y):.3f}."
    path, slopes = of.path, [learning.slope(weight, x, y) for weight in of.path]
    yield f"the slope is {signed(slopes[0], '.3f')}, so $A$ becomes"
    yield f"$0 + {catalogue.RATE:g} \\cdot {-slopes[0]:.3f} = {path[1]:.3f}$"
    yield f"There the slope is {signed(slopes[1], '.3f')}, and $A$ becomes {path[2]:.3f}."
    yield f"There it is {signed(slopes[2], '.3f')},"
    yield f"the first {len(path) - 1} steps"
    says = learning.answer(path[-1], x)
    right = (says > 0.5) == (y == 1)
    yield f"the cost is {learning.cost(path[-1], x, y):.3f}, and {right.sum()} of {len(x)} pictures"
    assert [of.names[i] for i in np.flatnonzero(~right)] == ["automobile", "ship"]
    car, ship = says[~right]
    yield f"a white car on a red ground ({car:.2f}) and a ship with a red stripe ({ship:.2f})"
    slow, good, fast = (learning.descend(catalogue.START, rate, 6, x, y) for rate in (0.05, 1, 10))
    yield f"With 0.05, six steps get to {slow[-1]:.3f}. With 1 they get to {good[-1]:.3f}."
    yield f"jumps to {fast[1]:.2f}"
    assert fast[-1] > 5


def network_numbers(of):
    model = of.network.model
    yield f"Nobody could make up {model.count_params():,} of them"
    cells = catalogue.pooled_cells(of)
    upper_right = [network.pooled(cells, how)[0, 1] for how in network.POOLS.values()]
    assert stands("upper right block is {}, the mean {}, the smallest {}.", *upper_right)
    chosen = list(catalogue.ANSWERS)
    chances = of.classifier.probabilities(of.images[chosen])
    assert (chances.argmax(axis=1) == of.samples.labels[chosen]).all()
    names = of.samples.classes
    sentence = ", ".join(f"{names[c]} {{}}%" for c in chances.argmax(axis=1))
    assert stands(sentence, *(100 * chances.max(axis=1)))
    others = (100 * chances[-1, names.index(name)] for name in ("airplane", "frog"))
    assert stands("{}% for an airplane, {}% for a frog", *others)
    for name, side in (("conv1", 4), ("conv3", 14)):
        from cnnvis.network.receptive_field import receptive_fields

        assert receptive_fields(of.classifier, of.classifier.layer(name))[0].size == side
        yield f"`{name}` sees {side}×{side}"


@pytest.mark.parametrize("numbers", [filter_numbers, learning_numbers, network_numbers])
def test_the_numbers_of_the_article(numbers, sources):
    for sentence in numbers(sources):
        assert sentence in README, sentence


def test_the_weights_of_the_networks():
    from models import convnet

    for arch in convnet.ARCHITECTURES:
        assert f"| `{arch}` |" in README
        assert f" {convnet.build_model(arch, 10).count_params():,} |" in README
    assert convnet.build_model("basic", 10).get_layer("conv1").count_params() == 896
    assert "32 filters have 896" in README


def test_the_last_epoch_of_the_curves():
    with open(ROOT / "models" / "stashed" / "cifar10_deep.csv", newline="") as file:
        last = list(csv.DictReader(file))[-1]
    assert f"{float(last['accuracy']):.2%} of the varied training pictures" in README


def test_what_tricks_bring():
    # a half is rounded up, as the bench does
    gains = {
        name: round(points, 4) + 1e-9 for name, (points, _) in improving.gains(ROOT / "bench" / "tricks.csv").items()
    }
    assert f"Muon {gains.pop('Muon'):.1f} points in four epochs, whitening {gains.pop('whitening'):.1f}" in README
    same = {round(gains.pop(name), 1) for name in ("anti-aliased POOL", "label smoothing")}
    assert f"anti-aliased pooling and label smoothing {same.pop()} each" in README
    assert not same
    assert f"the others {min(gains.values()):.1f} to {max(gains.values()):.1f}." in README


@pytest.mark.slow
def test_what_is_said_of_hidden_parts(tmp_path):
    order = [catalogue.DOG, 5, catalogue.HORSE, catalogue.TRUCK]
    arguments = ["--data", "samples", "--indices", *map(str, order), "--out", str(tmp_path)]
    assert visualize_pixel_importance.main(arguments) == 0
    with h5py.File(tmp_path / "pixel_importance.h5") as arrays:
        dog, frog, horse, truck = zip(100 * arrays["probability"][:], 100 * arrays["hidden_probability"][:])
    assert stands("dog falls from {}% to {}%.", *dog)
    assert stands("without the framed part, {}% become {}%.", *frog)
    assert stands("\n{}% remain of {}%.", *horse[::-1])
    assert stands("to the network, with {}%.", truck[1])
    assert truck[1] > truck[0]


@pytest.mark.slow
def test_what_is_said_of_the_results(shipped_results):
    """Of 10,000 images, three may be ties."""
    with h5py.File(shipped_results / "results.h5") as arrays:
        confusion, classes = arrays["confusion"][:], list(arrays.attrs["classes"])
        both = confusion + confusion.T
        np.fill_diagonal(both, 0)
        assert {classes[c] for c in np.unravel_index(both.argmax(), both.shape)} == {"cat", "dog"}
        assert stands("it is underconfident by {} points", 100 * arrays.attrs["calibration_error"], slack=0.03)
        assert stands("for pictures of that class: {} of the 10,000 here", len(arrays["label_suspects"]), slack=3)
        assert stands("{}% of 10,000 new pictures", 100 * arrays.attrs["accuracy"], slack=0.03)
