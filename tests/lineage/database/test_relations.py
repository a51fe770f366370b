"""Statements on some keys find the same rows whether these stand in the text or a table."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator

import duckdb
import numpy as np
import polars as pl
import pytest

from lineage.database.relations import (
    RELEASED_ROWS_MIN,
    execute_on,
    execute_with,
    release_frames,
    write_with,
)


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE t AS SELECT range // 2 AS n, range AS v FROM range(400)")
        yield connection


@pytest.mark.parametrize("count", [0, 1, 50, 51, 150])
def test_rows_of_few_and_of_many_numbers(connection: duckdb.DuckDBPyConnection, count: int) -> None:
    wanted = np.arange(count) + 100
    statement = "SELECT a.v FROM {one} a JOIN {other} b USING (v) WHERE v >= $least ORDER BY v"
    found = execute_on(
        connection, wanted, statement, {"least": 201}, one=("t", "n"), other=("t", "n")
    )
    there = [v for v in range(201, 400) if v // 2 < 100 + count]
    assert found.fetchnumpy()["v"].tolist() == there


def test_few_and_many_are_told_apart_by_their_number(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    answers = []
    for most in (0, 1000):
        keys = np.array([3, 5, 999])
        found = execute_on(connection, keys, "SELECT * FROM {t}", in_text_max=most, t=("t", "n"))
        answers.append(sorted(found.fetchall()))
    assert answers[0] == answers[1] == [(3, 6), (3, 7), (5, 10), (5, 11)]


def test_each_statement_reads_its_own_table(connection: duckdb.DuckDBPyConnection) -> None:
    for values in ([1, 2], [3, None], [4]):
        frame = pl.DataFrame({"n": values})
        rows = execute_with(connection, "SELECT n FROM frame", frame=frame).fetchall()
        assert [n for (n,) in rows] == values


def registered(connection: duckdb.DuckDBPyConnection) -> set[str]:
    names = "SELECT view_name FROM duckdb_views() WHERE temporary AND NOT internal"
    return {name for (name,) in connection.execute(names).fetchall()}


@pytest.mark.parametrize("large", [False, True])
def test_a_large_frame_is_let_go_of_once_it_is_written_whatever_the_transaction(
    connection: duckdb.DuckDBPyConnection, large: bool
) -> None:
    connection.execute("BEGIN")
    frames = [pl.DataFrame({"n": range(RELEASED_ROWS_MIN if large else 5)}) for _ in range(3)]
    held = [weakref.ref(frame) for frame in frames]
    while frames:
        write_with(connection, "INSERT INTO t SELECT n, n FROM written", written=frames.pop())
    gc.collect()
    if large:
        assert [frame() for frame in held] == [None] * 3
    count = 3 * (RELEASED_ROWS_MIN if large else 5)
    assert connection.execute("SELECT count(*) FROM t").fetchall() == [(400 + count,)]
    assert registered(connection) == {"written"}


def test_frames_of_any_size_and_kind_follow_each_other_under_one_name(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    few, many = 5, RELEASED_ROWS_MIN
    query = "SELECT count(*), min(n), max(n) FROM frame"
    for rolled_back in (False, True, False):
        connection.execute("BEGIN")
        for first, count in enumerate((many, many, few, many, few, few, many)):
            values = range(first, first + count)
            for frame in (
                pl.DataFrame({"n": values}),
                pl.DataFrame({"n": values}, schema={"n": pl.Int32}),
                pl.DataFrame({"n": values}).to_arrow(),
            ):
                found = execute_with(connection, query, frame=frame).fetchall()
                assert found == [(count, first, first + count - 1)]
        connection.execute("ROLLBACK" if rolled_back else "COMMIT")
    release_frames(connection)
    assert registered(connection) == set()


def test_all_frames_are_let_go_of(connection: duckdb.DuckDBPyConnection) -> None:
    frame = pl.DataFrame({"n": [1]})
    execute_with(connection, "FROM one, other", one=frame, other=frame).fetchall()
    assert registered(connection) == {"one", "other"}
    release_frames(connection)
    assert registered(connection) == set()
