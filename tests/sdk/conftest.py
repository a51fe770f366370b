"""A process that reports to a folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sdk.jobs import Reported, reporting


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("JOB", "EMIT", "DISABLED", "STRICT", "TOKEN", "KAFKA_CONFIG"):
        monkeypatch.delenv(f"LINEAGE_{name}", raising=False)
    monkeypatch.setenv("LINEAGE_SPOOL", str(tmp_path / "spool"))


@pytest.fixture
def reported(tmp_path: Path) -> Iterator[Reported]:
    with reporting(tmp_path, strict=True) as found:
        yield found
