"""What the README says is so."""

import json
import re
import shlex
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import pytest

import train
from article import catalogue
from cnnvis import training

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PROSE = re.sub(r"```.*?```", "", README, flags=re.DOTALL)
COMMANDS = [
    line.split("#")[0].strip()
    for block in re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
    for line in block.splitlines()
    if line.startswith("python ")
]
SHIPPED = json.loads((ROOT / "models" / "stashed" / "cifar10_deep.json").read_text())


@pytest.mark.parametrize("target", sorted(set(re.findall(r"\]\((?!https?://)([^)#]+)\)", README))))
def test_links_and_images_are_there(target):
    assert (ROOT / target).exists()


def test_images_have_words_for_those_who_can_not_see_them():
    assert all(len(words) > 10 for words in re.findall(r"!\[(.*?)\]", README))


def test_the_figures_of_the_shipped_network():
    for number in (SHIPPED["test_accuracy"], SHIPPED["test_accuracy_tta"]):
        assert f"{number:.2%}" in README
    assert f"{SHIPPED['seconds']:.0f} s" in README


@pytest.mark.parametrize("command", re.findall(r"`(python train.py .*--name cifar10_deep)`", README))
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


@pytest.mark.slow
def test_the_example_in_python_gives_what_its_comments_say():
    """In a process of its own, as `images` and `filters` are names of much else."""
    (example,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    asserts = ["probabilities.shape == (20, 10)", "explained.importance.shape == (2, 32, 32)"]
    asserts += ["filters.images.shape == (2, 32, 32, 3)", "outputs['conv1'].shape == (1, 31, 31, 128)"]
    code = example + "".join(f"assert {claim}\n" for claim in asserts)
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


def slugs(headings):
    """Anchors as GitHub makes them: small letters, no punctuation, hyphens for blanks; the second one has a number."""
    seen = {}
    for heading in headings:
        plain = re.sub(r"[`*]|\]\(.*?\)|\[", "", heading)
        slug = re.sub(r"[^\w\- ]", "", plain.lower()).replace(" ", "-")
        seen[slug] = seen.get(slug, -1) + 1
        yield f"{slug}-{seen[slug]}" if seen[slug] else slug


HEADINGS = re.findall(r"^#+ (.+)$", PROSE, re.MULTILINE)


def test_anchors_as_github_makes_them():
    headings = ["Results: how well does it do?", "`train.py`, and more", "Data", "Data"]
    assert list(slugs(headings)) == ["results-how-well-does-it-do", "trainpy-and-more", "data", "data-1"]


@pytest.mark.parametrize("anchor", sorted(set(re.findall(r"\]\(#([^)]+)\)", README))))
def test_anchors_lead_somewhere(anchor):
    assert anchor in slugs(HEADINGS)


def test_the_contents_name_every_section_that_comes_behind_them_in_its_order():
    contents, behind = PROSE.split("## Contents\n")[1].split("\n## ", 1)
    sections = re.findall(r"^##+ (.+)$", "## " + behind, re.MULTILINE)
    assert re.findall(r"^ *- \[(.*?)\]", contents, re.MULTILINE) == sections


def test_every_figure_of_the_article_is_shown_once():
    shown = re.findall(r"\]\(imgs/article/(.*?)\.(?:png|gif)\)", README)
    assert sorted(shown) == sorted([*catalogue.FIGURES, *catalogue.ANIMATIONS])


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
        "classification|detection|segmentation|poloclub.github.io/cnn-explainer|label|0, black, to 255|"
        "article/pixels|red, green and blue|RGB|grey"
    ),
    "Before CNNs": ("Regression|Similarity|Convolution|imitates this, loosely"),
    "The mathematics of a filter": (
        "article/block|article/filter.png|article/filter_step|article/filter_colour|27 products|constant|"
        "30 \\times 30|article/sliding.gif"
    ),
    "What a filter finds": (
        "positive|negative|article/lines|vertical|horizontal|features of features|face|article/features"
    ),
    "From filters to a network": (
        "32 \\times 32 \\times 3|30 \\times 30 \\times 32|article/network|CONV RELU CONV|3×3|7×7|11×11|odd|"
        "stride|padding|RELU|logistic|article/activations|POOL|article/pooling|mean|minimum|Why not larger|FC|"
        "probabilities|article/answers|again and again"
    ),
    "Where the weights come from": (
        "objective|$x$|$y$|$\\hat{y}$|$A$|residual|0, 1 and −1|cancel|squared|$N$|cost|\\min_{A}|"
        "what is fixed and what moves"
    ),
    "Gradient descent": ("article/cost|article/minimum|three steps|article/descent.gif|learning rate|regularisation"),
    "Building and training": (
        "60,000|ten classes|airplane, automobile, bird, cat, deer, dog, frog, horse, ship and truck|"
        "Normalisation|`basic`|`deep`|python train.py|imgs/training.png|images a second|What to expect|--resume"
    ),
    "Looking inside your CNN": (
        "python visualize_results.py|imgs/results.png|python visualize_pixel_importance.py|"
        "imgs/pixel_importance.png|The dog|python visualize_hidden_layer_activation.py|"
        "imgs/hidden_layer_activation.png|`conv1`|`conv3`|`conv5`|`fc1`|python visualize_hidden_layer_output.py|"
        "imgs/hidden_layer_output.png|truck|smaller"
    ),
    "Making it better": ("Depth|More data|Augmentation|article/augmentation|article/improvements"),
}


@pytest.mark.parametrize("title", OUTLINE)
def test_the_article_teaches_what_it_is_to_teach(title):
    section = README.split(f"\n## {title}\n")[1].split("\n## ")[0]
    assert not [item for item in OUTLINE[title].split("|") if item not in section]


def shortened(command):
    """A command in words: trainings on fewer images, and under no name, so that several become one."""
    script, *words = shlex.split(command)[1:]
    if script == "train.py":
        words = shlex.split(re.sub(r"--(name|limit) \S+", "", shlex.join(words)))
        words += ["--data", "digits", "--limit", "200", "--epochs", "1"]
    elif "--images" not in words and "--data" not in words:
        words += ["--data", "samples"]
    return script.removesuffix(".py"), *words


@pytest.mark.slow
@pytest.mark.parametrize(
    "words", dict.fromkeys(shortened(command) for command in COMMANDS if "multiworker" not in command), ids=" ".join
)
def test_the_commands_run(words, tmp_path, monkeypatch):
    """Each as it stands there, into a folder of its own."""
    script, *options = words
    out = tmp_path / ("page.html" if script == "explore" else "")
    monkeypatch.chdir(ROOT)
    assert __import__(script).main([*options, "--out", str(out)]) == 0
    assert list(tmp_path.glob("*.html" if script == "explore" else "*.png"))
