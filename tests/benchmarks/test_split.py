"""A log that is split in time is the same log, and its later part comes later."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

import lineage
from benchmarks.scripts import split
from streams.simulate import simulate

LATER = 500


def test_both_parts_are_the_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    simulate(1_000, 1, tmp_path / "log", format="avro")
    parts = [tmp_path / name for name in ("earlier", "later")]
    command = ["split", tmp_path / "log", *parts, "--events", LATER]
    monkeypatch.setattr(sys, "argv", [str(each) for each in command])
    split.main()
    with lineage.open(":memory:") as whole, lineage.open(":memory:") as store:
        whole.replay(tmp_path / "log")
        store.replay(parts[0])
        (latest,) = store.sql("SELECT max(moved_at) FROM hop").fetchone() or (None,)
        store.replay(parts[1])
        assert store.digest() == whole.digest()
        later = store.sql("SELECT count(*) FROM hop WHERE moved_at > $at", {"at": latest})
        assert 0 < (later.fetchone() or (0,))[0] <= LATER
