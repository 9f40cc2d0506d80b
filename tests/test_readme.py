"""What the README says is so."""

import json
import re
import shlex
from dataclasses import asdict
from pathlib import Path

import pytest

import train
from cnnvis import recipes

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
SHIPPED = json.loads((ROOT / "models" / "stashed" / "cifar10_deep.json").read_text())


@pytest.mark.parametrize("target", sorted(set(re.findall(r"\]\((?!https?://)([^)#]+)\)", README))))
def test_links_and_pictures_are_there(target):
    assert (ROOT / target).exists()


def test_pictures_have_words_for_those_who_can_not_see_them():
    assert all(len(words) > 10 for words in re.findall(r"!\[(.*?)\]", README))


def test_the_figures_of_the_shipped_network():
    for number in (SHIPPED["test_accuracy"], SHIPPED["test_accuracy_six_views"]):
        assert f"{number:.2%}" in README
    assert f"{SHIPPED['seconds']:.0f} s" in README


@pytest.mark.parametrize(
    "command", [SHIPPED["command"], *re.findall(r"`(python train.py .*--name cifar10_deep)`", README)]
)
def test_the_command_of_the_shipped_network_asks_for_its_recipe(command):
    args = train.options().parse_args(shlex.split(command)[2:])
    recipe = recipes.change(recipes.RECIPES[args.arch], args.recipe)
    recipe = recipes.adapt(recipe, SHIPPED["training_images"], args.epochs, args.batch_size, args.learning_rate)
    assert json.loads(json.dumps(asdict(recipe))) == SHIPPED["recipe"]
    assert args.seed == SHIPPED["seed"]


def test_the_shipped_network_is_small_and_good():
    assert (ROOT / "models" / "stashed" / "cifar10_deep.keras").stat().st_size <= 20_000_000
    assert SHIPPED["test_accuracy"] >= 0.943


@pytest.mark.parametrize("script", sorted(path.stem for path in ROOT.glob("*.py")))
def test_every_option_is_told(script):
    module = __import__(script)
    for action in module.options()._actions:
        for option in action.option_strings:
            if option.startswith("--"):
                assert f"`{option}" in README or f" {option}" in README, option


def test_the_commands_name_scripts_and_targets_that_exist():
    makefile = (ROOT / "Makefile").read_text()
    for block in re.findall(r"```sh\n(.*?)```", README, re.DOTALL):
        for line in filter(None, (line.split("#")[0].strip() for line in block.splitlines())):
            words = line.split()
            if words[0] == "make":
                assert f"\n{words[1]}:" in makefile
            elif words[0] == "python":
                assert (ROOT / words[1]).exists()
                arguments = __import__(words[1].removesuffix(".py")).options().parse_args(words[2:])
                assert arguments
