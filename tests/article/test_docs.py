"""What README.md and the reference in docs/ say of options, commands, files and arrays is so; their links lead on."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest

import visualize_hidden_layer_activation
import visualize_hidden_layer_output
import visualize_pixel_importance
import visualize_results
from cnnvis import attribution
from cnnvis.images import image_files
from cnnvis.network import cost
from cnnvis.training import recipe, recipes
from tests.article import markdown
from tests.article.markdown import ARTICLE, FILES, REFERENCE, ROOT, commands, name, read, rows, section
from tests.conftest import small_sequential

pytestmark = pytest.mark.once  # independent of versions

OPTIONS = read(ROOT / "docs" / "options.md")
DATA = read(ROOT / "docs" / "data.md")
SCRIPTS = sorted(path.stem for path in ROOT.glob("*.py"))
COMMANDS = [command for path in (ARTICLE, *REFERENCE) for command in commands(read(path))]
VISUALIZE = "Input of the visualize scripts and of `explore.py`"


def test_anchors_as_github_makes_them():
    headings = ["Results: how well does it do?", "`train.py`, and more", "Arrays (`.npz`)", "Data", "Data"]
    expected = ["results-how-well-does-it-do", "trainpy-and-more", "arrays-npz", "data", "data-1"]
    assert list(markdown.slugs(headings)) == expected


def test_rows_are_those_below_the_head():
    table = "| a | b |\n| --- | ---: |\n| `x\\|y` | 1 |\n\ntext\n\n| a |\n| --- |\n| 2 |\n"
    assert rows(table) == [["`x|y`", "1"], ["2"]]


@pytest.mark.parametrize("path", FILES, ids=name)
def test_links_lead_to_files_and_to_headings(path):
    for file, anchor in markdown.links(read(path)):
        target = (path.parent / file).resolve() if file else path
        assert target.exists(), file
        assert ROOT in target.parents
        if anchor:
            assert anchor in markdown.slugs(markdown.headings(read(target))), f"{file}#{anchor}"


@pytest.mark.parametrize("path", FILES, ids=name)
def test_tables_have_as_many_cells_in_each_row(path):
    for table in re.findall(r"(?:^\|.*\n?)+", markdown.prose(read(path)), re.MULTILINE):
        assert len({len(re.findall(r"(?<!\\)\|", line)) for line in table.splitlines()}) == 1, table[:100]


@pytest.mark.parametrize("path", FILES, ids=name)
def test_images_have_words_for_those_who_can_not_see_them(path):
    assert all(len(words) > 10 for words in re.findall(r"!\[(.*?)\]", read(path)))


def test_the_index_names_every_page_of_the_reference():
    linked = {file for file, _ in markdown.links(read(ROOT / "docs" / "README.md"))}
    pages = {path.name for path in (ROOT / "docs").iterdir() if path.suffix in (".md", ".ipynb")} - {"README.md"}
    assert pages | {"../README.md", "../SECURITY.md", "../bench/README.md", "../CONTRIBUTING.md"} == linked


@pytest.mark.parametrize("path", [p for p in REFERENCE if "\n- [" in read(p) and "](#" in read(p)], ids=name)
def test_a_page_lists_its_sections_at_its_top(path):
    listed = re.findall(r"^- \[(.+)\]\(#", read(path).split("\n## ")[0], re.MULTILINE)
    assert listed == re.findall(r"^## (.+)$", read(path), re.MULTILINE)


def documented(script):
    """The rows of docs/options.md that are about a script: dict of option to (text of the option, default)."""
    parts = ["Every script", f"`{script}.py`"]
    text = "".join(section(OPTIONS, part) for part in parts)
    if script != "train":
        common, where = section(OPTIONS, VISUALIZE).split("The four visualize scripts also")
        text += common + (where if script != "explore" else "")
    return {re.match("`(--[a-z-]+)", row[0])[1]: row for row in rows(text) if row[0].startswith("`--")}


@pytest.mark.parametrize("script", SCRIPTS)
def test_every_option_of_a_script_is_documented_and_no_other(script):
    options = {option for action in __import__(script).options()._actions for option in action.option_strings}
    assert {option for option in options if option.startswith("--")} == documented(script).keys()


@pytest.mark.parametrize("script", SCRIPTS)
def test_defaults_and_choices_are_those_of_the_parser(script):
    said = documented(script)
    for action in __import__(script).options()._actions:
        row = said[action.option_strings[-1]]
        if action.dest != "help":
            assert is_said(action.default, row[2]), row
        assert all(str(choice) in " ".join(row) for choice in action.choices or ()), row


def is_said(default, cell):
    """Whether a cell has the default of an option; one that the code finds out is described in words."""
    if default in (None, (), []):
        return True
    if isinstance(default, Path):
        default = default.relative_to(ROOT) if default.is_absolute() else default
        return cell == f"`{default.as_posix()}`"
    return cell == ("off" if default is False else str(default) if isinstance(default, int) else f"`{default}`")


def test_every_method_of_attribution_is_documented():
    row = documented("visualize_pixel_importance")["--method"]
    assert re.findall("`([a-z]+)`:", row[1]) == [*attribution.METHODS, "all"]


@pytest.mark.parametrize("path", [ARTICLE, *REFERENCE], ids=name)
def test_no_document_names_an_option_that_no_script_has(path):
    options = {option for script in SCRIPTS for option in __import__(script).options()._option_string_actions}
    assert set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", read(path))) <= options


def test_entries_of_the_recipe_are_those_of_the_code():
    said = {row[0].strip("`"): row[2:] for row in rows(section(OPTIONS, "Entries of the recipe"))}
    assert list(said) == list(recipe.ENTRIES)
    own = {arch: recipes.recipe_of(arch) for arch in recipes.RECIPES} | {"transfer": recipes.TRANSFER}
    for entry, (allowed, *defaults) in said.items():
        ends = recipe.ENTRIES[entry].metadata["allowed"]
        assert allowed == (", ".join(map(written, ends)) if isinstance(ends, tuple) else str(ends))
        for (arch, values), default in zip(own.items(), defaults, strict=True):
            idle = recipes.FROM_SCRATCH if arch == "transfer" else {"tuned"}
            assert default == ("–" if entry in idle else written(getattr(values, entry))), entry


def written(value):
    """A value of a recipe as it is typed."""
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, float):
        return f"{value:g}"
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)


def test_limits_that_the_reference_names():
    assert f"{recipes.FEWEST_STEPS} steps, down to {recipes.SMALLEST_BATCH} images" in OPTIONS
    assert f"{recipes.MOST_PIXELS:,} pixels at most" in OPTIONS
    assert f"fewer than {recipes.FEW_IMAGES:,} images" in OPTIONS
    assert f"fewer than {recipes.FEW_IMAGES:,} training images" in DATA
    sides = recipes.IMAGE_SIZES
    assert f"a multiple of {sides.step} from {sides[0]} to {sides[-1]}" in DATA
    assert f"{visualize_hidden_layer_activation.MOST} filters" in OPTIONS
    assert f"your own images, {visualize_hidden_layer_output.MOST_IMAGES} at most" in OPTIONS
    security = read(ROOT / "SECURITY.md")
    assert f"more than {cost.MOST_VALUES * 4 / 2**20:.0f} MB at once" in security
    assert f"{round(cost.MOST_MULTIPLICATIONS / 1e9, -1):.0f} billion multiplications" in security


def test_every_format_of_images_is_named():
    (row,) = (row for row in rows(section(DATA, "Image files")) if row[0] == "formats")
    named = set(re.findall(r"\w+", row[1].upper().replace("JPEG 2000", "JPEG2000").replace("HEIC", "HEIF")))
    assert set(image_files.FORMATS) <= named


def test_the_commands_name_scripts_and_targets_that_exist():
    makefile = read(ROOT / "Makefile")
    for command in COMMANDS:
        words = shlex.split(command)
        if words[0] == "make":
            assert f"\n{words[1]}:" in makefile
        elif words[0] == "python":
            assert (ROOT / words[1]).exists()
            assert __import__(words[1].removesuffix(".py")).options().parse_args(words[2:])


def test_the_cluster_of_the_example_has_one_chief(monkeypatch):
    from cnnvis.training import distribution

    (first,) = markdown.code(read(ROOT / "docs" / "machines.md"), "json")
    for config, is_chief in ((first, True), (first.replace('"index": 0', '"index": 1'), False)):
        monkeypatch.setenv("TF_CONFIG", config)
        assert distribution.is_chief("multiworker") == is_chief


def shortened(command):
    """A command in words: trainings on fewer images, under no name and not resumed, so that several become one."""
    script, *words = shlex.split(command)[1:]
    if script == "train.py":
        words = shlex.split(re.sub(r"--(name|limit) \S+|--resume", "", shlex.join(words)))
        words += ["--data", "digits", "--limit", "200", "--epochs", "1"]
    elif "--images" not in words and "--data" not in words:
        words += ["--data", "samples"]
    return script.removesuffix(".py"), *words


@pytest.mark.slow
@pytest.mark.parametrize(
    "words",
    dict.fromkeys(shortened(each) for each in COMMANDS if each.startswith("python ") and "multiworker" not in each),
    ids=" ".join,
)
def test_the_commands_run(words, tmp_path, monkeypatch):
    """Each as it stands there, into a folder of its own."""
    script, *options = words
    out = tmp_path / ("page.html" if script == "explore" else "")
    monkeypatch.chdir(ROOT)
    assert __import__(script).main([*options, "--out", str(out)]) == 0
    assert list(tmp_path.glob("*.html" if script == "explore" else "*.png"))


@pytest.mark.slow
def test_the_example_in_python_gives_what_its_comments_say():
    """In a process of its own, as `images` and `filters` are names of much else."""
    (example,) = markdown.code(read(ROOT / "docs" / "python.md"), "python")
    asserts = ["probabilities.shape == (20, 10)", "explained.importance.shape == (2, 32, 32)"]
    asserts += ["filters.images.shape == (2, 32, 32, 3)", "outputs['conv1'].shape == (1, 31, 31, 128)"]
    code = example + "".join(f"assert {claim}\n" for claim in asserts)
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


def test_the_lines_for_arrays_make_a_folder_that_is_read(tmp_path):
    from cnnvis import images

    rng = np.random.default_rng(0)
    pixels, labels = rng.integers(0, 256, (10, 8, 8, 3), dtype="uint8"), np.arange(10) % 2
    np.savez(tmp_path / "images.npz", images=pixels, labels=labels)
    (lines,) = markdown.code(section(DATA, "Arrays (`.npz`)"), "python")
    subprocess.run([sys.executable, "-c", lines], check=True, cwd=tmp_path)
    parts = [images.load(str(tmp_path / "photos"), part, size=None) for part in ("train", "test")]
    assert [part.classes for part in parts] == [("0", "1")] * 2
    found = np.concatenate([part.images[:] for part in parts])
    kept = {(label, image.tobytes()) for label, image in zip(labels, pixels)}
    assert {(label, image.tobytes()) for label, image in zip(np.r_[parts[0].labels, parts[1].labels], found)} == kept


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "small.keras"
    small_sequential().save(path)
    return str(path)


RUNS = {  # the script that writes a file, with options that make it write every array
    "results.h5": (visualize_results, ["--data", "digits", "--compare", "MODEL", "--compare-input-range", "0", "255"]),
    "pixel_importance.h5": (
        visualize_pixel_importance,
        ["--data", "samples", "--indices", "0", "--method", "gradcam", "--window", "16", "--sanity"],
    ),
    "hidden_layer_activation.h5": (
        visualize_hidden_layer_activation,
        ["--data", "samples", "--num", "1", "--steps", "2", "--gif"],
    ),
    "hidden_layer_output.h5": (visualize_hidden_layer_output, ["--data", "samples", "--indices", "0"]),
}


@pytest.mark.slow
@pytest.mark.parametrize("file", RUNS)
def test_arrays_attributes_and_figures_are_those_that_are_written(file, model, tmp_path):
    text = section(OPTIONS, "Arrays").split(f"\n`{file}`")[1].split(".h5`")[0]
    table = rows(text)
    arrays = {row[0].strip("`"): row[1] for row in table if len(row) == 3}
    attributes = {word for row in table if len(row) == 2 for word in re.findall(r"`(\w+)`", row[0])}
    script, options = RUNS[file]
    words = ["--model", model, "--input-range", "0", "255", "--out", str(tmp_path)]
    assert script.main([*words, *(model if option == "MODEL" else option for option in options)]) == 0
    written = {}
    with h5py.File(tmp_path / file) as stored:
        stored.visititems(lambda path, item: written.update({path: item} if isinstance(item, h5py.Dataset) else {}))
        if file == "hidden_layer_activation.h5":  # a group for each layer
            written = {path.partition("/")[2]: item for path, item in written.items()}
        if file == "hidden_layer_output.h5":  # an array for each layer
            assert set(written) - {"image"} == set(stored.attrs["layers"])
            written = {"image": written["image"]}
            del arrays["<layer>"]
        assert arrays.keys() == written.keys()
        for array, said in arrays.items():
            shape, kind = re.fullmatch(r"\((.*?),?\) (\w+)", said).groups()
            assert written[array].dtype == kind, array
            assert written[array].ndim == len(shape.split(",")), array
        assert attributes | {"model", "data", "input_range"} == set(stored.attrs)
    figures = {path.name for path in tmp_path.glob("*.png") if not re.search(r"_\d", path.stem)}
    assert figures <= set(re.findall(r"`([\w.]+)`", section(OPTIONS, "Output files")))
