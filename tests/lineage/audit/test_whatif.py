"""What if: the flags of a document, against a replay of the log with the document published."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from hashlib import sha256
from itertools import chain
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import lineage
from lineage.limits import DEFAULT_LIMITS, Limits
from lineage.policy.parse import BUILT_IN_DOCUMENT
from tests.lineage.events.alphabets import MOMENTS
from tests.lineage.events.builders import Event, at, consent, declared, document, hop, message
from tests.lineage.events.builders import policy as published
from tests.lineage.events.logs import History, histories, policies, worlds
from tests.lineage.semantics.observed import rows
from tests.lineage.semantics.reference import FLAG_COLUMNS
from tests.lineage.semantics.reference_log import Log
from tests.properties import tried
from tests.stores import new_database, new_store

pytestmark = pytest.mark.slow  # a replay for each

# Small enough that most histories have several parts, and that datasets are ruled out beforehand.
SMALL = Limits(compared_rows=3, followed_messages=2, combination_arrivals=0)
EPOCH = "1970-01-01T00:00:00Z"
# Greater than any other id, so that it holds where another policy has the same instant.
GREATEST = "\U0010ffff" * 60
LEAK = "confidential and identifiable and party = 'THIRD'"
EVENTS = [
    declared("d0", "inbox"),
    declared("d", "sink", "SINK", "THIRD", "Acme"),
    message("m1"),
    message("m2", channel="DIRECT"),
    *(hop(f"h{n}", "inbox", "sink", [f"m{n}"], moved_at=at(10 * n)) for n in (1, 2)),
]

Columns = dict[str, Any]


def publications(
    events: list[Event], text: str, since: str | None, until: str | None
) -> Iterator[tuple[Event, str | None]]:
    """The publications that put a document where `whatif` takes it to be, and whose place each has.

    At the beginning of the period, and wherever a policy comes into force within it, the document
    does, disclosed when that policy was; at its end the policy that is then in force does again.
    """
    stored = [(one["effective_at"], one["policy_id"], one) for one in policies_of(events)]
    built_in = {"policy_id": "built-in", "document": BUILT_IN_DOCUMENT, "disclosed_at": EPOCH}
    held = [("", "", built_in), *sorted(stored, key=lambda one: one[:2])]
    begin = since or EPOCH
    within = {one[0] for one in held if one[0] >= begin and (until is None or one[0] < until)}
    starts = [(when, True) for when in sorted({begin, *within})]
    ends = [] if until is None else [(until, False)]
    for number, (when, is_replaced) in enumerate(starts + ends):
        (*_, (_, _, stood)) = (one for one in held if one[0] <= when)
        event = {
            **published(f"{GREATEST}{number}", effective_at=when),
            "disclosed_at": stood["disclosed_at"],
            "document": text if is_replaced else stood["document"],
        }
        yield event, None if is_replaced else str(stood["policy_id"])


def policies_of(events: list[Event]) -> Iterator[Event]:
    """The policies that count, with instants that compare as texts."""
    for one in Log(events).by_type["PolicyPublished"]:
        disclosed = one["disclosed_at"] and spelled(one["disclosed_at"])
        yield {**one, "effective_at": spelled(one["effective_at"]), "disclosed_at": disclosed}


def spelled(when: datetime) -> str:
    return f"{when.isoformat(timespec='microseconds')}Z"


def flags(store: lineage.Store) -> dict[tuple[str, str, str], Columns]:
    named = [dict(zip(FLAG_COLUMNS, row, strict=True)) for row in rows(store, "flag", FLAG_COLUMNS)]
    return {(one["rule"], one["message_id"], one["dataset"]): one for one in named}


def changes(store: lineage.Store, *given_: Any) -> list[Columns]:  # noqa: ANN401 -- of whatif_batches
    with store.whatif_batches(*given_) as found:
        return list(chain.from_iterable(batch.to_pylist() for batch in found.batches()))


documents = worlds().flatmap(policies).map(lambda event: str(event["document"]))


@tried(24)
@given(
    histories(), documents, st.lists(st.sampled_from(MOMENTS), max_size=2, unique=True), st.data()
)
def test_it_is_what_a_replay_with_the_document_published_says(
    history: History, text: str, moments: list[str], data: st.DataObject
) -> None:
    since, until = [*sorted(moments), None, None][:2] if data.draw(st.booleans()) else (None, None)
    limits = data.draw(st.sampled_from((SMALL, DEFAULT_LIMITS)))
    events = history.events
    inserted = list(publications(events, text, since and micros(since), until and micros(until)))
    original = {event["policy_id"]: id_ for event, id_ in inserted}
    with new_store(limits) as store, new_store() as replayed:
        for batch in history.batches:
            assert not store.apply(batch).dead_letters
        assert not replayed.apply([*events, *(event for event, _ in inserted)]).dead_letters
        standing, would_be = flags(store), flags(replayed)
        counted = store.whatif(text, since, until).fetchall()
        found = changes(store, text, since, until)
    for flag in would_be.values():
        flag["policy_id"] = original.get(flag["policy_id"], flag["policy_id"])
    kinds = (would_be.keys() - standing, standing.keys() - would_be, standing.keys() & would_be)
    of = [Counter((rule, dataset) for rule, _, dataset in kind) for kind in kinds]
    every = sorted({*of[0], *of[1], *of[2]})
    assert counted == [(*one, *(kind[one] for kind in of)) for one in every]
    expected = [{"change": "NEW", **would_be[key]} for key in kinds[0]]
    expected += [{"change": "GONE", **standing[key]} for key in kinds[1]]
    assert sorted(found, key=repr) == sorted(ordered(expected), key=repr)


def micros(moment: str) -> str:
    """A moment as `spelled` has it."""
    return spelled(datetime.fromisoformat(moment).replace(tzinfo=None))


def ordered(flags: list[Columns]) -> list[Columns]:
    names = ("change", "rule", "severity", "message_id", "dataset", *FLAG_COLUMNS[4:])
    return [{name: flag[name] for name in names} for flag in flags]


def test_a_document_that_declassifies_otherwise_changes_what_is_downstream() -> None:
    masked = hop("h1", "inbox", "lake", declassification=("k-anonymity", 20), moved_at=at(1))
    events = [*EVENTS[:2], message(), masked, hop("h2", "lake", "sink", moved_at=at(2))]
    rule = ("leak", "HIGH", LEAK)
    with new_store(SMALL) as store:
        store.apply([*events, published("p", [rule], declassification=[("k-anonymity", 10)])])
        stricter = document([rule], declassification=[("k-anonymity", 50)])
        assert store.whatif(stricter).fetchall() == [("leak", "sink", 1, 0, 0)]
        # The claim is judged by the policy in force when the first hop moved.
        assert store.whatif(stricter, "2024-09-18T00:02:00Z").fetchall() == []


def test_of_many_datasets_none_is_left_out_downstream() -> None:
    rule = ("leak", "HIGH", "identifiable and dataset <> 'inbox'")
    masked = [
        hop(f"h{n}", "inbox", f"lake{n * 7919 % 1000}", moved_at=at(1 + n % 9),
            operation=("COPY", "JOIN", "EMBED", "TRAIN")[n % 4],
            declassification=("noise", 1))
        for n in range(1, 400)
    ]  # fmt: skip
    with new_store(SMALL) as store:
        store.apply([message(), *masked, published("p", [rule], declassification=[("noise", 1)])])
        assert store.flags().fetchall() == []
        counts = store.whatif(document([rule])).fetchall()
    assert len(counts) == 399
    assert {count[2:] for count in counts} == {(1, 0, 0)}


def test_a_rule_that_names_one_message_is_judged_for_each() -> None:
    with new_store(SMALL) as store:
        store.apply(EVENTS)
        text = document([("one", "LOW", "message_id = 'm2' and dataset = 'sink'")])
        assert store.whatif(text).fetchall() == [
            ("confidential-inmail-to-third-party", "sink", 0, 1, 0),
            ("one", "sink", 1, 0, 0),
        ]


@pytest.mark.parametrize("limits", [SMALL, DEFAULT_LIMITS], ids=["small", "default"])
def test_the_file_is_as_it_was(limits: Limits) -> None:
    with new_database() as path:
        with lineage.open(path) as store:
            store.apply([*EVENTS, consent("c", granted=False)])
        before = sha256(path.read_bytes()).hexdigest()
        with lineage.open(path, read_only=True, limits=limits) as store:
            assert store.whatif(document()).fetchall()
            assert changes(store, document())
        assert sha256(path.read_bytes()).hexdigest() == before
        assert sorted(one.name for one in path.parent.iterdir()) == [path.name]


def test_a_store_that_is_written_stays_as_it_is_and_goes_on() -> None:
    with new_store() as store:
        store.apply(EVENTS[:-1])
        digest = store.digest()
        assert store.whatif(document()).fetchall() == [
            ("confidential-inmail-to-third-party", "sink", 0, 1, 0)
        ]
        assert store.digest() == digest
        assert store.apply(EVENTS[-1:]).events == 1


@pytest.mark.parametrize("end", ["2024-09-18T00:10:00Z", datetime(2024, 9, 18, 0, 10)])
def test_an_arrival_at_the_end_of_the_period_is_not_in_it(end: str | datetime) -> None:
    with new_store() as store:
        store.apply(EVENTS)
        assert store.whatif(document(), until=end).fetchall()[0][2:] == (0, 0, 1)
        assert store.whatif(document(), since=end).fetchall()[0][2:] == (0, 1, 0)


@pytest.mark.parametrize(
    ("period", "reason"),
    [
        (("2024", None), "from must be an instant"),
        ((None, "2024-08-01T00:00:00"), "to must be an instant"),
        ((datetime(1969, 1, 1, tzinfo=UTC), None), "from must be an instant"),
        (("2024-08-01", "2024-08-01T00:00:00Z"), "from must be before to"),
    ],
)
def test_a_period_that_is_none_is_refused(period: tuple[Any, Any], reason: str) -> None:
    with new_store() as store, pytest.raises(lineage.QueryError, match=reason):
        store.whatif(document(), *period)


def test_an_invalid_document_is_refused_with_its_place() -> None:
    with new_store() as store, pytest.raises(lineage.PolicyError, match=r"rules\[0\].when"):
        store.whatif(document([("r", "LOW", "now() > arrived_at")]))


def test_parts_are_of_bounded_size() -> None:
    """Whatever the history, so many rows are compared at a time, and these of whole messages."""
    many = [message(f"m{n:04}", sent_at=at(0, n)) for n in range(600)]
    moved = [hop(f"h{n:04}", "inbox", "sink", [f"m{n:04}"], moved_at=at(5, n)) for n in range(600)]
    with new_store(Limits(compared_rows=100)) as store:
        store.apply([*EVENTS[:2], *many, *moved])
        with store.whatif_batches(document()) as found:
            sizes = [len(batch) for batch in found.batches()]
    assert sum(sizes) == 600
    # A part has a block of 256 ids more at most: of messages and hops, an arrival and a flag each.
    assert max(sizes) <= 256
    assert len(sizes) > 2
