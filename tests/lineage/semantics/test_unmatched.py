"""An input of a hop that held no message at its instant is told, with what is known of it."""

from __future__ import annotations

import lineage
from lineage.limits import Limits
from tests.lineage.events.builders import Event, at, hop, message, policy
from tests.lineage.semantics.conftest import Judge
from tests.lineage.semantics.reference import UNMATCHED_COLUMNS, Expected
from tests.lineage.semantics.reference_log import instant
from tests.stores import new_store


def told(expected: Expected) -> set[tuple[object, ...]]:
    """(hop, record, reason) of each."""
    places = [UNMATCHED_COLUMNS.index(name) for name in ("hop_id", "record_id", "reason")]
    return {tuple(row[place] for place in places) for row in expected.unmatched}


def export(*inputs: str, source: str = "inbox", moved_at: str = at(5)) -> Event:
    return hop("h", source, "vendor", list(inputs), moved_at=moved_at)


def test_an_input_that_held_a_message_is_not_told(judge: Judge) -> None:
    assert judge(message("m"), export("m")).unmatched == frozenset()


def test_the_same_instant_is_in_time(judge: Judge) -> None:
    assert judge(message("m", sent_at=at(5)), export("m")).unmatched == frozenset()


def test_a_hop_whose_clock_is_behind(judge: Judge) -> None:
    (row,) = judge(message("m", sent_at=at(5, micro=1000)), export("m")).unmatched
    said = dict(zip(UNMATCHED_COLUMNS, row, strict=True))
    assert (said["reason"], said["source"], said["record_id"]) == ("SEEN_LATER", "inbox", "m")
    assert (said["moved_at"], said["seen_at"]) == (instant(at(5)), instant(at(5, micro=1000)))


def test_a_record_that_never_held_anything(judge: Judge) -> None:
    assert told(judge(message("m"), export("m", "n"))) == {("h", "n", "NEVER_SEEN")}


def test_an_id_in_another_case(judge: Judge) -> None:
    assert told(judge(message("Msg-1"), export("msg-1"))) == {("h", "msg-1", "SPELLED_LIKE")}


def test_an_id_in_another_unicode_form(judge: Judge) -> None:
    composed, decomposed = "caf\u00e9", "cafe\u0301"
    found = told(judge(message(composed), export(decomposed)))
    assert found == {("h", decomposed, "SPELLED_LIKE")}


def test_an_id_with_a_prefix(judge: Judge) -> None:
    found = told(judge(message("17"), export("urn:li:message:17")))
    assert found == {("h", "urn:li:message:17", "SPELLED_LIKE")}


def test_a_dataset_that_is_qualified(judge: Judge) -> None:
    found = told(judge(message("m"), export("m", source="kafka.Inbox")))
    assert found == {("h", "m", "SPELLED_LIKE")}


def test_a_later_hop_on_the_way_is_told_too(judge: Judge) -> None:
    onward = hop("onward", "vendor", "lake", ["m"], moved_at=at(9))
    late = message("m", sent_at=at(7))
    assert told(judge(late, export("m"), onward)) == {
        ("h", "m", "SEEN_LATER"),
        ("onward", "m", "NEVER_SEEN"),
    }


def test_a_conflict_takes_back_what_an_input_held() -> None:
    one, other = message("m"), message("m", dataset="elsewhere")
    for first, second in ((one, other), (other, one)):
        with new_store() as store:
            store.apply([first, export("m")])
            store.apply([second])
            (kept,) = store.sql("SELECT dataset FROM message").fetchall()
            reasons = store.sql("SELECT reason FROM unmatched_input").fetchall()
            assert bool(reasons) == (kept != ("inbox",))


def test_a_hop_that_comes_with_the_policy_that_its_input_waits_for() -> None:
    """The policy has the input's message derived anew, after the hop was held against the store."""
    declassified = hop("h", "inbox", "lake", ["m"], declassification=("noise", 10))
    accepting = policy("p", declassification=[("noise", 10)])
    onward = hop("onward", "lake", "vendor", ["m"])
    with new_store() as store:
        store.apply([message("m"), declassified, accepting])
        store.apply([onward, policy("q", effective_at=at(1))])
        assert not store.sql("FROM unmatched_input").fetchall()


def test_the_late_event_takes_it_away_and_the_counts_follow() -> None:
    def counts(store: lineage.Store) -> tuple[int, ...]:
        return tuple(vars(store.unmatched_inputs()).values())

    with new_store() as store:
        store.apply([export("m", "n", moved_at=at(5))])
        assert counts(store) == (0, 0, 0, 2)
        store.apply([message("n", sent_at=at(8))])
        assert counts(store) == (1, 0, 1, 0)
        store.apply([message("M")])
        assert counts(store) == (1, 1, 0, 0)
        store.apply([message("m")])
        assert counts(store) == (1, 0, 0, 0)
        assert store.sql("SELECT record_id, reason FROM unmatched_input").fetchall() == [
            ("n", "SEEN_LATER")
        ]


def test_many_records_that_a_conflict_empties_are_looked_up_in_parts() -> None:
    ids = [f"m{number}" for number in range(7)]
    versions = [hop("h", "inbox", "lake", ids, moved_at=at(minute)) for minute in (10, 30)]
    onward = hop("onward", "lake", "vendor", ids, moved_at=at(20))
    for one, other in (versions, versions[::-1]):
        found = []
        for limits in (Limits(), Limits(restored_records=2)):
            with new_store(limits=limits) as store:
                store.apply([*map(message, ids), one, onward])
                store.apply([other])
                told = store.sql("FROM unmatched_input ORDER BY ALL").fetchall()
                ((moved_at,),) = store.sql("SELECT moved_at FROM hop WHERE hop_id = 'h'").fetchall()
                assert len(told) == (0 if moved_at == instant(at(10)) else len(ids))
                found.append(told)
        assert found[0] == found[1]
