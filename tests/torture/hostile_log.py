"""Makes a log that is hard to record: repeats, conflicts, late events, and values that are none."""

from __future__ import annotations

import json
import random
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from lineage.codec import (
    INPUTS,
    DeadLetter,
    Encoder,
    EventType,
    LocalIds,
    by_name,
    read_events,
)
from lineage.policy.parse import BUILT_IN_DOCUMENT
from streams.simulate import simulate
from tests.lineage.events.builders import consent, declared, document, policy
from tests.lineage.events.junk import JUNK

Event = dict[str, Any]

_ENCODER = Encoder(LocalIds())
# One event in so many: is published again, is published with other content under the same id, comes
# much later than it happened, changes places with one nearby, is followed by a value that is none.
_REPEATED, _CONFLICTING, _LATE, _SWAPPED, _BAD = 25, 60, 30, 8, 50
_NEAR = 400
# A set of late changes for so many events.
_EVENTS_A_CHANGE = 2_000
_SLICES = 60
# Only its judge finds out that this is no policy; the event is whole.
_NO_POLICY = document([("r", "LOW", "random() < 2")])
_RULES = (
    "confidential and identifiable and kind = 'TABLE'",
    "not third_party_consent and operation in ('EXPORT', 'SEND')",
    "not disclosed or exempt_region",
)


@dataclass(frozen=True)
class Record:
    """A record to be sent to Kafka. bad: it is no event, and has to become a dead letter."""

    topic: str
    key: bytes
    value: bytes | None
    bad: bool = False


@dataclass(frozen=True)
class HostileLog:
    """The records in the order of publishing, and the file with the events among them."""

    records: Sequence[Record]
    events: Path

    def ids(self) -> dict[str, set[str]]:
        """Return the ids of the events, by type."""
        found: dict[str, set[str]] = {kind.name: set() for kind in INPUTS}
        for line in self.events.read_text(encoding="utf-8").splitlines():
            event = json.loads(line)
            found[event["event"]].add(event[by_name(event["event"]).id_field])
        return found

    @property
    def bad_values(self) -> set[bytes | None]:
        """The values that are no events."""
        return {record.value for record in self.records if record.bad}


def hostile_log(messages: int, seed: int, folder: Path) -> HostileLog:
    """Simulate so many messages and make a hostile log of them, the same for the same seed."""
    simulated = folder / "simulated"
    simulate(messages, seed, simulated)
    chance = random.Random(seed)
    read = (item for item in read_events(simulated) if not isinstance(item, DeadLetter))
    events = list(_mixed(chance, [{**event, "event": kind.name} for kind, event in read]))
    path = folder / "log" / "events.jsonl"
    path.parent.mkdir()
    records: list[Record] = []
    with path.open("w", encoding="utf-8") as file:
        for event in events:
            kind = by_name(event["event"])
            value = _ENCODER.encode(event)
            no_policy = event.get("document") == _NO_POLICY
            key = str(event[kind.id_field]).encode()
            records.append(Record(kind.topic, key, value, bad=no_policy))
            if not no_policy:
                file.write(f"{json.dumps(event, ensure_ascii=False)}\n")
            if chance.randrange(_BAD) == 0:
                records.append(_bad(chance, kind, value))
    return HostileLog(records, path)


def _mixed(chance: random.Random, events: list[Event]) -> Iterator[Event]:
    """Yield events with others between them, some late, some in other places."""
    last = len(events)
    past = _Past.of(events)
    placed = [(float(place), event) for place, event in enumerate(events)]
    for place, event in enumerate(events):
        if chance.randrange(_REPEATED) == 0:
            placed.append((chance.uniform(place, last), _respelled(chance, event)))
        if chance.randrange(_CONFLICTING) == 0:
            placed.append((chance.uniform(0, last), _other_content(chance, event)))
        if chance.randrange(_LATE) == 0:
            placed[place] = (chance.uniform(place, last), event)
        elif chance.randrange(_SWAPPED) == 0:
            placed[place] = (place + chance.uniform(-_NEAR, _NEAR), event)
    for number in range(max(2, last // _EVENTS_A_CHANGE)):
        at = chance.uniform(0, last)
        changes = _late_changes(chance, past, number)
        placed += [
            (min(at + 1.5 * step * _NEAR, last), event) for step, event in enumerate(changes)
        ]
    yield from (event for _, event in sorted(placed, key=lambda pair: pair[0]))


def _respelled(chance: random.Random, event: Event) -> Event:
    """Return the same content, its sets in another order."""
    again = dict(event)
    for name in ("inputs", "outputs"):
        if again.get(name):
            again[name] = chance.sample(again[name], len(again[name]))
    return again


def _other_content(chance: random.Random, event: Event) -> Event:
    """Return an event with the same id and a later instant."""
    name = by_name(event["event"]).instant_field
    later = _instant(event[name]) + timedelta(microseconds=chance.randint(1, 10**9))
    return {**event, name: _text(later)}


@dataclass(frozen=True)
class _Past:
    """What late changes are about: when hops moved, their targets, and members."""

    first: datetime
    last: datetime
    targets: Sequence[str]
    members: Sequence[str]

    @staticmethod
    def of(events: Sequence[Event]) -> _Past:
        hops = [event for event in events if event["event"] == "RecordsMoved"]
        parties = (event["parties"] for event in events if event["event"] == "MessageSent")
        return _Past(
            _instant(min(hop["moved_at"] for hop in hops)),
            _instant(max(hop["moved_at"] for hop in hops)),
            sorted({hop["target"] for hop in hops}),
            sorted({one["member_id"] for some in parties for one in some}),
        )


def _late_changes(chance: random.Random, past: _Past, number: int) -> list[Event]:
    """Return changes that concern a slice of the log's time: flags are raised, then cleared.

    What ends the slice comes first, so that each touches the slice alone.
    """
    whole = past.last - past.first
    start = past.first + whole * chance.random() * (1 - 1 / _SLICES)
    begin, end = _text(start), _text(start + whole / _SLICES)
    name = f"late-{number:03}"
    severe = [(f"{name}-{place}", "HIGH", rule) for place, rule in enumerate(_RULES)]
    target = chance.choice(past.targets)
    built_in = {"document": BUILT_IN_DOCUMENT}
    return [
        {**policy(f"{name}-end", effective_at=end, disclosed_at=end), **built_in},
        declared(f"{name}-end", target, "TABLE", "FIRST", declared_at=end),
        policy(f"{name}-a", severe, effective_at=begin),
        declared(f"{name}-a", target, "SINK", "THIRD", "Acme", declared_at=begin),
        *(
            consent(f"{name}-{member}", member, granted=False, effective_at=begin)
            for member in chance.sample(past.members, 5)
        ),
        {**policy(f"{name}-no", effective_at=begin), "document": _NO_POLICY},
        # The greater id at the same instant is the one that holds.
        {**policy(f"{name}-b", effective_at=begin), **built_in},
        declared(f"{name}-b", target, "TABLE", "FIRST", declared_at=begin),
        # And the first once more, which changes nothing.
        policy(f"{name}-a", severe, effective_at=begin),
    ]


def _bad(chance: random.Random, kind: EventType, value: bytes) -> Record:
    """Return a record whose value is no event of its topic."""
    other = LocalIds().id_of(next(one for one in INPUTS if one is not kind))
    values: tuple[bytes | None, ...] = (
        None,
        b"",
        value[: chance.randrange(len(value))],
        value + b"\0",
        b"\1" + value[1:],
        struct.pack(">bI", 0, 10_000 + chance.randrange(5)) + value[5:],
        struct.pack(">bI", 0, other) + value[5:],
        json.dumps(chance.choice(JUNK), ensure_ascii=False).encode(),
    )
    return Record(kind.topic, b"bad", chance.choice(values), bad=True)


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _text(at: datetime) -> str:
    return f"{at.replace(tzinfo=None).isoformat(timespec='microseconds')}Z"
