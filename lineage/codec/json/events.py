"""Decodes events in their JSON spelling, dicts or lines of a log, to a Batch."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cache, partial
from operator import methodcaller
from typing import Any

import numpy as np
import orjson
import polars as pl
import pyarrow as pa

from lineage.codec.batch import Batch, DeadLetter
from lineage.codec.bisect import convert
from lineage.codec.columns.instants import micros_column
from lineage.codec.contract.events import INPUTS, EventType
from lineage.codec.contract.fields import Field
from lineage.codec.contract.input_type import input_type
from lineage.codec.contract.limits import VALUES_MAX
from lineage.codec.contract.validate_event import wrong_with
from lineage.codec.json.lines import BOM
from lineage.codec.json.objects import (
    Object,
    keys_at_most,
    keys_of,
    known_only,
    parsed,
    repeated,
    zeros_in,
)
from lineage.codec.tables import IntArray, Provenance, Tables, tables_of, with_provenance

_INPUTS = {event.name: event for event in INPUTS}
_Found = tuple[list[int], list["pa.Array[Any]"]]
_UNFIT = (TypeError, ValueError, OverflowError)  # Arrow's errors are kinds of the first two

# Parsed lines are freed block by block: with more objects alive than this, Python's garbage
# collector walks over them again and again, and parsing takes twice as long.
_BLOCK_LINES = 256
_BLOCK_BYTES = 4_000_000
_BEFORE_VALUES = (b",", b"[", b"{")


def from_events(events: Sequence[Mapping[str, object]], source: str = "apply") -> Batch:
    """Return a batch of event dicts in the JSON spelling; positions are indices, from 0.

    A dict that JSON can't express is a dead letter with the digest of the parts that it can.
    """
    lines: list[bytes] = []
    unspeakable: list[DeadLetter] = []
    positions: list[int] = []
    for position, event in enumerate(events):
        line = _line_of(event)
        if isinstance(line, bytes):
            lines.append(line)
            positions.append(position)
        else:
            unspeakable.append(DeadLetter.of(source, 0, position, line, _speakable(event)))
    batch = from_numbered_lines(lines, source, positions)
    if not unspeakable:
        return batch
    letters = sorted((*unspeakable, *batch.dead_letters), key=lambda letter: letter.position)
    return Batch(**{**vars(batch), "dead_letters": tuple(letters)})


def _line_of(event: object) -> bytes | str:
    """Encode an event dict as JSON; or return the reason why that fails."""
    try:
        return orjson.dumps(event)
    except (TypeError, RecursionError) as error:
        reason = f"the event can't be written as JSON: {_first_line(error)}"
    try:
        known = known_only(event)
        return orjson.dumps(known) if known else reason
    except (TypeError, RecursionError):
        return reason


def from_json_lines(lines: Sequence[bytes], source: str, first_position: int = 1) -> Batch:
    """Return a batch of the lines of an event log, one JSON event each; blank lines are ignored.

    source: the log's path. first_position: the number of the first line.
    """
    return from_numbered_lines(lines, source, range(first_position, first_position + len(lines)))


def from_numbered_lines(
    lines: Sequence[bytes], source: str, positions: Sequence[int] | IntArray, *, kept: bool = True
) -> Batch:
    """Return the same as `from_json_lines`, given the number of each line.

    kept: dead letters have their bytes.
    """
    reasons: dict[int, str] = {}
    arrays: dict[str, list[pa.Array[Any]]] = {}
    read: dict[str, list[int]] = {}
    for some in _blocks(lines):
        for name, (indices, pieces) in _read(lines, some, reasons).items():
            arrays.setdefault(name, []).extend(pieces)
            read.setdefault(name, []).extend(indices)
    tables: Tables = {}
    numbers = np.array(positions, np.int64)
    for name, indices in read.items():
        if not indices:
            continue
        event = _INPUTS[name]
        good, broken = tables_of(event, _columns(event, arrays[name]))
        tables |= with_provenance(event, good, Provenance(source, 0, numbers[indices]))
        for row, reason in broken.items():
            line = indices[row]
            reasons[line] = _worded(lines[line], reason)
    letters = (
        DeadLetter.of(source, 0, int(numbers[i]), reasons[i], lines[i], kept=kept)
        for i in sorted(reasons)
    )
    return Batch.of(tables, letters)


def _blocks(lines: Sequence[bytes]) -> Iterator[range]:
    """Yield the lines that are parsed together: few, and not too large unless it is one."""
    for first in range(0, len(lines), _BLOCK_LINES):
        block = range(first, min(first + _BLOCK_LINES, len(lines)))
        if sum(map(len, lines[block.start : block.stop])) <= _BLOCK_BYTES:
            yield block
            continue
        start, size = block.start, 0
        for index in block:
            size += len(lines[index])
            if index > start and size > _BLOCK_BYTES:
                yield range(start, index)
                start, size = index, len(lines[index])
        yield range(start, block.stop)


def _read(lines: Sequence[bytes], some: range, reasons: dict[int, str]) -> dict[str, _Found]:
    """Parse some of the lines: the events by name, each with the index of its line.

    Adds to reasons why other lines are no events.
    """
    read = _read_together(lines, some)
    if read is None:
        read = {}
        for name, (indices, events) in _grouped(lines, some, reasons).items():
            pieces, bad = convert(events, partial(_arrow, _INPUTS[name]), _UNFIT)
            for index in reversed(bad):
                line = indices.pop(index)
                reasons[line] = _worded(lines[line], f"it does not fit {name}")
            read[name] = indices, pieces
    return read


def _read_together(lines: Sequence[bytes], some: range) -> dict[str, _Found] | None:
    """Parse lines as `_read` does, on a fast path: all are events that fit, and repeat no key.

    Returns None for any other lines.
    """
    block = lines[some.start : some.stop]
    if len(block[0]) > VALUES_MAX:  # then the line is the only one, and may be anything
        return None
    try:
        events = list(map(orjson.loads, block))
        names = [event["event"] for event in events]
        read: dict[str, _Found] = {}
        keys = 0
        for name in filter(set(names).__contains__, _INPUTS):
            places = [i for i, other in enumerate(names) if other == name]
            group = [events[i] for i in places]
            array = _arrow(_INPUTS[name], group)
            keys += keys_of(_INPUTS[name], group, array)
            read[name] = [some.start + i for i in places], [array]
    except (LookupError, *_UNFIT):
        return None
    if sum(len(indices) for indices, _ in read.values()) < len(block):
        return None
    return read if keys_at_most(block) == keys else None


def _grouped(
    lines: Sequence[bytes], some: range, reasons: dict[int, str]
) -> dict[str, tuple[list[int], list[Object]]]:
    """Fall back to lines one by one: the events by name, each with the index of its line."""
    found: dict[str, tuple[list[int], list[Object]]] = {}
    for index in some:
        line = lines[index]
        if not line or line.isspace():
            continue
        reason, event = _event_of(line)
        if reason:
            reasons[index] = reason
            continue
        indices, events = found.setdefault(event["event"], ([], []))
        indices.append(index)
        events.append(event)
    return found


def _worded(line: bytes, reason: str) -> str:
    """Return the reason in the words of `validate_event`, which tells the type found instead."""
    try:
        event = orjson.loads(line)
        return wrong_with(_INPUTS[event["event"]], event) or reason
    except (orjson.JSONDecodeError, LookupError, TypeError):
        return reason


def _event_of(line: bytes) -> tuple[str | None, Object]:
    """Return why a line is no event of a known name, or None; and the event."""
    if len(line) > VALUES_MAX and sum(map(line.count, _BEFORE_VALUES)) > VALUES_MAX:
        return f"the line has more than {VALUES_MAX:,} values; split a large hop into several", {}
    # Where files with such marks were put together, one is in the middle.
    line = line.removeprefix(BOM)
    try:
        event = parsed(line)
    except orjson.JSONDecodeError as error:
        return f"not JSON: {zeros_in(line) or _first_line(error)}", {}
    kind = input_type(event)
    if isinstance(kind, str):
        return kind, {}
    return repeated(line, event), event


def event_of_line(line: bytes) -> tuple[EventType, Object] | str:
    """Return the event in a line, in the JSON spelling, with its type; or why the line is none."""
    reason, event = _event_of(line)
    if reason:
        return reason
    kind = _INPUTS[event["event"]]
    return wrong_with(kind, event) or (kind, event)


def _arrow(event: EventType, events: Sequence[Object]) -> pa.Array[Any]:
    """Return events as one Arrow array of structs; unknown fields are left out, missing ones null.

    Raises one of _UNFIT where a value is of another JSON type than its field.
    """
    for field in event.fields:
        # Arrow is too lenient: to it a string is an array of its letters, true is the number 1.
        if field.kind in ("ids", "records"):
            if str in map(type, map(methodcaller("get", field.name), events)):
                raise TypeError(field.name)
        elif field.kind in ("int", "long"):
            if bool in map(type, map(methodcaller("get", field.name), events)):
                raise TypeError(field.name)
        elif field.kind == "record":
            found = map(methodcaller("get", field.name), events)
            values = [value for value in found if value is not None]
            numbers = [f.name for f in field.fields if f.kind in ("int", "long")]
            for value in values:
                if not isinstance(value, dict) or any(type(value.get(n)) is bool for n in numbers):
                    raise TypeError(field.name)
    return pa.array(events, _arrow_struct(event.fields))


def _columns(event: EventType, arrays: Sequence[pa.Array[Any]]) -> pl.DataFrame:
    """Return one row an event, in the columns that `columns.validate` describes."""
    frame = pl.Series(pa.concat_arrays(arrays)).struct.unnest()
    instants = [f.name for f in event.fields if f.kind == "instant"]
    return frame.with_columns(micros_column(frame[name]) for name in instants)


@cache
def _arrow_struct(fields: tuple[Field, ...]) -> pa.StructType:
    return pa.struct([(field.name, _arrow_type(field)) for field in fields])


def _arrow_type(field: Field) -> pa.DataType:
    match field.kind:
        case "bool":
            return pa.bool_()
        case "int" | "long":
            # Arrow cuts 50.5 to 50 for an integer; in a double the checks can see it.
            return pa.float64()
        case "ids":
            return pa.large_list(pa.large_string())
        case "record":
            return _arrow_struct(field.fields)
        case "records":
            return pa.large_list(_arrow_struct(field.fields))
        case _:
            return pa.large_string()


def _speakable(event: object) -> bytes:
    """Return bytes that identify an event that JSON can't express: other parts are left out."""
    try:
        return json.dumps(event, skipkeys=True, default=lambda part: type(part).__name__).encode()
    except (TypeError, ValueError, RecursionError):
        return type(event).__name__.encode()


def _first_line(error: Exception) -> str:
    return str(error).split("\n", 1)[0]
