"""Writes answers as JSON, JSON lines, CSV and Arrow, batch by batch.

An answer that fails after it has begun says so in its last part where the format has a place for
it, and is cut off in every format: its client gets no end of the body.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Protocol

import duckdb
import pyarrow as pa

from lineage.errors import QueryError
from lineage.remote.wire import ARROW_STREAM, ERROR_KEY, error_body
from streams.json_values import csv_value, jsonable

__all__ = ["FORMATS", "Encoder", "Format", "format_of"]


class Encoder(Protocol):
    """Writes one answer; the parts that its methods return make the body, in their order."""

    def head(self, schema: pa.Schema) -> bytes:
        """Return what comes before all rows."""

    def rows(self, batch: pa.RecordBatch) -> bytes:
        """Return the rows of a batch. Raises QueryError for a value that has no spelling."""

    def tail(self, cut: bool) -> bytes:
        """Return the end; cut: whether there were more rows."""

    def failure(self, error: Exception) -> bytes:
        """Return what can be said of an error once the answer has begun."""


@dataclass(frozen=True)
class Format:
    """A format of answers: its name, its media type, and the media types that ask for it."""

    name: str
    media_type: str
    asked_by: frozenset[str]
    encoder: type[Encoder]


class _Json:
    """One object: the columns, the rows as objects, and whether there were more."""

    def __init__(self) -> None:
        self._spelled = _Rows()
        self._separator = "\n"

    def head(self, schema: pa.Schema) -> bytes:
        columns = json.dumps(schema.names, ensure_ascii=False)
        return f'{{"columns": {columns}, "rows": ['.encode()

    def rows(self, batch: pa.RecordBatch) -> bytes:
        lines = list(map(_json_line, self._spelled.objects(batch)))
        if not lines:
            return b""
        text = self._separator + ",\n".join(lines)
        self._separator = ",\n"
        return text.encode()

    def tail(self, cut: bool) -> bytes:
        return f'\n], "cut": {json.dumps(cut)}}}\n'.encode()

    def failure(self, error: Exception) -> bytes:
        return f'\n], "error": {json.dumps(error_body(error)["error"])}}}\n'.encode()


class _JsonLines:
    """One object a row, as the commands write with --json."""

    def __init__(self) -> None:
        self._spelled = _Rows()

    def head(self, schema: pa.Schema) -> bytes:
        return b""

    def rows(self, batch: pa.RecordBatch) -> bytes:
        return "".join(f"{_json_line(row)}\n" for row in self._spelled.objects(batch)).encode()

    def tail(self, cut: bool) -> bytes:
        return b""

    def failure(self, error: Exception) -> bytes:
        return json.dumps(error_body(error)).encode() + b"\n"


class _Csv:
    """A header line and the rows, as the commands write with --csv."""

    def __init__(self) -> None:
        self._spelled = _Rows()

    def head(self, schema: pa.Schema) -> bytes:
        return _csv_lines([schema.names])

    def rows(self, batch: pa.RecordBatch) -> bytes:
        rows = self._spelled.tuples(batch)
        return _csv_lines([["" if v is None else csv_value(v) for v in row] for row in rows])

    def tail(self, cut: bool) -> bytes:
        return b""

    def failure(self, error: Exception) -> bytes:
        return b""


class _Arrow:
    """The stream of Arrow's IPC; an error is the metadata of a last batch without rows."""

    def __init__(self) -> None:
        self._written = io.BytesIO()
        self._schema = pa.schema([])
        self._writer = pa.ipc.new_stream(self._written, self._schema)

    def head(self, schema: pa.Schema) -> bytes:
        self._written = io.BytesIO()
        self._schema = schema
        self._writer = pa.ipc.new_stream(self._written, schema)
        return self._taken()

    def rows(self, batch: pa.RecordBatch) -> bytes:
        self._writer.write_batch(batch)
        return self._taken()

    def tail(self, cut: bool) -> bytes:
        self._writer.close()
        return self._taken()

    def failure(self, error: Exception) -> bytes:
        told = json.dumps(error_body(error)).encode()
        none = pa.RecordBatch.from_pylist([], schema=self._schema)
        self._writer.write_batch(none, custom_metadata={ERROR_KEY: told})
        return self._taken()

    def _taken(self) -> bytes:
        data = self._written.getvalue()
        self._written.seek(0)
        self._written.truncate()
        return data


class _Rows:
    """Reads Arrow batches as rows of Python's values, as the commands do: by DuckDB."""

    def __init__(self) -> None:
        self._connection = _values().cursor()

    def tuples(self, batch: pa.RecordBatch) -> Sequence[tuple[object, ...]]:
        table = pa.Table.from_batches([batch])
        try:
            return self._connection.from_arrow(table).fetchall()
        except (ValueError, OverflowError) as error:
            raise QueryError(
                "the answer holds a value that has no spelling here (an instant outside of the"
                " years 1 to 9999, say); cast it to VARCHAR"
            ) from error

    def objects(self, batch: pa.RecordBatch) -> Sequence[Mapping[str, object]]:
        names = batch.schema.names
        return [dict(zip(names, row, strict=True)) for row in self.tuples(batch)]


@cache
def _values() -> duckdb.DuckDBPyConnection:
    """Return a database for values alone; each answer has a cursor of its own."""
    return duckdb.connect(config={"threads": 1})


def _json_line(row: Mapping[str, object]) -> str:
    return json.dumps({name: jsonable(value) for name, value in row.items()}, ensure_ascii=False)


def _csv_lines(rows: Sequence[Sequence[object]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()


FORMATS: Mapping[str, Format] = {
    each.name: each
    for each in (
        Format("json", "application/json", frozenset({"application/json", "*/*"}), _Json),
        Format(
            "jsonl",
            "application/x-ndjson",
            frozenset({"application/x-ndjson", "application/jsonl", "application/json-lines"}),
            _JsonLines,
        ),
        Format("csv", "text/csv; charset=utf-8", frozenset({"text/csv"}), _Csv),
        Format("arrow", ARROW_STREAM, frozenset({ARROW_STREAM}), _Arrow),
    )
}


def format_of(name: object, accept: str) -> Format:
    """Return the format that is asked for by name, or else by an Accept header.

    Of several media types in a header the first that is known counts. Raises QueryError.
    """
    if name is not None:
        if isinstance(name, str) and name in FORMATS:
            return FORMATS[name]
        raise QueryError(f"format must be one of {', '.join(FORMATS)}")
    wanted = [part.split(";")[0].strip().lower() for part in accept.split(",")]
    for media_type in wanted:
        for each in FORMATS.values():
            if media_type in each.asked_by or media_type == "application/*":
                return each
    if accept.strip():
        raise QueryError(
            "Accept names no format that there is: "
            + ", ".join(sorted(each.media_type for each in FORMATS.values()))
        )
    return FORMATS["json"]
