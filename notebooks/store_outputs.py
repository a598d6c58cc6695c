"""Run every notebook and store its outputs, without what only a terminal should see."""

from __future__ import annotations

from pathlib import Path

import nbformat
from nbclient import NotebookClient


def main() -> None:
    """Run the notebooks beside this file."""
    for path in sorted(Path(__file__).parent.glob("*.ipynb")):
        notebook = nbformat.read(path, as_version=4)
        NotebookClient(notebook, timeout=600, kernel_name="python3").execute()
        for cell in notebook.cells:
            cell.metadata.pop("execution", None)
            if cell.cell_type == "code":
                # stderr holds Spark's start-up messages, which name the machine.
                cell.outputs = [x for x in cell.outputs if x.get("name") != "stderr"]
        notebook.metadata.get("language_info", {}).pop("version", None)
        nbformat.write(notebook, path)


if __name__ == "__main__":
    main()
