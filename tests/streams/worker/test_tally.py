"""The tally counts what batches came to, and tells dead letters by their reasons."""

from __future__ import annotations

from streams.worker.reports.tally import Tally
from tests.lineage.events.builders import at, declared, hop, message
from tests.stores import new_store

LEAK = [
    declared("d", "vendor", kind="SINK", party="THIRD", recipient="Acme"),
    message("m"),
    hop("h", "inbox", "vendor", ["m", "n"]),
]


def test_it_counts_what_batches_came_to() -> None:
    tally = Tally()
    with new_store() as store:
        tally.add(store.apply([*LEAK, {"event": "Nonsense"}]))
        before = tally.copy()
        tally.add(store.apply([message("n"), {"event": "Nonsense"}, {"event": "Other"}]))
        flags = len(store.flags().fetchall())
    assert tally.summary() == {
        "records": 0,
        "events": 4,
        "arrivals": 4,
        "raised": flags,
        "cleared": 0,
        "unmatched_inputs": 0,
        "dead_letters": 3,
    }
    since = tally.since(before)
    assert (since.events, since.unmatched_inputs, since.dead_letters.total()) == (1, -1, 2)
    assert before.unmatched_inputs == 1


def test_a_line_has_the_most_frequent_reasons_of_dead_letters() -> None:
    tally = Tally(records=1_234_567)
    tally.dead_letters.update({"a": 5, "b": 1, "c": 3, "d" * 500: 9})
    line = tally.line()
    assert line.startswith("1,234,567 records, 0 new events")
    assert line.endswith(f"18 dead letters; 9 x {'d' * 120}; 5 x a; 3 x c")


def test_a_flag_that_is_cleared_is_counted() -> None:
    tally = Tally()
    with new_store() as store:
        tally.add(store.apply(LEAK))
        raised = tally.raised
        late = declared("e", "vendor", kind="SINK", party="FIRST", declared_at=at(0))
        tally.add(store.apply([late]))
    assert raised
    assert tally.cleared == 1
