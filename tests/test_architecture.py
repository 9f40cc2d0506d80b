"""The house stays as it is drawn: wings with faces, arrows that point down, scripts that read as stories."""

import ast
import doctest
import importlib
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.conftest import slowness

ROOT = Path(__file__).parent.parent
FLOORS = [  # from the ground up; a wing imports from lower floors only
    {"processor", "keras_internals"},
    {"console"},
    {"images"},
    {"checkpoints"},
    {"network"},
    {"training", "evaluation", "attribution", "features"},
    {"explore"},
]
PLOTS = {"console"}  # all that figures are drawn with; no computing wing imports them, nor they one
WINGS = sorted({"plots"}.union(*FLOORS[1:]))
SCRIPTS = sorted(ROOT.glob("*.py"))
OUTSIDE = [path for folder in ("article", "bench") for path in sorted((ROOT / folder).glob("**/*.py"))]
ROOMS = [path for wing in WINGS for path in sorted((ROOT / "cnnvis" / wing).glob("*.py"))]
PRODUCT = [*SCRIPTS, *ROOMS, *sorted((ROOT / "cnnvis").glob("*.py")), *sorted((ROOT / "models").glob("*.py"))]
LIGHT = ("console", "images", "evaluation", "attribution", "plots")  # wings that work without TensorFlow


def name(path):
    return str(path.relative_to(ROOT))


def imports(path):
    """Every (module, name) that a file imports, inside functions too; name is None for `import module`."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((alias.name, None) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{name(path)} imports relatively"
            yield from ((node.module, alias.name) for alias in node.names)


def wings_used(path):
    """The wings, and single rooms beside them, that a file imports from, its own left out: set of str."""
    used = set()
    for module, imported in imports(path):
        parts = module.split(".")
        if parts[0] == "cnnvis":
            used.add(parts[1] if len(parts) > 1 else imported)
    return used - {path.parent.name, None}


def test_the_scripts_are_the_six():
    assert [path.name for path in SCRIPTS] == [
        "explore.py",
        "train.py",
        "visualize_hidden_layer_activation.py",
        "visualize_hidden_layer_output.py",
        "visualize_pixel_importance.py",
        "visualize_results.py",
    ]


def test_every_room_is_in_a_wing():
    beside = {path.stem for path in (ROOT / "cnnvis").glob("*.py")}
    assert beside == {"__init__", *FLOORS[0]}
    folders = {path.parent.name for path in (ROOT / "cnnvis").glob("*/*.py")}
    assert sorted(folders) == WINGS
    assert {path.name for path in (ROOT / "models").iterdir()} - {"__pycache__"} == {"convnet.py", "stashed"}


@pytest.mark.once
@pytest.mark.parametrize("path", ROOMS, ids=name)
def test_arrows_point_down(path):
    wing = path.parent.name
    below = PLOTS if wing == "plots" else set().union(*FLOORS[: next(i for i, f in enumerate(FLOORS) if wing in f)])
    assert wings_used(path) <= below
    scripts = {script.stem for script in SCRIPTS} - {wing}
    modules = {module.split(".")[0] for module, _ in imports(path)}
    assert not modules & (scripts | {"bench", "article", "fuzz", "tests"})
    assert "models" not in modules or wing == "training"


def test_the_ground_floor_and_the_architectures_stand_alone():
    for path in [*(ROOT / "cnnvis").glob("*.py"), *(ROOT / "models").glob("*.py")]:
        assert wings_used(path) <= FLOORS[0]


@pytest.mark.once
@pytest.mark.parametrize("path", [*SCRIPTS, *ROOMS, *OUTSIDE], ids=name)
def test_others_come_in_by_the_face(path):
    for module, imported in imports(path):
        parts = module.split(".")
        if parts[0] != "cnnvis" or len(parts) == 1 or parts[1] not in WINGS or parts[1] == path.parent.name:
            continue
        assert len(parts) == 2, f"{name(path)} imports from the room {module}"
        assert imported in importlib.import_module(module).__all__, f"{imported} is no name of the face of {module}"


@pytest.mark.parametrize("wing", WINGS)
def test_a_face_says_what_it_is_for_and_names_what_there_is(wing):
    face = importlib.import_module(f"cnnvis.{wing}")
    assert face.__doc__.splitlines()[0].endswith("?")
    rooms = {path.stem for path in (ROOT / "cnnvis" / wing).glob("*.py")}
    assert not rooms & set(face.__all__), "a name of the face that is a room, too, would be one or the other"
    for exported in face.__all__:
        assert getattr(face, exported) is not None


@pytest.mark.parametrize("wing", WINGS)
def test_the_example_of_a_face_runs(wing):
    face = importlib.import_module(f"cnnvis.{wing}")
    examples = doctest.DocTestFinder(recurse=False).find(face, name=wing)
    result = doctest.DocTestRunner().run(examples[0])
    assert result.attempted >= 2
    assert not result.failed


@pytest.mark.once
@pytest.mark.parametrize("path", ROOMS, ids=name)
def test_options_end_at_the_script(path):
    """No argparse below the console: library functions take named, typed values."""
    text = path.read_text(encoding="utf-8")
    if path.parent.name != "console":
        assert "Namespace" not in text
        assert "argparse" not in {module for module, _ in imports(path)}
        assert not re.search(r"\bargs\.", text)


def test_modules_fit_in_one_head_and_scripts_are_stories():
    lines = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in PRODUCT}
    assert not [name(path) for path in ROOMS if lines[path] > 300]
    assert not [name(path) for path in SCRIPTS if lines[path] > 100]


@pytest.mark.once
@pytest.mark.parametrize("path", SCRIPTS, ids=name)
def test_help_comes_at_once(path):
    """Under 0.3 s, of which Python and argparse take some; and without TensorFlow."""
    code = f"import runpy, sys; sys.argv = [{str(path)!r}, '--help']\n"
    code += f"try: runpy.run_path({str(path)!r}, run_name='__main__')\n"
    code += "except SystemExit: print(sorted({'tensorflow', 'keras', 'matplotlib', 'sklearn'} & set(sys.modules)))"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True).stdout
    assert told.splitlines()[-1] == "[]"
    seconds = []
    for _ in range(3):
        began = time.perf_counter()
        subprocess.run([sys.executable, path, "--help"], capture_output=True, cwd=ROOT, check=True)
        seconds.append(time.perf_counter() - began)
    assert min(seconds) < 0.3 * slowness()


@pytest.mark.parametrize("wing", LIGHT)
def test_light_wings_import_no_tensorflow_and_only_plots_draw(wing):
    """Keras itself imports Matplotlib, so nothing is said of the other wings."""
    code = f"import sys, cnnvis.{wing} as face\nfor each in face.__all__: getattr(face, each)\n"
    code += "print(sorted({'tensorflow', 'keras', 'matplotlib'} & set(sys.modules)))"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True).stdout
    assert told.strip() == ("['matplotlib']" if wing == "plots" else "[]")


def test_nothing_leans_on_the_bench():
    for path in PRODUCT:
        assert "bench" not in {module.split(".")[0] for module, _ in imports(path)}, name(path)


@pytest.mark.once
@pytest.mark.parametrize(
    "path",
    [
        path
        for part in ("", "cnnvis/**/", "models/", "bench/", "article/**/", "fuzz/")
        for path in ROOT.glob(f"{part}*.py")
    ],
    ids=lambda path: f"{path.parent.name}/{path.name}",
)
def test_text_is_read_and_written_in_utf8_wherever_it_runs(path):
    """Else Windows takes a code of its own."""
    for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        name = call.func if isinstance(call, ast.Call) else None
        if getattr(name, "attr", getattr(name, "id", "")) not in ("open", "read_text", "write_text", "fdopen"):
            continue
        modes = [word.value for word in call.args if isinstance(word, ast.Constant) and isinstance(word.value, str)]
        is_of_bytes = any(re.fullmatch("[rwxa]\\+?b\\+?", mode) for mode in modes)
        is_of_pillow = getattr(getattr(name, "value", None), "id", "") in ("Image", "webbrowser")
        assert is_of_bytes or is_of_pillow or "encoding" in {option.arg for option in call.keywords}, call.lineno


def test_no_room_is_called_utils():
    names = {path.stem for path in [*PRODUCT, *OUTSIDE]} | {path.name for path in ROOT.iterdir()}
    assert not names & {"utils", "helpers", "common", "misc"}


def test_contributing_is_one_screen():
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 90
    assert sum(line.startswith("|") for line in text.splitlines()) <= 45


OLD_WORDS = r"pictures?|excit(es?|ed|ation)|halves|rivals?|mend(s|ed)?|six views|cell sees|by heart|beyond all bounds"


@pytest.mark.once
@pytest.mark.parametrize("path", [path for path in PRODUCT if path.suffix == ".py"], ids=name)
def test_words_are_those_of_the_field(path):
    text = path.read_text(encoding="utf-8")
    assert not [line for line in text.splitlines() if re.search(rf"\b({OLD_WORDS})\b", line, re.IGNORECASE)]
