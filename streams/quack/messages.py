"""Reads and writes the messages of quack's protocol, as DuckDB 1.5.5 has them.

A message is two objects, a header and a body. One that would write, as rows that a client appends,
is refused by its header.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field as value

import duckdb

from lineage import QueryError
from streams.quack.binary import END, FieldReader, field, items, number, text

__all__ = [
    "Connect",
    "Disconnect",
    "Fetch",
    "Prepare",
    "Request",
    "connected",
    "disconnected",
    "failed",
    "fetched",
    "prepared",
    "read_message",
]

VERSION = 1
_CONNECT, _CONNECTED, _PREPARE, _PREPARED = 1, 2, 3, 4
_FETCH, _FETCHED, _APPEND, _SUCCEEDED, _DISCONNECT, _FAILED = 7, 8, 9, 10, 11, 100
_NONE = 2**64 - 1  # in the place of an index that is not there
_PLATFORM = "message-lineage"


@dataclass(frozen=True)
class Connect:
    """Asks for a connection. token: what it brings; version: of the client's DuckDB."""

    token: str = value(repr=False)
    version: str
    protocols: range


@dataclass(frozen=True)
class Prepare:
    """Asks a question."""

    connection: str
    query: str


@dataclass(frozen=True)
class Fetch:
    """Asks for the next part of an answer."""

    connection: str
    answer: int


@dataclass(frozen=True)
class Disconnect:
    """Says that a connection is done."""

    connection: str


Request = Connect | Prepare | Fetch | Disconnect


def read_message(data: bytes) -> Request:
    """Read a client's message. Raises QueryError for one that is not understood or not allowed."""
    fields = FieldReader(data)
    kind, connection = fields.number(1), fields.text(2, "")
    fields.number(3)
    fields.end()
    request: Request
    if kind == _CONNECT:
        token, version = fields.text(1, ""), fields.text(2, "")
        fields.text(3, "")
        least, most = fields.number(4, 0), fields.number(5, 0)
        request = Connect(token, version, range(least, most + 1))
    elif kind == _PREPARE:
        request = Prepare(connection, fields.text(1, ""))
    elif kind == _FETCH:
        upper, lower = fields.numbers(1, 2)
        request = Fetch(connection, upper << 64 | lower)
    elif kind == _DISCONNECT:
        request = Disconnect(connection)
    elif kind == _APPEND:
        raise QueryError("the database is served to be read; nothing can be inserted")
    else:
        raise QueryError(f"message {kind} is none of those of quack's protocol in DuckDB 1.5.5")
    fields.finish()
    return request


def connected(connection: str) -> bytes:
    """Return the response to a client that may ask."""
    version = text(f"v{duckdb.__version__}")
    body = field(1, version) + field(2, text(_PLATFORM)) + field(3, number(VERSION))
    return _message(_CONNECTED, body, connection)


def prepared(
    types: Sequence[bytes], names: Sequence[str], chunks: Sequence[bytes], answer: int, more: bool
) -> bytes:
    """Return the columns of an answer and its first chunks; more: whether to fetch others."""
    body = field(1, items(types)) + field(2, items(map(text, names)))
    if more:
        body += field(3, number(1))
    return _message(_PREPARED, body + _chunks(4, chunks) + field(5, number(0), number(answer)))


def fetched(chunks: Sequence[bytes], place: int | None) -> bytes:
    """Return further chunks, none at the end; place: of the part in the answer, from 1."""
    index = number(_NONE if place is None else place)
    return _message(_FETCHED, _chunks(1, chunks) + field(2, index))


def disconnected() -> bytes:
    """Return the response to a client that is done."""
    return _message(_SUCCEEDED, b"")


def failed(sentence: str) -> bytes:
    """Return an error, which the client raises."""
    return _message(_FAILED, field(1, text(sentence)))


def _chunks(tag: int, chunks: Sequence[bytes]) -> bytes:
    return field(tag, items(chunks)) if chunks else b""


def _message(kind: int, body: bytes, connection: str = "") -> bytes:
    header = field(1, number(kind))
    if connection:
        header += field(2, text(connection))
    return header + field(3, number(_NONE)) + END + body + END
