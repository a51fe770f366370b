"""When the tracker learned of each event and arrival, and where it read each event."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import numpy as np

import lineage
from lineage.codec import RECORDS_MOVED, Decoder, Encoder, LocalIds
from tests.lineage.events.builders import Event, at, consent, declared, hop, message, policy
from tests.stores import new_store

FIRST, SECOND, THIRD = (datetime(2026, 11, 1, 12, minute) for minute in (1, 2, 3))
EVENTS: list[Event] = [
    message("m"),
    hop("h", "inbox", "lake", ["m"]),
    consent("c", "alice", granted=False),
    declared("d", "lake"),
    policy("p"),
]
PUBLISHED = "(FROM policy WHERE policy_id <> 'built-in')"
VIEWS = ("message", "hop", "consent_change", "dataset", PUBLISHED, "arrival")


def instants(store: lineage.Store, view: str) -> list[datetime | None]:
    return [one for (one,) in store.sql(f"SELECT recorded_at FROM {view}").fetchall()]


def arrivals(store: lineage.Store) -> dict[str, datetime]:
    return dict(store.sql("SELECT dataset, recorded_at FROM arrival").fetchall())


def test_events_and_arrivals_tell_when_they_were_recorded() -> None:
    with new_store() as store:
        store.apply(EVENTS, at=FIRST)
        for view in VIEWS:
            assert set(instants(store, view)) == {FIRST}, view


def test_without_an_instant_there_is_none() -> None:
    with new_store() as store:
        store.apply(EVENTS)
        assert set(instants(store, "arrival")) == {None}


def test_a_repeat_is_no_news() -> None:
    with new_store() as store:
        store.apply(EVENTS, at=FIRST)
        store.apply(EVENTS, at=SECOND)
        for view in VIEWS:
            assert set(instants(store, view)) == {FIRST}, view


def test_what_a_late_message_brings_is_learned_with_it() -> None:
    with new_store() as store:
        store.apply([hop("h", "inbox", "lake", ["m"])], at=FIRST)
        store.apply([message("m")], at=SECOND)
        assert instants(store, "hop") == [FIRST]
        assert arrivals(store) == {"inbox": SECOND, "lake": SECOND}


def test_an_arrival_that_is_derived_anew_keeps_its_instant() -> None:
    declassified = hop("h", "inbox", "lake", ["m"], declassification=("noise", 10))
    with new_store() as store:
        store.apply([message("m"), declassified], at=FIRST)
        store.apply([hop("g", "lake", "vendor", ["m"], moved_at=at(20))], at=SECOND)
        store.apply([policy("p", declassification=[("noise", 10)])], at=THIRD)
        assert arrivals(store) == {"inbox": FIRST, "lake": FIRST, "vendor": SECOND}
        found = store.sql("SELECT dataset FROM arrival WHERE NOT identifiable").fetchall()
        assert sorted(found) == [("lake",), ("vendor",)]


def test_of_a_conflict_that_of_the_version_that_counts() -> None:
    versions = [hop("h", "inbox", "lake", ["m"], moved_at=at(minute)) for minute in (10, 11)]
    for one, other in (versions, versions[::-1]):
        with new_store() as store:
            store.apply([message("m"), one], at=FIRST)
            store.apply([other], at=SECOND)
            ((counts, learned),) = store.sql("SELECT moved_at, recorded_at FROM hop").fetchall()
            first = counts.isoformat() == str(one["moved_at"])[:19]
            assert learned == (FIRST if first else SECOND)
            assert arrivals(store) == {"inbox": FIRST, "lake": learned}


def test_the_digest_leaves_them_out(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    log.write_text("".join(json.dumps(event) + "\n" for event in EVENTS))
    with new_store() as one, new_store() as other:
        one.apply(EVENTS, at=FIRST)
        other.replay(log, at=SECOND)
        assert one.digest() == other.digest()


def test_an_event_of_a_file_has_its_line(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    log.write_text("".join(json.dumps(event) + "\n" for event in EVENTS))
    with new_store() as store:
        store.replay(log, at=FIRST)
        found = store.sql("FROM event_origin ORDER BY position").fetchall()
    assert found == [
        (event["event"], _id(event), str(log), 0, line, FIRST)
        for line, event in enumerate(EVENTS, 1)
    ]


def test_an_event_of_a_topic_has_its_offset() -> None:
    encoder, decoder = Encoder(LocalIds()), Decoder(LocalIds())
    hops = [hop(f"h{number}", "inbox", "lake", ["m"]) for number in range(3)]
    batch = decoder.decode(
        RECORDS_MOVED.topic,
        np.array([4, 4, 7]),
        np.array([100, 105, 3]),
        [encoder.encode(one) for one in hops],
    )
    with new_store() as store:
        store.apply_batch(batch)
        found = store.sql(
            "SELECT event_id, source, partition, position FROM event_origin ORDER BY event_id"
        ).fetchall()
    places = [(4, 100), (4, 105), (7, 3)]
    assert found == [
        (f"h{number}", RECORDS_MOVED.topic, *place) for number, place in enumerate(places)
    ]


def test_many_origins_and_restarts(tmp_path: Path) -> None:
    logs = []
    for number in range(5):
        logs.append(tmp_path / f"{number}.jsonl")
        logs[-1].write_text(json.dumps(message(f"m{number}")) + "\n")
    for path in (*logs, *logs[::-1]):
        with lineage.open(tmp_path / "l.duckdb") as store:
            store.replay(path)
    with lineage.open(tmp_path / "l.duckdb", read_only=True) as store:
        found = store.sql("SELECT event_id, source FROM event_origin").fetchall()
        ((origins,),) = store._connection.execute("SELECT count(*) FROM core.origin").fetchall()
    assert dict(found) == {f"m{number}": str(log) for number, log in enumerate(logs)}
    assert origins == len(logs)


def _id(event: Event) -> str:
    names = ("message_id", "hop_id", "change_id", "declaration_id", "policy_id")
    return next(str(event[name]) for name in names if name in event)
