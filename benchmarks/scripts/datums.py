"""Reads the events of .avro files as they lie in them: bytes, and what the bytes say."""

from __future__ import annotations

import heapq
import io
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import fastavro

from lineage.codec import INPUTS, EventType, LocalIds, log_files
from lineage.codec.wire import PARSED

__all__ = ["KEYS", "Datum", "datums", "produce", "wire_header"]

KEYS = {
    "MessageSent": "message_id",
    "ConsentChanged": "member_id",
    "DatasetDeclared": "dataset",
    "PolicyPublished": "policy_id",
}


@dataclass(frozen=True)
class Datum:
    """One event: its type, its Avro datum, and its fields, instants in microseconds."""

    kind: EventType
    datum: bytes = field(repr=False)
    fields: dict[str, Any]

    @property
    def key(self) -> bytes:
        """Return the key under which it is published: what concerns one thing stays in order."""
        if self.kind.name == "RecordsMoved":
            return str(min(self.fields["inputs"])).encode()
        return str(self.fields[KEYS[self.kind.name]]).encode()


def datums(folder: Path) -> Iterator[Datum]:
    """Give the events of a folder of .avro files as `lineage simulate` writes them.

    In the order of time, in which pipelines would have produced them.
    """
    by_file = {event.name: event for event in INPUTS}
    files = [
        _of_file(file.path, by_file[file.path.stem.partition("-")[2]]) for file in log_files(folder)
    ]
    return heapq.merge(*files, key=lambda one: one.fields[one.kind.instant_field])


def _of_file(path: Path, kind: EventType) -> Iterator[Datum]:
    schema = PARSED[kind.name]
    with path.open("rb") as opened:
        for block in fastavro.block_reader(opened):
            data = block.bytes_.getvalue()  # type: ignore[attr-defined]  # its hints forget it
            stream = io.BytesIO(data)
            for _ in range(block.num_records):
                start = stream.tell()
                fields: Any = fastavro.schemaless_reader(stream, schema, None)
                yield Datum(kind, data[start : stream.tell()], fields)


def wire_header(kind: EventType) -> bytes:
    """Give what is in front of a datum in Confluent's wire format."""
    return struct.pack(">bI", 0, LocalIds().id_of(kind))


def produce(
    producer: Any,  # noqa: ANN401 - confluent_kafka.Producer, which has no type hints
    topic: str,
    key: bytes,
    value: bytes,
) -> None:
    """Hand a record to librdkafka; waits where its queue is full."""
    while not _handed_over(producer, topic, key, value):
        producer.poll(0.1)


def _handed_over(producer: Any, topic: str, key: bytes, value: bytes) -> bool:  # noqa: ANN401 - see produce
    try:
        producer.produce(topic, value, key)
    except BufferError:
        return False
    return True
