"""The code in the README runs, and prints what its comments say."""

import contextlib
import io
import re
from pathlib import Path

import numpy as np
import pytest

pytestmark = pytest.mark.once  # on the lowest versions it would say nothing new

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", README, re.DOTALL)


def printed(block, names):
    """The lines that a block prints, run where the README's reader runs it."""
    output = io.StringIO()
    with contextlib.redirect_stdout(output), pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        exec(compile(block, "README.md", "exec"), names)
    return output.getvalue().splitlines()


@pytest.fixture(scope="module")
def outcome():
    """What the blocks print, one after the other, and the names that they define."""
    names = {}
    return [printed(block, names) for block in BLOCKS], names


def test_every_block_prints_what_its_comment_says(outcome):
    assert len(BLOCKS) == 5
    for block, lines in zip(BLOCKS, outcome[0], strict=True):
        assert lines == re.findall(r"^print\(.*\)  # (.*)$", block, re.MULTILINE)
        assert lines


def test_the_network_of_twelve_lines_is_basic(outcome):
    """It has the same weights; behind the same normalisation it gives the same probabilities."""
    import keras

    (block,) = (block for block in BLOCKS if "keras.Sequential" in block)
    assert len([line for line in block.splitlines() if line]) == 12
    network = outcome[1]["network"]
    basic = keras.saving.load_model(ROOT / "models" / "stashed" / "cifar10_basic.keras")
    network.set_weights(
        [weight for layer in basic.layers if layer.name != "normalization" for weight in layer.get_weights()]
    )
    images = np.random.default_rng(0).integers(0, 256, (3, 32, 32, 3)).astype("float32")
    normalized = np.asarray(basic.get_layer("normalization")(images))
    np.testing.assert_allclose(network(normalized), basic(images), atol=1e-5)


@pytest.mark.parametrize(
    ("block", "old", "new", "line", "answer"),
    [
        (0, "patch * vertical)", "patch * vertical.T)", "-118", "−118: the sum"),
        (2, ', padding="same"', "", "477,994", "prints 477,994"),
        (3, "[0.5, 3.0]", "[-0.5, 3.0]", r"4\.0 \[-?0\. +-?0\.\]", "and $C = 4$"),
    ],
)
def test_what_changed_blocks_print(block, old, new, line, answer, outcome):
    assert old in BLOCKS[block]
    assert answer in README
    (last,) = printed(BLOCKS[block].replace(old, new), dict(outcome[1]))
    assert re.fullmatch(line, last)


def test_another_filter_makes_other_stripes(outcome):
    assert "Upright: it looks for vertical lines." in README
    stripes = {}
    for number in (5, 22):
        names = dict(outcome[1])
        printed(BLOCKS[4].replace("[..., 5]", f"[..., {number}]"), names)
        image = names["image"].numpy()[0]
        stripes[number] = np.abs(np.diff(image, axis=0)).mean() / np.abs(np.diff(image, axis=1)).mean()
    assert stripes[5] > 2  # it changes from row to row
    assert stripes[22] < 1 / 2
