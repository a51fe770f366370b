"""Messages to a server, as DuckDB's clients send them or as nobody does."""

from __future__ import annotations

from http.client import HTTPConnection
from urllib.parse import urlsplit

from streams.quack.binary import END, FieldReader, field, number, text
from tests.streams.quack.attached import TOKEN

CONNECT, PREPARE, FETCH, APPEND, DISCONNECT = 1, 3, 7, 9, 11
CONNECTED, PREPARED, FETCHED, SUCCEEDED, FAILED = 2, 4, 8, 10, 100
NONE = 2**64 - 1


def message(kind: int, *fields: bytes, connection: str = "") -> bytes:
    """A message, of the fields of its body."""
    named = field(2, text(connection)) if connection else b""
    head = field(1, number(kind)) + named + field(3, number(NONE)) + END
    return head + b"".join(fields) + END


def connect(
    token: str = TOKEN, version: str = "v1.5.5", protocols: tuple[int, int] = (1, 1)
) -> bytes:
    least, most = protocols
    told = field(1, text(token)) + field(2, text(version)) + field(3, text("linux_amd64"))
    return message(CONNECT, told, field(4, number(least)), field(5, number(most)))


def prepare(connection: str, query: str) -> bytes:
    return message(PREPARE, field(1, text(query)), connection=connection)


def fetch(connection: str, answer: int) -> bytes:
    return message(FETCH, field(1, number(0), number(answer)), connection=connection)


def post(url: str, data: bytes) -> bytes:
    to = urlsplit(url)
    connection = HTTPConnection(to.hostname or "", to.port, timeout=60)
    try:
        connection.request("POST", "/quack", data, {"content-type": "application/octet-stream"})
        response = connection.getresponse()
        assert response.status == 200
        return response.read()
    finally:
        connection.close()


def told(url: str, data: bytes) -> tuple[int, str]:
    """The kind of the response, and the sentence of an error, or else the connection's name."""
    fields = FieldReader(post(url, data))
    kind, connection = fields.number(1), fields.text(2, "")
    assert fields.number(3) == NONE
    fields.end()
    return kind, fields.text(1, "") if kind == FAILED else connection


def connected(url: str) -> str:
    """The name of a new connection."""
    kind, name = told(url, connect())
    assert kind == CONNECTED
    return name


def answer_in(response: bytes) -> int:
    """The number of the answer that a first part belongs to: the last field of its message."""
    at = response.rindex(field(5, number(0))) + 3
    return FieldReader(field(5) + response[at:]).number(5)
