"""A batch is applied as a whole or not at all, with its positions and dead letters."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path

import duckdb
import pytest

import lineage
from lineage.codec import from_events
from lineage.store import transaction
from tests.lineage.events.builders import at, declared, hop, message, policy
from tests.stores import new_store


@pytest.fixture
def store() -> Iterator[lineage.Store]:
    with new_store() as store:
        yield store


LEAK = [
    declared("d", "vendor", kind="SINK", party="THIRD", recipient="Acme"),
    declared("e", "inbox", kind="TOPIC", party="FIRST"),
    message("m"),
    hop("h", "inbox", "vendor", ["m"]),
]
RULE = "confidential-inmail-to-third-party"


def test_what_was_raised_comes_back(store: lineage.Store) -> None:
    applied = store.apply(LEAK)
    assert (applied.events, applied.arrivals, applied.cleared) == (4, 2, [])
    assert applied.raised == [
        {
            "rule": RULE,
            "severity": "CRITICAL",
            "message_id": "m",
            "dataset": "vendor",
            "policy_id": "built-in",
            "first_at": datetime(2024, 9, 18, 0, 10),
            "last_at": datetime(2024, 9, 18, 0, 10),
            "arrivals": 1,
            "first_hop": "h",
        }
    ]


def test_what_was_cleared_comes_back_as_it_was(store: lineage.Store) -> None:
    raised = store.apply(LEAK).raised
    later = declared("d2", "vendor", kind="SINK", party="FIRST", declared_at=at(5))
    applied = store.apply([later])
    assert (applied.raised, applied.cleared) == ([], raised)
    statuses = store.sql("SELECT status, seq FROM flag_history ORDER BY seq").fetchall()
    assert statuses == [("RAISED", 1), ("CLEARED", 2)]


def test_positions_are_of_the_same_transaction(store: lineage.Store) -> None:
    store.apply_batch(from_events(LEAK), {("t", 0): 5, ("t", 1): 7})
    store.apply_batch(from_events([]), {("t", 1): 9})
    assert store.positions() == {("t", 0): 5, ("t", 1): 9}


def test_a_hash_belongs_to_its_position_alone(store: lineage.Store) -> None:
    first, second = ("t", 0), ("t", 1)
    store.apply_batch(from_events([]), {first: 5, second: 7}, hashes={first: "a", second: "b"})
    store.apply_batch(from_events([]), {first: 6})
    assert store.hashes() == {second: "b"}


def test_a_batch_that_fails_leaves_nothing(
    store: lineage.Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.apply([message("first")])
    before = store.digest()

    def fail(connection: duckdb.DuckDBPyConnection, *_: object) -> None:
        connection.execute("SELECT error('the disk is full')")

    monkeypatch.setattr(transaction, "derive", fail)
    with pytest.raises(lineage.StoreError, match="the disk is full"):
        store.apply_batch(from_events(LEAK), {("t", 0): 5})
    monkeypatch.undo()
    assert (store.digest(), store.positions()) == (before, {})
    assert store.sql("SELECT count(*) FROM core.identifier").fetchall() == [(1,)]
    # Numbers given in the failed batch were taken back: the same batch now goes in as if first.
    assert len(store.apply(LEAK).raised) == 1


@pytest.mark.slow
def test_a_batch_that_takes_more_memory_than_there_may_be_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def take_much(connection: duckdb.DuckDBPyConnection, *_: object) -> None:
        connection.execute("CREATE TEMP TABLE much AS SELECT list(i) FROM range(50_000_000) t(i)")

    with lineage.open(":memory:", memory_mib=200) as store:
        monkeypatch.setattr(transaction, "derive", take_much)
        with pytest.raises(lineage.StoreError, match=r"more memory .* give it more \(--memory"):
            store.apply(LEAK)
        monkeypatch.undo()
        assert len(store.apply(LEAK).raised) == 1


def test_the_instant_of_acting_is_given_not_read(store: lineage.Store) -> None:
    noon = datetime(2026, 1, 1, 13, tzinfo=timezone(timedelta(hours=1)))
    store.apply([*LEAK, {"event": "Nothing"}], at=noon)
    query = "SELECT recorded_at FROM flag_history UNION ALL SELECT recorded_at FROM dead_letter"
    assert store.sql(query).fetchall() == [(datetime(2026, 1, 1, 12),)] * 2


def test_bad_events_are_dead_letters_and_harm_nobody(store: lineage.Store) -> None:
    bad = {**message("bad"), "channel": "FAX"}
    applied = store.apply([LEAK[0], bad, *LEAK[1:]])
    assert [letter.position for letter in applied.dead_letters] == [1]
    with new_store() as other:
        other.apply(LEAK)
        assert store.digest() == other.digest()
    assert store.sql("SELECT source, position FROM dead_letter").fetchall() == [("apply", 1)]


def test_strict_applies_nothing_where_an_event_breaks_the_contract(store: lineage.Store) -> None:
    bad = {**message("bad"), "channel": "FAX"}
    with pytest.raises(lineage.EventError, match=r"1 of 5 events .* event 1: channel .* INMAIL"):
        store.apply([LEAK[0], bad, *LEAK[1:]], strict=True)
    assert store.sql("SELECT count(*) FROM message").fetchall() == [(0,)]
    assert store.sql("SELECT count(*) FROM dead_letter").fetchall() == [(0,)]
    with pytest.raises(lineage.EventError, match="document"):
        store.apply([policy("p", [("r", "LOW", "no_such_fact")])], strict=True)
    assert len(store.apply(LEAK, strict=True).raised) == 1


def test_a_dead_letter_is_kept_once(store: lineage.Store) -> None:
    for _ in range(2):
        store.apply([{"event": "Nothing"}])
    assert store.sql("SELECT count(*) FROM dead_letter").fetchall() == [(1,)]


def test_a_policy_with_a_bad_rule_is_a_dead_letter(store: lineage.Store) -> None:
    good = policy("p", [("r", "LOW", "confidential")])
    bad = policy("q", [("r", "LOW", "confidential) or (true")])
    applied = store.apply([bad, good])
    (letter,) = applied.dead_letters
    assert letter.position == 0
    assert letter.reason.startswith("document: rules[0].when ")
    stored = store.sql("SELECT policy_id FROM policy ORDER BY policy_id").fetchall()
    assert stored == [("built-in",), ("p",)]


def test_the_name_of_the_built_in_policy_is_taken(store: lineage.Store) -> None:
    (letter,) = store.apply([policy("built-in")]).dead_letters
    assert letter.reason.startswith("policy_id: built-in is the policy that holds before any")


def test_a_policy_may_have_a_hundred_rules(store: lineage.Store) -> None:
    rules = [(f"r{i}", "LOW", "party = 'THIRD'" if i % 2 else "not declared") for i in range(60)]
    named = [(f"s{i}", "LOW", f"message_id = 'm' and {i} >= 0") for i in range(40)]
    applied = store.apply([policy("p", [*rules, *named]), *LEAK])
    assert applied.dead_letters == ()
    # 30 by the export, 40 by each of the two arrivals.
    assert len(applied.raised) == 30 + 2 * 40


def test_arrivals_that_a_conflict_retracts_are_not_counted_twice(store: lineage.Store) -> None:
    versions = [LEAK[2], {**LEAK[2], "sent_at": at(1)}, {**LEAK[2], "sent_at": at(20)}]
    total = sum(store.apply([one]).arrivals for one in [*LEAK, *versions])
    assert store.sql("SELECT count(*) FROM arrival").fetchall() == [(total,)]


def test_what_has_not_been_published_is_found_again(store: lineage.Store) -> None:
    store.apply(LEAK)
    assert store.unpublished()["seq"].to_pylist() == [1]
    store.published(1)
    assert store.unpublished().num_rows == 0


@pytest.mark.slow
def test_a_long_history_is_restarted_in_the_middle(tmp_path: Path) -> None:
    with new_store() as once:
        once.apply(LEAK)
        expected = once.digest()
    for event in LEAK:
        with lineage.open(tmp_path / "l.duckdb") as store:
            store.apply([event])
    with lineage.open(tmp_path / "l.duckdb") as store:
        assert store.digest() == expected
