"""Decoding many Avro datums of one writer schema in one vectorised call.

The datums are put into an object container in memory, which polars reads at millions a second.
Two things are added that it does not do by itself:

- A container file says how many datums a block has, not where each ends, so a broken datum can
  eat the next one and still come out as something. Here each datum is followed by the same random
  double, as one more field of the record: where every row ends with it, every row is one datum.
- It takes any number but 0 for "not null", and any byte but 1 for false. Here the branch is read
  as a number too, and a boolean is read as the number that its byte is.

What polars can't read (named references, enums in arrays) is spelled so that it can: their bytes
are the same.
"""

from __future__ import annotations

import io
import json
import secrets
import struct
from collections.abc import Iterable, Sequence
from typing import Any

import polars as pl
from polars.exceptions import PanicException, PolarsError

Avro = Any  # a parsed schema: str, list or dict, as JSON has it

_SENTINEL = "sentinel of the frame"
_TRUE = -1  # a boolean's byte 1 read as an Avro long
_SYNC = b"\0" * 16


class UndecodableError(Exception):
    """Some of the datums are not of the schema."""


class UnframeableError(Exception):
    """The schema has something that polars can't read, or reads less strictly than it should."""


class Layout:
    """How datums of one writer schema become columns.

    schema: a parsed record schema. UnframeableError where it has maps, fixed, or unions other
    than of null and something in the record itself.
    """

    def __init__(self, schema: Avro) -> None:
        self._schema = _inline(schema, {}, ())
        self._nullable = [f["name"] for f in self._schema["fields"] if isinstance(f["type"], list)]
        self._header = self._header_of()
        self._branch_headers = {name: self._header_of(name) for name in self._nullable}
        rows = {"type": "array", "items": _framed(self._schema)}
        self._blocks_header = _container_header([{"name": "datums", "type": rows}])

    def decode(self, datums: Sequence[bytes]) -> pl.DataFrame:
        """One row a datum, in their order; UndecodableError where any is not of the schema.

        Columns are the writer's fields: enums String (null: no such symbol), booleans Boolean
        (null: neither 0 nor 1), the other types plain, logical types as what they annotate.
        """
        frame = _read(self._header, datums)
        for name in self._nullable:
            there = frame.select(pl.col(name).is_not_null().arg_true()).to_series().to_list()
            if there:
                branches = _read(self._branch_headers[name], [datums[i] for i in there])
                if not (branches[name].struct.field("branch") == 1).all():
                    raise UndecodableError
        return self._as_meant(frame)

    def decode_blocks(self, blocks: Sequence[tuple[int, bytes]]) -> pl.DataFrame:
        """`decode` for blocks of datums of which only the number is known, not where each ends.

        UndecodableError also where a nullable field is not null: its branch can't be judged here.
        """
        arrays = [_long(count) + data + _long(0) for count, data in blocks]
        read = _read(self._blocks_header, arrays)["datums"]
        if read.list.len().to_list() != [count for count, _ in blocks]:
            raise UndecodableError
        frame = read.explode().struct.unnest()
        if any(frame[name].null_count() < frame.height for name in self._nullable):
            raise UndecodableError
        return self._as_meant(frame)

    def _as_meant(self, frame: pl.DataFrame) -> pl.DataFrame:
        fields = self._schema["fields"]
        return frame.select(_plain(pl.col(f["name"]), f["type"]).alias(f["name"]) for f in fields)

    def _header_of(self, branch_of: str | None = None) -> bytes:
        return _container_header(
            {"name": f["name"], "type": _framed(f["type"], f["name"] == branch_of, f"R{i}")}
            for i, f in enumerate(self._schema["fields"])
        )


def _container_header(fields: Iterable[Avro]) -> bytes:
    fields = [*fields, {"name": _SENTINEL, "type": "double"}]
    text = json.dumps({"type": "record", "name": "Frame", "fields": fields}).encode()
    key = b"avro.schema"
    meta = _long(1) + _long(len(key)) + key + _long(len(text)) + text + _long(0)
    return b"Obj\x01" + meta + _SYNC


def _read(header: bytes, datums: Sequence[bytes]) -> pl.DataFrame:
    number = float(2**51 + secrets.randbits(51))
    sentinel = struct.pack("<d", number)
    data = sentinel.join(datums) + sentinel
    block = io.BytesIO(b"".join((header, _long(len(datums)), _long(len(data)), data, _SYNC)))
    try:
        frame = pl.read_avro(block)
    except (PolarsError, PanicException, OSError) as error:
        raise UndecodableError from error
    if frame.height != len(datums) or not (frame[_SENTINEL] == number).all():
        raise UndecodableError
    return frame.drop(_SENTINEL)


def _long(number: int) -> bytes:
    zigzag = number << 1 if number >= 0 else (-number << 1) - 1
    out = bytearray()
    while zigzag > 0x7F:
        out.append(zigzag & 0x7F | 0x80)
        zigzag >>= 7
    out.append(zigzag)
    return bytes(out)


def _inline(avro: Avro, named: dict[str, Avro], inside: tuple[str, ...]) -> Avro:
    """The schema without names that refer to another part of it, and without logical types."""
    if isinstance(avro, list):
        if len(avro) != 2 or avro[0] != "null" or len(inside) > 1:
            raise UnframeableError
        return ["null", _inline(avro[1], named, (*inside, ""))]
    if isinstance(avro, str):
        if avro in ("boolean", "int", "long", "float", "double", "bytes", "string"):
            return avro
        if avro not in named or avro in inside:
            raise UnframeableError
        return _inline(named[avro], named, inside)
    kind = avro["type"]
    if kind in ("record", "enum"):
        short = avro["name"].rpartition(".")[2]
        if named.setdefault(short, avro) is not avro:
            raise UnframeableError  # a reference could mean either
    if kind == "record":
        deeper = (*inside, avro["name"])
        fields = [{"name": f["name"], "type": _inline(f["type"], named, deeper)}
                  for f in avro["fields"]]  # fmt: skip
        return {"type": "record", "fields": fields}
    if kind == "enum":
        return {"type": "enum", "symbols": avro["symbols"]}
    if kind == "array":
        return {"type": "array", "items": _inline(avro["items"], named, (*inside, ""))}
    return _inline(kind, named, inside)


def _framed(avro: Avro, split: bool = False, path: str = "R") -> Avro:
    """A schema with the same bytes that polars reads; split: a union as its branch and value."""
    if isinstance(avro, list):
        value = _framed(avro[1], path=path)
        if not split:
            return ["null", value]
        fields = [{"name": "branch", "type": "long"}, {"name": "value", "type": value}]
        return {"type": "record", "name": f"{path}_union", "fields": fields}
    if isinstance(avro, str):
        return "long" if avro in ("boolean", "int") else avro
    if avro["type"] == "enum":
        return "long"
    if avro["type"] == "array":
        return {"type": "array", "items": _framed(avro["items"], path=f"{path}_items")}
    fields = [
        {"name": f["name"], "type": _framed(f["type"], path=f"{path}_{i}")}
        for i, f in enumerate(avro["fields"])
    ]
    return {"type": "record", "name": path, "fields": fields}


def _plain(column: pl.Expr, avro: Avro) -> pl.Expr:
    """The column as the schema means it, from what the frame's schema made of it."""
    if isinstance(avro, list):
        return _plain(column, avro[1])
    if avro == "boolean":
        return pl.when(column.is_between(_TRUE, 0)).then(column == _TRUE)
    if isinstance(avro, str):
        return column
    if avro["type"] == "enum":
        return _symbol(column, avro["symbols"])
    if avro["type"] == "array":
        if _is_plain(avro["items"]):
            return column
        return column.list.eval(_plain(pl.element(), avro["items"]))
    whole = pl.struct(
        _plain(column.struct.field(f["name"]), f["type"]).alias(f["name"]) for f in avro["fields"]
    )
    return pl.when(column.is_not_null()).then(whole)


def _is_plain(avro: Avro) -> bool:
    return isinstance(avro, str) and avro != "boolean"


def _symbol(column: pl.Expr, symbols: Sequence[str]) -> pl.Expr:
    symbol: pl.Expr = pl.lit(None, dtype=pl.String)
    for index, name in enumerate(symbols):
        symbol = pl.when(column == index).then(pl.lit(name)).otherwise(symbol)
    return symbol
