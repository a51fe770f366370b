"""Canonical JSON: one spelling for each event, so that its SHA-256 tells two events apart."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import rfc8785

from .events import EventType
from .fields import Field
from .instants import micros_of, text_of
from .validate_event import valid


def canonical_json(event: EventType, value: Mapping[str, object]) -> bytes:
    """Return an event in the JSON spelling as RFC 8785 writes it, in UTF-8.

    The text has "event" and every field (null where absent) and no other; `inputs` and `outputs`
    sorted by code point, each once; instants with six fractional digits and Z.
    Raises EncodeError where the event breaks the contract.
    """
    valid(event, value)
    plain = {field.name: _canonical(field, value.get(field.name)) for field in event.fields}
    return rfc8785.dumps({"event": event.name, **plain})


def _canonical(field: Field, value: Any) -> Any:  # noqa: ANN401 - whatever the field is
    if value is None:
        return None
    match field.kind:
        case "instant":
            micros = micros_of(value)
            return None if micros is None else text_of(micros)
        case "int" | "long":
            return int(value)
        case "ids":
            return sorted(set(value))
        case "record":
            return {inner.name: _canonical(inner, value.get(inner.name)) for inner in field.fields}
        case "records":
            return [
                {i.name: _canonical(i, item.get(i.name)) for i in field.fields} for item in value
            ]
        case _:
            return value
