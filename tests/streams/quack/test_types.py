"""What DuckDB's clients get is what the server has: every type, and every length."""

from __future__ import annotations

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.properties import tried
from tests.samples import sampled
from tests.streams.quack.attached import remotely

LONG = "abcdefghij" * 2_000
VALUES = [
    "1", "NULL", "true", "false", "1::TINYINT", "-1::SMALLINT", "2147483647", "-1::BIGINT",
    "18446744073709551615::UBIGINT", "255::UTINYINT", "65535::USMALLINT", "4294967295::UINTEGER",
    "-170141183460469231731687303715884105.5::DECIMAL(38,2)", "-5::HUGEINT",
    "99999999999999999999999999999999999999::HUGEINT", "0.5::FLOAT", "'-inf'::DOUBLE",
    "-9.9::DECIMAL(2,1)", "-9999.99::DECIMAL(6,2)", "-999999999.99::DECIMAL(11,2)",
    "''", "'text'", "'ü€😀'", "'5d7ad8e0-9a0b-4d0e-8a43-0123456789ab'::UUID",
    "'f0000000-0000-0000-0000-000000000001'::UUID", "'\\x00\\xFFab'::BLOB", "'10100'::BIT",
    "DATE '1969-12-31'", "TIME '23:59:59.999999'", "TIMESTAMP '2024-09-18 00:01:00.000001'",
    "TIMESTAMP 'infinity'", "TIMESTAMP_S '2024-09-18 00:01:00'",
    "TIMESTAMP_MS '2024-09-18 00:01:00.001'", "TIMESTAMP_NS '2024-09-18 00:01:00.000000001'",
    "TIMESTAMPTZ '2024-09-18 00:01:00+02'", "INTERVAL '-14 months 3 days 0.000001 seconds'",
    "'b'::ENUM('a', 'b')", """'{"a": [1, null]}'::JSON""",
    "[1, NULL, 3]", "[]::INTEGER[]", "[['a'], NULL, []]", "['x', NULL]",
    "{'a': 1, 'b': NULL::VARCHAR}", "row(1, 'x')", "{'a': {'b': [true]}}",
    "MAP {'k': 1, 'l': NULL}", "MAP {}::MAP(VARCHAR, INTEGER)", "MAP {1: {'z': [false]}}",
    "array_value(1, 2)", "array_value(array_value('a', NULL), array_value('b', 'c'))",
    "[{'a': [MAP {1: {'z': true}}]}, NULL]",
]  # fmt: skip


@pytest.fixture(scope="module")
def local() -> duckdb.DuckDBPyConnection:
    return duckdb.connect()


def same(client: duckdb.DuckDBPyConnection, local: duckdb.DuckDBPyConnection, query: str) -> None:
    there, here = client.execute(remotely(query)), local.execute(query)
    assert [str(c[1]) for c in there.description] == [str(c[1]) for c in here.description]
    assert there.to_arrow_table().equals(here.to_arrow_table())


@pytest.mark.parametrize("value", sampled(VALUES, 4))
def test_a_value_and_none_come_as_they_are(
    client: duckdb.DuckDBPyConnection, local: duckdb.DuckDBPyConnection, value: str
) -> None:
    same(client, local, f"SELECT {value} AS value, 7 AS beside")
    some = f"range(70) t(i) LEFT JOIN (SELECT {value} AS value) ON i % 3 <> 1 ORDER BY i"
    same(client, local, f"SELECT value FROM {some}")
    same(client, local, f"SELECT [value, {value}] AS value FROM {some}")


@pytest.mark.parametrize("rows", [0, 1, 63, 64, 65, 2047, 2048, 2049, 8191, 8192, 8193, 50_000])
def test_an_answer_of_any_length_comes_whole_and_in_its_order(
    client: duckdb.DuckDBPyConnection, local: duckdb.DuckDBPyConnection, rows: int
) -> None:
    same(
        client,
        local,
        f"""
        SELECT i, CASE WHEN i % 7 <> 3 THEN left('{LONG}', (i * 37) % 300) END AS text,
            i % 2 = 0 AS even, list_slice([i, NULL, i + 1], 1, i % 4) AS list,
            {{'a': i, 'b': 'x' || i}} AS struct
        FROM range({rows}) t(i)
        """,
    )


@pytest.mark.parametrize("length", [127, 128, 129, 16_383, 16_384, 20_000])
def test_a_text_of_any_length_comes_whole(
    client: duckdb.DuckDBPyConnection, local: duckdb.DuckDBPyConnection, length: int
) -> None:
    same(client, local, f"SELECT 'a' AS a, left('{LONG}', {length}) AS b, 'c' AS c")


_TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=200)
_ROWS = st.lists(
    st.tuples(st.none() | _TEXTS, st.none() | st.lists(st.none() | _TEXTS)), min_size=1
)


@tried(60)
@given(_ROWS)
def test_any_texts_come_as_they_are(
    client: duckdb.DuckDBPyConnection,
    local: duckdb.DuckDBPyConnection,
    rows: list[tuple[str | None, list[str | None] | None]],
) -> None:
    lines = ", ".join(f"({_spelled(text)}, {_spelled(texts)})" for text, texts in rows)
    same(client, local, f"SELECT a::VARCHAR AS a, b::VARCHAR[] AS b FROM (VALUES {lines}) t(a, b)")


def _spelled(value: str | list[str | None] | None) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, list):
        return f"[{', '.join(map(_spelled, value))}]"
    return "'" + value.replace("'", "''") + "'"


@pytest.mark.parametrize("value", ["TIME '10:00:00'::TIMETZ", "1::UHUGEINT", "union_value(a := 1)"])
def test_a_type_that_cannot_be_sent_is_said(client: duckdb.DuckDBPyConnection, value: str) -> None:
    with pytest.raises(duckdb.Error, match="cast"):
        client.sql(remotely(f"SELECT {value} AS value"))
