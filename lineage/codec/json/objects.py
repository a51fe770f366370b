"""Parses JSON objects fast, and finds the few that repeat a key.

A parser that returns dicts keeps the last of two equal keys in silence. Repeated keys are found
without a second parse: each key in the text has a colon behind it, and right before that colon is
the key's quotation mark or white space. So there are at most as many keys as such colons, and where
a text has no more of these colons than its dict has keys, no key was lost. A text that has more
(such a colon is in a string, or an unknown field is an object) is parsed again, with all its pairs.
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
    """Return an upper bound on the keys of lines of JSON together, each as often as it is there."""
    text = np.frombuffer(b"\n".join(lines), np.uint8)
    colons = text[1:] == _COLON
    # White space, a quotation mark, and characters that are never right before a key's colon.
    colons &= text[:-1] <= _QUOTE
    return int(np.count_nonzero(colons))


def keys_of(event: EventType, events: Sequence[Object], array: pa.Array[Any]) -> int:
    """Return a lower bound on the keys of events of one type, and of the known records in them.

    array: the same events in Arrow, which counts faster. Raises ValueError where a known field of
    a record is not there: so where all are, and `keys_at_most` has no more, no key is repeated.
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
    """Return the reason against an event that repeats a key where it matters; or None.

    Keys matter in the event itself, in a party, and in the declassification.
    """
    if sum(map(line.count, _BEFORE_COLONS)) == _keys(parsed):
        return None
    try:
        pairs = _pairs_of(line)
    except (ValueError, RecursionError):
        return "the event is nested too deeply"
    return _repeated_in(_INPUTS.get(_name(parsed)), pairs) if isinstance(pairs, _Pairs) else None


def forgiven(line: bytes) -> Object | None:
    """Return the event in a line that is not JSON, if only an unknown field makes it so; or None.

    Such a field has NaN, an infinity, a number beyond the range of a double, or half a surrogate
    pair. Only known fields are in the event.
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


def zeros_in(line: bytes) -> str | None:
    """Return the reason against a line that begins with zero bytes, or None."""
    rest = line.lstrip(b"\0")
    if len(rest) == len(line):
        return None
    after = "what follows them in the line is not read; " if rest else ""
    return (
        f"{len(line) - len(rest):,} zero bytes, as where a file was not written to its end; {after}"
        "what they stand for is lost"
    )


def known_only(event: object) -> Object | None:
    """Return the known fields of an event dict; None for any other value."""
    kind = _INPUTS.get(_name(event)) if isinstance(event, dict) else None
    if kind is None or not isinstance(event, dict):
        return None
    return {"event": kind.name, **_known(kind.fields, event)}


@cache
def _records(event: EventType) -> tuple[tuple[int, int, bool], ...]:
    """Return of each field of records: its place, its number of fields, whether it is an array."""
    return tuple(
        (index, len(field.fields), field.kind == "records")
        for index, field in enumerate(event.fields)
        if field.fields
    )


def _keys(value: object) -> int:
    """Count the keys in a JSON value, at any depth."""
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
    """An object as all pairs in its text, in order."""


def _pairs_of(line: bytes) -> Any:  # noqa: ANN401 - whatever it says
    """Parse a line, with objects as pairs; raise ValueError where it is nothing like JSON."""
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
    """Return the known fields of an event or a record in it."""
    return {f.name: _known_value(f, values[f.name]) for f in fields if f.name in values}


def _known_value(field: Field, value: Any) -> Any:  # noqa: ANN401 - whatever was there
    if isinstance(value, _Pairs | dict):
        return _known(field.fields, dict(value))
    if isinstance(value, list):
        return [_known_value(field, item) for item in value]
    return value


def parsed(line: bytes) -> Any:  # noqa: ANN401 - whatever it says
    """Parse a line; raise orjson.JSONDecodeError where it is not JSON and not `forgiven`."""
    try:
        return orjson.loads(line)
    except orjson.JSONDecodeError:
        event = forgiven(line) if line.lstrip()[:1] == b"{" else None
        if event is None:
            raise
        return event
