"""The peers' tracing: small, but it has to be right for a comparison to mean anything."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import permutations

from benchmarks.peers.decode import Event
from benchmarks.peers.trace import Arrival, Flag, Tracer

START = datetime(2025, 1, 1, tzinfo=UTC)


def at(minutes: int) -> datetime:
    return START + timedelta(minutes=minutes)


def declared(dataset: str, party: str, minutes: int = 0) -> Event:
    return {
        "declaration_id": f"{dataset}-{minutes}",
        "dataset": dataset,
        "party": party,
        "declared_at": at(minutes),
    }


def sent(channel: str = "INMAIL", tier: str = "RECRUITER") -> Event:
    parties = [{"tier": "FREE"}, {"tier": tier}]
    return {
        "message_id": "m",
        "channel": channel,
        "parties": parties,
        "dataset": "origin",
        "sent_at": at(0),
    }


def moved(hop_id: str, source: str, target: str, minutes: int, *outputs: str) -> Event:
    return {
        "hop_id": hop_id,
        "operation": "COPY",
        "source": source,
        "target": target,
        "inputs": ["m"],
        "outputs": list(outputs),
        "moved_at": at(minutes),
    }


def found(events: list[Event], *declarations: Event) -> set[Arrival | Flag]:
    tracer = Tracer(list(declarations))
    return {
        one
        for event in events
        for one in (tracer.message(event) if "channel" in event else tracer.hop(event))
    }


def flags(found: set[Arrival | Flag]) -> set[Flag]:
    return {one for one in found if isinstance(one, Flag)}


def test_any_order_comes_to_the_same() -> None:
    events = [sent(), moved("h1", "origin", "table", 1), moved("h2", "table", "sink", 2)]
    ways = [found(list(order), declared("sink", "THIRD")) for order in permutations(events)]
    assert all(way == ways[0] for way in ways)
    assert {(a.dataset, a.hop_id) for a in ways[0] if isinstance(a, Arrival)} == {
        ("origin", None),
        ("table", "h1"),
        ("sink", "h2"),
    }
    assert {flag.dataset for flag in flags(ways[0])} == {"sink"}


def test_what_came_after_a_hop_did_not_go_with_it() -> None:
    events = [sent(), moved("h1", "origin", "table", 2), moved("h2", "table", "sink", 1)]
    for order in permutations(events):
        arrivals = {a.dataset for a in found(list(order)) if isinstance(a, Arrival)}
        assert arrivals == {"origin", "table"}


def test_an_earlier_way_found_later_opens_earlier_hops() -> None:
    late, early = moved("late", "origin", "table", 5), moved("early", "origin", "table", 1)
    events = [sent(), late, moved("on", "table", "sink", 2), early]
    for order in permutations(events):
        hops = {a.hop_id for a in found(list(order)) if isinstance(a, Arrival)}
        assert hops == {None, "late", "early", "on"}


def test_cycles_end_and_second_copies_change_nothing() -> None:
    there, back = moved("there", "origin", "table", 1), moved("back", "table", "origin", 1)
    arrivals = found([sent(), there, back, there, sent()])
    assert len(arrivals) == 3


def test_only_confidential_inmail_is_flagged() -> None:
    third = declared("sink", "THIRD")
    hop = moved("h", "origin", "sink", 1)
    assert flags(found([sent("INMAIL", "RECRUITER"), hop], third))
    assert not flags(found([sent("INMAIL", "FREE"), hop], third))
    assert not flags(found([sent("DIRECT", "RECRUITER"), hop], third))
    assert not flags(found([sent(), hop]))


def test_a_dataset_is_judged_as_of_the_arrival() -> None:
    hop = moved("h", "origin", "sink", 10)
    became = declared("sink", "FIRST", 0), declared("sink", "THIRD", 10)
    too_late = declared("sink", "FIRST", 0), declared("sink", "THIRD", 11)
    assert flags(found([sent(), hop], *became))
    assert not flags(found([sent(), hop], *too_late))
    # Before its first declaration, that one counts.
    assert flags(found([sent(), hop], declared("sink", "THIRD", 99)))
