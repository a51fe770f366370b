"""Validates one event in its JSON spelling against the contract, and words what is wrong with it.

The check accepts exactly the events that `json.events` and `columns.validate` accept together;
those modules validate many events fast, this one also tells the type of the wrong value.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from . import fields
from .errors import EncodeError
from .events import RECORDS_MOVED, EventType
from .fields import ONE_SENDER, Field, too_many_arrivals
from .instants import micros_of
from .limits import ID_BYTES_MAX

_LEAP_SECOND = re.compile(r"[0-9-]{10}[Tt][0-9:]{6}60(\.[0-9]+)?([Zz]|[+-][0-9:]{5})")
_REGION = re.compile(fields.REGION_PATTERN[:-1])


def wrong_with(event: EventType, value: Mapping[str, object]) -> str | None:
    """Return what is wrong with an event, or None. The key "event" is not checked."""
    for field in event.fields:
        reason = _wrong(field, value.get(field.name), field.name, field.name in value)
        if reason:
            return reason
    if event is RECORDS_MOVED:
        inputs, outputs = (value[name] for name in ("inputs", "outputs"))
        if isinstance(inputs, list) and isinstance(outputs, list):
            return too_many_arrivals(len(set(inputs)), len(set(outputs)))
    return None


def valid(event: EventType, value: Mapping[str, object]) -> None:
    """Raise EncodeError with what is wrong with an event, if anything is."""
    reason = wrong_with(event, value)
    if reason:
        raise EncodeError(f"{event.name}: {reason}")


def _wrong(field: Field, value: object, path: str, present: bool = True) -> str | None:
    if value is None and field.nullable:
        return None
    if not _fits(field, value):
        return f"{path} must be {field.right}{_instead(field, value, present)}"
    if field.kind == "record":
        return _wrong_inside(field, value, f"{path}.")
    if isinstance(value, list) and field.kind == "records":
        for item in value:
            reason = _wrong_inside(field, item, f"{path}: ")
            if reason:
                return reason
        roles = [item["role"] for item in value]
        if roles.count("SENDER") != 1 or "RECIPIENT" not in roles:
            return ONE_SENDER
    return None


def _wrong_inside(field: Field, value: object, prefix: str) -> str | None:
    if not isinstance(value, Mapping):
        return f"{prefix.rstrip('.: ')} must be {field.right}{_instead(field, value, True)}"
    for inner in field.fields:
        reason = _wrong(inner, value.get(inner.name), prefix + inner.name, inner.name in value)
        if reason:
            return reason
    return None


def _fits(field: Field, value: object) -> bool:
    match field.kind:
        case "id":
            return _is_id(value)
        case "text":
            return _utf8_bytes(value) is not None
        case "region":
            return isinstance(value, str) and _REGION.fullmatch(value) is not None
        case "enum":
            return isinstance(value, str) and value in field.symbols
        case "bool":
            return isinstance(value, bool)
        case "int":
            return _is_integer(value, fields.INT_MIN, fields.INT_MAX)
        case "long":
            return _is_integer(value, 0, fields.COUNT_MAX)
        case "instant":
            return isinstance(value, str) and micros_of(value) is not None
        case "ids":
            return (
                isinstance(value, list)
                and len(value) >= field.at_least
                and all(_is_id(item) for item in value)
            )
        case "record":
            return isinstance(value, Mapping)
        case "records":
            return isinstance(value, list)


def _is_id(value: object) -> bool:
    size = _utf8_bytes(value)
    return size is not None and 1 <= size <= ID_BYTES_MAX


def _utf8_bytes(value: object) -> int | None:
    """Return the length of a string in UTF-8; None for other values and half a surrogate pair."""
    try:
        return len(value.encode()) if isinstance(value, str) else None
    except UnicodeEncodeError:
        return None


def _is_integer(value: object, low: int, high: int) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return low <= value <= high and value == int(value)


def _instead(field: Field, value: object, present: bool) -> str:
    if not present:
        return ", and is missing"
    kind = json_type(value)
    if field.kind == "instant" and isinstance(value, str) and _LEAP_SECOND.fullmatch(value):
        return "; a leap second (:60) is no instant here, so let it be :59 or the minute after"
    # A value of the right type is not repeated: it could be any text.
    return "" if kind == _JSON_TYPES.get(field.kind, "a string") else f", not {kind}"


_JSON_TYPES = {
    "bool": "true or false",
    "int": "a number",
    "long": "a number",
    "ids": "an array",
    "record": "an object",
    "records": "an array",
}


def json_type(value: object) -> str:
    """Return the JSON type of a value, with an article."""
    match value:
        case None:
            return "null"
        case bool():
            return "true or false"
        case int() | float():
            return "a number"
        case str():
            return "a string"
        case Mapping():
            return "an object"
        case _:
            return "an array"
