"""A question is answered if it only reads, and refused before it runs if it could do more."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

import lineage
from lineage.audit.select_check.check import check
from lineage.audit.select_check.functions import (
    AGGREGATES,
    INTERNAL_VIEWS,
    SCALARS,
    TABLE_FUNCTIONS,
    TABLE_MACROS,
    WINDOWS,
)
from lineage.audit.select_check.tree import MACROS
from lineage.database.process import processors, resident_bytes
from lineage.database.schema.codes import LABELS
from tests.lineage.audit.questions import ENDLESS, HARMLESS, HOSTILE, nested
from tests.lineage.events.builders import hop, message
from tests.samples import sampled
from tests.stores import new_store

REFUSED = Path(__file__).with_name("refused_functions.txt")


@pytest.fixture(scope="module")
def store() -> Iterator[lineage.Store]:
    with new_store() as store:
        store.apply([message("m"), hop("h", "inbox", "lake", ["m"])])
        yield store


@pytest.fixture
def connection(store: lineage.Store) -> duckdb.DuckDBPyConnection:
    return store._connection.cursor()


def test_there_are_enough_questions() -> None:
    assert len(set(HARMLESS)) > 80
    assert len(set(HOSTILE)) > 150


@pytest.mark.parametrize("question", sampled(HARMLESS, 3))
def test_what_analysts_ask_is_answered(store: lineage.Store, question: str) -> None:
    params = ["a", 1] if "$1" in question or "?::" in question else None
    store.sql(question, params, timeout_seconds=60)


@pytest.mark.timeout(60)
@pytest.mark.parametrize("question", sampled(HOSTILE, 3), ids=lambda question: ascii(question[:60]))
def test_what_could_do_more_than_read_is_refused(
    connection: duckdb.DuckDBPyConnection, question: str
) -> None:
    with pytest.raises(lineage.QueryError) as caught:
        check(connection, question)
    assert "\n" not in str(caught.value)


@pytest.mark.timeout(60)
@pytest.mark.parametrize("question", sampled(ENDLESS, 4), ids=lambda question: question[:40])
def test_what_never_ends_is_ended_at_the_limit(store: lineage.Store, question: str) -> None:
    with pytest.raises(lineage.QueryError, match=r"limit of 0\.3 s.*--timeout"):
        store.sql(question, timeout_seconds=0.3)
    assert store.sql("SELECT 1").fetchall() == [(1,)]


def functions(*kinds: str) -> set[str]:
    with duckdb.connect() as fresh:
        rows = fresh.execute("SELECT function_name, function_type FROM duckdb_functions()")
        return {name.lower() for name, kind in rows.fetchall() if kind in kinds}


def test_every_function_of_duckdb_is_allowed_or_refused_by_decision() -> None:
    lines = REFUSED.read_text(encoding="utf-8").splitlines()
    refused = {w for line in lines if not line.startswith("#") for w in line.split()}
    found = functions("scalar", "macro", "aggregate")
    allowed = SCALARS | AGGREGATES | WINDOWS
    assert not refused & allowed
    undecided = found - allowed - refused
    assert {n for n in undecided if not n.startswith(("icu_collate_", "__internal_"))} == set()
    assert allowed - found == {"unnest", "->"}  # syntax, and no functions of the catalogue


def test_every_table_function_allowed_is_one_of_duckdb() -> None:
    assert TABLE_FUNCTIONS - functions("table", "table_macro") == set()


def test_our_macros_are_all_known_to_the_check(connection: duckdb.DuckDBPyConnection) -> None:
    rows = connection.execute(
        "SELECT schema_name, function_name FROM duckdb_functions() WHERE NOT internal"
    ).fetchall()
    known = {("core", name) for name in MACROS} | {("main", name) for name in TABLE_MACROS}
    # And those that the views and macros themselves use.
    assert set(rows) == known | {
        ("core", name) for name in ("key_of", "folded", "last_change", "all_consent")
    }
    assert len(MACROS) == 2 * len(LABELS)


def test_the_views_of_the_catalogue_are_there(connection: duckdb.DuckDBPyConnection) -> None:
    rows = connection.execute("SELECT schema_name, view_name FROM duckdb_views() WHERE internal")
    assert set(rows.fetchall()) >= INTERNAL_VIEWS


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ("FROM read_text('x')", r"read_text\(\) is not allowed as a table; allowed are .*route"),
        ("FROM evil_name('x')", "an unknown function is not allowed"),
        ("SELECT sleep_ms(1)", r"sleep_ms\(\) is not allowed in a question"),
        ("FROM 'secret.csv'", "names a table that is not there.*SHOW ALL TABLES"),
        ("PIVOT flag ON rule USING count(*)", r"PIVOT … ON column IN"),
        ("PRAGMA table_info('flag')", "DESCRIBE"),
        ("SELECT levenshtein(rule, rule) FROM flag", r"levenshtein\(left\(a, 200\)"),
        ("SELECT unnest(range(1000000000))", r"FROM range\(…\)"),
        ("SELECT rule LIKE dataset FROM flag", "contains"),
    ],
)
def test_a_refusal_says_what_would_be_right(
    connection: duckdb.DuckDBPyConnection, question: str, said: str
) -> None:
    with pytest.raises(lineage.QueryError, match=said) as caught:
        check(connection, question)
    assert "evil" not in str(caught.value)
    assert "secret" not in str(caught.value)


def test_parameters_are_values_and_are_looked_at(connection: duckdb.DuckDBPyConnection) -> None:
    check(connection, "FROM flag WHERE rule LIKE ? AND dataset = ?", ["a%", "b"])
    check(connection, "SELECT lpad(rule, $width, '.') FROM flag", {"width": 20})
    for question, params in [
        ("SELECT lpad(rule, ?, '.') FROM flag", [1_000_000_000]),
        ("SELECT rule ILIKE $p FROM flag", {"p": "%a%b%c%d"}),
        ("SELECT format(?, 1)", ["{:1000000000}"]),
        ("SELECT ?", [object()]),
        ("SELECT ?", [lambda: 1]),
        ("SELECT ?", "a"),
    ]:
        with pytest.raises(lineage.QueryError):
            check(connection, question, params)  # type: ignore[arg-type]  # on purpose


def test_two_columns_of_one_name_are_told_apart(store: lineage.Store) -> None:
    answer = store.sql("SELECT a.dataset, b.dataset, 1 AS DATASET FROM arrival a, arrival b")
    assert answer.columns == ["dataset", "dataset_1", "DATASET_2"]
    assert len(answer.fetchall()) == 4


@pytest.mark.slow
def test_an_answer_that_is_too_large_is_refused_as_a_whole() -> None:
    with lineage.open(":memory:", memory_mib=200) as store:
        rows = "SELECT i, i + 1 AS j FROM range(100_000_000) t(i)"
        with pytest.raises(lineage.QueryError, match="larger than 200 MiB"):
            store.sql(rows)
        with store.sql_batches(f"{rows} LIMIT 20_000_000") as question:
            assert sum(batch.num_rows for batch in question.batches()) == 20_000_000
        assert store.sql("SELECT 1").fetchall() == [(1,)]


def test_questions_are_answered_side_by_side(store: lineage.Store) -> None:
    answers: list[object] = []

    def ask(number: int) -> None:
        answers.append(store.sql("SELECT sum(i) + ? FROM range(99) t(i)", [number]).fetchall())

    threads = [threading.Thread(target=ask, args=[number]) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 4


def test_what_the_process_has_is_told() -> None:
    resident = resident_bytes()
    assert resident is None or resident > 10_000_000
    allowed = processors()
    assert allowed is None or allowed >= 1


@pytest.mark.slow
def test_plain_questions_may_be_large(connection: duckdb.DuckDBPyConnection) -> None:
    ids = ", ".join(f"'018ff991-8c99-7655-ad88-{i:012}'" for i in range(10_000))
    check(connection, f"SELECT count(*) FROM arrival WHERE message_id IN ({ids})")
    check(connection, "SELECT " + " AND ".join(["identifiable"] * 3000) + " FROM arrival")
    check(connection, f"SELECT {nested('concat({}, $$x$$)', 40, 'dataset')} FROM arrival")
    ctes = ", ".join(f"c{i} AS (FROM {f'c{i - 1}' if i else 'arrival'})" for i in range(14))
    check(connection, f"WITH {ctes} FROM c13")
