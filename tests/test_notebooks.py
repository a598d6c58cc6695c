"""Every notebook runs from top to bottom on the starter model, and has its outputs stored."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from printed import assert_same_output

NOTEBOOKS = sorted((Path(__file__).parent.parent / "notebooks").glob("*.ipynb"))


def shown(cell) -> list[str]:
    """The plain text that a cell displays or prints."""
    texts = []
    for output in cell.get("outputs", []):
        if output["output_type"] == "stream" and output["name"] == "stdout":
            texts.append(output["text"].strip())
        elif "data" in output:
            texts.append(output["data"].get("text/plain", "").strip())
    return texts


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook(path):
    """A new run shows what is stored: the figures in the notebook are real."""
    notebook = nbformat.read(path, as_version=4)
    first = next(cell for cell in notebook.cells if cell.cell_type == "code")
    assert first.source.startswith("%pip install")
    stored = [shown(cell) for cell in notebook.cells]
    NotebookClient(notebook, timeout=300, kernel_name="python3").execute()
    for cell, expected in zip(notebook.cells, stored, strict=True):
        assert_same_output("\n".join(shown(cell)), "\n".join(expected))
    assert any(stored)


def test_there_are_notebooks():
    assert NOTEBOOKS
