"""Datums of one writer schema, of whatever version, read as one of our event types.

This is the fallback of the fast path, and says why a datum can't be read. It is vectorised, too:
datums are decoded to columns in one call. Only those of a schema that can't be spelled for that, or
that has other types than the event's, and very large hops are decoded one by one, by fastavro.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import fastavro
import polars as pl
import pyarrow as pa

from lineage.codec.avro.columns import TOGETHER_BYTES, Layout, UndecodableError, UnspellableError
from lineage.codec.avro.resolution import resolve
from lineage.codec.avro.skip import Skip, TooManyValuesError
from lineage.codec.bisect import convert
from lineage.codec.columns.instants import micros_in_column
from lineage.codec.contract.events import RECORDS_MOVED, EventType
from lineage.codec.contract.fields import Field
from lineage.codec.contract.instants import (
    MICROS_MAX,
    TOO_FINE,
    micros_in,
    text_of,
    too_fine,
)
from lineage.codec.contract.limits import VALUES_MAX, mib
from lineage.codec.contract.validate_event import wrong_with

# Where one of many datums is broken, they are searched in so many parts, and these in turn, down
# to parts of so few, which are bisected.
_SEARCHED_PARTS, _SEARCHED_DATUMS = 8, 32

TOGETHER_RECORDS = 1 << 18

# A datum that is not of its schema can make fastavro raise nearly anything.
_BROKEN = (Exception,)


class Reader:
    """Reads datums that were written with a schema as one event type.

    event: what they are read as. schema: the text of the writer's schema. Raises what `resolve`
    raises. present: the event's fields as they are written, if datums have the same bytes as with
    the present schema; their layout is then there for the fast path.
    """

    def __init__(self, event: EventType, schema: str) -> None:
        self.event = event
        resolved = resolve(event, schema)
        self.present = resolved.present
        self._writer, self._units = resolved.writer, resolved.units
        self._reader = None if self.present else resolved.reader
        self._skip = Skip(resolved.writer, resolved.named)
        self._not_whole = f"is not a whole {event.name} as its schema has it"
        self._nothing = fastavro.parse_schema(
            {"type": "record", "name": resolved.writer["name"], "fields": []}
        )
        try:
            self.layout = Layout(resolved.written, (field.name for field in event.fields))
            self._plain = resolved.same_kinds
        except UnspellableError:
            self._plain = False

    def read(self, datums: Sequence[bytes]) -> tuple[pl.DataFrame, dict[int, str]]:
        """Read datums as events.

        Returns one row a good datum, in their order, as `columns.validate` wants it; and the
        indices of the others, ascending, each with what is wrong with it, to stand behind "the
        record".
        """
        pieces: list[pl.DataFrame] = [self.no_rows()]
        wrong: dict[int, str] = {}
        start = 0
        for end in _cuts(datums):
            piece, bad = self._read_some(datums[start:end])
            pieces.append(piece)
            wrong |= {start + i: reason for i, reason in bad.items()}
            start = end
        return (pieces[1] if len(pieces) == 2 else pl.concat(pieces)), wrong

    def _read_some(self, datums: Sequence[bytes]) -> tuple[pl.DataFrame, dict[int, str]]:
        if not self._plain or len(datums[0]) > TOGETHER_BYTES:
            return self._one_by_one(datums)
        try:
            return self._vectorised(datums), {}
        except UndecodableError:
            good, bad = self.apart(datums)
            found = self._vectorised([datums[i] for i in good]) if good else self.no_rows()
            return found, dict.fromkeys(bad, self._not_whole)

    def apart(self, datums: Sequence[bytes]) -> tuple[list[int], list[int]]:
        """Return the indices of the datums that have columns, and of the others, both ascending."""
        bad: set[int] = set()
        parts = [(0, len(datums))]
        while parts:
            start, end = parts.pop()
            try:
                self.layout.of_datums(datums[start:end])
            except UndecodableError:
                if end - start > _SEARCHED_DATUMS:
                    size = max(_SEARCHED_DATUMS, -(-(end - start) // _SEARCHED_PARTS))
                    parts += [(at, min(at + size, end)) for at in range(start, end, size)]
                    continue
                some = datums[start:end]
                _, wrong = convert(some, self.layout.of_datums, (UndecodableError,), self._whole)
                bad.update(start + i for i in wrong)
        return [i for i in range(len(datums)) if i not in bad], sorted(bad)

    def read_blocks(self, blocks: Sequence[tuple[int, bytes]]) -> pl.DataFrame:
        """Read whole blocks of a container file to one row a datum, in their order.

        blocks: how many datums each has, and their bytes one after another. Raises UndecodableError
        where any of it is not of the schema, or must be read datum by datum.
        """
        if not self._plain:
            raise UndecodableError
        return self._ours(self.layout.frame(self.layout.of_blocks(blocks)))

    def parts(self, count: int, data: bytes) -> Iterator[tuple[list[bytes], int]]:
        """Yield the datums of one block, as far as they can be told apart, some at a time.

        With each of these parts comes where in the block it ends.
        """
        end = 0
        while count:
            datums: list[bytes] = []
            start = end
            while len(datums) < min(count, TOGETHER_RECORDS) and end - start < TOGETHER_BYTES:
                size = self.length(data, end)
                if size is None:
                    count = len(datums)
                    break
                datums.append(data[end : end + size])
                end += size
            if datums:
                yield datums, end
            count -= len(datums)

    def event_of(self, datum: bytes) -> dict[str, Any] | str:
        """Return the event in one datum, in the JSON spelling; or why it is none."""
        row = self._one(datum)
        if isinstance(row, str):
            return f"the record {row}"
        for field in self.event.fields:
            micros = row[field.name]
            if field.kind == "instant" and micros is not None:
                micros = micros_in(micros, self._units.get(field.name, "micros"))
                if micros == TOO_FINE:
                    return too_fine(field.name)
                row[field.name] = text_of(micros) if 0 <= micros <= MICROS_MAX else ""
        return wrong_with(self.event, row) or {"event": self.event.name, **row}

    def no_rows(self) -> pl.DataFrame:
        """Return the columns, without a row."""
        return self._frame_of([])

    def length(self, data: bytes, start: int = 0) -> int | None:
        """Return how many bytes the datum that starts there has; None where none does."""
        try:
            return self._skip.end_of(data, start, VALUES_MAX) - start
        except TooManyValuesError:
            pass
        except IndexError:
            return None
        stream = io.BytesIO(data)
        stream.seek(start)
        try:
            # Reading none of its fields, it builds no arrays.
            fastavro.schemaless_reader(stream, self._writer, self._nothing)
        except _BROKEN:
            return None
        return stream.tell() - start

    def _whole(self, datum: bytes) -> bool:
        # Less strict than reading together, never more.
        return self.length(datum) == len(datum)

    def _vectorised(self, datums: Sequence[bytes]) -> pl.DataFrame:
        return self._ours(self.layout.frame(self.layout.of_datums(datums)))

    def _ours(self, frame: pl.DataFrame) -> pl.DataFrame:
        missing = [f for f in self.event.fields if f.name not in frame.columns]
        if missing:
            absent = self._frame_of([{}]).select(f.name for f in missing)
            frame = frame.with_columns(
                pl.lit(absent[f.name]).first().alias(f.name) for f in missing
            )
        frame = frame.select(f.name for f in self.event.fields)
        return frame.with_columns(
            micros_in_column(frame[name], unit) for name, unit in self._units.items()
        )

    def _one_by_one(self, datums: Sequence[bytes]) -> tuple[pl.DataFrame, dict[int, str]]:
        rows: list[dict[str, Any]] = []
        wrong: dict[int, str] = {}
        for index, datum in enumerate(datums):
            row = self._one(datum)
            if isinstance(row, str):
                wrong[index] = row
            else:
                rows.append(row)
        return self._ours(self._frame_of(rows)), wrong

    def _one(self, datum: bytes) -> dict[str, Any] | str:
        """Return the row of one datum; or what is wrong with it."""
        if len(datum) > TOGETHER_BYTES and self.event is not RECORDS_MOVED:
            return f"has more than {mib(TOGETHER_BYTES)}, which only a hop may have"
        stream = io.BytesIO(datum)
        try:
            if len(datum) > TOGETHER_BYTES:
                self._skip.end_of(datum, 0, VALUES_MAX)
            row = fastavro.schemaless_reader(stream, self._writer, self._reader)
        except TooManyValuesError:
            return f"has more than {VALUES_MAX:,} values; split a large hop into several"
        except _BROKEN:
            return self._not_whole
        return row if isinstance(row, dict) and stream.tell() == len(datum) else self._not_whole

    def _frame_of(self, rows: Sequence[Mapping[str, Any]]) -> pl.DataFrame:
        struct = pa.struct([(f.name, _arrow_type(f)) for f in self.event.fields])
        return pl.Series(pa.array(rows, struct), dtype=None).struct.unnest()


def _cuts(datums: Sequence[bytes]) -> Iterator[int]:
    """Yield the ends of the parts of datums that are read together: a large one is read alone."""
    if sum(map(len, datums)) <= TOGETHER_BYTES:
        if datums:
            yield len(datums)
        return
    size = 0
    for index, datum in enumerate(datums):
        if index and size + len(datum) > TOGETHER_BYTES:
            yield index
            size = 0
        size += len(datum)
    yield len(datums)


def _arrow_type(field: Field) -> pa.DataType:
    match field.kind:
        case "bool":
            return pa.bool_()
        case "int" | "long" | "instant":
            return pa.int64()
        case "ids":
            return pa.large_list(pa.large_string())
        case "record" | "records":
            inner = pa.struct([(f.name, _arrow_type(f)) for f in field.fields])
            return pa.large_list(inner) if field.kind == "records" else inner
        case _:
            return pa.large_string()
