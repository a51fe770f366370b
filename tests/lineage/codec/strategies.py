"""Events that keep the contract, and events that nearly do."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from hypothesis import strategies as st

from lineage.codec.contract.events import EventType
from lineage.codec.contract.fields import Field
from tests.lineage.codec.examples import TYPES, Event

# Text as the contract has it: anything that UTF-8 can say.
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
ids = texts.filter(bool).map(lambda text: text[:20])
long_ids = st.sampled_from(["x" * 256, "é" * 128, "😀" * 64])
instants = st.builds(
    lambda at, spelling: spelling(at),
    st.datetimes(datetime(1970, 1, 2), datetime(9999, 12, 30)),
    st.sampled_from(
        [
            lambda at: at.isoformat(timespec="seconds") + "Z",
            lambda at: at.isoformat(timespec="microseconds") + "z",
            lambda at: at.isoformat(timespec="milliseconds").replace("T", "t") + "+05:30",
            lambda at: at.isoformat(timespec="microseconds") + "9876-23:59",
        ]
    ),
)


def value_of(field: Field) -> st.SearchStrategy[Any]:
    kinds: dict[str, st.SearchStrategy[Any]] = {
        "id": ids | long_ids,
        "text": texts,
        "region": st.text("ABYZ", min_size=2, max_size=2),
        "bool": st.booleans(),
        "int": st.integers(-(2**31), 2**31 - 1),
        "long": st.integers(0, 2**53 - 1),
        "instant": instants,
        "ids": st.lists(ids, min_size=field.at_least, max_size=5),
    }
    if field.kind == "enum":
        strategy: st.SearchStrategy[Any] = st.sampled_from(field.symbols)
    elif field.kind == "record":
        strategy = record_of(field.fields)
    elif field.kind == "records":
        strategy = parties(field)
    else:
        strategy = kinds[field.kind]
    return st.none() | strategy if field.nullable else strategy


def record_of(fields: tuple[Field, ...]) -> st.SearchStrategy[Event]:
    return st.fixed_dictionaries({field.name: value_of(field) for field in fields})


def parties(field: Field) -> st.SearchStrategy[list[Event]]:
    party = record_of(field.fields)
    recipients = st.lists(party, min_size=1, max_size=3)
    return st.builds(_with_roles, party, recipients, st.integers(0, 3))


def _with_roles(sender: Event, recipients: list[Event], at: int) -> list[Event]:
    found = [{**party, "role": "RECIPIENT"} for party in recipients]
    found.insert(at, {**sender, "role": "SENDER"})
    return found


def events_of(event: EventType) -> st.SearchStrategy[Event]:
    return record_of(event.fields).map(lambda value: {"event": event.name, **value})


read_events = st.sampled_from(TYPES[:-1]).flatmap(events_of)
any_events = st.sampled_from(TYPES).flatmap(events_of)

# Texts, and whatever else, that turn up where something else belongs.
odd_texts = st.sampled_from(
    [
        "",
        "x" * 257,
        "é" * 129,
        "SENDER",
        "US",
        "us",
        "USA",
        "\0",
        "5",
        "true",
        "1969-12-31T23:59:59Z",
        "9999-12-31T23:59:59.999999Z",
        "9999-12-31T23:59:59-00:01",
        "1970-01-01T00:00:00+00:01",
        "1970-01-01T00:00:00-00:00",
        "2024-02-30T00:00:00Z",
        "2024-09-18T00:00:60Z",
        "2024-09-18T24:00:00Z",
        "2024-09-18T00:00:00",
        "2024-09-18 00:00:00Z",
        "2024-09-18T00:00:00.Z",
        "2024-09-18T00:00:00+0530",
        "٢٠٢٤-09-18T00:00:00Z",
        "2024-09-18T00:00:00Z\n",
        "0000-01-01T00:00:00Z",
    ]
)
oddities = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**64 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from([50.0, 50.5, 1e300]),
    st.sampled_from(
        [[], {}, [[]], [{}], [None], [""], ["a", "a"], "ab", {"a": 1}, [["role", "SENDER"]], [1]]
    ),
    odd_texts,
)


@st.composite
def near_events(draw: st.DrawFn) -> Event:
    """A good event with something in it replaced, taken away or added."""
    event: Event = draw(read_events)
    for _ in range(draw(st.integers(0, 2))):
        inside: list[Event] = [event]
        inside += [p for p in _items(event.get("parties")) if isinstance(p, dict)]
        inside += [d for d in [event.get("declassification")] if isinstance(d, dict)]
        where = draw(st.sampled_from(inside))
        name = draw(st.sampled_from([k for k in where if k != "event"] or ["other"]))
        if draw(st.booleans()):
            where[name] = draw(oddities)
        else:
            where.pop(name, None)
    return event


def _items(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
