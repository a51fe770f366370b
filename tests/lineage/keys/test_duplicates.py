"""What comes again and says the same is a repeat; what says anything else is a conflict."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

import lineage
from lineage.keys import deduplicate
from tests.lineage.events.builders import (
    RECIPIENT,
    SENDER,
    Event,
    at,
    consent,
    declared,
    hop,
    message,
    party,
)
from tests.samples import sampled
from tests.stores import new_store

MESSAGE = message("m")
HOP = hop("h", "inbox", "vendor", ["m", "n"], ["x", "y"], declassification=("hashed", 5))
BARE = hop("b", "inbox", "vendor", ["m", "n"])
CONSENT = consent("c", granted=True)
EVENTS = (MESSAGE, HOP, BARE, CONSENT)

# The same said otherwise.
RESPELLED = (
    {**MESSAGE, "sent_at": "2024-09-18T02:00:00+02:00"},
    {**HOP, "inputs": ["n", "m", "n"], "outputs": ["y", "x"]},
    {**BARE, "inputs": ["n", "m"]},
    {**CONSENT, "effective_at": at(5).replace(".000000Z", "Z")},
)
OTHERWISE: list[Event] = [
    {**MESSAGE, "channel": "DIRECT"},
    {**MESSAGE, "dataset": "outbox"},
    {**MESSAGE, "sent_at": at(1)},
    {**MESSAGE, "parties": [RECIPIENT, SENDER]},
    {**MESSAGE, "parties": [SENDER, RECIPIENT, party("RECIPIENT", "cy")]},
    {**MESSAGE, "parties": [SENDER, party("RECIPIENT", "cy")]},
    {**MESSAGE, "parties": [SENDER, {**RECIPIENT, "tier": "RECRUITER"}]},
    {**MESSAGE, "parties": [SENDER, {**RECIPIENT, "region": "DE"}]},
    {**MESSAGE, "parties": [SENDER, {**RECIPIENT, "third_party_consent": False}]},
    {**MESSAGE, "parties": [SENDER, {**RECIPIENT, "ai_training_consent": False}]},
    {**HOP, "run_id": "other"},
    {**HOP, "job": "other"},
    {**HOP, "operation": "EMBED"},
    {**HOP, "source": "outbox"},
    {**HOP, "target": "lake"},
    {**HOP, "moved_at": at(11)},
    {**HOP, "declassification": None},
    {**HOP, "declassification": {"method": "hashed", "k": 6}},
    {**HOP, "declassification": {"method": "masked", "k": 5}},
    {**HOP, "inputs": ["m"]},
    {**HOP, "inputs": ["m", "o"]},
    {**HOP, "inputs": ["m", "n", "o"]},
    {**HOP, "outputs": ["x"]},
    {**HOP, "outputs": []},
    {**HOP, "outputs": ["x", "y", "z"]},
    {**BARE, "outputs": ["m"]},
    {**BARE, "declassification": {"method": "hashed", "k": 5}},
    {**CONSENT, "member_id": "bob"},
    {**CONSENT, "purpose": "THIRD_PARTY"},
    {**CONSENT, "granted": False},
    {**CONSENT, "basis": "DEFAULT"},
    {**CONSENT, "effective_at": at(6)},
]


@pytest.fixture
def store() -> Iterator[lineage.Store]:
    with new_store() as store:
        yield store


def in_one_batch(store: lineage.Store, *parts: list[Event]) -> None:
    store.apply([event for part in parts for event in part])


def in_batches(store: lineage.Store, *parts: list[Event]) -> None:
    for part in parts:
        store.apply(part)


each_way = pytest.mark.parametrize("apply", [in_one_batch, in_batches])
Apply = Callable[..., None]


def conflicts(store: lineage.Store) -> list[Any]:
    return store.sql("SELECT event_id, count(*) FROM conflict GROUP BY ALL").fetchall()


@each_way
def test_repeats_are_told_without_their_texts(
    store: lineage.Store, apply: Apply, monkeypatch: pytest.MonkeyPatch
) -> None:
    def compared(*_: object) -> None:
        raise AssertionError("texts were compared")

    monkeypatch.setattr(deduplicate, "_Collision", compared)
    more = message("m2")
    apply(store, list(EVENTS), [*EVENTS, more], [more, *RESPELLED])
    assert conflicts(store) == []
    with new_store() as once:
        once.apply([*EVENTS, more])
        assert store.digest() == once.digest()


@pytest.mark.parametrize("apply", sampled([in_batches, in_one_batch], 2))
@pytest.mark.parametrize("other", sampled(OTHERWISE, 8), ids=range(len(OTHERWISE)))
def test_anything_else_is_a_conflict(store: lineage.Store, apply: Apply, other: Event) -> None:
    """Repeats of both versions, before and after it is known, change nothing."""
    (same,) = (one for one in EVENTS if _id(one) == _id(other))
    apply(store, [same, *EVENTS], [other], [same], [*EVENTS, other])
    assert conflicts(store) == [(_id(same), 2)]
    with new_store() as reversed_:
        reversed_.apply([other, *EVENTS])
        assert store.digest() == reversed_.digest()


def _id(event: Event) -> str:
    return str(next(event[name] for name in ("message_id", "hop_id", "change_id") if name in event))


def test_rare_events_are_told_too(store: lineage.Store) -> None:
    first = declared("d", "vendor", kind="SINK", party="THIRD", recipient="Acme")
    for event in (first, first, {**first, "recipient": "Other"}, first):
        store.apply([event])
    assert conflicts(store) == [("d", 2)]
