"""The programs that the benchmarks start are there."""

from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path

FOLDER = Path(__file__).parents[2] / "benchmarks"


def test_every_program_that_is_named_is_a_module() -> None:
    texts = [path.read_text(encoding="utf-8") for path in FOLDER.rglob("*.py")]
    named = {name for text in texts for name in re.findall(r'"((?:scripts|peers)\.\w+)"', text)}
    assert len(named) > 9
    assert {name for name in named if find_spec(f"benchmarks.{name}") is None} == set()
