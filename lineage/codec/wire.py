"""Kafka values in Confluent's wire format: byte 0, schema id (4 bytes, big-endian), datum."""

from __future__ import annotations

import io
import json
import struct
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import fastavro
import numpy as np
import polars as pl

from lineage.codec.avro.fast import read_values
from lineage.codec.avro.logical_types import UnreadableSchemaError
from lineage.codec.avro.reader import Reader
from lineage.codec.batch import Batch, DeadLetter
from lineage.codec.contract.events import FLAG_RAISED, INPUTS, EventType, by_name, by_topic
from lineage.codec.contract.fields import Field
from lineage.codec.contract.instants import micros_of
from lineage.codec.contract.validate_event import json_type, valid
from lineage.codec.errors import EncodeError, UnknownSchemaError
from lineage.codec.registry import Registry
from lineage.codec.tables import (
    IntArray,
    Provenance,
    Tables,
    merge_tables,
    tables_of,
    with_provenance,
)

_HEADER_BYTES = 5
NO_SCHEMA_ID = "the value must begin with byte 0 and a schema id of 4 bytes"
_TOGETHER_BYTES = 16 << 20  # more in one go is no faster
_NAMES = ", ".join(event.name for event in (*INPUTS, FLAG_RAISED))


class Decoder:
    """Decodes the values fetched from a topic. registry: knows the schemas by id."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        # By event and header: a reader, or why the registry's schema can't be read as the event.
        self._readers: dict[tuple[str, bytes], Reader | str] = {}

    def decode(
        self,
        topic: str,
        partition: int | Sequence[int] | IntArray,
        offsets: Sequence[int] | IntArray,
        values: Sequence[bytes | None],
    ) -> Batch:
        """Decode the values of a topic, one offset each, to a batch.

        partition: that of all values, or one each.

        Raises RegistryError where the registry is away (nothing is then known of the values),
        and ValueError where the topic carries none of the six events that are read.
        """
        event = _read_from(topic)
        whole = partition if isinstance(partition, int) else np.array(partition, np.int64)
        at = np.array(offsets, np.int64)
        batches: list[Batch] = []
        start = 0
        for end in _cuts(values):
            of_these = whole if isinstance(whole, int) else whole[start:end]
            where = Provenance(topic, of_these, at[start:end])
            batches.append(self._decode_some(event, where, values[start:end]))
            start = end
        return Batch.concat(batches)

    def _decode_some(
        self, event: EventType, where: Provenance, values: Sequence[bytes | None]
    ) -> Batch:
        tables, left = self._by_fast_path(event, values)
        reasons: dict[int, str] = {}
        if len(left):
            others, rows = self._one_by_one(event, values, left.tolist(), reasons)
            tables = merge_tables(tables, others, rows)
        letters = (
            DeadLetter.of(
                where.source,
                where.partition_of(i),
                int(where.positions[i]),
                reasons[i],
                values[i],
            )
            for i in sorted(reasons)
        )
        return Batch.of(with_provenance(event, tables, where), letters)

    def _by_fast_path(
        self, event: EventType, values: Sequence[bytes | None]
    ) -> tuple[Tables, IntArray]:
        """Decode in bulk the values that are plainly events of the present schema.

        Returns their tables, `row` being the index of a value; and the indices of the others.
        """
        # The most frequent header, by a sample of the values.
        some = [value[:_HEADER_BYTES] for value in values[:: len(values) // 8 + 1] if value]
        header = max(some, key=some.count, default=b"")
        reader = self._reader(event, header)
        if isinstance(reader, str) or reader.present is None:
            return {}, np.arange(len(values))
        pieces = [value or b"" for value in values] if None in values else values
        return read_values(reader, pieces, header)  # type: ignore[arg-type]  # no None is left

    def _one_by_one(
        self,
        event: EventType,
        values: Sequence[bytes | None],
        some: list[int],
        reasons: dict[int, str],
    ) -> tuple[Tables, IntArray]:
        """Fall back to decoding the other values one by one.

        Returns the tables of the good ones, and the index of the value of each row; adds to reasons
        why the others are not good.
        """
        frames: list[pl.DataFrame] = []
        rows: list[int] = []
        for header, indices in _by_header(values, some, reasons).items():
            reader = self._reader(event, header)
            if isinstance(reader, str):
                reasons.update(dict.fromkeys(indices, reader))
                continue
            datums = [values[i][_HEADER_BYTES:] for i in indices]  # type: ignore[index]  # _by_header leaves None out
            frame, bad = reader.read(datums)
            schema_id = int.from_bytes(header[1:], "big")
            for i, what in reversed(bad.items()):
                reasons[indices.pop(i)] = f"the value, with schema id {schema_id}, {what}"
            frames.append(frame)
            rows += indices
        if not rows:
            return {}, np.empty(0, np.int64)
        columns = pl.concat(frames)
        order = np.argsort(rows)
        tables, broken = tables_of(event, columns[order])
        numbers = np.array(rows)[order]
        reasons |= {int(numbers[row]): reason for row, reason in broken.items()}
        return tables, numbers

    def _reader(self, event: EventType, header: bytes) -> Reader | str:
        """Return the reader of datums with this header; or why there is none."""
        if len(header) < _HEADER_BYTES or header[0] != 0:
            return NO_SCHEMA_ID
        key = (event.name, header)
        if key not in self._readers:
            schema_id = int.from_bytes(header[1:], "big")
            try:
                self._readers[key] = Reader(event, self._registry.schema_of(schema_id))
            except UnknownSchemaError as error:
                return str(error)
            except UnreadableSchemaError as error:
                self._readers[key] = f"the value has schema id {schema_id}: {error}"
        return self._readers[key]


def _cuts(values: Sequence[bytes | None]) -> Iterator[int]:
    """Yield the ends of the parts of values that are decoded together."""
    size = 0
    if sum(map(len, filter(None, values))) > _TOGETHER_BYTES:
        for index, value in enumerate(values):
            taken = len(value or b"")
            if index and size + taken > _TOGETHER_BYTES:
                yield index
                size = 0
            size += taken
    yield len(values)


def _read_from(topic: str) -> EventType:
    try:
        event = by_topic(topic)
    except KeyError:
        event = FLAG_RAISED
    if event is FLAG_RAISED:
        topics = ", ".join(e.topic for e in INPUTS)
        raise ValueError(f"{topic} is not a topic that is read; these are: {topics}")
    return event


def _by_header(
    values: Sequence[bytes | None], some: list[int], reasons: dict[int, str]
) -> dict[bytes, list[int]]:
    """Group indices by the header before the datum; add the reason against a missing value."""
    found: dict[bytes, list[int]] = {}
    for index in some:
        value = values[index]
        if value is None:
            reasons[index] = "there is no value; a deletion means nothing here"
        else:
            found.setdefault(value[:_HEADER_BYTES], []).append(index)
    return found


class Encoder:
    """Encodes events for a topic. registry: gives each schema its id."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._headers: dict[str, bytes] = {}

    def encode(self, event: Mapping[str, object]) -> bytes:
        """Encode one event in the JSON spelling, of any of the seven types, as a value.

        Raises EncodeError where the event breaks the contract, RegistryError where the registry is
        away.
        """
        kind = event_type_of(event)
        if kind.name not in self._headers:
            self._headers[kind.name] = struct.pack(">bI", 0, self._registry.id_of(kind))
        stream = io.BytesIO(self._headers[kind.name])
        stream.seek(_HEADER_BYTES)
        fastavro.schemaless_writer(stream, PARSED[kind.name], datum_of(kind, event))
        return stream.getvalue()


# Instants are written as integers, so the schemas need no logical types.
PARSED = {
    event.name: fastavro.parse_schema(
        json.loads(event.schema.replace(', "logicalType": "timestamp-micros"', ""))
    )
    for event in (*INPUTS, FLAG_RAISED)
}


def event_type_of(event: Mapping[str, object]) -> EventType:
    """Return the type that an event in the JSON spelling names; raise EncodeError if none."""
    if not isinstance(event, Mapping):
        raise EncodeError(f'an event must be an object with "event", not {json_type(event)}')
    name = event.get("event")
    try:
        return by_name(name)  # type: ignore[arg-type]  # other types than a string are no names
    except (KeyError, TypeError):
        raise EncodeError(f'"event" must be one of {_NAMES}') from None


def datum_of(event: EventType, value: Mapping[str, Any]) -> dict[str, Any]:
    """Return the Avro datum of an event in the JSON spelling.

    Instants are in microseconds; only known fields are in the datum. Raises EncodeError where the
    event breaks the contract.
    """
    valid(event, value)
    return {field.name: _datum(field, value.get(field.name)) for field in event.fields}


def _datum(field: Field, value: Any) -> Any:  # noqa: ANN401 - whatever the field is
    if value is None:
        return None
    match field.kind:
        case "instant":
            return micros_of(value)
        case "int" | "long":
            return int(value)
        case "ids":
            return list(dict.fromkeys(value))
        case "record":
            return {inner.name: _datum(inner, value.get(inner.name)) for inner in field.fields}
        case "records":
            return [
                {inner.name: _datum(inner, item.get(inner.name)) for inner in field.fields}
                for item in value
            ]
        case _:
            return value
