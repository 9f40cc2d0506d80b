"""Few dependencies, each with its reason in CONTRIBUTING.md; every one of them used, and nothing used but them."""

import ast
import re
import sys
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parent.parent
FILES = {name: ROOT / name / "requirements.txt" for name in (".", "tests", "bench", "fuzz")}
FOLDERS = "article", "bench", "cnnvis", "fuzz", "models", "tests"
OURS = {*FOLDERS, *(path.stem for path in ROOT.glob("*.py"))}
MODULES = {  # that go by another name
    "pillow": "PIL",
    "scikit-learn": "sklearn",
    "opencv-python-headless": "cv2",
    "markdown-it-py": "markdown_it",
}
# But run, plugged in, or needed by another one.
NOT_IMPORTED = {"ruff", "pytest-xdist", "opencv-python-headless", "ipykernel"}
NOT_ASKED_FOR = {"scipy", "threadpoolctl", "packaging", "google", "tf_keras"}  # which these bring


def requirements(folder):
    lines = FILES[folder].read_text(encoding="utf-8").splitlines()
    return [Requirement(line) for line in lines if line and line[0] not in "#-"]


def imported(paths):
    for path in paths:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                yield from (alias.name.split(".")[0] for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and not node.level:
                yield node.module.split(".")[0]


def test_each_has_its_reason_and_no_reason_is_left_over():
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    table = text.split("**Dependencies.**")[1].split("**History.**")[0]
    rows = re.findall(r"^\| (.+?) \| (.+?) \|$", table, re.MULTILINE)[2:]
    explained = [name for names, _ in rows for name in names.split(", ")]
    asked_for = [requirement.name for folder in FILES for requirement in requirements(folder)]
    assert sorted(explained) == sorted(asked_for)


def test_each_is_used_and_nothing_else_is():
    paths = [*ROOT.glob("*.py"), *(path for folder in FOLDERS for path in ROOT.glob(f"{folder}/**/*.py"))]
    used = {name for name in imported(paths) if name not in {*sys.stdlib_module_names, *OURS, *NOT_ASKED_FOR}}
    asked_for = {requirement.name for folder in FILES for requirement in requirements(folder)} - NOT_IMPORTED
    assert {MODULES.get(name, name.replace("-", "_")) for name in asked_for} == used


@pytest.mark.parametrize("folder", [".", "tests"])
def test_each_says_from_which_version_on(folder):
    """`make test-lowest` tests these; and what is installed here is what was asked for."""
    for requirement in requirements(folder):
        assert [bound for bound in requirement.specifier if bound.operator == ">="], requirement
        assert metadata.version(requirement.name) in requirement.specifier


def test_no_keras_without_the_latest_security_fixes():
    """Those of 2026-07, which are in 3.12.4 and in 3.15.1; whatever else a model file may do, it is looked through."""
    (keras,) = (requirement for requirement in requirements(".") if requirement.name == "keras")
    assert not [version for version in ("3.12.3", "3.13.2", "3.14.1", "3.15.0") if version in keras.specifier]
    assert all(version in keras.specifier for version in ("3.12.4", "3.15.1"))


def test_an_installed_package_needs_the_same():
    """`pip install -e .` and `uv run` read pyproject.toml, which reads requirements.txt."""
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert 'dynamic = ["dependencies"]' in project
    assert 'dependencies = { file = "requirements.txt" }' in project


def test_an_installed_package_has_the_files_that_ours_read():
    """`pip install .` copies our modules, and besides them only what pyproject.toml names."""
    read, setuptools = pytest.importorskip("tomllib").loads, pytest.importorskip("setuptools")
    asked = read((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]
    copied = set()
    for package in setuptools.find_namespace_packages(ROOT, **asked["packages"]["find"]):
        for pattern in asked["package-data"].get(package, ()):
            copied.update((ROOT / package.replace(".", "/")).glob(pattern))
    ours = ["cnnvis/explore/page.html", "cnnvis/explore/chapters.json", "imgs/samples/*.png"]
    for files in [*ours, "models/stashed/cifar10_*.keras"]:
        assert set() < set(ROOT.glob(files)) <= copied


@pytest.mark.parametrize(
    ("file", "versions"),
    [
        ("pyproject.toml", 'requires-python = ">=3.10,<3.14"'),
        ("README.md", "Python 3.10 to 3.13"),
        ("Makefile", "Python 3.10 to 3.13"),
        (".github/workflows/test.yml", 'python: ["3.10", "3.13"]'),
    ],
)
def test_every_file_names_the_same_versions_of_python(file, versions):
    assert versions in (ROOT / file).read_text(encoding="utf-8")
