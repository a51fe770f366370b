"""Point 8: any order, split, repeat and restart gives what the reference gives."""

from hashlib import sha256
from random import Random
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

import lineage
from tests.lineage.events.builders import Event
from tests.lineage.events.junk import JUNK, junk
from tests.lineage.events.logs import History, histories, logs
from tests.lineage.semantics.event_rows import event_rows
from tests.lineage.semantics.observed import EVENT_TABLES, key, keys, observed, rows
from tests.lineage.semantics.reference import FLAG_COLUMNS, reference
from tests.lineage.semantics.reference_log import sha256_of, variants
from tests.properties import tried
from tests.samples import sampled
from tests.stores import new_database, new_store


def after(history: History) -> tuple[dict[str, Any], str]:
    """All that must not depend on how the events came, and the digest."""
    with new_store() as store:
        for batch in history.batches:
            store.apply(batch)
        tables: dict[str, Any] = {name: rows(store, name) for name in EVENT_TABLES}
        return {**tables, "derived": observed(store)}, store.digest()


def replayed(store: lineage.Store) -> set[tuple[str, str, str]]:
    """The flags that stand after the whole history of raising and clearing, one step at a time."""
    standing: set[tuple[str, str, str]] = set()
    query = "select status, rule, message_id, dataset from flag_history order by seq"
    for status, *flag in store.sql(query).fetchall():
        one = (flag[0], flag[1], flag[2])
        if status == "RAISED":
            standing.add(one)
        else:
            assert status == "CLEARED"
            assert one in standing, "cleared what did not stand"
            standing.remove(one)
    return standing


@tried(12)
@given(histories())
def test_after_every_batch_the_tables_are_what_the_reference_says(history: History) -> None:
    applied: list[Event] = []
    with new_store() as store:
        for batch in history.batches:
            assert not store.apply(batch).dead_letters
            applied += batch
            assert observed(store) == reference(applied)


def with_uuids(event: Event) -> Event:
    """The same event with UUIDs for ids, most of them time-ordered, in no order."""

    def uuid_of(text: str) -> str:
        version = "4" if sha256(text.encode()).digest()[0] < 64 else "7"
        return str(UUID(sha256(text.encode()).hexdigest()[:12] + version + "0008" + "0" * 15))

    single = ("message_id", "hop_id", "run_id", "change_id", "declaration_id", "policy_id")
    return {
        **event,
        **{name: uuid_of(event[name]) for name in single if name in event},
        **{
            name: [uuid_of(one) for one in event[name]]
            for name in ("inputs", "outputs")
            if name in event
        },
    }


@pytest.mark.slow
@tried(12)
@given(histories(restarts=True))
def test_ids_that_are_uuids_are_told_apart_as_well(history: History) -> None:
    with new_database() as path:
        for batch in history.batches:
            with lineage.open(path) as store:
                store.apply([with_uuids(event) for event in batch])
        with lineage.open(path) as store:
            assert observed(store) == reference([with_uuids(event) for event in history.events])


@tried(5)
@given(histories(restarts=True))
def test_a_restart_between_batches_changes_nothing(history: History) -> None:
    with new_database() as path:
        store = lineage.open(path)
        try:
            for number, batch in enumerate(history.batches):
                if number in history.restarts:
                    store.close()
                    store = lineage.open(path)
                store.apply(batch)
            assert observed(store) == reference(history.events)
            assert replayed(store) == keys(observed(store).flags)
        finally:
            store.close()


@tried(12)
@given(histories())
def test_what_was_raised_less_what_was_cleared_is_what_stands(history: History) -> None:
    standing: set[tuple[str, str, str]] = set()
    with new_store() as store:
        for batch in history.batches:
            applied = store.apply(batch)
            present = observed(store).flags
            raised = {key(flag) for flag in applied.raised}
            cleared = {key(flag) for flag in applied.cleared}
            assert cleared <= standing, "cleared what did not stand"
            standing = (standing - cleared) | raised
            assert standing == keys(present)
            for flag in applied.raised:
                assert tuple(flag[name] for name in FLAG_COLUMNS) in present
        assert replayed(store) == standing


@tried(6)
@given(histories(), st.randoms(use_true_random=False))
def test_order_splits_and_repeats_leave_tables_and_digest_alone(
    history: History, random: Random
) -> None:
    expected = after(history)
    once = history.events
    assert after(History((once,))) == expected
    assert after(History(tuple([event] for event in reversed(once)))) == expected
    twice = once * 2
    random.shuffle(twice)
    cut = random.randint(0, len(twice))
    assert after(History((twice[:cut], twice[cut:]))) == expected


@tried(6)
@given(histories())
def test_tables_of_events_hold_the_events_that_count(history: History) -> None:
    with new_store() as store:
        for batch in history.batches:
            store.apply(batch)
        for table, expected in event_rows(history.events).items():
            columns, wanted = expected
            assert rows(store, table, columns) == sorted(wanted, key=repr), table


@tried(6)
@given(histories(), st.lists(junk(), min_size=1, max_size=4), st.data())
def test_dead_letters_change_nothing_and_are_all_there(
    history: History, bad: list[Event], data: st.DataObject
) -> None:
    with new_store() as store:
        dead = 0
        for batch in history.batches:
            dead += len(store.apply(data.draw(st.permutations(batch + bad))).dead_letters)
        assert observed(store) == reference(history.events)
        assert dead == len(bad) * len(history.batches)


@pytest.mark.parametrize("bad", sampled(JUNK, 8), ids=range(len(JUNK)))
def test_an_event_that_breaks_the_contract_is_a_dead_letter(bad: Event) -> None:
    with new_store() as store:
        (letter,) = store.apply([bad]).dead_letters
        assert letter.reason
        assert rows(store, "dead_letter", ["reason", "sha256"]) == [(letter.reason, letter.sha256)]
        assert observed(store) == reference([])


@pytest.mark.slow
@tried(6)
@given(logs().filter(bool), st.data())
def test_another_log_has_another_digest(events: list[Event], data: st.DataObject) -> None:
    # What a conflict has set aside is not recorded as an event: leave out one that counts.
    counting = sorted(min(contents) for contents in variants(events).values())
    left_out = data.draw(st.sampled_from(counting))
    fewer = [event for event in events if sha256_of(event) != left_out]
    assert after(History((fewer,)))[1] != after(History((events,)))[1]
