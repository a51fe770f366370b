"""Events as Kafka values in Confluent's wire format: byte 0, schema id, Avro datum.

The schemas are flat, so a datum follows from the fields of the contract: a record is its fields
one after the other, a number is a zigzag varint, a text its length and bytes, and what may be null
has the branch before it (all schemas say ["null", …]).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import cache
from pkgutil import get_data
from typing import Any

from ...contract.events import EventType
from ...contract.fields import Field
from ...contract.instants import micros_of

_SCHEMAS = f"{__name__.partition('.')[0]}.schemas"


def wire_value(event: EventType, value: Mapping[str, Any]) -> bytes:
    """Return the Kafka value of an event that keeps the contract."""
    out = bytearray(_header(event.subject))
    _record(out, event.fields, value)
    return bytes(out)


@cache
def _header(subject: str) -> bytes:
    ids = json.loads(get_data(_SCHEMAS, "ids.json") or b"{}")
    (schema_id,) = [int(key) for key, entry in ids.items() if entry["subject"] == subject]
    return b"\0" + schema_id.to_bytes(4, "big")


def _record(out: bytearray, fields: Iterable[Field], value: Mapping[str, Any]) -> None:
    for field in fields:
        given = value.get(field.name)
        if field.nullable:
            out.append(0 if given is None else 2)
            if given is None:
                continue
        _field(out, field, given)


def _field(out: bytearray, field: Field, value: Any) -> None:  # noqa: ANN401 - whatever the field is
    match field.kind:
        case "enum":
            out += _long(field.symbols.index(value))
        case "bool":
            out.append(value)
        case "int" | "long":
            out += _long(int(value))
        case "instant":
            out += _long(micros_of(value) or 0)
        case "ids":
            _array(out, [_text(item) for item in dict.fromkeys(value)])
        case "record":
            _record(out, field.fields, value)
        case "records":
            items = []
            for item in value:
                part = bytearray()
                _record(part, field.fields, item)
                items.append(bytes(part))
            _array(out, items)
        case _:
            out += _text(value)


def _array(out: bytearray, items: list[bytes]) -> None:
    if items:
        out += _long(len(items))
        out += b"".join(items)
    out.append(0)


def _text(value: str) -> bytes:
    data = value.encode()
    return _long(len(data)) + data


def _long(number: int) -> bytes:
    rest = (number << 1) ^ (number >> 63)
    if rest < 0x80:
        return _SMALL[rest]
    out = bytearray()
    while rest > 0x7F:
        out.append(rest & 0x7F | 0x80)
        rest >>= 7
    out.append(rest)
    return bytes(out)


_SMALL = [bytes([number]) for number in range(0x80)]
