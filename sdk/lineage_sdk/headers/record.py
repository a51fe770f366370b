"""Records by name, and their spelling in a header."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple
from urllib.parse import quote, unquote

from ..contract.limits import ID_BYTES_MAX

RECORD_HEADER = "lineage-record"
RECORD_CUT_HEADER = "lineage-record-cut"
RECORDS_MAX = 64
BYTES_MAX = 8192
_VERSION = "1"


class Record(NamedTuple):
    """A record: the dataset that holds it, and its id there."""

    dataset: str
    record_id: str


def kafka_record(topic: str, partition: int, offset: int) -> Record:
    """Return the record that a topic holds at an offset, as records of topics are spelled."""
    return Record(topic, f"{topic}-{partition}-{offset}")


def spelled(records: Iterable[Record]) -> tuple[str, int]:
    """Return the value of the header, and how many records did not fit into it."""
    parts: list[str] = []
    size, cut = len(_VERSION) + 1, 0
    for record in dict.fromkeys(records):
        part = f"{quote(record.dataset, safe='')}:{quote(record.record_id, safe='')}"
        if len(parts) >= RECORDS_MAX or size + len(part) + 1 > BYTES_MAX or not _named(record):
            cut += 1
            continue
        parts.append(part)
        size += len(part) + 1
    return f"{_VERSION};{','.join(parts)}", cut


def parsed(value: str) -> list[Record]:
    """Return the records of a header's value; what is no such value names none."""
    version, _, rest = value.partition(";")
    if version != _VERSION:
        return []
    found = []
    for part in rest.split(",", RECORDS_MAX)[:RECORDS_MAX]:
        dataset, colon, record_id = part.partition(":")
        record = Record(unquote(dataset), unquote(record_id))
        if colon and _named(record):
            found.append(record)
    return found


def _named(record: Record) -> bool:
    return all(0 < len(name.encode(errors="replace")) <= ID_BYTES_MAX for name in record)
