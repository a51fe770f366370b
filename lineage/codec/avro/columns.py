"""Columns of many Avro datums of one writer schema, decoded in one call.

pyruhvro decodes to Arrow columns. The datums are laid together as one Avro array, and three things
are done that it does not do by itself:

- An array says how many datums it has, not where each ends, so a broken datum can eat the next one
  and still come out as something. Here each datum is followed by a sentinel, the same random
  double, as one more field of the record: where every row ends with it, every row is one datum.
  Blocks of a file, whose datums have no known ends, are each followed by the sentinel as a whole,
  and must hold as many datums as they say.
- It cuts an int to 32 bits. Here ints and the indices of enums are read as longs, whose bytes are
  the same. A boolean is one byte, 0 or 1, which a long of the same value need not be.
- It takes any bytes for a string, so columns of strings are held to UTF-8.

Named references and bytes, which it can't read at all, are spelled so that it can: the bytes of a
datum are the same.
"""

from __future__ import annotations

import json
import secrets
import struct
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa
import pyruhvro

Avro = Any  # a parsed schema: str, list or dict, as JSON has it
Column = Any  # an Arrow array; the stubs do not tell lists from others by what they hold
Columns = dict[str, Column]

# So much is read in one go: an array of nothing takes 16 times its bytes, or more. Only a hop can
# be larger by itself.
TOGETHER_BYTES = 8 << 20

_SENTINEL = {"name": "sentinel", "type": "double"}
# In front of a Kafka value: a byte 0, and the schema's id in four that are only compared.
_WIRE = [{"name": "magic", "type": "boolean"}, {"name": "schema_id", "type": "float"}]


class UndecodableError(Exception):
    """Some of the datums are not of the schema."""


class UnspellableError(Exception):
    """The schema has something that can't be read as columns."""


class Layout:
    """Decodes datums of one writer schema to columns, many in one call.

    schema: a parsed record schema. wanted: the fields that columns are made of, as far as the
    schema has them. Raises UnspellableError where it has maps, fixed, or unions other than of null
    and something in the record itself.
    """

    def __init__(self, schema: Avro, wanted: Iterable[str]) -> None:
        written = _inline(schema, {}, ())["fields"]
        # Named by their places, so that none has the name of a field of ours.
        fields = [{"name": f"f{i}", "type": _spelled(f["type"], f"R{i}")}
                  for i, f in enumerate(written)]  # fmt: skip
        names = frozenset(wanted)
        self._fields = {f["name"]: (f"f{i}", f["type"])
                        for i, f in enumerate(written) if f["name"] in names}  # fmt: skip
        # Bytes are spelled as strings, and need not be UTF-8.
        self._held = [f"f{i}" for i, f in enumerate(written) if '"bytes"' not in json.dumps(f)]
        self._datums = _run_of([*fields, _SENTINEL])
        self._values = _run_of([*_WIRE, *fields, _SENTINEL])
        self._blocks = _run_of(fields, [_SENTINEL])
        try:
            pyruhvro.avro_to_arrow_schema(self._datums)
        except ValueError:
            raise UnspellableError from None

    def of_datums(self, datums: Sequence[bytes]) -> Columns:
        """Return the wanted fields, one row a datum, in their order.

        Enums are the numbers as which they are written. Raises UndecodableError where any datum is
        not of the schema, or too large for this.
        """
        return self._wanted(_one_array(self._datums, datums))

    def of_values(self, values: Sequence[bytes], header: bytes) -> Columns:
        """Return the wanted fields of Kafka values, as `of_datums` does.

        header: a byte 0 and four of the schema's id. Raises UndecodableError also where a value has
        another.
        """
        columns = _one_array(self._values, values)
        magic, schema_id = (columns[field["name"]] for field in _WIRE)
        if (
            magic.true_count
            or (numbers(schema_id, np.uint32) != np.frombuffer(header[1:], np.uint32)).any()
        ):
            raise UndecodableError
        return self._wanted(columns)

    def of_blocks(self, blocks: Sequence[tuple[int, bytes]]) -> Columns:
        """Return the wanted fields of blocks of datums, as `of_datums` does.

        blocks: how many datums each has, and their bytes; where each datum ends is not known.
        Raises UndecodableError where a block is not so many datums of the schema.
        """
        sentinel, end = _sentinel()
        # The 0 behind an array is all that an empty one has.
        runs = [(_long(count) if count else b"") + data + b"\0" + end for count, data in blocks]
        batch = _decoded(runs, self._blocks)
        arrays: Column = batch.column(0)
        lengths = np.diff(numbers(arrays, np.int32, more=1))
        right = lengths == [count for count, _ in blocks]
        if not (right & (numbers(batch.column(1), np.float64) == sentinel)).all():
            raise UndecodableError
        return self._wanted(_fields_of(arrays.values))

    def frame(self, columns: Columns) -> pl.DataFrame:
        """Return the columns as the schema means them.

        Enums are String (null: no such symbol), the other types plain, logical types as what they
        annotate.
        """
        frame = pl.DataFrame([pl.Series(name, column) for name, column in columns.items()])
        return frame.select(
            _meant(pl.col(name), avro).alias(name) for name, (_, avro) in self._fields.items()
        )

    def _wanted(self, columns: Columns) -> Columns:
        held = pa.StructArray.from_arrays([columns[name] for name in self._held], self._held)
        try:
            held.validate(full=True)
        except pa.ArrowException as error:
            raise UndecodableError from error
        return {name: columns[place] for name, (place, _) in self._fields.items()}


def numbers(column: Column, kind: type[np.generic], more: int = 0) -> npt.NDArray[Any]:
    """Return the numbers of a column, whatever they are where it is null.

    Of strings and lists these are the offsets where each begins, and, with one more, where the last
    ends.
    """
    buffer = column.buffers()[1]
    if buffer is None or not len(column):
        return np.zeros(more, kind)
    return np.frombuffer(buffer, kind)[column.offset : column.offset + len(column) + more]


def _one_array(schema: str, datums: Sequence[bytes]) -> Columns:
    sentinel, end = _sentinel()
    run = b"\0"
    if datums:
        run = end.join((_long(len(datums)) + datums[0], *datums[1:], b"\0"))
    if len(run) > TOGETHER_BYTES and max(map(len, datums)) > TOGETHER_BYTES:
        raise UndecodableError
    arrays: Column = _decoded([run], schema).column(0)
    items = arrays.values
    columns = _fields_of(items)
    ends = numbers(columns[_SENTINEL["name"]], np.float64)
    if len(items) != len(datums) or not (ends == sentinel).all():
        raise UndecodableError
    return columns


def _decoded(runs: Sequence[bytes], schema: str) -> pa.RecordBatch:
    try:
        batch: pa.RecordBatch = pyruhvro.deserialize_array(runs, schema)
    except ValueError as error:
        raise UndecodableError from error
    return batch


def _fields_of(records: Column) -> Columns:
    return {field.name: records.field(i) for i, field in enumerate(records.type)}


def _sentinel() -> tuple[float, bytes]:
    number = float(2**51 + secrets.randbits(51))
    return number, struct.pack("<d", number)


def _run_of(fields: Sequence[Avro], behind: Sequence[Avro] = ()) -> str:
    """Return the schema of an array of records of these fields, and of what is behind it."""
    items = {"type": "record", "name": "Datum", "fields": fields}
    datums = {"name": "datums", "type": {"type": "array", "items": items}}
    return json.dumps({"type": "record", "name": "Run", "fields": [datums, *behind]})


def _long(number: int) -> bytes:
    zigzag = number << 1
    out = bytearray()
    while zigzag > 0x7F:
        out.append(zigzag & 0x7F | 0x80)
        zigzag >>= 7
    out.append(zigzag)
    return bytes(out)


def _inline(avro: Avro, named: dict[str, Avro], inside: tuple[str, ...]) -> Avro:
    """Return the schema without references by name, and without logical types."""
    if isinstance(avro, list):
        if len(avro) != 2 or avro[0] != "null" or len(inside) > 1:
            raise UnspellableError
        return ["null", _inline(avro[1], named, (*inside, ""))]
    if isinstance(avro, str):
        if avro in ("boolean", "int", "long", "float", "double", "bytes", "string"):
            return avro
        if avro not in named or avro in inside:
            raise UnspellableError
        return _inline(named[avro], named, inside)
    kind = avro["type"]
    if kind in ("record", "enum"):
        short = avro["name"].rpartition(".")[2]
        if named.setdefault(short, avro) is not avro:
            raise UnspellableError  # a reference could mean either
    if kind == "record":
        if not avro["fields"]:
            raise UnspellableError
        deeper = (*inside, avro["name"])
        fields = [{"name": f["name"], "type": _inline(f["type"], named, deeper)}
                  for f in avro["fields"]]  # fmt: skip
        return {"type": "record", "fields": fields}
    if kind == "enum":
        return {"type": "enum", "symbols": avro["symbols"]}
    if kind == "array":
        return {"type": "array", "items": _inline(avro["items"], named, (*inside, ""))}
    return _inline(kind, named, inside)


def _spelled(avro: Avro, path: str) -> Avro:
    """Return a schema with the same bytes that pyruhvro reads, and reads strictly."""
    if isinstance(avro, list):
        return ["null", _spelled(avro[1], path)]
    if isinstance(avro, str):
        return {"int": "long", "bytes": "string"}.get(avro, avro)
    if avro["type"] == "enum":
        return "long"
    if avro["type"] == "array":
        return {"type": "array", "items": _spelled(avro["items"], f"{path}_items")}
    fields = [
        {"name": f["name"], "type": _spelled(f["type"], f"{path}_{i}")}
        for i, f in enumerate(avro["fields"])
    ]
    return {"type": "record", "name": path, "fields": fields}


def _meant(column: pl.Expr, avro: Avro) -> pl.Expr:
    """Return the column as the schema means it, from how it was spelled."""
    if isinstance(avro, list):
        return _meant(column, avro[1])
    if isinstance(avro, str):
        return column
    if avro["type"] == "enum":
        return _symbol(column, avro["symbols"])
    if avro["type"] == "array":
        if isinstance(avro["items"], str):
            return column
        return column.list.eval(_meant(pl.element(), avro["items"]))
    whole = pl.struct(
        _meant(column.struct.field(f["name"]), f["type"]).alias(f["name"]) for f in avro["fields"]
    )
    return pl.when(column.is_not_null()).then(whole)


def _symbol(column: pl.Expr, symbols: Sequence[str]) -> pl.Expr:
    symbol: pl.Expr = pl.lit(None, dtype=pl.String)
    for index, name in enumerate(symbols):
        symbol = pl.when(column == index).then(pl.lit(name)).otherwise(symbol)
    return symbol
