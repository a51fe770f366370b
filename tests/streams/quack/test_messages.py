"""Messages of any kind get an answer: what is understood and allowed, and else an error."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lineage import QueryError
from streams.quack.binary import END, FieldReader, field, number, text
from streams.quack.limits import QUACK_LIMITS
from streams.quack.messages import Request, read_message
from tests.properties import tried
from tests.streams.quack import raw
from tests.streams.serve.serving import ask

GIANT = "SELECT i, repeat('x', 100) AS text FROM range(300_000) t(i)"


@pytest.mark.parametrize(
    ("version", "protocols"), [("v1.5.4", (1, 1)), ("v2.0.1", (1, 1)), ("v1.5.5", (2, 3))]
)
def test_a_client_of_another_version_is_told_which_is_answered(
    url: str, version: str, protocols: tuple[int, int]
) -> None:
    kind, said = raw.told(url, raw.connect(version=version, protocols=protocols))
    assert kind == raw.FAILED
    assert said.startswith("a client of DuckDB v1.5.5 is answered here")


def test_rows_cannot_be_appended(url: str) -> None:
    fields = field(1, text("main")) + field(2, text("flag")) + field(3, b"\x01")
    for connection in ("", raw.connected(url)):
        kind, said = raw.told(url, raw.message(raw.APPEND, fields, connection=connection))
        assert (kind, "nothing can be inserted" in said) == (raw.FAILED, True)


@pytest.mark.parametrize("kind", [0, 2, 4, 5, 6, 8, 10, 12, 13, 14, 100, 255, 2**40])
def test_other_messages_are_none(url: str, kind: int) -> None:
    told, said = raw.told(url, raw.message(kind, connection=raw.connected(url)))
    assert (told, "is none of those" in said) == (raw.FAILED, True)


def test_nothing_is_answered_without_a_connection(url: str) -> None:
    for connection in ("", "0" * 32, raw.connected(url)[:-1]):
        for data in (raw.prepare(connection, "SELECT 1"), raw.fetch(connection, 1)):
            kind, said = raw.told(url, data)
            assert (kind, "ATTACH again" in said) == (raw.FAILED, True)


def test_a_connection_that_is_done_is_forgotten(url: str) -> None:
    name = raw.connected(url)
    assert raw.told(url, raw.prepare(name, "SELECT 1"))[0] == raw.PREPARED
    assert raw.told(url, raw.message(raw.DISCONNECT, connection=name))[0] == raw.SUCCEEDED
    assert raw.told(url, raw.prepare(name, "SELECT 1"))[0] == raw.FAILED
    assert raw.told(url, raw.message(raw.DISCONNECT, connection=name))[0] == raw.SUCCEEDED


def test_an_answer_is_its_own_connections(url: str) -> None:
    mine, other = raw.connected(url), raw.connected(url)
    answer = raw.answer_in(raw.post(url, raw.prepare(mine, GIANT)))
    kind, said = raw.told(url, raw.fetch(other, answer))
    assert (kind, "ask again" in said) == (raw.FAILED, True)
    assert raw.told(url, raw.fetch(mine, answer + 1))[0] == raw.FAILED
    parts = 0
    while len(raw.post(url, raw.fetch(mine, answer))) > 1_000:
        parts += 1
    assert parts > 10
    assert len(raw.post(url, raw.fetch(mine, answer))) < 100
    assert ask(url, "/health").json["questions"] == 0


def test_connections_are_bounded(url: str) -> None:
    first, *_ = names = [raw.connected(url) for _ in range(QUACK_LIMITS.connections_max)]
    assert raw.told(url, raw.prepare(first, "SELECT 1"))[0] == raw.PREPARED
    raw.connected(url)
    kinds = [raw.told(url, raw.prepare(name, "SELECT 1"))[0] for name in names[:3]]
    assert kinds == [raw.PREPARED, raw.FAILED, raw.PREPARED]


PREPARED = raw.prepare("0" * 32, "SELECT 1")


@pytest.mark.parametrize(
    "data", [b"", PREPARED + b"\0", PREPARED[:-1], PREPARED[:6] + b"\xff" * 40]
)
def test_what_is_too_short_or_too_long_is_refused(data: bytes) -> None:
    with pytest.raises(QueryError):
        read_message(data)


@tried(300)
@given(st.binary(max_size=60) | st.tuples(st.integers(0, len(PREPARED)), st.binary(max_size=4)))
def test_bytes_of_any_kind_are_read_or_refused(given: bytes | tuple[int, bytes]) -> None:
    if isinstance(given, tuple):
        at, put = given
        given = PREPARED[:at] + put + PREPARED[at + len(put) :]
    with suppress(QueryError):
        assert isinstance(read_message(given), Request)


def test_a_server_answers_bytes_that_are_none_with_an_error(url: str) -> None:
    for data in (b"", b"\xff\xff", PREPARED[:-3], b"\x00" * 100, b"SELECT 1", END * 40):
        assert raw.told(url, data)[0] == raw.FAILED
    assert ask(url, "/quack", method="GET").status in (401, 405)


@tried(200)
@given(st.integers(0, 2**64 - 1), st.text(st.characters(exclude_categories=["Cs"])))
def test_numbers_and_texts_are_read_as_they_were_written(value: int, words: str) -> None:
    fields = FieldReader(field(3, number(value)) + field(7, text(words)) + END)
    assert (fields.number(3), fields.text(5, "none"), fields.text(7)) == (value, "none", words)
    fields.finish()
