"""The small company's event log on disk, and its database."""

from __future__ import annotations

from pathlib import Path

import pytest

import lineage
from tests.streams.cli.runner import EVENTS, FLAGS, flag, write_log


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """A folder with an event log and its expected flags."""
    folder = tmp_path / "log"
    folder.mkdir()
    write_log(folder / "events.jsonl", EVENTS)
    write_log(folder / "expected-flags.jsonl", [flag(row) for row in FLAGS])
    return folder


@pytest.fixture(scope="session")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The file of a database that has recorded the log."""
    path = tmp_path_factory.mktemp("recorded") / "lineage.duckdb"
    with lineage.open(path) as store:
        assert not store.apply(EVENTS).dead_letters
    return path.read_bytes()


@pytest.fixture
def db(recorded: bytes, tmp_path: Path) -> Path:
    """A database that has recorded the log."""
    path = tmp_path / "lineage.duckdb"
    path.write_bytes(recorded)
    return path
