"""Who may import whom: the heart knows no Kafka, no Faust, no clock and no environment."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
KAFKA = {"faust", "kafka", "aiokafka", "confluent_kafka", "mode"}
FORBIDDEN = {
    "schemas": KAFKA | {"streams", "lineage", "duckdb"},
    "lineage": KAFKA | {"streams", "os", "time", "random", "secrets", "uuid", "socket"},
}


def modules(package: str) -> list[Path]:
    return sorted((ROOT / package).rglob("*.py"))


def imported(path: Path) -> Iterator[str]:
    """The top-level packages that a module imports, anywhere in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.split(".")[0]


def clock_readings(path: Path) -> Iterator[str]:
    """Calls such as datetime.now() and date.today()."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Attribute) and node.attr in {"now", "utcnow", "today"}:
            yield f"{path.name}:{node.lineno}"


@pytest.mark.parametrize("package", sorted(FORBIDDEN))
def test_imports_go_one_way(package: str) -> None:
    found = {
        f"{path.relative_to(ROOT)} imports {name}"
        for path in modules(package)
        for name in imported(path)
        if name in FORBIDDEN[package]
    }
    assert modules(package)
    assert found == set()


def test_the_heart_reads_no_clock() -> None:
    assert [place for path in modules("lineage") for place in clock_readings(path)] == []


def test_the_search_finds_what_it_looks_for(tmp_path: Path) -> None:
    bad = tmp_path / "bad.py"
    bad.write_text("def f():\n    import os.path\n    return datetime.now()\n")
    assert list(imported(bad)) == ["os"]
    assert list(clock_readings(bad)) == ["bad.py:3"]
