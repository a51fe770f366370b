"""What is touched is judged anew in parts, and it makes no difference how many."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import lineage
from lineage import flagging
from lineage.turning import turn_anew
from streams.simulate import simulate
from tests.streams.simulate.reading import events

LATE = {"PolicyPublished", "DatasetDeclared"}


@pytest.mark.parametrize("late", [True, False])
def test_parts_make_no_difference(
    late: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    simulate(1_000, seed=3, out=tmp_path / "log")
    log = events(tmp_path / "log")
    turned: list[int] = []

    def watched(*arguments: Any) -> int:  # noqa: ANN401 -- passed on as they are
        turned.append(turn_anew(*arguments))
        return turned[-1]

    with lineage.open(":memory:") as store:
        store.apply(log)
        expected = store.digest()
        history = store.sql("SELECT count(*) FROM flag_history").fetchall()
    monkeypatch.setattr(flagging, "turn_anew", watched)
    monkeypatch.setattr(flagging, "_TOUCHED_MAX", 100)
    monkeypatch.setattr(flagging, "_BUCKETS", 50)
    with lineage.open(":memory:") as store:
        if late:
            store.apply([one for one in log if one["event"] not in LATE])
            turned.clear()
            applied = store.apply([one for one in log if one["event"] in LATE])
            assert len(turned) > 10
            assert sum(turned) <= applied.changes.num_rows
            seqs = [seq for (seq,) in store.sql("SELECT seq FROM flag_history").fetchall()]
            assert sorted(seqs) == list(range(1, len(seqs) + 1))
            assert applied.changes["seq"].to_pylist() == seqs[-applied.changes.num_rows :]
        else:
            store.apply(log)
            assert store.sql("SELECT count(*) FROM flag_history").fetchall() == history
        assert store.digest() == expected
