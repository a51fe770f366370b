"""Decodes Kafka values to dicts, by fastavro, as everybody does it."""

from __future__ import annotations

import io
import json
from typing import Any

import fastavro

from lineage.codec import INPUTS, LocalIds

__all__ = ["TOPICS", "decode"]

Event = dict[str, Any]

TOPICS = tuple(event.topic for event in INPUTS)
_SCHEMAS = {
    LocalIds().id_of(event): fastavro.parse_schema(json.loads(event.schema)) for event in INPUTS
}


def decode(value: bytes) -> Event:
    """Give the fields of a value in Confluent's wire format; instants as datetimes in UTC."""
    stream = io.BytesIO(value)
    stream.seek(5)
    event: Event = fastavro.schemaless_reader(  # type: ignore[assignment]  # all are records
        stream, _SCHEMAS[int.from_bytes(value[1:5], "big")], None
    )
    return event
