"""The notebook runs from top to bottom without CIFAR-10, and is the one that the committed file shows."""

import json

import pytest

from article import notebook

pytestmark = pytest.mark.once  # independent of versions


def test_the_committed_notebook_has_these_cells_and_small_outputs():
    stored = json.loads(notebook.PATH.read_text(encoding="utf-8"))
    assert [(cell["cell_type"], "".join(cell["source"])) for cell in stored["cells"]] == [
        (kind, source.strip()) for kind, source in notebook.CELLS
    ]
    assert notebook.PATH.stat().st_size < 500_000
    lines = [line for kind, source in notebook.CELLS if kind == "code" for line in source.splitlines() if line.strip()]
    assert len(lines) <= 40
    outputs = [output for cell in stored["cells"] for output in cell.get("outputs", ())]
    assert sum("image/png" in output.get("data", {}) for output in outputs) >= 8
    assert not [output for output in outputs if output["output_type"] == "error"]


@pytest.mark.slow
def test_it_runs_without_cifar10(offline):
    made = notebook.notebook()
    notebook.run(made, notebook.PATH.parent)
    assert all(cell.outputs for cell in made.cells if cell.cell_type == "code")
