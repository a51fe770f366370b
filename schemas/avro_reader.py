"""Datums of one writer schema, read as one of our event types."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import avro.errors
import avro.schema
import fastavro
import polars as pl
import pyarrow as pa
from avro.compatibility import ReaderWriterCompatibilityChecker, SchemaCompatibilityType

from schemas.avro_layout import Layout, UndecodableError, UnframeableError
from schemas.avro_logical import Avro, UnreadableSchemaError, hidden, units_of
from schemas.contract import wrong_with
from schemas.events import EventType
from schemas.fields import Field
from schemas.halves import convert
from schemas.instants import MICROS_MAX, TOO_FINE, micros_in, micros_in_column, text_of, too_fine

# Where one of many datums is broken, they are searched in so many parts of at least so many:
# few, since polars writes a line to stderr for each part that makes it panic.
_SEARCHES, _SEARCH_DATUMS_MIN = 16, 512

# What the two libraries raise on a text that is no schema to them.
_NO_SCHEMA = (
    avro.errors.AvroException,
    fastavro.schema.SchemaParseException,
    fastavro.schema.UnknownType,
    ValueError,
    TypeError,
    KeyError,
    AttributeError,
    RecursionError,
)

# A datum that is not of its schema can make fastavro raise nearly anything.
_BROKEN = (Exception,)


class Reader:
    """Reads datums that were written with a schema as one event type.

    event: what they are read as. schema: the text of the writer's schema;
    UnreadableSchemaError where it is no Avro schema, or not compatible with the event's.
    """

    def __init__(self, event: EventType, schema: str) -> None:
        self._event = event
        try:
            written, wanted = hidden(json.loads(schema)), hidden(json.loads(event.schema))
            self._check(json.dumps(written), json.dumps(wanted))
            named: dict[str, Avro] = {}
            self._writer = fastavro.parse_schema(written, named_schemas=named)
        except _NO_SCHEMA:
            raise UnreadableSchemaError("it is not an Avro schema") from None
        reader = fastavro.parse_schema(wanted)
        units = units_of(event, self._writer, named)
        # The fields as they are written, if datums have the same bytes as with the present schema.
        self.present: tuple[Field, ...] | None = None
        if _canonical(self._writer) == _canonical(reader):
            self.present = tuple(replace(f, unit=units.get(f.name, f.unit)) for f in event.fields)
        self._units = {name: unit for name, unit in units.items() if unit != "micros"}
        self._reader = None if self.present else reader
        try:
            self._layout = Layout(written)
            self._plain = _same_kinds(written, wanted)
        except UnframeableError:
            self._plain = False

    def read(self, datums: Sequence[bytes]) -> tuple[pl.DataFrame, list[int]]:
        """One row a good datum, in their order, as `checks` wants it; and the indices of the
        datums that are not of the writer's schema, ascending.
        """
        if not self._plain:
            return self._one_by_one(datums)
        try:
            return self._vectorised(datums), []
        except UndecodableError:
            pass
        pieces, bad = [self.no_rows()], []
        size = max(_SEARCH_DATUMS_MIN, len(datums) // _SEARCHES)
        for start in range(0, len(datums), size):
            some = datums[start : start + size]
            found, wrong = convert(some, self._vectorised, (UndecodableError,), self._whole)
            pieces += found
            bad += [start + i for i in wrong]
        return pl.concat(pieces), bad

    def read_blocks(self, blocks: Sequence[tuple[int, bytes]]) -> pl.DataFrame:
        """Whole blocks of a container file: each how many datums, and their bytes one after
        another. One row a datum.

        UndecodableError where any of it is not of the schema, or must be read datum by datum.
        """
        if not self._plain:
            raise UndecodableError
        return self._ours(self._layout.decode_blocks(blocks))

    def split(self, count: int, data: bytes) -> tuple[list[bytes], bytes]:
        """The datums of one block apart, as far as they can be told; and the bytes after them."""
        datums: list[bytes] = []
        start = 0
        while len(datums) < count:
            size = self.length(data, start)
            if size is None:
                break
            datums.append(data[start : start + size])
            start += size
        return datums, data[start:]

    def event_of(self, datum: bytes) -> dict[str, Any] | str:
        """The event in one datum, in the JSON spelling; or why it is none."""
        row = self._one(datum)
        if row is None:
            return f"the record is not a whole {self._event.name} as its schema has it"
        for field in self._event.fields:
            micros = row[field.name]
            if field.kind == "instant" and micros is not None:
                micros = micros_in(micros, self._units.get(field.name, "micros"))
                if micros == TOO_FINE:
                    return too_fine(field.name)
                row[field.name] = text_of(micros) if 0 <= micros <= MICROS_MAX else ""
        return wrong_with(self._event, row) or {"event": self._event.name, **row}

    def no_rows(self) -> pl.DataFrame:
        """The columns, without a row."""
        return self._frame_of([])

    def length(self, data: bytes, start: int = 0) -> int | None:
        """How many bytes the datum that starts there has; None where none does."""
        stream = io.BytesIO(data)
        stream.seek(start)
        try:
            fastavro.schemaless_reader(stream, self._writer)
        except _BROKEN:
            return None
        return stream.tell() - start

    def _whole(self, datum: bytes) -> bool:
        # Less strict than reading together, never more.
        return self.length(datum) == len(datum)

    def _check(self, written: str, wanted: str) -> None:
        writer, reader = avro.schema.parse(written), avro.schema.parse(wanted)
        if not isinstance(writer, avro.schema.RecordSchema) or writer.name != self._event.name:
            name = getattr(writer, "name", None) or writer.type
            raise UnreadableSchemaError(f"it is of {name[:64]}, not of {self._event.name}")
        checker = ReaderWriterCompatibilityChecker()  # type: ignore[no-untyped-call]  # its own gap
        result = checker.get_compatibility(reader, writer)
        if result.compatibility is not SchemaCompatibilityType.compatible:
            where = ", ".join(sorted(result.locations))[:200]
            raise UnreadableSchemaError(
                f"it is not compatible with {self._event.name} as read here (at {where})"
            )

    def _vectorised(self, datums: Sequence[bytes]) -> pl.DataFrame:
        return self._ours(self._layout.decode(datums))

    def _ours(self, frame: pl.DataFrame) -> pl.DataFrame:
        missing = [f for f in self._event.fields if f.name not in frame.columns]
        if missing:
            absent = self._frame_of([{}]).select(f.name for f in missing)
            frame = frame.with_columns(
                pl.lit(absent[f.name]).first().alias(f.name) for f in missing
            )
        frame = frame.select(f.name for f in self._event.fields)
        return frame.with_columns(
            micros_in_column(frame[name], unit) for name, unit in self._units.items()
        )

    def _one_by_one(self, datums: Sequence[bytes]) -> tuple[pl.DataFrame, list[int]]:
        rows = [self._one(datum) for datum in datums]
        bad = [i for i, row in enumerate(rows) if row is None]
        return self._ours(self._frame_of([row for row in rows if row is not None])), bad

    def _one(self, datum: bytes) -> dict[str, Any] | None:
        stream = io.BytesIO(datum)
        try:
            row = fastavro.schemaless_reader(stream, self._writer, self._reader)
        except _BROKEN:
            return None
        return row if isinstance(row, dict) and stream.tell() == len(datum) else None

    def _frame_of(self, rows: Sequence[Mapping[str, Any]]) -> pl.DataFrame:
        struct = pa.struct([(f.name, _arrow_type(f)) for f in self._event.fields])
        return pl.Series(pa.array(rows, struct), dtype=None).struct.unnest()


def _canonical(schema: Avro) -> str:
    return str(fastavro.schema.to_parsing_canonical_form(schema))


def _same_kinds(written: Avro, wanted: Avro, top: bool = True) -> bool:
    """Whether the columns of the writer's fields are those of the reader's, by name alone.

    Records inside must have our fields in our order; the outermost may have others too.
    """
    written, wanted = _value(written), _value(wanted)
    if isinstance(written, str) or isinstance(wanted, str):
        return bool(_number(written) == _number(wanted))
    if written["type"] != wanted["type"]:
        return False
    if wanted["type"] == "array":
        return _same_kinds(written["items"], wanted["items"], top=False)
    if wanted["type"] != "record":
        return True
    theirs = [f["name"] for f in written["fields"]]
    ours = {f["name"]: f["type"] for f in wanted["fields"]}
    return (top or theirs == list(ours)) and all(
        _same_kinds(f["type"], ours[f["name"]], top=False)
        for f in written["fields"]
        if f["name"] in ours
    )


def _value(avro: Avro) -> Avro:
    return next(branch for branch in avro if branch != "null") if isinstance(avro, list) else avro


def _number(avro: Avro) -> Avro:
    return "long" if avro == "int" else avro


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
