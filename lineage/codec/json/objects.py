"""Parses JSON objects fast, and finds the few that say a key twice.

A parser that gives dicts keeps the last of two equal keys in silence. Here is how they are told
without a second parse: each key in the text has a colon behind it, and right before that colon is
the key's quotation mark or white space. So there are at most as many keys as such colons, and where
a text has no more of them than its dict has keys, no key was lost. Where it has more (a text in it
has such a colon, or a field that nobody knows is an object), the text is looked at closely.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from itertools import chain
from operator import itemgetter
from typing import Any

import numpy as np
import orjson

from lineage.codec.contract.events import INPUTS, EventType
from lineage.codec.contract.fields import Field
from lineage.codec.contract.validate_event import wrong_with

Object = dict[str, Any]

_INPUTS = {event.name: event for event in INPUTS}
_COLON, _QUOTE, _SPACE = b':" '
_BEFORE_COLONS = (b'":', b" :", b"\t:", b"\r:", b"\n:")
_TWICE = "is given more than once, and which value is meant can't be told"
_LONG_DIGITS = 18  # so many fit in 64 bits


def repeats_surely_none(lines: Sequence[bytes], groups: Iterable[Sequence[Object]]) -> bool:
    """Whether no key is said twice in lines, all of which are parsed to the objects in groups.

    False: it can't be told so cheaply; ask `repeated` of each.
    """
    try:
        keys = sum(map(_keys_as_usual, groups))
    except (LookupError, TypeError):
        return False
    text = np.frombuffer(b"\n".join(lines), np.uint8)
    before = text[:-1]
    colons = (text[1:] == _COLON) & ((before == _QUOTE) | (before <= _SPACE))
    return int(np.count_nonzero(colons)) == keys


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


def _keys_as_usual(group: Sequence[Object]) -> int:
    """How many keys some events of one type have, themselves and in their records, at least.

    Raises TypeError or LookupError where they are not as usual.
    """
    keys = sum(map(len, group))
    event = _INPUTS[group[0]["event"]]
    for name, kind in _inner(event):
        values = list(map(itemgetter(name), group))
        inner: list[Any] = list(chain.from_iterable(values)) if kind == "records" else values
        if set(map(type, inner)) - {dict}:
            inner = [value for value in inner if value is not None]
            if set(map(type, inner)) - {dict}:
                raise TypeError
        keys += sum(map(len, inner))
    return keys


@cache
def _inner(event: EventType) -> tuple[tuple[str, str], ...]:
    return tuple((f.name, f.kind) for f in event.fields if f.kind in ("record", "records"))


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
