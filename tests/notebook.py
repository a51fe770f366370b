"""Runs the notebook of the docs: `python -m tests.notebook` writes what it answers into it."""

from __future__ import annotations

import os
from pathlib import Path

import nbformat
from nbclient import NotebookClient

NOTEBOOK = Path(__file__).parent.parent / "docs" / "notebook.ipynb"
_CELL_SECONDS_MAX = 120


def read() -> nbformat.NotebookNode:
    """Return the notebook as it is in the docs."""
    text = NOTEBOOK.read_text(encoding="utf-8")
    found = nbformat.reads(text, as_version=4)  # type: ignore[no-untyped-call]  # it has no hints
    assert isinstance(found, nbformat.NotebookNode)
    return found


def executed() -> nbformat.NotebookNode:
    """Return the notebook with the answers that its cells give now; raise where one fails."""
    notebook = read()
    # Of this checkout, wherever the notebook's process starts.
    root = str(NOTEBOOK.parent.parent)
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH")]))
    NotebookClient(
        notebook,
        timeout=_CELL_SECONDS_MAX,
        kernel_name="python3",
        resources={"metadata": {"path": root}},
    ).execute()
    for cell in notebook.cells:
        cell.metadata = {}  # the instants at which it ran
    return notebook


def answers(notebook: nbformat.NotebookNode) -> list[list[str]]:
    """Return what each cell of code answers, as text."""
    return [
        [output.get("text") or output.get("data", {}).get("text/plain", "") for output in outputs]
        for outputs in (cell.outputs for cell in notebook.cells if cell.cell_type == "code")
    ]


if __name__ == "__main__":
    text = nbformat.writes(executed())  # type: ignore[no-untyped-call]  # it has no hints
    NOTEBOOK.write_text(text, encoding="utf-8")
