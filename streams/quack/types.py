"""Writes the types of an answer's columns as DuckDB serializes them."""

from __future__ import annotations

from typing import Any, Final

from duckdb.sqltypes import DuckDBPyType

from lineage import QueryError
from streams.quack.binary import END, field, items, number, text

__all__ = ["members_of", "parts_of", "serialized_type"]

# DuckDB's LogicalTypeId, by the names that the Python client has for the types.
_IDS: Final = {
    "boolean": 10, "tinyint": 11, "smallint": 12, "integer": 13, "bigint": 14, "date": 15,
    "time": 16, "timestamp_s": 17, "timestamp_ms": 18, "timestamp": 19, "timestamp_ns": 20,
    "decimal": 21, "float": 22, "double": 23, "varchar": 25, "blob": 26, "interval": 27,
    "utinyint": 28, "usmallint": 29, "uinteger": 30, "ubigint": 31,
    "timestamp with time zone": 32, "bit": 36, "hugeint": 50, "uuid": 54, "struct": 100,
    "list": 101, "map": 102, "enum": 104, "array": 108,
}  # fmt: skip
# ExtraTypeInfoType
_ALIAS, _DECIMAL, _LIST, _STRUCT, _ENUM, _ARRAY = 1, 2, 4, 5, 6, 9


def serialized_type(kind: DuckDBPyType) -> bytes:
    """Return a type as an object. Raises QueryError for one that no answer can have."""
    name = kind.id
    if name not in _IDS:
        raise QueryError(
            f"a column of the type {kind} cannot be sent to DuckDB's clients; cast it to VARCHAR"
        )
    more = _more(name, kind)
    info = field(101, b"\x01", more, END) if more else b""
    return field(100, number(_IDS[name])) + info + END


def parts_of(kind: DuckDBPyType) -> dict[str, Any]:
    """Return what a type is made of: child and size, precision and scale, values."""
    return dict(kind.children)


def members_of(kind: DuckDBPyType) -> list[tuple[str, Any]]:
    """Return the names and types of the members of a struct, or of a map's key and value.

    A struct may have members without names.
    """
    return list(kind.children)


def _more(name: str, kind: DuckDBPyType) -> bytes:
    """Return the fields that say more of a type: of what it is made."""
    if name == "varchar":
        # Of all aliases this one is known to every client.
        return _info(_ALIAS) + field(101, text("JSON")) if str(kind) == "JSON" else b""
    if name not in ("decimal", "list", "map", "struct", "enum", "array"):
        return b""
    parts = parts_of(kind)
    if name == "decimal":
        return _info(_DECIMAL) + _default(200, parts["precision"]) + _default(201, parts["scale"])
    if name == "list":
        return _info(_LIST) + field(200, serialized_type(parts["child"]))
    if name == "map":
        return _info(_LIST) + field(200, _struct(members_of(kind)))
    if name == "struct":
        return _info(_STRUCT) + field(200, _members(members_of(kind)))
    if name == "enum":
        values = [text(value) for value in parts["values"]]
        return _info(_ENUM) + field(200, number(len(values))) + field(201, items(values))
    return (
        _info(_ARRAY) + field(200, serialized_type(parts["child"])) + _default(201, parts["size"])
    )


def _struct(members: list[tuple[str, Any]]) -> bytes:
    info = field(101, b"\x01", _info(_STRUCT), field(200, _members(members)), END)
    return field(100, number(_IDS["struct"])) + info + END


def _members(members: list[tuple[str, Any]]) -> bytes:
    return items(
        field(0, text(name)) + field(1, serialized_type(kind)) + END for name, kind in members
    )


def _info(kind: int) -> bytes:
    return field(100, number(kind))


def _default(tag: int, value: int) -> bytes:
    return field(tag, number(value)) if value else b""
