"""The notebook of the docs runs, and shows what its cells answer."""

from __future__ import annotations

import pytest

from tests.notebook import answers, executed, read


@pytest.mark.slow
def test_the_notebook_shows_what_it_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", "")  # set while it runs
    shown, found = answers(read()), answers(executed())
    assert found == shown
    assert len(found) >= 6


def test_its_chart_is_shown() -> None:
    cells = read().cells
    pictures = [
        output
        for cell in cells
        if cell.cell_type == "code"
        for output in cell.outputs
        if "image/png" in output.get("data", {})
    ]
    assert len(pictures) == 1
