"""`sql` answers questions, and can change nothing and reach nothing."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import duckdb
import numpy as np
import pytest

import lineage
from lineage.database.connection import connect
from tests.lineage.events.builders import hop, message
from tests.samples import sampled
from tests.stores import new_store


@pytest.fixture(scope="module")
def store() -> Iterator[lineage.Store]:
    with new_store() as store:
        store.apply([message("m"), hop("h", "inbox", "lake", ["m"])])
        yield store


@pytest.fixture(scope="module")
def digest(store: lineage.Store) -> str:
    return store.digest()


@pytest.mark.parametrize(
    "question",
    [
        "SELECT count(*) FROM arrival",
        "FROM flag",
        "SHOW TABLES",
        "DESCRIBE arrival",
        "SUMMARIZE arrival",
        "VALUES (1)",
        "WITH x AS (FROM arrival) SELECT * FROM x",
        "FROM route('m')",
        "FROM upstream('lake', 'm')",
        "SELECT 1;",
    ],
)
def test_questions_are_answered(store: lineage.Store, question: str) -> None:
    assert store.sql(question).fetchall()


def test_parameters_are_bound(store: lineage.Store) -> None:
    by_name = "SELECT count(*) FROM arrival WHERE dataset = $dataset"
    assert store.sql(by_name, {"dataset": "lake"}).fetchall() == [(1,)]
    by_place = "SELECT count(*) FROM arrival WHERE dataset = ?"
    assert store.sql(by_place, ["lake"]).fetchall() == [(1,)]


NO_QUESTIONS = [
    "DELETE FROM core.arrival",
    "INSERT INTO core.outbox VALUES (1)",
    "UPDATE core.outbox SET published = 9",
    "DROP VIEW flag",
    "CREATE TABLE x AS SELECT 1",
    "CREATE TEMP TABLE x AS SELECT 1",
    "ALTER VIEW flag RENAME TO flags",
    "ATTACH 'x.duckdb'",
    "COPY arrival TO 'x.csv'",
    "EXPORT DATABASE 'x'",
    "INSTALL httpfs",
    "LOAD httpfs",
    "SET threads = 1",
    "RESET threads",
    "PRAGMA threads = 1",
    "SET enable_external_access = true",
    "CALL pragma_version()",
    "EXPLAIN ANALYZE DELETE FROM core.arrival",
    "BEGIN",
    "COMMIT",
    "CHECKPOINT",
    "VACUUM",
    "PREPARE p AS SELECT 1",
    "USE memory",
    "SELECT 1; SELECT 2",
    "SELECT 1; DROP VIEW flag",
    "",
]


@pytest.mark.parametrize("statement", sampled(NO_QUESTIONS, 3))
def test_only_a_question_may_be_asked(store: lineage.Store, digest: str, statement: str) -> None:
    with pytest.raises(lineage.QueryError):
        store.sql(statement)
    assert store.digest() == digest


@pytest.mark.parametrize(
    "question",
    [
        "FROM read_text('{file}')",
        "FROM read_csv('{file}')",
        "FROM read_blob('{file}')",
        "FROM '{file}'",
        "FROM glob('{file}')",
        "FROM sniff_csv('{file}')",
        "SELECT getenv('HOME')",
        "FROM secret_frame",
        "FROM query('FROM read_text(''{file}'')')",
    ],
)
def test_nothing_outside_the_database_is_in_reach(
    store: lineage.Store, question: str, tmp_path: Path
) -> None:
    import polars as pl

    secret_frame = pl.DataFrame({"x": [1]})
    assert secret_frame.height == 1
    file = tmp_path / "secret.csv"
    file.write_text("a,b\n1,2\n")
    with pytest.raises(lineage.QueryError) as caught:
        store.sql(question.format(file=file))
    assert "\n" not in str(caught.value)


def test_a_question_with_an_error_is_told_in_a_sentence(store: lineage.Store) -> None:
    with pytest.raises(lineage.QueryError, match="nothing_there"):
        store.sql("SELECT nothing_there FROM arrival")
    with pytest.raises(lineage.QueryError, match="not SQL"):
        store.sql("SELEKT 1")
    assert store.sql("SELECT 1").fetchall() == [(1,)]


@pytest.mark.timeout(60)
def test_an_error_after_the_first_rows_is_told_in_a_sentence(store: lineage.Store) -> None:
    digit = "CAST(if(i = 500_000, 'x', '0') AS INTEGER)"
    question = f"SELECT i + {digit} AS i FROM range(900_000) t(i)"
    with pytest.raises(lineage.QueryError, match="Could not convert string 'x'"):
        store.sql(question)


def test_an_interrupt_ends_the_question_at_once(store: lineage.Store) -> None:
    def press_ctrl_c() -> None:
        time.sleep(0.5)
        signal.raise_signal(signal.SIGINT)

    threading.Thread(target=press_ctrl_c).start()
    with pytest.raises((KeyboardInterrupt, lineage.QueryError)):
        store.sql("SELECT count(*) FROM range(10_000_000) a, range(10_000_000) b")
    assert store.sql("SELECT 1").fetchall() == [(1,)]


def test_variables_of_the_program_are_out_of_reach() -> None:
    """DuckDB would look for them in the function that executes the question."""
    variable = {"n": np.arange(3)}
    with duckdb.connect() as free:
        assert free.execute("FROM variable").fetchall() == [(n,) for n in variable["n"]]
    with connect(":memory:", read_only=False) as connection:
        for one in (connection, connection.cursor()):
            with pytest.raises(duckdb.CatalogException, match="variable"):
                one.execute("FROM variable")
