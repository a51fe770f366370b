"""What the flag topic gets, folded by its key, is the table of flags; whatever was judged anew."""

from __future__ import annotations

from typing import Any

from hypothesis import given

import lineage
from tests.lineage.events.builders import at, declared, hop, message
from tests.lineage.events.logs import History, histories
from tests.lineage.semantics.observed import key, rows
from tests.lineage.semantics.reference import FLAG_COLUMNS
from tests.properties import tried
from tests.stores import new_store

LEAK = [
    declared("d", "vendor", kind="SINK", party="THIRD", recipient="Acme"),
    message("m"),
    hop("h", "inbox", "vendor", ["m"], moved_at=at(9)),
]
Records = list[dict[str, Any]]


def sent(store: lineage.Store) -> Records:
    """What would go to the topic now."""
    return store.flag_records(store.unpublished())


def folded(records: Records) -> dict[tuple[str, str, str], dict[str, Any]]:
    """The flags that stand, going by the records alone."""
    standing: dict[tuple[str, str, str], dict[str, Any]] = {}
    for record in records:
        assert record["updated"] == (record["status"] == "RAISED" and key(record) in standing)
        standing[key(record)] = record
        if record["status"] == "CLEARED":
            del standing[key(record)]
    return standing


@tried(12)
@given(histories())
def test_folded_by_key_the_records_are_the_flags(history: History) -> None:
    with new_store() as store:
        store.unpublished()
        told: Records = []
        for batch in history.batches:
            changes = store.apply(batch).flag_changes
            if changes.num_rows:  # each batch by itself, as a worker sends them
                told += store.flag_records(changes)
        flags = {tuple(one[name] for name in FLAG_COLUMNS) for one in folded(told).values()}
        assert flags == set(rows(store, "flag", FLAG_COLUMNS))
        assert folded(told) == folded(sent(store))


def test_a_record_says_what_moved_it_and_to_whom() -> None:
    with new_store() as store:
        store.apply(LEAK)
        (record,) = [one for one in sent(store) if one["dataset"] == "vendor"]
        assert (record["job"], record["run_id"], record["source"]) == ("job", "run", "inbox")
        assert (record["recipient"], record["updated"]) == ("Acme", False)


def test_a_message_sent_in_breach_has_no_job() -> None:
    with new_store() as store:
        store.apply([LEAK[0], message("m", dataset="vendor")])
        (record,) = [one for one in sent(store) if one["dataset"] == "vendor"]
        assert (record["job"], record["run_id"], record["source"]) == (None, None, None)
        assert record["recipient"] == "Acme"


def test_a_standing_flag_that_changes_is_told_again() -> None:
    with new_store() as store:
        store.apply(LEAK)
        store.published(sent(store)[-1]["seq"])
        changed = store.apply([hop("g", "inbox", "vendor", ["m"], moved_at=at(8))])
        assert changed.changes.num_rows == 0  # it was neither raised nor cleared
        (record,) = sent(store)
        assert (record["status"], record["updated"], record["first_hop"]) == ("RAISED", True, "g")
        assert record["arrivals"] == 2
        assert record["seq"] > store.sql("SELECT max(seq) FROM flag_history").fetchall()[0][0]


def test_a_repeat_is_told_by_its_number() -> None:
    with new_store() as store:
        store.apply(LEAK)
        before = sent(store)
        assert before == sent(store)
        store.apply([declared("e", "vendor", kind="SINK", party="FIRST", declared_at=at(5))])
        last = sent(store)[-1]
        assert (last["status"], last["seq"]) == ("CLEARED", before[-1]["seq"] + 1)
