"""Feeds damaged Avro to the decoders: whatever they accept must be what fastavro reads."""

from __future__ import annotations

import io
import json
import random
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import fastavro

from lineage.codec import Batch, Decoder, Encoder, EventType, LocalIds, LogError, by_name, read_log
from lineage.codec.batch import MAIN_TABLE
from lineage.codec.wire import datum_of
from tests.lineage.codec.examples import content, repacked
from tests.torture.fuzz_oracle import Event, MismatchError, Tried, examples, same
from tests.torture.mutations import mutated

_ENCODER = Encoder(LocalIds())
_HEADER_BYTES = 5
_VALUES = 1_000
_WHOLE_IN = 10
_EPOCH = datetime(1970, 1, 1)
_MICROS_MAX = 253_402_300_800_000_000
CODECS = ("null", "deflate", "bzip2", "xz", "snappy", "zstandard")
_RECORDS = 40
_SYNC_INTERVAL = 1_500
_LOST = "lost"


def wire(chance: random.Random, folder: Path) -> Tried:
    """Try values of one topic."""
    kind, good = _values(chance)
    values = [
        value if chance.randrange(_WHOLE_IN) == 0 else mutated(chance, value, chance.choice(good))
        for value in chance.choices(good, k=_VALUES)
    ]
    batch = Decoder(LocalIds()).decode(kind.topic, 0, range(len(values)), values)
    header = good[0][:_HEADER_BYTES]
    read = [_read(kind, value[_HEADER_BYTES:]) if value[:_HEADER_BYTES] == header else None
            for value in values]  # fmt: skip
    accepted = _accepted(batch, kind)
    same(content(batch), [read[position] for position in accepted])
    refused = {letter.position for letter in batch.dead_letters}
    if refused & set(accepted) or len(refused) + len(accepted) != len(values):
        raise MismatchError("a value is neither an event nor a dead letter, or both")
    return Tried(len(values), len(accepted), sum(read[place] is not None for place in refused))


def _accepted(batch: Batch, kind: EventType) -> list[int]:
    positions: list[int] = getattr(batch, MAIN_TABLE[kind.name])["position"].to_list()
    return positions


@cache
def _all_values() -> dict[str, list[bytes]]:
    return {
        name: [_ENCODER.encode(event) for event in events] for name, events in examples().items()
    }


def _values(chance: random.Random) -> tuple[EventType, list[bytes]]:
    name = chance.choice(("MessageSent", "RecordsMoved", *MAIN_TABLE))
    return by_name(name), _all_values()[name]


@cache
def _plain_schema(name: str) -> Any:  # noqa: ANN401 - a parsed schema
    """The schema with its instants as plain numbers, which no library can fail to convert."""
    text = by_name(name).schema.replace(', "logicalType": "timestamp-micros"', "")
    return fastavro.parse_schema(json.loads(text))


def _read(kind: EventType, datum: bytes) -> Event | None:
    """Return the event as fastavro reads it, in the JSON spelling; None for what is no datum."""
    file = io.BytesIO(datum)
    try:
        found: Any = fastavro.schemaless_reader(file, _plain_schema(kind.name), None)
    except Exception:
        return None
    return _spelled(kind, found) if file.tell() == len(datum) else None


def _spelled(kind: EventType, event: Event) -> Event | None:
    for field in kind.fields:
        micros = event[field.name]
        if field.kind == "instant" and micros is not None:
            if not 0 <= micros < _MICROS_MAX:
                return None
            event[field.name] = f"{_EPOCH + timedelta(microseconds=micros)}+00:00".replace(" ", "T")
    return {**event, "event": kind.name}


def containers(chance: random.Random, folder: Path) -> Tried:
    """Try one container file, damaged behind its header; at times in its header, too."""
    kind = by_name(chance.choice(list(MAIN_TABLE)))
    codec = chance.choice(CODECS)
    data, plain, start, plain_start = _container(kind.name, codec)
    body = mutated(chance, data[start:], data[start:])
    header = data[:start]
    damaged_header = chance.randrange(8) == 0
    if damaged_header:
        header = mutated(chance, header, data)
    path = folder / "fuzzed.avro"
    path.write_bytes(header + body)
    try:
        batches = list(read_log(path))
    except LogError:
        if damaged_header:
            return Tried(1)
        raise
    if damaged_header:
        return Tried(1)
    batch = Batch.concat(batches)
    read = _until_damage(kind, plain[:plain_start] + body)
    name = MAIN_TABLE[kind.name]
    # How many records a lost block had is not known, and what follows it is numbered accordingly.
    lost = [letter.position for letter in batch.dead_letters if _LOST in letter.reason]
    end = min([len(read) + 1, *lost])
    known = [position for position in _accepted(batch, kind) if position < end]
    same(content(batch.cut(name, 0, len(known))), [read[position - 1] for position in known])
    return Tried(1, int(batch.events > 0))


def _until_damage(kind: EventType, data: bytes) -> list[Event | None]:
    """Return the records that fastavro reads until it fails; None for one without an instant."""
    found: list[Event | None] = []
    try:
        for record in fastavro.reader(io.BytesIO(data)):
            event: Any = record
            found.append(_spelled(kind, event))
    except Exception:
        return found
    return found


@cache
def _container(name: str, codec: str) -> tuple[bytes, bytes, int, int]:
    """Return a file, the same with plain numbers for instants, and where their blocks begin."""
    kind = by_name(name)
    events = examples()[name][:_RECORDS]
    made = []
    for schema in (fastavro.parse_schema(json.loads(kind.schema)), _plain_schema(name)):
        file = io.BytesIO()
        packed = codec if codec in ("null", "deflate", "bzip2", "xz") else "null"
        fastavro.writer(
            file, schema, [datum_of(kind, event) for event in events], codec=packed,
            sync_interval=_SYNC_INTERVAL, sync_marker=b"0123456789abcdef",
        )  # fmt: skip
        data = file.getvalue()
        made.append(data if packed == codec else repacked(data, codec.encode()))
    return (*made, *(made_start(data) for data in made))  # type: ignore[return-value]  # two and two


def made_start(data: bytes) -> int:
    """Return where the first block of a container file begins."""
    return data.index(b"0123456789abcdef") + 16
