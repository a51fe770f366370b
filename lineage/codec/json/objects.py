"""Parses JSON objects fast, and finds the few that say a key twice.

A parser that gives dicts keeps the last of two equal keys in silence. Here is how they are told
without a second parse: each key in the text has a colon behind it, and right before that colon is
the key's quotation mark or white space. So there are at most as many keys as such colons, and where
a text has no more of them than its dict has keys, no key was lost. Where it has more (a text in it
has such a colon, or a field that nobody knows is an object), the text is looked at closely.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np
import orjson
import pyarrow as pa

from lineage.codec.contract.events import INPUTS, EventType
from lineage.codec.contract.fields import Field
from lineage.codec.contract.validate_event import wrong_with

Object = dict[str, Any]

_INPUTS = {event.name: event for event in INPUTS}
_COLON, _QUOTE = b':"'
_BEFORE_COLONS = (b'":', b" :", b"\t:", b"\r:", b"\n:")
_TWICE = "is given more than once, and which value is meant can't be told"
_LONG_DIGITS = 18  # so many fit in 64 bits


def keys_at_most(lines: Sequence[bytes]) -> int:
    """How many keys lines of JSON can have together, each as often as it is said."""
    text = np.frombuffer(b"\n".join(lines), np.uint8)
    colons = text[1:] == _COLON
    # White space, a quotation mark, and what is never right before a key's colon.
    colons &= text[:-1] <= _QUOTE
    return int(np.count_nonzero(colons))


def keys_of(event: EventType, events: Sequence[Object], array: pa.Array[Any]) -> int:
    """How many keys events of one type have, themselves and in their known records, at least.

    array: the same events in Arrow, which counts faster. Raises ValueError where a known field of
    a record is not there: so where all are, and `keys_at_most` has no more, no key is said twice.
    """
    keys = sum(map(len, events))
    for index, inner, many in _records(event):
        records: Any = array.field(index)  # type: ignore[attr-defined]  # it is of structs
        if many:
            records = records.flatten()
        nulls = records.null_count
        # Where a record is null, its fields are not: these nulls are of fields alone.
        if (many and nulls) or any(records.field(i).null_count for i in range(inner)):
            raise ValueError
        keys += inner * (len(records) - nulls)
    return keys


def repeated(line: bytes, parsed: Object) -> str | None:
    """Which key of an event is said twice where it matters, to stand in a reason; or None.

    That is in the event itself, in a party, or in its declassification.
    """
    if sum(map(line.count, _BEFORE_COLONS)) == _keys(parsed):
        return None
    try:
        pairs = _pairs_of(line)
    except (ValueError, RecursionError):
        return "the event is nested too deeply"
    return _repeated_in(_INPUTS.get(_name(parsed)), pairs) if isinstance(pairs, _Pairs) else None


def forgiven(line: bytes) -> Object | None:
    """The event in a line that is not JSON, if only a field that is not known makes it so.

    That is one with NaN, an infinity, a number beyond them or half a surrogate pair. Only known
    fields are in the event.
    """
    try:
        pairs = _pairs_of(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(pairs, _Pairs):
        return None
    event = _INPUTS.get(_name(dict(pairs)))
    if event is None or _repeated_in(event, pairs):
        return None
    known = {"event": event.name, **_known(event.fields, dict(pairs))}
    return known if wrong_with(event, known) is None else None


def known_only(event: object) -> Object | None:
    """The fields of an event dict that are known; None where it is none."""
    kind = _INPUTS.get(_name(event)) if isinstance(event, dict) else None
    if kind is None or not isinstance(event, dict):
        return None
    return {"event": kind.name, **_known(kind.fields, event)}


@cache
def _records(event: EventType) -> tuple[tuple[int, int, bool], ...]:
    """Of the fields that are records: the place, how many fields they have, whether it is many."""
    return tuple(
        (index, len(field.fields), field.kind == "records")
        for index, field in enumerate(event.fields)
        if field.fields
    )


def _keys(value: object) -> int:
    """How many keys there are in a JSON value, at any depth."""
    keys = 0
    untold = [value]
    while untold:
        value = untold.pop()
        if isinstance(value, dict):
            keys += len(value)
            untold += value.values()
        elif isinstance(value, list):
            untold += value
    return keys


class _Pairs(list[tuple[str, Any]]):
    """An object with all that its text says, in order."""


def _pairs_of(line: bytes) -> Any:  # noqa: ANN401 - whatever it says
    """What a line says, with objects as pairs; ValueError where it is nothing like JSON."""
    return json.loads(line.decode(), object_pairs_hook=_Pairs, parse_int=_number)


def _number(digits: str) -> int | float:
    return int(digits) if len(digits) <= _LONG_DIGITS else float(digits)


def _name(event: Mapping[str, object]) -> str:
    name = event.get("event")
    return name if isinstance(name, str) else ""


def _repeated_in(event: EventType | None, pairs: _Pairs) -> str | None:
    fields = event.fields if event else ()
    told = _twice(pairs, {'"event"': "event", **{f.name: f.name for f in fields}})
    values = dict(pairs)
    for field in fields:
        if told or not field.fields:
            continue
        value = values.get(field.name)
        names = {f"{field.name}.{f.name}": f.name for f in field.fields}
        items = [value] if isinstance(value, _Pairs) else value
        for inner in items if isinstance(items, list) else ():
            told = told or (_twice(inner, names) if isinstance(inner, _Pairs) else None)
    return told


def _twice(pairs: _Pairs, known: Mapping[str, str]) -> str | None:
    keys = [key for key, _ in pairs]
    if len(set(keys)) == len(keys):
        return None
    for path, name in known.items():
        if keys.count(name) > 1:
            return f"the key {path} {_TWICE}"
    return f"a key {_TWICE}"


def _known(fields: Sequence[Field], values: Object) -> Object:
    """The fields that are known, of an event or a record in it."""
    return {f.name: _known_value(f, values[f.name]) for f in fields if f.name in values}


def _known_value(field: Field, value: Any) -> Any:  # noqa: ANN401 - whatever was there
    if isinstance(value, _Pairs | dict):
        return _known(field.fields, dict(value))
    if isinstance(value, list):
        return [_known_value(field, item) for item in value]
    return value


def parsed(line: bytes) -> Any:  # noqa: ANN401 - whatever it says
    """What a line says; orjson.JSONDecodeError where it is not JSON and not `forgiven`."""
    try:
        return orjson.loads(line)
    except orjson.JSONDecodeError:
        event = forgiven(line) if line.lstrip()[:1] == b"{" else None
        if event is None:
            raise
        return event
