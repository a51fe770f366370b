"""`lineage.connect`: the same verbs, the same answers and errors as of a store that is open."""

from __future__ import annotations

import datetime
import socket
import subprocess
import sys
import uuid
from decimal import Decimal

import numpy as np
import pytest

import lineage
from lineage.remote.client import RemoteStore

TYPES = """SELECT DATE '2024-09-18' AS d, TIMESTAMP '2024-09-18 01:02:03.5' AS t,
    TIMESTAMPTZ '2024-09-18 02:00:00+02' AS z, TIME '01:02:03' AS c, 1.50::DECIMAL(4, 2) AS n,
    'nan'::FLOAT AS f, 170141183460469231731687303715884105727 AS h, [1, NULL] AS l,
    {'x': DATE '2024-01-01'} AS s, MAP {'k': 1} AS m, '\\xFF'::BLOB AS b, INTERVAL 1 DAY AS i,
    TRUE AS y, NULL AS u, '6ba7b810-9dad-11d1-80b4-00c04fd430c8'::UUID AS id, 1 AS d, 1 AS D,
    '101'::BIT AS bits, '{"a": 1}'::JSON AS j, [1, 2]::INTEGER[2] AS a"""


@pytest.fixture
def remote(url: str) -> RemoteStore:
    return lineage.connect(url)


def test_every_type_is_as_it_is_in_the_store(store: lineage.Store, remote: RemoteStore) -> None:
    here, there = store.sql(TYPES), remote.sql(TYPES)
    assert (there.columns, list(map(str, there.types))) == (
        here.columns,
        list(map(str, here.types)),
    )
    assert str(there.fetchall()) == str(here.fetchall())  # a text, as nan is not nan


def test_the_verbs_answer_the_same(store: lineage.Store, remote: RemoteStore) -> None:
    assert remote.flags().fetchall() == store.flags().fetchall()
    assert remote.flags(dataset="raw").columns == store.flags(dataset="raw").columns
    assert remote.flags(message_id="m2").fetchall() == []
    assert remote.route("m1").fetchall() == store.route("m1").fetchall()
    for unknown in ("no such", "", ".", "../..", "a/b?c#d%2F\n", "\u202e", "m1\0"):
        assert remote.route(unknown).fetchall() == store.route(unknown).fetchall() == []
    assert remote.digest() == store.digest()


@pytest.mark.parametrize(
    "value",
    [
        *(1, 1.5, "ä", True, None, b"\xff", Decimal("1.5"), 2**100),
        *(datetime.datetime(2024, 9, 18, 1, 2, 3, 4), datetime.date(2024, 9, 18)),
        datetime.datetime(2024, 9, 18, tzinfo=datetime.UTC),
        *(datetime.time(1, 2, 3), datetime.timedelta(days=-1, microseconds=3)),
        uuid.UUID("6ba7b810-9dad-11d1-80b4-00c04fd430c8"),
        *([1, 2], {"a": 1}),
    ],
)
def test_parameters_are_the_same(store: lineage.Store, remote: RemoteStore, value: object) -> None:
    question = "SELECT $v AS v, typeof($v) AS kind"
    assert (
        remote.sql(question, {"v": value}).fetchall()
        == store.sql(question, {"v": value}).fetchall()
    )
    several = "SELECT ?, typeof(?)"
    assert (
        remote.sql(several, [value, value]).fetchall()
        == store.sql(several, [value, value]).fetchall()
    )


def test_numbers_of_numpy_are_numbers(remote: RemoteStore) -> None:
    row = remote.sql("SELECT ?, ?", [np.int64(3), np.float32(0.5)]).fetchall()
    assert row == [(3, 0.5)]


@pytest.mark.parametrize(
    "question",
    [
        "SELEC 1",
        "SELECT 1; SELECT 2",
        "DELETE FROM core.flag",
        "SELECT * FROM nope",
        "SELECT CAST('a' AS INTEGER)",
        "SELECT ?",
        "SELECT '\ud800'",
        "SELECT '\x00'",
        "SELECT 1 " + "-- " * 300_000,
    ],
)
def test_errors_are_the_same(store: lineage.Store, remote: RemoteStore, question: str) -> None:
    with pytest.raises(lineage.LineageError) as here:
        store.sql(question)
    with pytest.raises(lineage.LineageError) as there:
        remote.sql(question)
    assert (type(there.value), str(there.value)) == (type(here.value), str(here.value))


def test_a_name_that_is_not_known_is_the_same_error(
    store: lineage.Store, remote: RemoteStore
) -> None:
    with pytest.raises(lineage.QueryError) as here:
        store.flags(dataset="Raw")
    with pytest.raises(lineage.QueryError, match="the nearest is 'raw'") as there:
        remote.flags(dataset="Raw")
    assert str(there.value) == str(here.value)


def test_a_value_that_does_not_go_over_http_is_said(
    remote: RemoteStore,
) -> None:
    for value in ({1, 2}, [datetime.date(2024, 1, 1)], object()):
        with pytest.raises(lineage.QueryError, match="over HTTP a parameter is"):
            remote.sql("SELECT ?", [value])


@pytest.mark.parametrize(
    "address",
    ["", "127.0.0.1:1", "ftp://x:1", "http://", "http://u:p@x:1", "http://x:1/path", "http://x:y"],
)
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(lineage.StoreUnreachableError, match="http://HOST:PORT"):
        lineage.connect(address)


def test_what_does_not_answer_is_said() -> None:
    with socket.create_server(("127.0.0.1", 0)) as there:
        port = there.getsockname()[1]
    remote = lineage.connect(f"http://127.0.0.1:{port}")
    for ask in (remote.digest, remote.health, lambda: remote.sql("SELECT 1")):
        with pytest.raises(lineage.StoreUnreachableError, match="Connection refused"):
            ask()


def test_what_is_no_lineage_server_is_said() -> None:
    with socket.create_server(("127.0.0.1", 0)) as there:
        there.settimeout(10)
        url = f"http://127.0.0.1:{there.getsockname()[1]}"
        code = f"import lineage; lineage.connect({url!r}).digest()"
        with subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE) as client:
            connection, _ = there.accept()
            with connection:
                connection.recv(10_000)
                connection.sendall(b"HTTP/1.1 418 No\r\nContent-Length: 0\r\n\r\n")
            _, said = client.communicate(timeout=30)
    assert b"HTTP status 418" in said.splitlines()[-1]


def test_importing_lineage_loads_nothing_of_the_web() -> None:
    code = "import sys, lineage; print({'http.client', 'starlette', 'uvicorn'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
