"""Questions in SQL: what analysts ask, and what attackers would."""

from __future__ import annotations

from pathlib import Path


def _read(name: str) -> list[str]:
    text = Path(__file__).with_name(name).read_text(encoding="utf-8")
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def nested(outer: str, times: int, inner: str) -> str:
    """Put a text into {} of another, so many times."""
    for _ in range(times):
        inner = outer.replace("{}", inner)
    return inner


def _chain(cte: str, times: int, first: str = "SELECT 1 AS x") -> str:
    steps = (", " + cte.format(made=f"c{i + 1}", of=f"c{i}") for i in range(times))
    return f"WITH c0 AS ({first}){''.join(steps)} FROM c{times}"


def _aliases(form: str, times: int, first: str) -> str:
    steps = (f", {form.format(of=f'a{i}')} AS a{i + 1}" for i in range(times))
    return f"SELECT {first} AS a0{''.join(steps)} FROM arrival"


HARMLESS = _read("questions_harmless.txt")
HOSTILE = [
    *_read("questions_hostile.txt"),
    # values that grow
    f"SELECT {nested('replace({}, $$a$$, $$aa$$)', 30, 'dataset')} FROM arrival",
    f"SELECT {nested('bin({})', 12, 'dataset')} FROM arrival",
    f"SELECT regexp_replace(dataset, '', '{'x' * 2000}', 'g') FROM arrival",
    f"FROM {nested('(SELECT s || s AS s FROM {})', 14, '(SELECT dataset AS s FROM arrival)')}",
    _aliases("{of} || {of}", 20, "dataset"),
    _chain("{made} AS MATERIALIZED (SELECT [x, x] AS x FROM {of})", 20),
    _chain("{made} AS MATERIALIZED (SELECT {{'a': x, 'b': x}} AS x FROM {of})", 20),
    # what DuckDB parses and plans for ever
    f"SELECT {nested('CASE {} WHEN 1 THEN 2 WHEN 3 THEN 4 END', 20, '1')}",
    f"SELECT {nested('({} BETWEEN false AND true)', 40, 'identifiable')} FROM arrival",
    f"SELECT {nested('nullif({}, 2)', 40, 'n')} FROM core.hop",
    f"SELECT {nested('split_part({}, $$a$$, 1)', 30, 'dataset')} FROM arrival",
    _aliases("{of} + {of}", 40, "1"),
    f"SELECT {nested('(SELECT {})', 40, '1')}",
    f"FROM {nested('(SELECT *, * FROM {})', 20, 'arrival')}",
    f"SELECT max(a) FROM {nested('(SELECT max(a) AS a FROM {})', 40, '(SELECT 1 AS a)')}",
    _chain("{made} AS NOT MATERIALIZED (SELECT a.x FROM {of} a, {of} b)", 30),
    _chain("{made} AS (SELECT * FROM {of} a, {of} b)", 30),
    _chain("{made} AS (SELECT max(x) AS x FROM {of})", 40),
    "SELECT 1" + " UNION ALL SELECT 1" * 10_000,
    "SELECT " + "(" * 5000 + "1" + ")" * 5000,
    "SELECT " + "NOT " * 20_000 + "true",
    "SELECT 1" + " + 1" * 5000,
    f"SELECT {nested('[list_value({})]', 90, '1')}",
    f"SELECT {nested('list_transform([1], x -> {})', 20, '1')}",
    "SELECT "
    + ", ".join(f"sum(n) OVER (ORDER BY n ROWS {i} PRECEDING)" for i in range(5000))
    + " FROM core.hop",
    f"SELECT {'sum(n) OVER w, ' * 2000}1 FROM core.hop WINDOW w AS (ORDER BY {'n, ' * 2000}n)",
    f"SELECT 1 FROM arrival GROUP BY CUBE ({', '.join(f'record_id || {i}' for i in range(15))})",
    f"FROM flag{', flag' * 200}",
    f"SELECT 1 {'-- ' * 300_000}",
    # no question at all
    "", ";", "-- nothing", "SELECT '\x00'", "SELECT '\ud800'",
]  # fmt: skip

ENDLESS = [
    "SELECT count(*) FROM range(10_000_000) a, range(10_000_000) b",
    "SELECT sum(hash(i)) FROM generate_series(1, 9_000_000_000_000_000) t(i)",
    "WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r) SELECT count(*) FROM r",
    "SELECT count(*) FROM range(1_000_000_000_000) t(i) WHERE regexp_matches(i::VARCHAR, '1*3')",
    "SELECT i FROM range(1_000_000_000_000) t(i) WHERE i < 0",
    "SELECT count(*) FROM range(30_000_000_000) t(i) WHERE i::VARCHAR ILIKE '%9%8%'",
    "SELECT max(levenshtein(left(i::VARCHAR, 20), '123')) FROM range(90_000_000_000) t(i)",
    "SELECT mode(i) FROM range(90_000_000_000) t(i)",
]
"""They go on for hours or days."""
