"""What the README says is so."""

import json
import re
import shlex
from dataclasses import asdict
from pathlib import Path

import pytest

import train
from article import catalogue
from cnnvis import training
from tests.article.markdown import ARTICLE, prose, read

ROOT = Path(__file__).parents[2]
README = read(ARTICLE)
PROSE = prose(README)
BENCH = read(ROOT / "bench" / "README.md")
SHIPPED = json.loads((ROOT / "models" / "stashed" / "cifar10_deep.json").read_text())


def test_the_figures_of_the_shipped_network():
    assert f"{SHIPPED['test_accuracy']:.2%}" in README
    for number in (SHIPPED["test_accuracy"], SHIPPED["test_accuracy_tta"]):
        assert f"{number:.2%}" in BENCH
    assert f"took {SHIPPED['seconds']:,.0f} s" in BENCH


@pytest.mark.parametrize("command", re.findall(r"(?m)^(python train.py .*--name cifar10_deep)$", BENCH))
def test_the_command_of_the_shipped_network_asks_for_its_recipe(command):
    """What came into recipes since is off."""
    fields = {name: field.default for name, field in training.Recipe.__dataclass_fields__.items()}
    assert recipe_of(command) == fields | shipped_recipe()


def test_the_command_that_made_the_shipped_network_is_kept():
    recipe = recipe_of(SHIPPED["command"])
    assert {name: recipe[name] for name in shipped_recipe()} == shipped_recipe()


def shipped_recipe():
    """The recipe in the metadata, without the entries that recipes no longer have, which were off."""
    gone = SHIPPED["recipe"].keys() - training.ENTRIES.keys()
    assert not any(SHIPPED["recipe"][name] for name in gone)
    return {name: value for name, value in SHIPPED["recipe"].items() if name not in gone}


def recipe_of(command):
    args = train.options().parse_args(shlex.split(command)[2:])
    assert args.seed == SHIPPED["seed"]
    wishes = {"epochs": args.epochs, "batch_size": args.batch_size, "learning_rate": args.learning_rate}
    recipe = training.adapt(
        training.recipe_of(args.arch or "deep", args.recipe, **wishes), SHIPPED["training_images"], **wishes
    )
    return json.loads(json.dumps(asdict(recipe)))


def test_the_shipped_network_is_small_and_good():
    assert (ROOT / "models" / "stashed" / "cifar10_deep.keras").stat().st_size <= 20_000_000
    assert SHIPPED["test_accuracy"] >= 0.943


def test_the_contents_name_every_section_that_comes_behind_them_in_its_order():
    contents, behind = PROSE.split("## Contents\n")[1].split("\n## ", 1)
    sections = re.findall(r"^## (.+)$", "## " + behind, re.MULTILINE)
    assert re.findall(r"^- \[(.*?)\]", contents, re.MULTILINE) == sections


def test_every_figure_of_the_article_is_shown_once():
    shown = re.findall(r"[\"(]imgs/article/(.*?)\.(?:png|gif)[\")]", README)
    assert sorted(shown) == sorted([*catalogue.FIGURES, *catalogue.ANIMATIONS])


def test_make_figures_draws_every_other_figure_that_is_shown():
    recipe = (ROOT / "Makefile").read_text().split("\nfigures: setup\n")[1].split("\n\n")[0]
    kept = {path.name for path in (ROOT / "imgs").iterdir() if path.suffix in (".png", ".gif")}
    assert set(re.findall(r"\w+\.(?:png|gif)", recipe)) == kept
    assert not [name for name in kept if f"](imgs/{name})" not in README and f'"imgs/{name}"' not in README]


def test_formulas_are_as_github_wants_them():
    for formula in re.findall(r"(?<![$\\])\$(?!\$)(.+?)\$", re.sub(r"`[^`]*`|\$\$.*?\$\$", "", PROSE)):
        assert formula == formula.strip(), formula
        assert "`" not in formula
        assert formula.count("{") == formula.count("}"), formula
    assert len(re.findall(r"^\$\$.+\$\$$", PROSE, re.MULTILINE)) == PROSE.count("$$") / 2


def test_no_underscore_of_a_formula_begins_an_emphasis():
    """Markdown takes `}_k ... _` for one, and the formula falls apart; `y_k` is safe, as it is within a word."""
    for formula in re.findall(r"\$\$.+?\$\$|\$[^$\n]+\$", re.sub(r"`[^`]*`", "", PROSE)):
        assert not re.search(r"[^\w\s]_\w", formula), formula


OUTLINE = {
    "What a machine sees": (
        "Classification|Detection|Segmentation|poloclub.github.io/cnn-explainer|label|0 (black) to 255|"
        "article/pixels|red, green and blue|RGB|grey"
    ),
    "Before CNNs": ("Regression|Similarity|Locality|Translation invariance|Convolution|imitates this, loosely"),
    "The mathematics of a filter": (
        "article/block|article/filter.png|article/filter_step|article/filter_colour|27 products|bias|"
        "30 \\times 30|article/sliding.gif"
    ),
    "What a filter finds": ("positive|negative|article/lines|vertical|horizontal|features of features|face|Recap"),
    "From filters to a network": (
        "32 \\times 32 \\times 3|30 \\times 30 \\times 32|article/network|CONV RELU CONV|3×3|7×7|11×11|odd|"
        "stride|padding|RELU|logistic|article/activations|POOL|article/pooling|mean|minimum|Why not larger|FC|"
        "probabilities|article/worked_fc|FLATTEN|fifteen|several rounds|Recap"
    ),
    "Where the weights come from": (
        "objective|$x$|$y$|$\\hat{y}$|$A$|residual|0.1, 0.5 and −0.9|signs cancel|squares|$N$|cost|\\min_{A}|are fixed"
    ),
    "Gradient descent": (
        "article/cost|article/minimum|three steps|article/descent.gif|learning rate|local minimum|backpropagation|"
        "GradientTape|Regularisation"
    ),
    "Building and training": (
        "60,000|ten classes|airplane, automobile, bird, cat, deer, dog, frog, horse, ship and truck|"
        "Normalisation|`basic`|`deep`|python train.py|What to expect|--resume|"
        "article/few_and_many|article/film.gif|When training goes wrong|article/first_loss|article/overfitting"
    ),
    "Looking inside your CNN": (
        "python visualize_results.py|imgs/results.png|python visualize_pixel_importance.py|"
        "imgs/pixel_importance.png|The airplane|python visualize_hidden_layer_activation.py|"
        "imgs/hidden_layer_activation.png|`conv1`|`conv3`|`conv5`|`fc1`|python visualize_hidden_layer_output.py|"
        "imgs/hidden_layer_output.png|truck|smaller|article/occluded|article/channels|Which map should I believe"
    ),
    "Next steps": ("### Glossary|CS231n|d2l.ai|3Blue1Brown|Distill|Chollet"),
    "Making it better": ("Depth|Augmentation|article/augmentation|--start-from|article/improvements"),
}


@pytest.mark.parametrize("title", OUTLINE)
def test_the_article_teaches_what_it_is_to_teach(title):
    section = README.split(f"\n## {title}\n")[1].split("\n## ")[0]
    assert not [item for item in OUTLINE[title].split("|") if item not in section]
