"""The house stays as it is drawn: which module may import which, and what answers --help at once."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SCRIPTS = sorted(path.name for path in ROOT.glob("*.py"))
LIGHT = [
    "console/options",
    "console/messages",
    "console/output",
    "plots/__init__",
    "plots/canvas",
    "training/recipes",
    "evaluation/metrics",
    "attribution/occlusion",
    "attribution/faithfulness",
    "attribution/integrated_gradients",
    "attribution/explanation",
    "images/sources",
    "console/files",
    "console/interrupts",
    "images/statistics",
    "images/cifar10",
    "console/names",
    "images/image_files",
    "images/unreadable",
    "images/choices",
    "training/run",
]


def imports(path, everywhere=True):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree) if everywhere else tree.body:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_the_scripts_are_the_six():
    assert SCRIPTS == [
        "explore.py",
        "train.py",
        "visualize_hidden_layer_activation.py",
        "visualize_hidden_layer_output.py",
        "visualize_pixel_importance.py",
        "visualize_results.py",
    ]


@pytest.mark.parametrize("path", sorted(ROOT.glob("cnnvis/**/*.py")), ids=lambda path: path.stem)
def test_cnnvis_knows_neither_models_nor_scripts(path):
    names = list(imports(path))
    forbidden = {"models", *(Path(script).stem for script in SCRIPTS)}
    assert not forbidden & {name.split(".")[0] for name in names}
    if path.parent.name != "plots":
        assert not [name for name in names if name.startswith("cnnvis.plots")]
    assert not {"cnnvis.console.options", "cnnvis.console.output"} & set(names)
    if path.stem not in ("output", "inputs", "unreadable"):
        assert "cnnvis.console.messages" not in names


@pytest.mark.parametrize("path", sorted(ROOT.glob("models/*.py")), ids=lambda path: path.stem)
def test_models_know_nothing_of_the_rest(path):
    forbidden = {"cnnvis", *(Path(script).stem for script in SCRIPTS)}
    assert not forbidden & {name.split(".")[0] for name in imports(path)}


@pytest.mark.parametrize("script", SCRIPTS)
def test_no_script_imports_a_script_and_none_imports_more_than_the_console_and_saving_at_once(script):
    assert not {Path(other).stem for other in SCRIPTS} & set(imports(ROOT / script))
    standard = {
        "sys",
        "contextlib",
        "io",
        "re",
        "importlib",
        "datetime",
        "pathlib",
        "cnnvis",
    }
    assert {name.split(".")[0] for name in imports(ROOT / script, everywhere=False)} <= standard
    assert {n for n in imports(ROOT / script, everywhere=False) if n.startswith("cnnvis.")} <= {
        "cnnvis.console",
        "cnnvis.console.options",
        "cnnvis.console.messages",
        "cnnvis.console.output",
    }


def test_nothing_leans_on_the_bench():
    for path in [*ROOT.glob("*.py"), *ROOT.glob("cnnvis/**/*.py"), *ROOT.glob("models/*.py")]:
        assert "bench" not in {name.split(".")[0] for name in imports(path)}, path


@pytest.mark.parametrize("module", LIGHT)
def test_light_modules_import_no_tensorflow_at_once(module):
    names = {name.split(".")[0] for name in imports(ROOT / "cnnvis" / f"{module}.py", everywhere=False)}
    assert not names & {"tensorflow", "keras"}


@pytest.mark.parametrize(
    "path",
    [
        path
        for part in ("", "cnnvis/**/", "models/", "bench/", "article/", "fuzz/")
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
    names = {path.stem for path in ROOT.rglob("*.py") if not [part for part in path.parts if part.startswith(".venv")]}
    assert not names & {"utils", "helpers", "common", "misc"}
