"""The audit of the lock files says what was audited, and fails on what is known alone."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent
SKIPPED = {"name": "polars", "skip_reason": "not found"}
SOUND = {"name": "duckdb", "version": "1.5.5", "vulns": []}


@pytest.fixture(scope="module")
def audit() -> ModuleType:
    spec = importlib.util.spec_from_file_location("audit", ROOT / "requirements/audit.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def broken(*fixes: str) -> dict[str, Any]:
    known = {"id": "PYSEC-2026-1", "fix_versions": list(fixes)}
    return {"name": "yarl", "version": "1.0", "vulns": [known]}


@pytest.mark.parametrize(
    ("packages", "code", "said"),
    [
        ([], 0, "nothing was audited"),
        ([SKIPPED], 0, "nothing was audited"),
        ([SOUND, SKIPPED], 0, "1 of 2 packages audited, no vulnerability is known"),
        ([SOUND, broken("1.1")], 1, "yarl 1.0: PYSEC-2026-1, mended in 1.1"),
        ([broken()], 1, "mended in no version yet"),
    ],
)
def test_what_a_report_means(
    audit: ModuleType, packages: list[dict[str, Any]], code: int, said: str
) -> None:
    found, told = audit.verdict("run.lock", {"dependencies": packages})
    assert found == code
    assert said in told


def test_all_that_is_installed_is_audited() -> None:
    recipe = (ROOT / "Makefile").read_text(encoding="utf-8")
    (line,) = [line for line in recipe.splitlines() if "requirements/audit.py" in line]
    assert line.split()[-2:] == ["requirements/run.lock", "requirements/dev.lock"]
    assert "make audit" in (ROOT / ".ci/run").read_text(encoding="utf-8")
