"""Writes an answer's columns as DuckDB's vectors: from Arrow's layout, by numpy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from duckdb.sqltypes import DuckDBPyType

from streams.quack.binary import END, field, items, number
from streams.quack.types import members_of, parts_of

__all__ = ["CHUNK_ROWS", "serialized_chunk"]

CHUNK_ROWS: Final = 2_048
"""The most rows of a chunk: DuckDB's own."""

# Types whose values lie in Arrow as they lie in DuckDB.
_PLAIN: Final = {
    "tinyint": "i1", "smallint": "<i2", "integer": "<i4", "bigint": "<i8", "date": "<i4",
    "time": "<i8", "timestamp_s": "<i8", "timestamp_ms": "<i8", "timestamp": "<i8",
    "timestamp_ns": "<i8", "timestamp with time zone": "<i8", "float": "<f4", "double": "<f8",
    "utinyint": "u1", "usmallint": "<u2", "uinteger": "<u4", "ubigint": "<u8", "hugeint": "V16",
}  # fmt: skip
_ARROW_INTERVAL: Final = np.dtype([("months", "<i4"), ("days", "<i4"), ("nanos", "<i8")])
_INTERVAL: Final = np.dtype([("months", "<i4"), ("days", "<i4"), ("micros", "<i8")])
# A UUID is a number of 16 bytes, whose sign is turned so that numbers are ordered as texts are.
_UUID_TEXT: Final = 36
_SIGN: Final = 0x80

Array = Any  # an Arrow array of any type


def serialized_chunk(
    batch: pa.RecordBatch, kinds: Sequence[DuckDBPyType], types: Sequence[bytes]
) -> bytes:
    """Return at most CHUNK_ROWS rows as a chunk of a list. types: the kinds, serialized."""
    rows = batch.num_rows
    columns = [_vector(column, kind) for column, kind in zip(batch.columns, kinds, strict=True)]
    chunk = field(100, number(rows)) + field(101, items(types)) + field(102, items(columns)) + END
    return b"\x01" + field(300, chunk) + END


def _vector(array: Array, kind: DuckDBPyType) -> bytes:
    """Return a column as an object: which values are there, and the values."""
    return _validity(array) + _VALUES.get(kind.id, _plain)(array, kind) + END


def _validity(array: Array) -> bytes:
    if not array.null_count:
        return field(100, number(0))
    valid = array.is_valid().to_numpy(zero_copy_only=False)
    bits = np.packbits(valid, bitorder="little").tobytes()
    padded = bits + bytes(-len(bits) % 8)
    return field(100, number(1)) + field(101, number(len(padded)), padded)


def _data(values: npt.NDArray[Any]) -> bytes:
    raw = values.tobytes()
    return field(102, number(len(raw)), raw)


def _buffer(array: Array, place: int, kind: str | np.dtype[Any]) -> npt.NDArray[Any]:
    """Return the values of a buffer of an array, of those that are null whatever is there."""
    dtype = np.dtype(kind)
    buffer = array.buffers()[place]
    if buffer is None:
        return np.zeros(len(array), dtype)
    return np.frombuffer(buffer, dtype, len(array), array.offset * dtype.itemsize)


def _plain(array: Array, kind: DuckDBPyType) -> bytes:
    return _data(_buffer(array, 1, _PLAIN[kind.id]))


def _boolean(array: Array, _: DuckDBPyType) -> bytes:
    return _data(array.fill_null(False).to_numpy(zero_copy_only=False).astype("u1"))


def _decimal(array: Array, kind: DuckDBPyType) -> bytes:
    precision = parts_of(kind)["precision"]
    if precision > 18:
        return _data(_buffer(array, 1, "V16"))
    width = "<i2" if precision <= 4 else "<i4" if precision <= 9 else "<i8"
    low = _buffer(array, 1, "V16").view("<i8")[::2]
    return _data(low.astype(width))


def _interval(array: Array, _: DuckDBPyType) -> bytes:
    given = _buffer(array, 1, _ARROW_INTERVAL)
    made = np.empty(len(array), _INTERVAL)
    made["months"], made["days"], made["micros"] = (
        given["months"],
        given["days"],
        given["nanos"] // 1_000,
    )
    return _data(made)


def _uuid(array: Array, _: DuckDBPyType) -> bytes:
    made = np.zeros((len(array), 16), "u1")
    known = array.drop_null()
    texts = np.array(known.to_pylist(), f"S{_UUID_TEXT}").view("u1").reshape(-1, _UUID_TEXT)
    digits = np.delete(texts, (8, 13, 18, 23), axis=1).tobytes()
    big_endian = np.frombuffer(bytes.fromhex(digits.decode()), "u1").reshape(-1, 16)
    turned = big_endian[:, ::-1].copy()
    turned[:, 15] ^= _SIGN
    made[array.is_valid().to_numpy(zero_copy_only=False)] = turned
    return _data(made)


def _texts(array: Array, _: DuckDBPyType) -> bytes:
    """Return texts or bytes, each after its length: all at once, without a loop over them."""
    bounds = _bounds(array)
    lengths = np.diff(bounds)
    widths = np.ones(len(array), np.int64)
    for place in range(1, 5):
        widths += lengths >= 1 << 7 * place
    heads = bounds[:-1] - bounds[0] + np.cumsum(widths) - widths
    out = np.empty(int(lengths.sum() + widths.sum()), "u1")
    is_text = np.ones(len(out), bool)
    for place in range(int(widths.max(initial=0))):
        longer = widths > place
        at = heads[longer] + place
        more = np.where(widths[longer] > place + 1, 0x80, 0)
        out[at] = lengths[longer] >> 7 * place & 0x7F | more
        is_text[at] = False
    buffer = array.buffers()[2]
    if buffer is not None:
        out[is_text] = np.frombuffer(buffer, "u1")[bounds[0] : bounds[-1]]
    return field(102, number(len(array)), out.tobytes())


def _bounds(array: Array) -> npt.NDArray[np.int64]:
    """Return where each value of an array of texts or lists begins, and where the last one ends."""
    buffer = array.buffers()[1]
    if buffer is None or not len(array):
        return np.zeros(len(array) + 1, np.int64)
    return np.frombuffer(buffer, "<i4", len(array) + 1, array.offset * 4).astype(np.int64)


def _enum(array: Array, kind: DuckDBPyType) -> bytes:
    count = len(parts_of(kind)["values"])
    width = "u1" if count <= 0x100 else "<u2" if count <= 0x1_0000 else "<u4"
    return _data(array.indices.fill_null(0).to_numpy(zero_copy_only=False).astype(width))


def _struct(array: Array, kind: DuckDBPyType) -> bytes:
    members = zip(array.flatten(), members_of(kind), strict=True)
    return field(103, items(_vector(member, child) for member, (_, child) in members))


def _list(array: Array, kind: DuckDBPyType) -> bytes:
    return _entries(array, array.values, lambda part: _vector(part, parts_of(kind)["child"]))


def _map(array: Array, kind: DuckDBPyType) -> bytes:
    """Return maps: lists of structs of a key and a value."""
    pairs = pa.StructArray.from_arrays([array.keys, array.items], names=["key", "value"])
    return _entries(array, pairs, lambda part: field(100, number(0)) + _struct(part, kind) + END)


def _entries(array: Array, values: Array, vector: Callable[[Array], bytes]) -> bytes:
    bounds = _bounds(array)
    first, total = int(bounds[0]), int(bounds[-1] - bounds[0])
    entries = (
        field(100, number(start)) + field(101, number(end - start)) + END
        for start, end in pairwise((bounds - first).tolist())
    )
    child = vector(values.slice(first, total))
    return field(104, number(total)) + field(105, items(entries)) + field(106, child)


def _array(array: Array, kind: DuckDBPyType) -> bytes:
    parts = parts_of(kind)
    size = parts["size"]
    values = array.values.slice(array.offset * size, len(array) * size)
    return field(103, number(size)) + field(104, _vector(values, parts["child"]))


_VALUES: Final[dict[str, Callable[[Array, DuckDBPyType], bytes]]] = {
    "boolean": _boolean,
    "decimal": _decimal,
    "interval": _interval,
    "uuid": _uuid,
    "varchar": _texts,
    "blob": _texts,
    "bit": _texts,
    "enum": _enum,
    "struct": _struct,
    "list": _list,
    "map": _map,
    "array": _array,
}
