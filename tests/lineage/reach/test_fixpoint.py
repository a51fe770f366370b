"""The fixpoint of the tracker is that of a plain second version, on logs of some thousand hops."""

from __future__ import annotations

from pathlib import Path

import pytest

import lineage
from lineage.reach.arrivals import Arrivals
from lineage.reach.fixpoint import Fixpoint
from lineage.reach.hops import Holdings
from streams.simulate import simulate
from tests.lineage.events.builders import at, hop, message
from tests.lineage.reach.plain_reach import COLUMNS, KEY, plain_reach
from tests.stores import new_store

DECLASSIFYING = """
SELECT h.hop_id, h.source, h.target, h.moved_at,
    coalesce(h.declass_k >= p.min_k, false) AS declassifies
FROM hop h
LEFT JOIN (
    SELECT s.from_at, s.until_at, m.method, m.min_k
    FROM core.policy_span s JOIN core.policy_method m ON m.policy = s.policy
) p ON p.method = h.declass_method AND h.moved_at >= p.from_at AND h.moved_at < p.until_at
"""
MOVES = """
SELECT i.hop_id, i.record_id AS input, coalesce(o.record_id, i.record_id) AS output
FROM hop_record i
LEFT JOIN hop_record o ON o.hop_id = i.hop_id AND o.side = 'OUTPUT'
WHERE i.side = 'INPUT'
"""


@pytest.mark.slow
@pytest.mark.parametrize("mix", ["own", "worst"])
@pytest.mark.parametrize("batch_events", [97, 100_000])
def test_the_arrivals_are_those_of_the_plain_version(
    mix: str, batch_events: int, tmp_path: Path
) -> None:
    simulate(600, 5, tmp_path / "log", mix=mix)  # type: ignore[arg-type]  # one of two words
    with lineage.open(tmp_path / "db") as store:
        store.replay(tmp_path / "log", batch_events=batch_events)
        plain = plain_reach(
            store.sql("SELECT message_id, dataset, sent_at FROM message").pl(),
            store.sql(DECLASSIFYING).pl(),
            store.sql(MOVES).pl(),
        )
        ours = store.sql(f"SELECT {', '.join(COLUMNS)} FROM arrival").pl().sort(KEY)
    assert len(ours) > 1_000
    assert not ours["identifiable"].all() or mix == "worst"
    assert ours.equals(plain)


def test_what_records_held_is_looked_up_in_the_datasets_that_are_read_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A record that keeps its id is in many: looked up in all, memory would grow with history."""
    looked_up = []
    run = Fixpoint.run

    def spy(fixpoint: Fixpoint, born: Arrivals, held: Holdings | None) -> None:
        looked_up.append(0 if held is None else len(held))
        run(fixpoint, born, held)

    monkeypatch.setattr(Fixpoint, "run", spy)
    copies = [hop(f"h{n}", "inbox", f"copy{n}", ["m"], moved_at=at(1)) for n in range(20)]
    with new_store() as store:
        store.apply([message("m"), *copies])
        store.apply([hop("late", "copy7", "vendor", ["m"], moved_at=at(2))])
        held = store.sql("SELECT count(*) FROM arrival WHERE dataset = 'vendor'").fetchall()
    assert (looked_up, held) == ([0, 1], [(1,)])
